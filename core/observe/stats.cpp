// SPDX-License-Identifier: MIT
//
// PoolStats as JSON. Durations are in seconds, as OpenTelemetry has them.
#include "core/observe/texts.hpp"

#include <weir/stats.hpp>

#include <fmt/format.h>

namespace weir {

std::string_view to_string(OpenReason reason) noexcept {
  return reason == OpenReason::demand ? "demand" : "minimum";
}

std::string_view to_string(CloseReason reason) noexcept {
  switch (reason) {
    case CloseReason::idle:
      return "idle";
    case CloseReason::lifetime:
      return "lifetime";
    case CloseReason::broken:
      return "broken";
    case CloseReason::reset_failed:
      return "reset_failed";
    case CloseReason::surplus:
      return "surplus";
    case CloseReason::shutdown:
      return "shutdown";
    case CloseReason::late:
      return "late";
    case CloseReason::evicted:
      return "evicted";
    case CloseReason::outdated:
      return "outdated";
  }
  return "";
}

namespace {

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

std::string latency(const LatencySummary& s) {
  return fmt::format(
      R"({{"count":{},"sum":{:.9f},"mean":{:.9f},"p50":{:.9f},"p90":{:.9f},"p99":{:.9f},"p999":{:.9f},"max":{:.9f}}})",
      s.count, seconds(s.sum), seconds(s.mean), seconds(s.p50), seconds(s.p90), seconds(s.p99),
      seconds(s.p999), seconds(s.max));
}

template <class Reason, std::size_t n>
std::string by_reason(std::string_view name, const std::array<std::uint64_t, n>& counts) {
  std::string out = fmt::format(R"("{}":{{)", name);
  for (std::size_t i = 0; i < n; ++i) {
    out += fmt::format(R"({}"{}":{})", i == 0 ? "" : ",", to_string(static_cast<Reason>(i)),
                       counts[i]);
  }
  return out + "},";
}

}  // namespace

std::string PoolStats::to_json() const {
  std::string out = fmt::format(R"({{"pool":{},"driver":{},"state":{},)", observe::json_text(name),
                                observe::json_text(driver), observe::json_text(state));
  out += fmt::format(R"("min":{},"max":{},"active":{},"idle":{},"connecting":{},"other":{},)", min,
                     now.max, now.lent, now.idle, now.connecting, now.other);
  out += fmt::format(R"("waiting":{},"oldest_wait":{:.9f},)", now.waiting, seconds(oldest_wait));
  out += fmt::format(
      R"("acquires":{},"leases":{},"waited":{},"timeouts":{},"rejected":{},"failed":{},"returned":{},)",
      acquires, leases, waited, timeouts, rejected, failed, returned);
  out += fmt::format(
      R"("created":{},"create_failures":{},"validations":{},"resets":{},"checks":{},"check_failures":{},"long_holds":{},)",
      created, create_failures, validations, resets, checks, check_failures, long_holds);
  out += by_reason<OpenReason>("opened", opened) + by_reason<CloseReason>("closed", closed);
  out += fmt::format(R"("wait":{},"use":{},"create":{},"last_create_error":{}}})", latency(wait),
                     latency(use), latency(create),
                     last_create_error.empty() ? "null" : observe::json_text(last_create_error));
  return out;
}

}  // namespace weir
