// SPDX-License-Identifier: MIT
//
// A handler may do almost nothing, so it writes the number of the signal into a pipe; a thread
// reads it and does the work.
#include "core/runtime/os_runtime.hpp"
#include "core/runtime/process.hpp"

#include <weir/signals.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace weir {

using runtime::OsRuntime;

namespace {

constexpr std::array<int, 3> watched{SIGINT, SIGTERM, SIGHUP};

// What the handler needs. Static, because a handler may run when a guard is gone.
OsRuntime::atomic<bool> taken{false};   // there is a guard
OsRuntime::atomic<int> pipe_in{-1};     // the handler's end; -1 while there is no guard
OsRuntime::atomic<int> stops{0};        // SIGINT and SIGTERM since the guard was made
OsRuntime::atomic<std::uint32_t> home;  // the process of the guard
std::array<struct sigaction, watched.size()> earlier;  // written while no handler is installed

struct sigaction& earlier_of(int signal) {
  return earlier[static_cast<std::size_t>(std::find(watched.begin(), watched.end(), signal) -
                                          watched.begin())];
}

// Ends the process, or runs the handler that was there before, as soon as the signal is let
// through: here it is blocked.
void hand_on(int signal, const struct sigaction& to) noexcept {
  ::sigaction(signal, &to, nullptr);
  ::raise(signal);
}

void on_signal(int signal) noexcept {
  const int saved = errno;
  if (home.load() != runtime::process_generation()) {
    hand_on(signal, earlier_of(signal));
  } else if (signal != SIGHUP && stops.fetch_add(1) > 0) {
    struct sigaction end {};
    end.sa_handler = SIG_DFL;
    hand_on(signal, end);
  } else {
    const auto number = static_cast<unsigned char>(signal);
    // Ignored: the pipe is full of signals that have not been looked at, which say the same.
    if (::write(pipe_in.load(), &number, 1) < 0) errno = saved;
  }
  errno = saved;
}

void to_stderr(LogLevel level, std::string_view line) {
  const std::string text =
      "weir: " + std::string(to_string(level)) + ": " + std::string(line) + "\n";
  std::fputs(text.c_str(), stderr);
}

// Its thread takes no signal of the process: a handler of the host's would run on it.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

struct SignalGuard::Impl {
  Pools& pools;
  SignalOptions options;
  std::uint32_t process = runtime::process_generation();
  std::array<int, 2> ends{-1, -1};  // of the pipe: read, write
  std::array<bool, watched.size()> installed{};
  OsRuntime::thread thread;

  Impl(Pools& which, SignalOptions how) : pools(which), options(std::move(how)) {
    if (!options.report) options.report = to_stderr;
  }

  ~Impl() {
    if (process != runtime::process_generation()) {
      if (thread.joinable()) thread.detach();  // it is the parent's, and not in this process
    } else {
      put_back();
      if (thread.joinable()) {
        const unsigned char end = 0;
        while (::write(ends[1], &end, 1) < 0 && errno == EINTR) {
        }
        thread.join();
      }
      pipe_in = -1;
      taken = false;
    }
    for (const int end : ends) {
      if (end >= 0) ::close(end);
    }
  }

  [[nodiscard]] Result<void> start() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      return weir::fail(Code::resource,
                        "no descriptors for the pipe that signals are told through");
    }
    // A handler must not wait, and the thread must.
    ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
    pipe_in = ends[1];
    stops = 0;
    home = process;
    {
      const AllSignalsBlocked blocked;
      thread = OsRuntime::thread([this] { watch(); });
    }
    if (options.drain) install(SIGINT), install(SIGTERM);
    if (options.reload) install(SIGHUP);
    return {};
  }

  void install(int signal) {
    struct sigaction& before = earlier_of(signal);
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_IGN) return;
    struct sigaction mine {};
    mine.sa_handler = on_signal;
    mine.sa_flags = SA_RESTART;
    sigemptyset(&mine.sa_mask);
    ::sigaction(signal, &mine, nullptr);
  }

  void put_back() {
    for (const int signal : watched) {
      struct sigaction now {};
      ::sigaction(signal, nullptr, &now);
      if (now.sa_handler == on_signal) ::sigaction(signal, &earlier_of(signal), nullptr);
    }
  }

  void watch() {
    for (;;) {
      unsigned char signal = 0;
      const ssize_t got = ::read(ends[0], &signal, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got != 1 || signal == 0) return;
      if (signal == SIGHUP) {
        reload();
      } else {
        drain();
        ::sigaction(signal, &earlier_of(signal), nullptr);
        ::kill(::getpid(), signal);
      }
    }
  }

  void drain() {
    Duration timeout{};
    for (const std::string& name : pools.names()) {
      timeout = std::max(timeout, pools[name].config().drain_timeout);
    }
    const auto drained = pools.drain(options.drain_timeout.value_or(timeout));
    if (!drained) report(LogLevel::warn, drained.error().message());
  }

  void reload() {
    const auto changes = pools.reload();
    if (!changes) {
      report(LogLevel::error,
             "the reload was refused, and nothing has changed: " + changes.error().message());
      return;
    }
    if (changes->empty()) report(LogLevel::info, "reloaded; nothing has changed");
    for (const std::string& change : *changes) report(LogLevel::info, "reloaded: " + change);
  }

  void report(LogLevel level, std::string_view line) noexcept {
    try {
      options.report(level, line);
    } catch (...) {
      // A report that throws loses its line; the drain goes on.
    }
  }
};

SignalGuard::SignalGuard(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
SignalGuard::SignalGuard(SignalGuard&&) noexcept = default;
SignalGuard& SignalGuard::operator=(SignalGuard&&) noexcept = default;
SignalGuard::~SignalGuard() = default;

Result<SignalGuard> handle_signals(Pools& pools, SignalOptions options) {
  if (taken.exchange(true) && home.load() == runtime::process_generation()) {
    return fail(
        Code::invalid_state,
        "signals of this process are handled already; keep one guard, or destroy the first");
  }
  auto impl = std::make_unique<SignalGuard::Impl>(pools, std::move(options));
  if (auto started = impl->start(); !started) return fail(std::move(started).error());
  return SignalGuard(std::move(impl));
}

}  // namespace weir
