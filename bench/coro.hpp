// SPDX-License-Identifier: MIT
//
// The load of coroutines (Load::workers): each awaits a lease, holds it, gives it back and begins
// again, on an executor of a few threads. A hold keeps its thread busy, as the work with a result
// does; a wait keeps none.
//
// Used by: bench_load. Threads: the executor's, gone when run_coroutines() returns.
#pragma once

#include "bench/load.hpp"

#include <weir/weir.hpp>

#include <condition_variable>
#include <deque>
#include <exception>
#include <latch>
#include <mutex>

namespace weir::bench {

// The simplest executor of several threads: one queue.
class Workers final : public Executor {
 public:
  explicit Workers(unsigned count) {
    for (unsigned i = 0; i < count; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Workers() override {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    came_.notify_all();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void post(Work work) override {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    came_.notify_one();  // whoever wakes finds the lock free
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      came_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      if (queue_.empty()) return;
      {
        const Work work = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        work();
      }
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<Work> queue_;
  bool closing_ = false;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

struct Detached {  // a coroutine that nobody waits for
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

// What the coroutines of a run share.
struct CoroutineRun {
  CoroutineRun(const Load& its_load, Pool& its_pool)
      : load(its_load), pool(its_pool), left(its_load.threads), workers(its_load.workers) {}
  const Load& load;
  Pool& pool;
  std::atomic<bool> over{false};
  std::latch left;  // coroutines that have not ended
  Workers workers;  // last: its threads end before what they use
};

inline Detached cycle(CoroutineRun& run, Own& mine) {
  using Clock = std::chrono::steady_clock;
  while (true) {
    const auto asked = Clock::now();
    const Lease lease = or_throw(co_await run.pool.async_acquire(run.workers));
    if (run.over) break;
    mine.waits.push_back(Clock::now() - asked);
    hold_for(run.load.hold, run.load.held);
    ++mine.cycles;
  }
  run.left.count_down();
}

inline Outcome run_coroutines(const Load& load, std::chrono::duration<double> time, Pool& pool) {
  using Clock = std::chrono::steady_clock;
  std::vector<Own> own(load.threads);
  CoroutineRun run(load, pool);
  // All of them wait before the first one goes: else two would have the workers for themselves, and
  // the others would not even have asked.
  std::vector<Lease> all;
  for (unsigned i = 0; i < load.connections; ++i) all.push_back(or_throw(pool.acquire()));
  for (Own& mine : own) cycle(run, mine);
  const auto begun = Clock::now();
  all.clear();
  std::this_thread::sleep_for(time);
  run.over = true;
  const std::chrono::duration<double> took = Clock::now() - begun;
  run.left.wait();
  return outcome_of(own, took);
}

}  // namespace weir::bench
