// SPDX-License-Identifier: MIT
//
// Signals: drains the pools when the process is told to end, and reloads them when it is told to.
// Nothing is done about signals unless a host asks for it here.
//
//   auto pools = weir::Pools::from_file("weir.toml");
//   auto guard = weir::handle_signals(*pools);      // SIGINT and SIGTERM, until it is destroyed
//
// At the first SIGINT or SIGTERM the pools are drained, on a thread of the guard: waiters fail at
// once, leases may finish until the timeout. Then the signal is handed on, to the handler that was
// there before, or to the system, which ends the process as the signal does. A second one during
// the drain ends the process at once.
//
// Owner:    the host; one guard per process at a time. The pools neither move nor end while it
// lives. Threads:  made and destroyed by one thread. A forked child behaves as if there were no
// guard. Blocks:   the destructor waits for a drain or a reload under way.
#pragma once

#include <weir/pools.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace weir {

struct SignalOptions {
  std::optional<Duration> drain_timeout = {};  // default: the longest of the pools' own
  bool drain = true;                           // on SIGINT and SIGTERM
  bool reload = false;                         // on SIGHUP, as Pools::reload
  // What there is to say: a drain that was not complete, what a reload changed or why it did not.
  // Called on the guard's thread; exceptions are swallowed. Default: a line on stderr.
  std::function<void(LogLevel level, std::string_view line)> report = {};
};

class WEIR_API SignalGuard {
 public:
  SignalGuard(SignalGuard&&) noexcept;
  SignalGuard& operator=(SignalGuard&&) noexcept;
  // Handlers that were there before are put back, unless somebody else has set one since.
  ~SignalGuard();

 private:
  friend WEIR_API Result<SignalGuard> handle_signals(Pools& pools, SignalOptions options);
  struct Impl;
  explicit SignalGuard(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

// A signal that the process ignores (SIGINT of a program in the background) stays ignored.
// Errors: invalid_state if there is a guard already; resource without descriptors.
[[nodiscard]] WEIR_API Result<SignalGuard> handle_signals(Pools& pools, SignalOptions options = {});

}  // namespace weir
