// SPDX-License-Identifier: MIT
//
// RetryPolicy: which failures are worth another attempt, how many, and how far apart. Plain values,
// filled from [pool.<name>.retry] or by hand; weir::retry (weir/retry.hpp) goes by them. They do
// nothing by themselves: nothing is ever repeated unless the host calls retry.
//
// Sources: the pauses are those of "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015);
//          the budget is the token bucket of the AWS SDKs and of Finagle's RetryBudget, with the
//          numbers of Brooker's comparison: a success pays for a tenth of a retry. Without a budget
//          n attempts make n times the load out of an outage, and the load outlives its cause.
// Threads: plain values.
#pragma once

#include <weir/error.hpp>
#include <weir/export.hpp>
#include <weir/time.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

// How the pause before the n-th retry follows from its ceiling, min(max, base * factor^(n-1)).
enum class RetryJitter : std::uint8_t {
  none,          // the ceiling itself: callers that failed together come back together
  full,          // anywhere from 0 to the ceiling
  decorrelated,  // from base to three times the pause before, at most max; factor plays no part
};

// What an error allows to be said about the request, derived from the facts in it and from nothing
// else. The first three are the default: the server cannot have acted on the request.
enum class RetryClass : std::uint8_t {
  acquire,   // no connection could be had in time, so that there was no request
  not_sent,  // the connection failed, but by the driver's word no byte of the request had left
  refused,   // the server answered before it executed anything: full, not ready, or a transaction
             // that could not begin because somebody else holds the lock
  conflict,  // serialization failure, deadlock, lock timeout: the server says that it did not do
             // it. Safe only if fn is one whole transaction, which then runs again from its start
  unknown,   // the connection was lost, or time ran out, after the request had left. The server may
             // have done it: a payment may be booked twice. Only for what may be done twice
};
[[nodiscard]] WEIR_API std::string_view to_string(RetryClass) noexcept;

// The class of an error; none if running the same again cannot help (a syntax error, a violated
// constraint, wrong credentials, a closed pool) or is not wanted (cancelled).
[[nodiscard]] WEIR_API std::optional<RetryClass> retry_class(const Error& error) noexcept;

struct RetryClasses {
  bool acquire = true;
  bool not_sent = true;
  bool refused = true;
  bool conflict = false;
  bool unknown = false;

  [[nodiscard]] constexpr bool has(RetryClass one) const noexcept {
    switch (one) {
      case RetryClass::acquire:
        return acquire;
      case RetryClass::not_sent:
        return not_sent;
      case RetryClass::refused:
        return refused;
      case RetryClass::conflict:
        return conflict;
      case RetryClass::unknown:
        return unknown;
    }
    return false;
  }
  friend bool operator==(const RetryClasses&, const RetryClasses&) = default;
};

// Ranges are those of docs/options.md; validate() (weir/config.hpp) checks a policy made by hand.
struct RetryPolicy {
  std::uint32_t attempts = 3;                     // in all, the first included; 1: never again
  Duration base = std::chrono::milliseconds(50);  // the first ceiling
  std::uint32_t factor = 2;                       // what a ceiling grows by
  Duration max = std::chrono::seconds(2);         // no pause is longer
  RetryJitter jitter = RetryJitter::full;
  RetryClasses on = {};
  std::uint32_t budget = 10;           // retries that may be owed at once, by all callers of a pool
  std::uint32_t deposit_percent = 10;  // of a retry that each success pays back
  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

namespace detail {

// How far one call of retry has come; kept by decide (core/base/retry.hpp).
struct RetryProgress {
  std::uint32_t attempts = 0;  // that have failed
  Duration ceiling{};          // of the last pause, 0 before the first
  Duration pause{};            // the last one
};

// After a failed attempt: wait until a point in time and go on, or stop.
struct RetryDecision {
  std::optional<RetryStop> stop;
  Instant until{};
};

}  // namespace detail
}  // namespace weir
