// SPDX-License-Identifier: MIT
#include "cli/interrupt.hpp"

#include <csignal>
#include <pthread.h>
#include <unistd.h>
#include <utility>

namespace weir::cli {
namespace {

// SIGUSR1, sent by the destructor to the watching thread alone, ends it.
sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR1);
  return set;
}

}  // namespace

Interrupt::Interrupt() {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of write(), see Output
  const sigset_t set = watched_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread([this] { watch(); });
}

Interrupt::~Interrupt() {
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
  if (runner_.joinable()) runner_.join();
}

int Interrupt::exit_code() const noexcept {
  const int signal = signal_.load();
  return signal == 0 ? 0 : 128 + signal;
}

void Interrupt::watch() {
  const sigset_t set = watched_signals();
  while (true) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0) continue;
    if (signal == SIGUSR1) return;
    if (signal_.exchange(signal) != 0) _exit(128 + signal);
    // The action may take its time; a second signal must still be heard.
    runner_ = std::thread([this] {
      const std::lock_guard lock(mutex_);
      if (action_) action_();
    });
  }
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
