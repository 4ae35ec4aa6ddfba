// SPDX-License-Identifier: MIT
//
// SignalsBlocked: while it lives, this thread takes no signal of the process, and neither does a
// thread that it starts: a handler of the host's would run there. Those that a thread causes itself
// are let through, to whoever reports crashes.
#pragma once

#include <csignal>
#include <pthread.h>

namespace weir::runtime {

class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t most;
    sigfillset(&most);
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) {
      sigdelset(&most, own);
    }
    ::pthread_sigmask(SIG_SETMASK, &most, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace weir::runtime
