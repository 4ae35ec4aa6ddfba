// SPDX-License-Identifier: MIT
//
// ClientLoop: the event loop of a simulated client that waits for its connections without blocking
// in the pool. What is posted to it runs when the client lets it.
//
// Owner:   the simulation, for all of its run: a wait that was left may post late.
// Threads: post from any virtual thread; run from the client's.
#pragma once

#include "sim/world/sim_runtime.hpp"

#include <weir/async.hpp>

#include <deque>

namespace weir::sim {

class ClientLoop final : public Executor {
 public:
  void post(Work work) override {
    const std::unique_lock lock(mutex_);
    queue_.push_back(std::move(work));
    came_.notify_one();
  }
  // Runs what comes, until `done()` or `until`.
  template <class Done>
  void run(Done&& done, Instant until = no_deadline) {
    std::unique_lock lock(mutex_);
    while (!done() && World::current().now() < until) {
      if (queue_.empty()) {
        static_cast<void>(came_.wait_until(lock, until));
        continue;
      }
      const Work work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
  }

 private:
  Mutex mutex_;
  ConditionVariable came_;
  std::deque<Work> queue_;
};

}  // namespace weir::sim
