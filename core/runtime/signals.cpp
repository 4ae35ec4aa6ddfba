// SPDX-License-Identifier: MIT
//
// A handler may do almost nothing, so it writes the number of the signal into a pipe; a thread
// reads it and does the work.
#include "core/runtime/os_runtime.hpp"
#include "core/runtime/process.hpp"
#include "core/runtime/signals_blocked.hpp"

#include <weir/signals.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace weir {

using runtime::OsRuntime;

namespace {

constexpr std::array<int, 3> watched{SIGINT, SIGTERM, SIGHUP};

// The pipe that handlers write into and the guard's thread reads from. One per process, and never
// closed: a handler that is late must not write into what has got its number since.
struct Channel {
  std::uint32_t process = runtime::process_generation();
  std::array<int, 2> ends{-1, -1};   // read, write
  const Channel* parents = nullptr;  // in a child: within reach of a leak checker
};

OsRuntime::atomic<const Channel*> channel{nullptr};
OsRuntime::atomic<std::uint64_t> guarded{0};  // the process that has a guard, plus one; 0: none has
OsRuntime::atomic<int> stops{0};              // SIGINT and SIGTERM since the guard was made
// What was there before a handler of ours; written while that is not installed.
std::array<struct sigaction, watched.size()> earlier;

struct sigaction& earlier_of(int signal) {
  return earlier[static_cast<std::size_t>(std::find(watched.begin(), watched.end(), signal) -
                                          watched.begin())];
}

std::uint64_t this_process() noexcept { return std::uint64_t{runtime::process_generation()} + 1; }

// Ends the process, or runs the handler that was there before, as soon as the signal is let
// through: here it is blocked.
void hand_on(int signal, const struct sigaction& to) noexcept {
  ::sigaction(signal, &to, nullptr);
  ::raise(signal);
}

void on_signal(int signal) noexcept {
  const int saved = errno;
  const Channel* const to = channel.load();
  if (to == nullptr || guarded.load() != this_process()) {  // a child; or the guard has gone
    hand_on(signal, earlier_of(signal));
  } else if (signal != SIGHUP && stops.fetch_add(1) > 0) {
    struct sigaction end {};
    end.sa_handler = SIG_DFL;
    hand_on(signal, end);
  } else {
    const auto number = static_cast<unsigned char>(signal);
    // Ignored: the pipe is full of signals that have not been looked at, which say the same.
    if (::write(to->ends[1], &number, 1) < 0) errno = saved;
  }
  errno = saved;
}

// Null without descriptors. Called by the holder of `guarded` alone.
const Channel* channel_of_this_process() {
  const Channel* found = channel.load();
  if (found != nullptr && found->process == runtime::process_generation()) return found;
  auto made = std::make_unique<Channel>();
  if (::pipe2(made->ends.data(), O_CLOEXEC) != 0) return nullptr;
  ::fcntl(made->ends[1], F_SETFL, O_NONBLOCK);  // a handler must not wait, and the thread must
  made->parents = found;
  found = made.release();
  channel = found;
  return found;
}

void to_stderr(LogLevel level, std::string_view line) {
  const std::string text =
      "weir: " + std::string(to_string(level)) + ": " + std::string(line) + "\n";
  std::fputs(text.c_str(), stderr);
}

}  // namespace

struct SignalGuard::Impl {
  Pools& pools;
  SignalOptions options;
  const std::uint64_t process = this_process();
  const Channel* pipe = nullptr;
  OsRuntime::thread thread;

  Impl(Pools& which, SignalOptions how) : pools(which), options(std::move(how)) {
    if (!options.report) options.report = to_stderr;
  }

  ~Impl() {
    if (process != this_process()) {
      forget();
      return;
    }
    put_back();
    if (thread.joinable()) {
      write_to_thread(0);
      thread.join();
    }
    guarded = 0;
    if (pipe != nullptr) hand_on_the_late();
  }

  // The thread is the parent's, and not in this process: another one may have its handle. Kept, but
  // within reach, so that a leak checker knows that it is meant.
  void forget() noexcept {
    // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new)
    static auto& forgotten = *new std::vector<OsRuntime::thread>;
    forgotten.push_back(std::move(thread));
  }

  void write_to_thread(unsigned char number) const noexcept {
    while (::write(pipe->ends[1], &number, 1) < 0 && errno == EINTR) {
    }
  }

  // Those whose handlers wrote when nobody read any more go to whom they would have gone without.
  void hand_on_the_late() const noexcept {
    ::fcntl(pipe->ends[0], F_SETFL, O_NONBLOCK);
    unsigned char signal = 0;
    while (::read(pipe->ends[0], &signal, 1) == 1) {
      if (signal != 0) ::kill(::getpid(), signal);
    }
    ::fcntl(pipe->ends[0], F_SETFL, 0);
  }

  [[nodiscard]] Result<void> start() {
    pipe = channel_of_this_process();
    if (pipe == nullptr) {
      return weir::fail(Code::resource,
                        "no descriptors for the pipe that signals are told through");
    }
    stops = 0;
    try {
      const runtime::SignalsBlocked blocked;
      thread = OsRuntime::thread([this] { watch(); });
    } catch (const std::system_error& error) {
      return weir::fail(Code::resource,
                        std::string("no thread that waits for signals: ") + error.what());
    }
    if (options.drain) install(SIGINT), install(SIGTERM);
    if (options.reload) install(SIGHUP);
    return {};
  }

  static void install(int signal) {
    struct sigaction before {};
    ::sigaction(signal, nullptr, &before);
    if (before.sa_handler == SIG_IGN) return;
    // In a child it may be ours, the parent's: what was before that one still is.
    if (before.sa_handler != on_signal) earlier_of(signal) = before;
    struct sigaction mine {};
    mine.sa_handler = on_signal;
    mine.sa_flags = SA_RESTART;
    sigemptyset(&mine.sa_mask);
    ::sigaction(signal, &mine, nullptr);
  }

  static void put_back(int signal) {
    struct sigaction now {};
    ::sigaction(signal, nullptr, &now);
    if (now.sa_handler == on_signal) ::sigaction(signal, &earlier_of(signal), nullptr);
  }
  static void put_back() {
    for (const int signal : watched) put_back(signal);
  }

  void watch() {
    for (;;) {
      unsigned char signal = 0;
      const ssize_t got = ::read(pipe->ends[0], &signal, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got != 1 || signal == 0) return;
      if (signal == SIGHUP) {
        reload();
      } else {
        drain();
        put_back(SIGINT);
        put_back(SIGTERM);
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
  std::uint64_t other = guarded.load();
  // The guard of a parent counts for nothing.
  if (other == this_process() || !guarded.compare_exchange_strong(other, this_process())) {
    return fail(
        Code::invalid_state,
        "signals of this process are handled already; keep one guard, or destroy the first");
  }
  auto impl = std::make_unique<SignalGuard::Impl>(pools, std::move(options));
  if (auto started = impl->start(); !started) return fail(std::move(started).error());
  return SignalGuard(std::move(impl));
}

}  // namespace weir
