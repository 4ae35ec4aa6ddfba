// SPDX-License-Identifier: MIT
#include "core/observe/health.hpp"

#include "core/observe/texts.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir {

std::string_view to_string(HealthStatus status) noexcept {
  switch (status) {
    case HealthStatus::ready:
      return "ready";
    case HealthStatus::degraded:
      return "degraded";
    case HealthStatus::not_ready:
      return "not_ready";
  }
  return "";
}

std::string_view to_string(HealthCause cause) noexcept {
  switch (cause) {
    case HealthCause::closed:
      return "closed";
    case HealthCause::suspended:
      return "suspended";
    case HealthCause::starting:
      return "starting";
    case HealthCause::unreachable:
      return "unreachable";
    case HealthCause::exhausted:
      return "exhausted";
    case HealthCause::check_failed:
      return "check_failed";
    case HealthCause::forked:
      return "forked";
  }
  return "";
}

static double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

std::string PoolHealth::to_json() const {
  using observe::json_text;
  std::string out = fmt::format(R"({{"pool":{},"status":{},"reasons":[)", json_text(name),
                                json_text(to_string(status)));
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    const HealthReason& reason = reasons[i];
    out += fmt::format(R"({}{{"cause":{},"status":{},"text":{},"age":{:.9f}}})", i == 0 ? "" : ",",
                       json_text(to_string(reason.cause)), json_text(to_string(reason.status)),
                       json_text(reason.text), seconds(reason.age));
  }
  out += "],\"last_check\":";
  if (!last_check) return out + "null}";
  return out + fmt::format(R"({{"age":{:.9f},"took":{:.9f},"error":{}}}}})",
                           seconds(last_check->age), seconds(last_check->took),
                           last_check->error.empty() ? "null" : json_text(last_check->error));
}

namespace observe {

namespace {
// A queue is how a pool works; one that stands for this long is not.
Duration too_long(Duration acquire_timeout) {
  constexpr Duration most = std::chrono::seconds(1);
  return acquire_timeout > Duration{} ? std::min(most, acquire_timeout / 2) : most;
}
}  // namespace

PoolHealth assess(HealthFacts f) {
  PoolHealth health;
  health.name = std::move(f.name);
  health.last_check = std::move(f.last_check);
  const auto add = [&](HealthCause cause, HealthStatus status, std::string text,
                       Duration age = {}) {
    health.status = std::max(health.status, status);
    health.reasons.push_back({cause, status, std::move(text), age});
  };
  if (f.forked) {
    add(HealthCause::forked, HealthStatus::not_ready, "the pool belongs to the parent process");
    return health;
  }
  if (f.closed) {
    add(HealthCause::closed, HealthStatus::not_ready,
        f.lost ? "the connection that held this in-memory database is gone, and the data with it"
               : "the pool is closed");
    return health;
  }
  if (f.suspended) add(HealthCause::suspended, HealthStatus::not_ready, "the pool is suspended");
  if (f.starting && !f.failing) {
    add(HealthCause::starting, HealthStatus::not_ready, "no connection has come up yet");
  }
  if (f.failing) {
    add(HealthCause::unreachable, f.up == 0 ? HealthStatus::not_ready : HealthStatus::degraded,
        fmt::format("connects have failed for {}: {}", short_duration(f.failing_for),
                    f.create_error),
        f.failing_for);
  }
  if (f.counts.waiting > 0 && !f.suspended && f.oldest_wait >= too_long(f.acquire_timeout)) {
    add(HealthCause::exhausted, HealthStatus::degraded,
        fmt::format("a caller has waited for {}: {}", short_duration(f.oldest_wait),
                    counts_text(f.counts)),
        f.oldest_wait);
  }
  if (health.last_check && !health.last_check->error.empty()) {
    add(HealthCause::check_failed, HealthStatus::degraded,
        "the last health check failed: " + health.last_check->error, health.last_check->age);
  }
  return health;
}

}  // namespace observe
}  // namespace weir
