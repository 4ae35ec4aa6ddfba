// SPDX-License-Identifier: MIT
//
// Goal: the lane by itself, between real threads (ThreadSanitizer has something to see here) and
// step by step. What the pool makes of it is explored by the simulator.
#include "core/runtime/os_runtime.hpp"
#include "tests/runtime/racked.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace weir::runtime {
namespace {

using namespace std::chrono_literals;
using engine::PlainRack;
using engine::SlotId;

TEST(LaneTest, lends_and_takes_back_and_the_rack_learns_of_it) {
  Racked<OsRuntime> r(2);
  ASSERT_TRUE(r.open());
  const auto first = r.take();
  ASSERT_NE(first.session, nullptr);
  EXPECT_EQ(first.lease, 1U);
  const auto second = r.take(2);
  ASSERT_NE(second.session, nullptr);
  EXPECT_NE(second.session, first.session);
  EXPECT_EQ(r.take(3).session, nullptr) << "there are two";
  EXPECT_TRUE(r.lane.give(first.session->slot(), first.lease));
  EXPECT_TRUE(r.lane.close(r.rack));
  EXPECT_EQ(r.rack.idle_count(), 1U);
  EXPECT_EQ(r.rack.lent_count(), 1U);
  EXPECT_EQ(r.rack.lends(), 2U);
  EXPECT_EQ(r.rack.returns(), 1U);
  const auto& view = r.rack.view(second.session->slot());
  EXPECT_TRUE(view.lent());
  EXPECT_EQ(view.lease, 1U);
  EXPECT_EQ(view.holder.thread, 2U);
  EXPECT_FALSE(r.lane.close(r.rack)) << "it is closed";
}

TEST(LaneTest, a_thread_gets_the_connection_that_it_had_and_a_new_one_the_first) {
  Racked<OsRuntime> r(3);
  ASSERT_TRUE(r.open());
  const auto a = r.take(1);
  const auto b = r.take(2);
  EXPECT_EQ(a.session->slot(), 0U);
  EXPECT_EQ(b.session->slot(), 1U);
  EXPECT_TRUE(r.lane.give(0, a.lease));
  EXPECT_TRUE(r.lane.give(1, b.lease));
  EXPECT_EQ(r.take(2).session->slot(), 1U);
  EXPECT_EQ(r.take(3).session->slot(), 0U);
}

// S6
TEST(LaneTest, a_lease_goes_back_once_and_no_other_one_in_its_name) {
  Racked<OsRuntime> r(1);
  ASSERT_TRUE(r.open());
  const auto taken = r.take();
  EXPECT_FALSE(r.lane.give(0, taken.lease + 1));
  EXPECT_TRUE(r.lane.give(0, taken.lease));
  EXPECT_FALSE(r.lane.give(0, taken.lease));
  EXPECT_EQ(r.take().lease, 2U);
  EXPECT_FALSE(r.lane.give(0, taken.lease)) << "the next one has it";
}

TEST(LaneTest, a_lease_of_the_lane_goes_back_through_the_lock_once_it_is_closed) {
  Racked<OsRuntime> r(1);
  ASSERT_TRUE(r.open());
  const auto taken = r.take();
  EXPECT_TRUE(r.lane.close(r.rack));
  EXPECT_FALSE(r.lane.give(0, taken.lease));
  EXPECT_EQ(r.rack.give(0, taken.lease, start + 1s), PlainRack::Give::racked);
}

// S5, T7, T8
TEST(LaneTest, has_only_what_can_be_lent_as_it_is_for_the_whole_period) {
  Racked<OsRuntime> stale(1);
  EXPECT_FALSE(stale.open(start + 450ms)) << "it wants a look at the end of the period";
  EXPECT_EQ(stale.take().session, nullptr);

  Racked<OsRuntime> doubtful(1);
  doubtful.rack.doubt_all();
  EXPECT_FALSE(doubtful.open());

  Racked<OsRuntime> retired(1);
  const auto lease = retired.rack.lend(0, holder_of_thread(1), start);
  EXPECT_EQ(retired.rack.reclaim(0), PlainRack::Reclaim::busy);
  EXPECT_FALSE(retired.open());
  EXPECT_FALSE(retired.lane.give(0, lease));

  // One that was lent when a sibling died may go back, but nobody gets it without a look.
  Racked<OsRuntime> suspect(1);
  const auto held = suspect.rack.lend(0, holder_of_thread(1), start);
  suspect.rack.doubt_all();
  EXPECT_FALSE(suspect.open());
  EXPECT_FALSE(suspect.lane.give(0, held));
}

TEST(LaneTest, what_came_back_is_as_fresh_as_the_period_is_and_no_fresher) {
  Racked<OsRuntime> r(1);
  ASSERT_TRUE(r.open(start + 100ms));
  EXPECT_TRUE(r.lane.give(0, r.take().lease));
  EXPECT_TRUE(r.lane.close(r.rack));
  EXPECT_EQ(r.rack.view(0).since, start + 100ms);
  EXPECT_EQ(r.rack.view(0).proof, start + 100ms);
}

// T7
TEST(LaneTest, one_that_came_back_and_went_again_has_been_proven) {
  Racked<OsRuntime> r(1);
  const auto lease = r.rack.lend(0, holder_of_thread(1), start);
  ASSERT_TRUE(r.open(start + 400ms));
  EXPECT_TRUE(r.lane.give(0, lease));
  EXPECT_EQ(r.take().lease, lease + 1);
  EXPECT_TRUE(r.lane.close(r.rack));
  EXPECT_EQ(r.rack.view(0).proof, start + 400ms);
  EXPECT_EQ(r.rack.returns(), 1U);
}

// Does something in the middle of what the lane does: before the next store.
struct Interrupted : OsRuntime {
  template <class T>
  struct atomic : std::atomic<T> {
    using std::atomic<T>::atomic;
    void store(T value, std::memory_order order) {
      if (before_store) std::exchange(before_store, nullptr)();
      std::atomic<T>::store(value, order);
    }
  };
  static inline std::function<void()> before_store;
};

// S18: taken for the one before him he might seem to wait for himself.
TEST(LaneTest, who_has_not_said_who_he_is_is_nobody_until_he_has) {
  Racked<Interrupted> r(1);
  ASSERT_TRUE(r.open());
  EXPECT_TRUE(r.lane.give(0, r.take(1).lease));
  Interrupted::before_store = [&] { EXPECT_TRUE(r.lane.close(r.rack)); };
  const auto taken = r.take(2);
  ASSERT_NE(taken.session, nullptr);
  EXPECT_EQ(r.rack.lent_count(), 1U);
  EXPECT_EQ(r.rack.view(0).lease, taken.lease);
  EXPECT_EQ(r.rack.view(0).holder.thread, 0U);
  EXPECT_FALSE(r.lane.close(r.rack)) << "it is closed";
  EXPECT_EQ(r.rack.view(0).holder.thread, 2U);
}

TEST(LaneTest, grows_and_forgets_nobody) {
  Racked<OsRuntime> r(1);
  ASSERT_TRUE(r.open());
  const auto first = r.take(1);
  EXPECT_TRUE(r.lane.close(r.rack));
  for (SlotId slot = 1; slot < 9; ++slot) {
    r.sessions.emplace_back(r.context, slot);
    r.rack.vouch(slot);
    r.rack.put_idle(slot, start, start, no_deadline, PlainRack::Place::back);
  }
  ASSERT_TRUE(r.open());
  EXPECT_EQ(r.take(2).session->slot(), 1U);
  EXPECT_TRUE(r.lane.give(0, first.lease));
  EXPECT_TRUE(r.lane.close(r.rack));
  EXPECT_EQ(r.rack.lent_count(), 1U);
  EXPECT_EQ(r.rack.idle_count(), 8U);
}

// S3: each connection has a number that only its holder touches; one more takes the lock now and
// then, and finds as many connections as there are.
TEST(LaneTest, holds_between_threads) {
  constexpr int rounds = 20'000;
  constexpr std::uint32_t connections = 3;
  Racked<OsRuntime> r(connections);
  std::array<int, connections> uses{};
  std::mutex mutex;
  std::atomic<int> at_work{4};
  std::vector<std::thread> threads;
  for (std::uint64_t id = 1; id <= 4; ++id) {
    threads.emplace_back([&, id] {
      for (int i = 0; i < rounds;) {
        auto taken = r.take(id);
        SlotId slot = engine::no_slot;
        if (taken.session == nullptr) {
          const std::lock_guard lock(mutex);
          r.lane.close(r.rack);
          slot = r.rack.take(holder_of_thread(id), start);
          if (slot != engine::no_slot) taken.lease = r.rack.view(slot).lease;
          r.open();
        } else {
          slot = taken.session->slot();
        }
        if (slot == engine::no_slot) continue;
        ++uses[slot];
        ++i;
        if (r.lane.give(slot, taken.lease)) continue;
        const std::lock_guard lock(mutex);
        r.lane.close(r.rack);
        EXPECT_EQ(r.rack.give(slot, taken.lease, start), PlainRack::Give::racked);
        r.open();
      }
      --at_work;
    });
  }
  while (at_work > 0) {
    const std::lock_guard lock(mutex);
    r.lane.close(r.rack);
    EXPECT_EQ(r.rack.idle_count() + r.rack.lent_count(), connections);
    r.open();
  }
  for (std::thread& thread : threads) thread.join();
  r.lane.close(r.rack);
  EXPECT_EQ(r.rack.idle_count(), connections);
  EXPECT_EQ(r.rack.returns(), 4U * rounds);
  int all = 0;
  for (const int n : uses) all += n;
  EXPECT_EQ(all, 4 * rounds);
}

}  // namespace
}  // namespace weir::runtime
