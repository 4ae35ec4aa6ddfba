// SPDX-License-Identifier: MIT
//
// Goal: the lane's own protocol: a connection has one user, who waits is woken, and the rack learns
// of all that has happened (S3, L2, S6).
// Method: the lane, a rack and a lock, used as the pool uses them where nobody is passed; under PCT
//         of depth 3 until 99.9 % (litmus.hpp), and the smallest program in every schedule with so
//         many preemptions.
#include "sim/world/sim_runtime.hpp"
#include "tests/runtime/racked.hpp"
#include "tests/sim/explore/litmus.hpp"

#include <cstdint>
#include <mutex>
#include <vector>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;
using engine::PlainRack;
using engine::SlotId;

class Lending {
 public:
  explicit Lending(std::uint32_t connections) : racked_(connections), users_(connections) {
    racked_.open();
  }

  // Borrows one, waits for it if need be, and gives it back.
  void cycle() {
    const auto [slot, lease] = borrow();
    expect(users_[slot]++ == 0, "a connection has two users");
    static_cast<void>(use_.load(std::memory_order_relaxed));  // others may run meanwhile
    ++cycles_;
    expect(--users_[slot] == 0, "a connection has two users");
    give_back(slot, lease);
  }

  // What anybody sees who has the lock.
  void look() {
    const std::unique_lock lock(mutex_);
    racked_.lane.close(racked_.rack);
    expect(racked_.rack.idle_count() + racked_.rack.lent_count() == users_.size(),
           "a connection is neither idle nor lent");
    end_turn();
  }

  // Once nobody uses it any more.
  void settle() {
    const std::unique_lock lock(mutex_);
    racked_.lane.close(racked_.rack);
    expect(racked_.rack.idle_count() == users_.size(), "a connection has not come back");
    expect(racked_.rack.returns() == cycles_, "a lease is missing from the books");
  }

 private:
  struct Lent {
    SlotId slot;
    std::uint64_t lease;
  };

  Lent borrow() {
    const std::uint64_t thread = SimRuntime::thread_id();
    if (const auto taken = racked_.take(thread); taken.session != nullptr) {
      return {taken.session->slot(), taken.lease};
    }
    std::unique_lock lock(mutex_);
    racked_.lane.close(racked_.rack);
    SlotId slot = engine::no_slot;
    while ((slot = take_from_rack(thread)) == engine::no_slot) {
      ++waiting_;
      SimRuntime::wait_until(back_, lock, no_deadline);
      --waiting_;
      racked_.lane.close(racked_.rack);
    }
    const std::uint64_t lease = racked_.rack.view(slot).lease;
    end_turn();
    return {slot, lease};
  }

  SlotId take_from_rack(std::uint64_t thread) {
    return racked_.rack.take(runtime::holder_of_thread(thread), runtime::start);
  }

  void give_back(SlotId slot, std::uint64_t lease) {
    if (racked_.lane.give(slot, lease)) return;
    const std::unique_lock lock(mutex_);
    racked_.lane.close(racked_.rack);
    expect(racked_.rack.give(slot, lease, runtime::start) == PlainRack::Give::racked,
           "a lease is not known");
    back_.notify_one();
    end_turn();
  }

  void end_turn() {
    if (waiting_ == 0) racked_.open();
  }

  runtime::Racked<SimRuntime> racked_;
  std::vector<int> users_;  // of each connection
  SimRuntime::atomic<int> use_{0};
  std::uint64_t cycles_ = 0;
  SimRuntime::mutex mutex_;
  SimRuntime::condition_variable back_;
  int waiting_ = 0;  // guarded by mutex_
};

// Two threads that cycle, and a third that looks, if it is to.
void lend(std::uint32_t connections, int cycles, bool look) {
  Lending lending(connections);
  const auto work = [&] {
    for (int i = 0; i < cycles; ++i) lending.cycle();
  };
  SimRuntime::thread other(work);
  SimRuntime::thread looker;
  if (look) looker = SimRuntime::thread([&] { lending.look(); });
  work();
  other.join();
  if (look) looker.join();
  lending.settle();
}

TEST(LaneLitmus, two_threads_share_a_connection) {
  EXPECT_TRUE(program_litmus("two share a connection", [] { lend(1, 2, false); }));
}

TEST(LaneLitmus, somebody_looks_while_two_have_one_each) {
  EXPECT_TRUE(program_litmus("somebody looks at two", [] { lend(2, 1, true); }));
}

TEST(LaneLitmus, somebody_looks_while_two_share_a_connection) {
  EXPECT_TRUE(program_litmus("somebody looks at one", [] { lend(1, 1, true); }));
}

TEST(LaneLitmus, two_threads_share_a_connection_in_every_order) {
  Exhaustive all(full() ? 4 : 3);
  do {
    WorldOptions options;
    options.mode = Mode::adversarial;
    options.steps_max = 10'000;
    World world(options, all.next_schedule());
    const Ending ending = world.run([] { lend(1, 2, false); });
    ASSERT_TRUE(ending.ok()) << ending.text << ", path " << all.paths();
  } while (all.advance());
  std::printf("every order of two that share a connection: %llu paths\n",
              static_cast<unsigned long long>(all.paths()));
  EXPECT_GT(all.paths(), 1000U);
}

}  // namespace
}  // namespace weir::sim
