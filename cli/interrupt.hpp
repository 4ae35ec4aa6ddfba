// SPDX-License-Identifier: MIT
//
// Interrupt: turns SIGINT and SIGTERM into a flag and one call, on a thread of its own, so that a
// command that waits for a database can be ended in order. A second signal ends the process at
// once.
//
// Made first thing in main, before there are other threads: they inherit the blocked signals.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

namespace weir::cli {

class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  [[nodiscard]] bool raised() const noexcept { return signal_.load() != 0; }
  // 128 + the signal's number, as a shell reports it; 0 if there was none.
  [[nodiscard]] int exit_code() const noexcept;

  // The signal was how this command is meant to end: it was obeyed, and is no more a reason for an
  // exit code of its own.
  void settle() noexcept { settled_ = true; }
  [[nodiscard]] bool settled() const noexcept { return settled_; }

  // While it lives, `action` is called, on the other thread, when a signal arrives.
  class Action {
   public:
    Action(Interrupt& interrupt, std::function<void()> action);
    Action(const Action&) = delete;
    Action& operator=(const Action&) = delete;
    ~Action();  // waits for an action that runs

   private:
    Interrupt& interrupt_;
  };

 private:
  void watch();

  std::atomic<int> signal_ = 0;
  bool settled_ = false;  // the command's thread only
  std::mutex mutex_;
  std::function<void()> action_;  // guarded by mutex_; called under it
  std::thread thread_;            // waits for signals
  std::thread runner_;            // started by thread_ to run the action, at most once
};

}  // namespace weir::cli
