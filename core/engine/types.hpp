// SPDX-License-Identifier: MIT
//
// The engine's words: what identifies a slot or a waiter, the states of a slot, the operations that
// the shell runs for it, and how an acquire can end. Shared by the engine, the rack and the shell.
#pragma once

#include <weir/config.hpp>
#include <weir/stats.hpp>
#include <weir/time.hpp>

#include <cstdint>

namespace weir::engine {

using SlotId = std::uint32_t;  // index of a slot; slots are reused
inline constexpr SlotId no_slot = UINT32_MAX;

// Identifies one acquire in the queue. Never reused: a late cancel finds nothing.
struct WaiterId {
  std::uint32_t index = UINT32_MAX;
  std::uint32_t generation = 0;
  friend bool operator==(const WaiterId&, const WaiterId&) = default;
};

// What the shell wants back when a waiter is resolved; the engine does not look at it.
using Token = void*;

// Who asks, for finding callers that wait for each other: a thread, or what the host calls a task.
using TaskId = std::uint64_t;
inline constexpr TaskId no_task =
    0;  // nobody in particular: such a lease may be given back by anyone

// Where the engine is with one connection. All but `closed` count against max, because the server
// may hold a session for each of them.
enum class SlotState : std::uint8_t {
  closed,        // no connection; the slot may be reused
  connecting,    // Op::connect runs
  initialising,  // Op::init runs: the statements of init_sql
  racked,        // on the rack: idle or lent
  validating,    // Op::validate or Op::check runs
  resetting,     // Op::reset runs
  closing,       // Op::close runs
  quarantined,   // an operation did not end although it was aborted; left only by being closed
};
inline constexpr std::size_t slot_state_count = 8;

// What the shell does with a driver on behalf of a slot; one at a time per slot.
enum class Op : std::uint8_t { none, connect, init, validate, reset, close, check };
inline constexpr std::size_t op_count = 7;

// How an operation ended, in the engine's terms. The shell classifies the driver's error.
enum class OpResult : std::uint8_t {
  ok,
  failed,       // the connection, if there is one, is of no use
  server_full,  // connect only: the server takes no more sessions now
  fatal,        // connect, init only: credentials or configuration; trying again will not help
  refused,      // check only: the query failed, and the connection is as good as before
};

// How an acquire ended.
enum class Outcome : std::uint8_t {
  lent,
  timeout,
  none_idle,      // it was not to wait
  rejected,       // the queue is full
  closed,         // the pool is draining or closed
  cancelled,      // by the host
  create_failed,  // only a connect could have served it, and that failed for good
  lost,           // the one connection that held the data (an in-memory database) is gone
  suspended,      // it was not to wait, and the pool is suspended
  self_deadlock,  // every connection is held by a task that waits for another one
};

// Who holds a lease. Texts are borrowed: literals of the caller.
struct Holder {
  const char* tag = "";
  const char* file = "";
  int line = 0;
  std::uint64_t thread = 0;
  TaskId task = no_task;  // set: the lease goes back when this task gives it back, and not before
};

enum class WaiterKind : std::uint8_t {
  thread,  // a blocked thread: waking it costs a context switch, so it may be offered a connection
  callback,  // runs wherever it is completed: always handed the connection directly
};

// What the driver says about a connection that comes back.
struct ReturnFacts {
  bool broken = false;  // only close is possible
  bool busy = false;    // a result, a transaction or an unsettled cancel is left behind
  bool dirty = false;   // the session changed, or may have
  [[nodiscard]] bool clean() const noexcept { return !broken && !busy && !dirty; }
};

// What the engine reads of a pool's configuration.
struct EngineConfig {
  std::uint32_t min = 0;
  std::uint32_t max = 10;
  std::uint32_t max_connecting = 2;
  std::uint32_t max_waiting = 1024;
  std::uint32_t quarantine_max = 0;
  Duration create_timeout{};
  Duration create_retry_interval{};
  Duration create_retry_max{};
  PropagateCreateError propagate_create_error = PropagateCreateError::fatal;
  Duration idle_timeout{};
  Duration reap_interval{};
  Duration max_lifetime{};
  Duration validate_after{};
  Duration keepalive = no_timeout;
  Fairness fairness = Fairness::bounded;
  Duration fair_after{};
  Duration hold_warn = no_timeout;
  Duration check_interval = no_timeout;
  ResetPolicy reset = ResetPolicy::automatic;
  bool has_init = false;
  bool pinned = false;  // the data lives in the connection: never close it while the pool is open
};

}  // namespace weir::engine
