// SPDX-License-Identifier: MIT
#include "cli/interrupt.hpp"

#include <csignal>
#include <pthread.h>
#include <unistd.h>
#include <utility>

namespace weir::cli {
namespace {

// SIGUSR1, sent by the destructor to the watching thread alone, ends it; anybody else's does not.
sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR1);
  // A signal that is blocked can be waited for even where it is ignored, as under nohup.
  struct sigaction hangup {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaddset(&set, SIGHUP);
  return set;
}

sigset_t stop_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTSTP);
  return set;
}

}  // namespace

Interrupt::Interrupt() {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write(), see Output
  watched_ = ending_signals();
  pthread_sigmask(SIG_BLOCK, &watched_, nullptr);
  sigaddset(&watched_, SIGTSTP);  // blocked by the watching thread alone while nobody draws
  thread_ = std::thread([this] { watch(); });
}

Interrupt::~Interrupt() {
  ending_ = true;
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
  if (runner_.joinable()) runner_.join();
}

int Interrupt::exit_code() const noexcept {
  const int signal = signal_.load();
  return signal == 0 ? 0 : 128 + signal;
}

void Interrupt::watch() {
  pthread_sigmask(SIG_BLOCK, &watched_, nullptr);
  while (true) {
    int signal = 0;
    if (sigwait(&watched_, &signal) != 0) continue;
    if (signal == SIGUSR1) {
      if (ending_) return;
      continue;
    }
    if (signal == SIGTSTP) {
      stop_for_a_while();
      continue;
    }
    if (signal_.exchange(signal) != 0) end_at_once(signal);
    // The action may take its time; a second signal must still be heard.
    runner_ = std::thread([this] {
      const std::lock_guard lock(mutex_);
      if (action_) action_();
    });
  }
}

void Interrupt::stop_for_a_while() {
  const std::lock_guard lock(drawer_mutex_);
  if (drawer_ != nullptr) drawer_->leave();
  // By the signal itself and not by SIGSTOP: where no shell could have it go on it has no effect.
  const sigset_t stop = stop_signal();
  pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
  raise(SIGTSTP);  // returns once the process goes on
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  if (drawer_ != nullptr) drawer_->come_back();
}

void Interrupt::end_at_once(int signal) {
  const std::lock_guard lock(drawer_mutex_);
  if (drawer_ != nullptr) drawer_->give_up();
  if (runner_.joinable()) runner_.detach();  // the action may take for ever
  _exit(128 + signal);
}

void Interrupt::tell(Drawer* drawer) {
  const sigset_t stop = stop_signal();
  if (drawer != nullptr) pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  {
    const std::lock_guard lock(drawer_mutex_);
    drawer_ = drawer;
  }
  if (drawer == nullptr) pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
}

Interrupt::Action::Action(Interrupt& interrupt, std::function<void()> action)
    : interrupt_(interrupt) {
  const std::lock_guard lock(interrupt_.mutex_);
  interrupt_.action_ = std::move(action);
  if (interrupt_.raised()) interrupt_.action_();  // the signal came first
}

Interrupt::Action::~Action() {
  const std::lock_guard lock(interrupt_.mutex_);
  interrupt_.action_ = nullptr;
}

}  // namespace weir::cli
