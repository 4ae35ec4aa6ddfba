// SPDX-License-Identifier: MIT
//
// The page for Prometheus: the samples of the table, grouped by metric as the format wants, and
// written by prometheus-cpp.
#include <weir/metrics.hpp>

#ifdef WEIR_PROMETHEUS
#include <algorithm>
#include <limits>
#include <map>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#endif

namespace weir {

#ifdef WEIR_PROMETHEUS
namespace {

prometheus::MetricType type_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::counter:
      return prometheus::MetricType::Counter;
    case MetricKind::gauge:
      return prometheus::MetricType::Gauge;
    case MetricKind::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

prometheus::ClientMetric::Histogram to_histogram(const LatencySummary& latency) {
  prometheus::ClientMetric::Histogram h;
  h.sample_count = latency.count;
  h.sample_sum = seconds(latency.sum);
  for (std::size_t i = 0; i < latency_bounds.size(); ++i) {
    h.bucket.push_back({latency.buckets[i], seconds(latency_bounds[i])});
  }
  h.bucket.push_back({latency.count, std::numeric_limits<double>::infinity()});
  return h;
}

prometheus::ClientMetric to_metric(const std::string& pool, const Sample& sample) {
  prometheus::ClientMetric metric;
  metric.label.push_back({"db_client_connection_pool_name", pool});
  if (!sample.metric.label.empty()) {
    std::string name(sample.metric.label);
    std::replace(name.begin(), name.end(), '.', '_');
    metric.label.push_back({std::move(name), std::string(sample.label)});
  }
  switch (sample.metric.kind) {
    case MetricKind::counter:
      metric.counter.value = sample.value;
      break;
    case MetricKind::gauge:
      metric.gauge.value = sample.value;
      break;
    case MetricKind::histogram:
      metric.histogram = to_histogram(*sample.latency);
      break;
  }
  return metric;
}

}  // namespace

Result<std::string> prometheus_text(std::span<const PoolStats> pools) {
  std::vector<prometheus::MetricFamily> families;
  std::map<const MetricInfo*, std::size_t> places;
  for (const MetricInfo& metric : all_metrics()) {
    places[&metric] = families.size();
    families.push_back(
        {prometheus_name(metric), std::string(metric.help), type_of(metric.kind), {}});
  }
  for (const PoolStats& stats : pools) {
    for_each_sample(stats, [&](const Sample& sample) {
      families[places[&sample.metric]].metric.push_back(to_metric(stats.name, sample));
    });
  }
  return prometheus::TextSerializer().Serialize(families);
}

#else

Result<std::string> prometheus_text(std::span<const PoolStats>) {
  return fail(Code::unsupported,
              "this libweir was built without prometheus-cpp; on Debian: apt-get install "
              "prometheus-cpp-dev, and build it anew. PoolStats::to_json() and "
              "weir::for_each_sample have the same numbers");
}

#endif

}  // namespace weir
