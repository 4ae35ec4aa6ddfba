// SPDX-License-Identifier: MIT
//
// Error: what went wrong, where, and what to do, as one cheap value (one pointer, copies share).
//
// Every failure of Weir is one of these, inside a Result (weir/result.hpp). code() is stable and
// explained by `weir explain <id>`; database() holds the driver's facts where a database took part;
// acquire() says why no connection could be had in time.
//
// Threads: immutable after construction, so any thread may read a copy.
#pragma once

#include <weir/export.hpp>
#include <weir/time.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct weir_error;

namespace weir {

// Stable: numbers and ids are never reused. Ranges: 1xx configuration, 2xx drivers, 3xx the pool,
// 4xx misuse by the host program, 5xx the database.
enum class Code : std::uint16_t {
  config_unreadable = 101,   // the file is missing or cannot be read
  config_syntax = 102,       // not TOML
  config_unknown_key = 103,  // a key or table that does not exist
  config_type = 104,         // the wrong TOML type, or a number without its unit
  config_value = 105,        // out of range, or not one of the choices
  config_missing = 106,      // a required key is absent
  config_conflict = 107,     // two settings contradict each other, or what runs
  config_unresolved = 108,   // an environment variable or secret file is missing or unreadable
  config_many = 109,         // several of the above: the message lists them all

  driver_not_found = 201,   // no driver of that name in any place searched
  driver_untrusted = 202,   // refused before loading: owner, mode, pin or allow-list
  driver_unloadable = 203,  // the file cannot be opened as a library
  driver_invalid = 204,     // it loads, but breaks the ABI
  driver_manifest = 205,    // its manifest is wrong or does not match the library

  acquire_timeout = 301,  // no connection within the deadline (P2024 in Prisma's words)
  queue_full = 302,       // max_waiting callers wait already
  pool_closed = 303,      // the pool is draining or closed
  pool_suspended = 304,   // try_acquire on a suspended pool
  cancelled = 305,        // the host cancelled this acquire
  create_failed = 306,    // a connection could not be made, and waiting would not help
  not_ready = 307,        // the pool did not reach `min` in time
  drain_timeout = 308,    // leases were still out at the deadline
  none_idle = 309,        // try_acquire: nothing can be lent at once
  self_deadlock = 310,    // every connection is held by a caller that waits for another one

  unknown_pool = 401,      // no pool of that name is configured
  lease_returned = 402,    // a connection was used after its lease had gone back
  invalid_argument = 403,  // e.g. a wrong number of parameters, or SQL with a NUL in it
  invalid_state = 404,     // e.g. a second transaction inside one, or a result still open
  column_type = 405,       // a value was asked for as a type that it is not, or was NULL
  callback_threw = 406,    // a function handed to Weir threw something
  forked = 407,            // a pool was used in a forked child
  next_not_called = 408,   // a middleware returned success without calling next

  unsupported = 501,  // the driver does not offer this
  connect_failed = 502,
  auth_failed = 503,
  server_full = 504,
  connection_lost = 505,
  query_timeout = 506,
  query_cancelled = 507,
  sql_error = 508,   // syntax, unknown names, permissions
  constraint = 509,  // unique, foreign key, check, not null
  data_error = 510,
  conflict = 511,  // serialization failure, deadlock, lock timeout: run the transaction again
  read_only = 512,
  resource = 513,        // disk full, out of memory
  not_a_database = 514,  // protocol error, or a file that is something else
  driver_error = 515,    // anything else, including bugs of the driver

