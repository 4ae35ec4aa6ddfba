// SPDX-License-Identifier: MIT
//
// PoolStats: one consistent snapshot of a pool, plain data. Everything the pool reports (JSON, the
// tables of the command line, weir/metrics.hpp) is derived from it.
//
// Laws, checked by tests: created - closed = lent + idle + connecting + other - attempts not yet
// done; acquires = leases + failures + waiting; opened adds up to created; a histogram's count
// equals its counter.
#pragma once

#include <weir/error.hpp>

#include <array>

namespace weir {

// Why a connection was opened. The names are part of the JSON.
enum class OpenReason : std::uint8_t {
  minimum,  // for `min`: at the start, after a death, at the end of a lifetime
  demand,   // for somebody who waited
};
inline constexpr std::size_t open_reason_count = 2;
[[nodiscard]] WEIR_API std::string_view to_string(OpenReason) noexcept;

// Why a connection was closed. The names are part of the JSON.
enum class CloseReason : std::uint8_t {
  idle,          // idle_timeout
  lifetime,      // max_lifetime
  broken,        // an error of the driver said so, or it was dead when looked at
  reset_failed,  // could not be made clean on return
  surplus,       // more than max after a resize
  shutdown,      // drain or close
  late,          // came up after its attempt had been given up
  evicted,       // evict() asked for new ones
  outdated,      // made with a configuration that a reload has replaced
};
inline constexpr std::size_t close_reason_count = 9;
[[nodiscard]] WEIR_API std::string_view to_string(CloseReason) noexcept;

// The edges of LatencySummary::buckets. A pool's waits lie in microseconds, an outage in seconds.
inline constexpr std::array<Duration, 16> latency_bounds{
    std::chrono::microseconds(1),  std::chrono::microseconds(5),   std::chrono::microseconds(10),
    std::chrono::microseconds(50), std::chrono::microseconds(100), std::chrono::microseconds(500),
    std::chrono::milliseconds(1),  std::chrono::milliseconds(5),   std::chrono::milliseconds(10),
    std::chrono::milliseconds(50), std::chrono::milliseconds(100), std::chrono::milliseconds(500),
    std::chrono::seconds(1),       std::chrono::seconds(5),        std::chrono::seconds(10),
    std::chrono::seconds(30)};

// A summary of a latency histogram; quantiles are upper bounds, within 1/16 of the true value, and
// a value that is less than 1/16 below an edge may be counted above it.
struct LatencySummary {
  std::uint64_t count = 0;
  Duration sum{};
  std::array<std::uint64_t, latency_bounds.size()> buckets{};  // values up to that edge, cumulative
  Duration mean{};
  Duration p50{};
  Duration p90{};
  Duration p99{};
  Duration p999{};
  Duration max{};
};

struct PoolStats {
  std::string name;
  std::string driver;
  std::string state;  // "open", "suspended", "draining", "closed"
  PoolCounts now;
  std::uint32_t min = 0;
  Duration oldest_wait{};

  std::uint64_t acquires = 0;  // calls; = leases + timeouts + rejected + failed + waiting
  std::uint64_t leases = 0;
  std::uint64_t waited = 0;  // of the leases: those that were queued first
  std::uint64_t timeouts = 0;
  std::uint64_t rejected = 0;  // queue_full, none_idle
  std::uint64_t failed = 0;    // closed, cancelled, create_failed
  std::uint64_t returned = 0;

  std::uint64_t created = 0;
  std::array<std::uint64_t, open_reason_count> opened{};  // the created, by OpenReason
  std::uint64_t create_failures = 0;
  std::uint64_t validations = 0;
  std::uint64_t resets = 0;
  std::uint64_t checks = 0;  // health checks that began
  std::uint64_t check_failures = 0;
  std::array<std::uint64_t, close_reason_count> closed{};  // by CloseReason
  std::uint64_t long_holds = 0;                            // leases reported by hold_warn

  LatencySummary wait;  // from the call to the lease, of leases that were queued
  // From the lease to the return. In a busy pool one lease in 64 of each connection is measured,
  // and counts for the others; so its count may be behind `returned`, by 63 for each connection.
  LatencySummary use;
  LatencySummary create;          // of successful creates
  std::string last_create_error;  // empty if the last attempt succeeded

  [[nodiscard]] WEIR_API std::string to_json() const;  // one line
};

}  // namespace weir
