// SPDX-License-Identifier: MIT
//
// Metrics: what a pool counts and measures, under the names of OpenTelemetry's semantic conventions
// for databases where they have one and as weir.* elsewhere, and the page that Prometheus reads.
// Everything comes from PoolStats, so that no two numbers on one page contradict each other.
//
//   std::string page = *weir::prometheus_text(pools.stats());       // serve it as you serve others
//   weir::for_each_sample(pool.stats(), [](const weir::Sample& s) { ... });  // for your exporter
//
// Threads: any. Blocks: for nothing.
// Sources: OpenTelemetry semantic conventions, docs/db/database-metrics (status: development), and
//          its rules for Prometheus names. docs/metrics.md has the table.
#pragma once

#include <weir/result.hpp>
#include <weir/stats.hpp>

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace weir {

enum class MetricKind : std::uint8_t {
  counter,  // only grows; from 0 when the pool is opened
  gauge,
  histogram,  // of durations
};
[[nodiscard]] WEIR_API std::string_view to_string(MetricKind) noexcept;

struct MetricInfo {
  std::string_view name;  // "db.client.connection.count"
  MetricKind kind;
  std::string_view unit;   // as OpenTelemetry writes it: "s", "{connection}"
  std::string_view label;  // what its samples differ in, "state"; empty if there is one sample
  std::string_view help;
};

// All that there are, in the order of the page.
[[nodiscard]] WEIR_API std::span<const MetricInfo> all_metrics() noexcept;

// Beside `label` each sample belongs to a pool: "db.client.connection.pool.name".
struct Sample {
  const MetricInfo& metric;
  std::string_view label;                   // the value of metric.label
  double value = 0;                         // of a counter or a gauge; durations in seconds
  const LatencySummary* latency = nullptr;  // of a histogram
};
// Every sample of every metric of one pool. What `fn` is given lives as long as `stats`.
WEIR_API void for_each_sample(const PoolStats& stats, const std::function<void(const Sample&)>& fn);

// "db_client_connection_wait_time_seconds", as OpenTelemetry's exporters spell it.
[[nodiscard]] WEIR_API std::string prometheus_name(const MetricInfo& metric);

// One page for all these pools, in Prometheus' text format 0.0.4, to be served as
// "text/plain; version=0.0.4". Errors: unsupported if Weir was built without prometheus-cpp.
[[nodiscard]] WEIR_API Result<std::string> prometheus_text(std::span<const PoolStats> pools);

}  // namespace weir
