// SPDX-License-Identifier: MIT
//
// crew.hpp: the driver's own threads, for calls of its client library that the caller may have to
// leave before they end: the library blocks, and cannot be told to stop. The host's thread hands a
// job to the crew and waits in the host, so that it leaves at its deadline whatever becomes of it.
//
// Shape:      one crew per env. As many threads as jobs run at once; idle ones leave after a while.
// Owner:      the env, and each of its threads: a thread that hangs in the library outlives the
//             env, and then touches only what its job owns.
// Threads:    submit: any. dismiss: once, after the last submit.
// Invariant:  a job that was submitted before dismiss runs.
// Jobs must not throw.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

namespace weir::mysql {

class Crew : public std::enable_shared_from_this<Crew> {
 public:
  using Job = std::function<void()>;

  // Throws std::system_error where no thread can be started and none is idle.
  void submit(Job job);

  // Ends the threads; waits for jobs that still run, but no longer than `patience`. False if some
  // still run: they end by themselves.
  bool dismiss(std::chrono::milliseconds patience);

 private:
  struct Worker {
    std::thread thread;
    bool gone = false;
  };

  void start_worker();
  void work(Worker& self);
  void join_gone();

  std::mutex mutex_;
  std::condition_variable wanted_;  // a job has come, or all are dismissed
  std::condition_variable left_;    // a worker is about to end

  // Guarded by mutex_.
  std::deque<Job> jobs_;
  std::list<Worker> workers_;
  std::size_t idle_ = 0;
  bool dismissed_ = false;
};

}  // namespace weir::mysql
