// SPDX-License-Identifier: MIT
//
// Loads of many threads, and of coroutines, on Weir, with the mock driver, which does nothing, and
// of threads on the simplest pools that there could be: what the machine itself allows. A line of
// JSON for each.
//
// Its options are those of bench/subjects.hpp.
//
// Called by hand, by bench/peers/run.py, and by `./dev bench`.
#include "bench/coro.hpp"
#include "bench/mock_pool.hpp"
#include "bench/subjects.hpp"

#include <weir/weir.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>

namespace {

using weir::bench::Load;
using weir::bench::Outcome;
using weir::bench::Subject;

#ifdef __clang__
constexpr const char* compiler = "clang " __clang_version__;
#else
constexpr const char* compiler = "GCC " __VERSION__;
#endif

Outcome run_weir(const Load& load, std::chrono::duration<double> time, weir::Fairness fairness) {
  const weir::Pools pools =
      weir::bench::open_mock(weir::bench::mock_pool(load.connections, fairness));
  weir::Pool& pool = pools["main"];
  return weir::bench::run(load, time, [&](auto&& held) {
    const weir::Lease lease = weir::or_throw(pool.acquire());
    held();
  });
}

Outcome run_coroutines(const Load& load, std::chrono::duration<double> time) {
  const weir::Pools pools =
      weir::bench::open_mock(weir::bench::mock_pool(load.connections, weir::Fairness::bounded));
  return weir::bench::run_coroutines(load, time, pools["main"]);
}

// A mutex, a vector and a condition variable: whoever comes first takes it.
Outcome run_mutex(const Load& load, std::chrono::duration<double> time) {
  std::mutex mutex;
  std::condition_variable back;
  std::vector<int> idle(load.connections);
  return weir::bench::run(load, time, [&](auto&& held) {
    std::unique_lock lock(mutex);
    back.wait(lock, [&] { return !idle.empty(); });
    const int mine = idle.back();
    idle.pop_back();
    lock.unlock();
    held();
    lock.lock();
    idle.push_back(mine);
    lock.unlock();
    back.notify_one();
  });
}

// Slots that go to whoever has waited longest, and to nobody else while one waits: strict order at
// its simplest, and so what strict order costs between threads of the system's.
class FifoSlots {
 public:
  explicit FifoSlots(unsigned slots) : idle_(slots) {}

  int take() {
    std::unique_lock lock(mutex_);
    if (!idle_.empty()) {
      const int slot = idle_.back();
      idle_.pop_back();
      return slot;
    }
    Waiter me;
    waiting_.push_back(&me);
    me.given.wait(lock, [&] { return me.slot != none; });
    return me.slot;
  }

  void give(int slot) {
    // The waiter lies on a stack that is left as soon as the lock is.
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
      idle_.push_back(slot);
      return;
    }
    waiting_.front()->slot = slot;
    waiting_.front()->given.notify_one();
    waiting_.pop_front();
  }

 private:
  static constexpr int none = -1;
  struct Waiter {
    std::condition_variable given;
    int slot = none;
  };
  std::mutex mutex_;
  std::vector<int> idle_;  // empty while somebody waits
  std::deque<Waiter*> waiting_;
};

Outcome run_fifo(const Load& load, std::chrono::duration<double> time) {
  FifoSlots slots(load.connections);
  return weir::bench::run(load, time, [&](auto&& held) {
    const int mine = slots.take();
    held();
    slots.give(mine);
  });
}

// The two exchanges that no pool can do without, on a word of each thread's own.
Outcome run_cas(const Load& load, std::chrono::duration<double> time) {
  struct alignas(128) Word {
    std::atomic<std::uint32_t> word{0};
  };
  std::vector<Word> words(load.threads);
  std::atomic<unsigned> next{0};
  return weir::bench::run(load, time, [&](auto&& held) {
    thread_local const unsigned own = next++ % load.threads;
    std::uint32_t expected = 0;
    words[own].word.compare_exchange_strong(expected, 1);
    held();
    expected = 1;
    words[own].word.compare_exchange_strong(expected, 0);
  });
}

const std::vector<Subject>& subjects() {
  using Takes = Subject::Takes;
  static const std::vector<Subject> all = {
      {"weir", [](const Load& l, auto t) { return run_weir(l, t, weir::Fairness::bounded); }},
      {"weir-strict", [](const Load& l, auto t) { return run_weir(l, t, weir::Fairness::strict); }},
      {"weir-coro", run_coroutines, Takes::coroutines},
      {"mutex", run_mutex},
      {"ref-fifo", run_fifo},
      {"cas", run_cas, Takes::threads_without_hold}};
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  return weir::bench::measure(argc, argv, std::string("Weir ") + weir::version() + ", " + compiler,
                              subjects());
}
