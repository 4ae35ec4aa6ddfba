// SPDX-License-Identifier: MIT
//
// PoolHealth: whether a pool can serve, and why not: a snapshot for a host's readiness probe, plain
// data. docs/health.md says what each reason means and what a probe should do with it.
//
//   const weir::PoolHealth health = db.health();
//   reply(health.status == weir::HealthStatus::not_ready ? 503 : 200, health.to_json());
//
// Law: `status` is the worst that a reason says, and `ready` if there is none.
#pragma once

#include <weir/export.hpp>
#include <weir/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// From good to bad. The names are part of the JSON, like those of the causes.
enum class HealthStatus : std::uint8_t {
  ready,
  degraded,   // it serves, or may: a probe that takes the host out of service makes it worse
  not_ready,  // nobody is served
};
[[nodiscard]] WEIR_API std::string_view to_string(HealthStatus) noexcept;

enum class HealthCause : std::uint8_t {
  closed,        // not_ready: drained, or the data of an in-memory database is lost
  suspended,     // not_ready, until resume()
  starting,      // not_ready: `min` connections are being made, and none has come up yet
  unreachable,   // connects fail: not_ready if there is no connection, else degraded
  exhausted,     // degraded: somebody has waited for half of acquire_timeout, or for a second
  check_failed,  // degraded: the last check of [pool.<name>.health] failed
  forked,        // not_ready: this process was forked off the one that has the pool
};
[[nodiscard]] WEIR_API std::string_view to_string(HealthCause) noexcept;

struct HealthReason {
  HealthCause cause{};
  HealthStatus status{};  // what it makes of the pool
  std::string text;       // for people: what is the matter, with the database's own words
  Duration age{};         // how long it has been so; 0 where nobody keeps count
};

// The last health check that has ended.
struct CheckReport {
  Duration age{};  // since it began
  Duration took{};
  std::string error;  // empty: it passed
};

struct PoolHealth {
  std::string name;
  HealthStatus status = HealthStatus::ready;
  std::vector<HealthReason> reasons;      // in the order of the causes, each at most once
  std::optional<CheckReport> last_check;  // none: checks are off, or none has ended yet

  [[nodiscard]] WEIR_API std::string to_json() const;  // one line; durations in seconds
};

}  // namespace weir
