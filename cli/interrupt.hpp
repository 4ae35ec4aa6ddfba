// SPDX-License-Identifier: MIT
//
// Interrupt: SIGINT, SIGTERM and SIGHUP as a flag and one call, on a thread of its own, so that a
// command that waits for a database can be ended in order. A second signal ends the process at
// once. Whoever draws on the terminal is told before the process stops (SIGTSTP) or ends so. Under
// nohup SIGHUP is nothing to this process, as it is meant, and SIGUSR1 never is.
//
// Made first thing in main, before there are other threads: they inherit the blocked signals.
#pragma once

#include <atomic>
#include <csignal>
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

  // Somebody who has changed how the terminal looks. Called on the other thread, one at a time;
  // only the command's own thread can be drawing meanwhile.
  class Drawer {
   public:
    Drawer() = default;
    Drawer(const Drawer&) = delete;
    Drawer& operator=(const Drawer&) = delete;
    virtual void leave() noexcept = 0;      // the process is about to stop
    virtual void come_back() noexcept = 0;  // and goes on
    // The process is about to end, whatever the command's thread is in: waits for nothing.
    virtual void give_up() noexcept = 0;

   protected:
    ~Drawer() = default;
  };
  // Null: nobody any more, and none of its functions is still running. Call on the command's
  // thread, while it is the only one that has not blocked SIGTSTP.
  void tell(Drawer* drawer);

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
  void stop_for_a_while();
  [[noreturn]] void end_at_once(int signal);

  sigset_t watched_{};
  std::atomic<int> signal_ = 0;
  std::atomic<bool> ending_ = false;
  bool settled_ = false;  // the command's thread only
  std::mutex mutex_;
  std::function<void()> action_;  // guarded by mutex_; called under it
  std::mutex drawer_mutex_;
  Drawer* drawer_ = nullptr;  // guarded by drawer_mutex_; called under it
  std::thread thread_;        // waits for signals
  std::thread runner_;        // started by thread_ to run the action, at most once
};

}  // namespace weir::cli