  internal = 900,  // a bug of Weir: please report it
};

// The driver's account of a failure; the numbers are those of weir/driver.h.
struct DatabaseError {
  std::int32_t kind = 0;  // WEIR_E_*
  std::uint8_t stage = 0;
  std::uint8_t conn_fate = 0;
  std::uint8_t effect = 0;
  std::uint8_t tx_fate = 0;
  bool transient = false;
  std::int64_t native_code = 0;
  std::string sqlstate;  // five characters, or empty
  std::string text;
};

// Why an acquire failed: the class names the remedy.
enum class AcquireClass : std::uint8_t {
  all_busy,       // every connection was lent out: too small, or held too long
  slow_connect,   // room to grow, but connects did not finish in time
  endpoint_down,  // connects fail
  auth,           // connects fail for credentials or configuration: retrying will not help
  server_full,    // the server takes no more sessions
  suspended,
  closed,
  self_deadlock,  // every connection is held by threads that wait for another one
};
[[nodiscard]] WEIR_API std::string_view to_string(AcquireClass) noexcept;

// What the pool's waiters were waiting for. Where several things were under way at once, the one
// that is nearest to an answer counts: a look before a connect, a connect before the next return.
enum class AcquirePhase : std::uint8_t {
  busy,          // every connection was lent out (or hung)
  connecting,    // a connect was under way: resolve, TCP, TLS, authentication
  initialising,  // the statements of init_sql ran
  validating,    // a connection was being looked at
  resetting,     // a returned connection was being cleaned
  backoff,       // connects had failed, and the next one was not due yet
  suspended,
};
inline constexpr std::size_t acquire_phase_count = 7;
using PhaseTimes = std::array<Duration, acquire_phase_count>;  // by AcquirePhase
[[nodiscard]] WEIR_API std::string_view to_string(AcquirePhase) noexcept;

// Counts of one pool at one moment.
struct PoolCounts {
  std::uint32_t max = 0;
  std::uint32_t lent = 0;
  std::uint32_t idle = 0;
  std::uint32_t connecting = 0;
  std::uint32_t other = 0;  // validating, resetting, closing, quarantined
  std::uint32_t waiting = 0;
};

// Who has held a connection for long.
struct LeaseHolder {
  Duration held{};
  std::string tag;   // AcquireOptions::tag; empty if none
  std::string site;  // file:line of the acquire
  std::uint64_t thread = 0;
};

struct AcquireReport {
  AcquireClass reason{};
  Duration waited{};    // from the call to the failure
  PhaseTimes phases{};  // the same, by what was waited for; adds up to it
  PoolCounts at_start;  // when the caller was queued
  PoolCounts at_end;
  Duration oldest_wait{};            // of the longest waiting caller at the end
  std::vector<LeaseHolder> holders;  // longest first, at most 3
  std::string create_error;          // the last one, if it can have mattered to this caller
  Duration create_error_age{};
};

// Why weir::retry made no further attempt.
enum class RetryStop : std::uint8_t {
  not_retryable,  // the policy does not repeat such an error
  attempts,       // that was the last one
  deadline,       // the next pause would not have ended before it
  budget,         // too many retries for too few successes: the pool's callers hold back
};
[[nodiscard]] WEIR_API std::string_view to_string(RetryStop) noexcept;

struct RetryReport {
  std::uint32_t attempts = 0;
  Duration elapsed{};  // from the call of retry to its end
  RetryStop stop{};
};

// Where insert_many or execute_many ended.
struct ManyReport {
  std::optional<std::uint64_t>
      row;                      // the one that failed, counted from 0; none: not one row's fault
  std::uint64_t committed = 0;  // so many rows, from the first on, are committed and stay
};

class WEIR_API Error {
 public:
  Error(Code code, std::string message);
  Error(Code code, std::string message, DatabaseError database);
  Error(Code code, std::string message, AcquireReport report);
  // `last` with all that it says, given up on after retries; `note` is added to its message.
  Error(const Error& last, RetryReport report, std::string_view note);
  // `cause` with all that it says, in the midst of many rows; `note` is added to its message.
  Error(const Error& cause, ManyReport report, std::string_view note);

  // Maps the driver's kind to a code. `doing` completes "while ...", e.g. "opening a connection".
  [[nodiscard]] static Error from_driver(const weir_error& error, std::string_view doing);

  [[nodiscard]] Code code() const noexcept;
  [[nodiscard]] std::string_view id() const noexcept;    // "W301"
  [[nodiscard]] std::string_view name() const noexcept;  // "acquire_timeout"

  // What happened, where, what to do. No id, no newline at the end; may have several lines.
  [[nodiscard]] const std::string& message() const noexcept;

  // The full text for people: "weir: <message> [W301 acquire_timeout]\n".
  [[nodiscard]] std::string what() const;

  // sysexits-like: 65 configuration, 69 driver or database unavailable, 1 the rest, 70 internal.
  [[nodiscard]] int exit_code() const noexcept;

  [[nodiscard]] const DatabaseError* database() const noexcept;  // null if none took part
  [[nodiscard]] const AcquireReport* acquire() const noexcept;   // null unless an acquire failed
  [[nodiscard]] const RetryReport* retry() const noexcept;       // null unless retry handed it on
  [[nodiscard]] const ManyReport* many() const noexcept;  // null unless it was about many rows

 private:
  struct Data;
  std::shared_ptr<const Data> data_;
};

// What `weir explain` knows about a code.
struct CodeInfo {
  Code code;
  std::string_view id;
  std::string_view name;
  int exit_code;
  std::string_view title;   // one line
  std::string_view advice;  // what usually causes it and what to do; may have several lines
};
[[nodiscard]] WEIR_API const CodeInfo& info(Code) noexcept;
// All codes in order. Returns: a static array.
[[nodiscard]] WEIR_API const std::vector<CodeInfo>& all_codes();

}  // namespace weir
