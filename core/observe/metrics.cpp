// SPDX-License-Identifier: MIT
//
// The table of metrics: what each is called, and where in PoolStats it comes from.
#include <weir/metrics.hpp>

#include <algorithm>
#include <array>

namespace weir {
namespace {

using Emit = std::function<void(const Sample&)>;

// A metric and its samples. `read` is called with the metric's own line.
struct Line {
  MetricInfo info;
  void (*read)(const MetricInfo&, const PoolStats&, const Emit&);
};

double number(std::uint64_t count) { return static_cast<double>(count); }
double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

using enum MetricKind;
using M = MetricInfo;
using S = PoolStats;

constexpr std::string_view pool_states[] = {"open", "suspended", "draining", "closed"};

constexpr Line lines[] = {
    {{"db.client.connection.count", gauge, "{connection}", "db.client.connection.state",
      "Connections that can be lent (idle) or are lent (used)."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "idle", number(s.now.idle)});
       emit({m, "used", number(s.now.lent)});
     }},
    {{"db.client.connection.max", gauge, "{connection}", "",
      "How many connections there may be at once."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", number(s.now.max)});
     }},
    {{"db.client.connection.idle.max", gauge, "{connection}", "",
      "How many connections may be idle at once: all of them, until idle_timeout."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", number(s.now.max)});
     }},
    {{"db.client.connection.idle.min", gauge, "{connection}", "",
      "How many connections are kept open."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", number(s.min)});
     }},
    {{"db.client.connection.pending_requests", gauge, "{request}", "",
      "Callers that wait for a connection."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", number(s.now.waiting)});
     }},
    {{"db.client.connection.timeouts", counter, "{timeout}", "",
      "Callers whose time was over before there was a connection."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", number(s.timeouts)});
     }},
    {{"db.client.connection.create_time", histogram, "s", "",
      "How long it took to open a connection, init_sql included."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", 0, &s.create});
     }},
    {{"db.client.connection.wait_time", histogram, "s", "",
      "How long callers waited for their connection, of those that had to."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", 0, &s.wait});
     }},
    {{"db.client.connection.use_time", histogram, "s", "", "How long connections were lent."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", 0, &s.use});
     }},
    {{"weir.acquire", counter, "{request}", "outcome",
      "Requests for a connection, by how they ended; those that still wait are in none."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "immediate", number(s.leases - s.waited)});
       emit({m, "waited", number(s.waited)});
       emit({m, "timeout", number(s.timeouts)});
       emit({m, "rejected", number(s.rejected)});
       emit({m, "failed", number(s.failed)});
     }},
    {{"weir.waiter.oldest_age", gauge, "s", "",
      "How long the caller has waited who waits longest."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", seconds(s.oldest_wait)});
     }},
    {{"weir.connection.transitional", gauge, "{connection}", "phase",
      "Connections that are neither idle nor used: being opened, or looked at, reset, closed."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "connecting", number(s.now.connecting)});
       emit({m, "other", number(s.now.other)});
     }},
    {{"weir.connection.opened", counter, "{connection}", "reason",
      "Connections that came up, by what they were opened for."},
     [](const M& m, const S& s, const Emit& emit) {
       for (std::size_t i = 0; i < s.opened.size(); ++i) {
         emit({m, to_string(static_cast<OpenReason>(i)), number(s.opened[i])});
       }
     }},
    {{"weir.connection.open_failures", counter, "{attempt}", "",
      "Attempts to open a connection that failed."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", number(s.create_failures)});
     }},
    {{"weir.connection.closed", counter, "{connection}", "reason",
      "Connections that were closed, by why."},
     [](const M& m, const S& s, const Emit& emit) {
       for (std::size_t i = 0; i < s.closed.size(); ++i) {
         emit({m, to_string(static_cast<CloseReason>(i)), number(s.closed[i])});
       }
     }},
    {{"weir.connection.validations", counter, "{look}", "",
      "Looks at an idle connection before it was lent."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", number(s.validations)});
     }},
    {{"weir.connection.resets", counter, "{reset}", "",
      "Connections that were cleaned after they came back."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", number(s.resets)});
     }},
    {{"weir.health.checks", counter, "{check}", "", "Health checks that began."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", number(s.checks)});
     }},
    {{"weir.health.check_failures", counter, "{check}", "", "Health checks that failed."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", number(s.check_failures)});
     }},
    {{"weir.lease.overdue", counter, "{lease}", "",
      "Leases that were out for longer than hold_warn."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, "", number(s.long_holds)});
     }},
    {{"weir.pool.state", gauge, "{pool}", "state",
      "1 for the state that the pool is in, 0 for others."},
     [](const M& m, const S& s, const Emit& emit) {
       for (const std::string_view state : pool_states) {
         emit({m, state, s.state == state ? 1.0 : 0.0});
       }
     }},
    {{"weir.pool.info", gauge, "{pool}", "driver", "1, with the driver of the pool."},
     [](const M& m, const S& s, const Emit& emit) {
       emit({m, s.driver, 1});
     }},
};

constexpr std::array infos = [] {
  std::array<MetricInfo, std::size(lines)> all;
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = lines[i].info;
  return all;
}();

}  // namespace

std::string_view to_string(MetricKind kind) noexcept {
  switch (kind) {
    case counter:
      return "counter";
    case gauge:
      return "gauge";
    case histogram:
      return "histogram";
  }
  return "";
}

std::span<const MetricInfo> all_metrics() noexcept { return infos; }

void for_each_sample(const PoolStats& stats, const std::function<void(const Sample&)>& fn) {
  for (std::size_t i = 0; i < infos.size(); ++i) lines[i].read(infos[i], stats, fn);
}

// OpenTelemetry's rules: dots become underscores, a unit in braces is left out, "s" is spelled out,
// and counters end in _total.
std::string prometheus_name(const MetricInfo& metric) {
  std::string name(metric.name);
  std::replace(name.begin(), name.end(), '.', '_');
  if (metric.unit == "s") name += "_seconds";
  if (metric.kind == counter) name += "_total";
  return name;
}

}  // namespace weir
