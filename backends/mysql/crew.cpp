// SPDX-License-Identifier: MIT
#include "backends/mysql/crew.hpp"

#include "backends/mysql/library.hpp"

#include <algorithm>
#include <csignal>

namespace weir::mysql {
namespace {

constexpr std::chrono::seconds idle_time{10};

// Signals are the host's, and its handlers expect its own threads.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

void Crew::submit(Job job) {
  const std::lock_guard lock(mutex_);
  join_gone();
  jobs_.push_back(std::move(job));
  if (jobs_.size() > idle_) {
    try {
      start_worker();
    } catch (...) {
      // With somebody at work the job would wait for an end that may never come.
      jobs_.pop_back();
      throw;
    }
  }
  wanted_.notify_one();
}

void Crew::start_worker() {
  const SignalsBlocked quiet;
  workers_.emplace_back();
  Worker& worker = workers_.back();
  try {
    worker.thread =
        std::thread([crew = shared_from_this(), &worker]() noexcept { crew->work(worker); });
  } catch (...) {
    workers_.pop_back();
    throw;
  }
}

void Crew::work(Worker& self) {
  enter_library();
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wanted_.wait_for(lock, idle_time, [this] { return dismissed_ || !jobs_.empty(); });
    --idle_;
    if (jobs_.empty()) break;
    {
      const Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
    }  // what the job owned ends here, on this thread
    lock.lock();
  }
  self.gone = true;
  left_.notify_all();
}

// A worker that is gone is about to leave the lock and the library, no more: joining is short.
void Crew::join_gone() {
  for (auto worker = workers_.begin(); worker != workers_.end();) {
    if (!worker->gone) {
      ++worker;
      continue;
    }
    if (worker->thread.joinable()) worker->thread.join();
    worker = workers_.erase(worker);
  }
}

bool Crew::dismiss(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  dismissed_ = true;
  wanted_.notify_all();
  const auto all_gone = [this] {
    return std::all_of(workers_.begin(), workers_.end(), [](const Worker& w) { return w.gone; });
  };
  const bool all = left_.wait_for(lock, patience, all_gone);
  join_gone();
  for (Worker& worker : workers_) worker.thread.detach();
  return all;
}

}  // namespace weir::mysql
