// SPDX-License-Identifier: MIT
//
// Goal: every number of PoolStats is published, under a name that Prometheus takes, and each sample
// says what the snapshot says. Method: a snapshot in which all numbers differ.
#include <weir/metrics.hpp>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

LatencySummary latency(std::uint64_t count) {
  LatencySummary s;
  s.count = count;
  s.sum = 3ms;
  s.buckets.fill(count - 1);
  s.buckets[0] = 0;
  return s;
}

PoolStats snapshot() {
  PoolStats s;
  s.name = "main \"one\"\n";
  s.driver = "sqlite";
  s.state = "suspended";
  s.now = {.max = 101, .lent = 102, .idle = 103, .connecting = 104, .other = 105, .waiting = 106};
  s.min = 107;
  s.oldest_wait = 108s;
  s.waited = 110;
  s.leases = 109 + s.waited;
  s.timeouts = 111;
  s.rejected = 112;
  s.failed = 113;
  s.created = 114;
  s.opened = {14, 100};
  s.create_failures = 115;
  s.validations = 116;
  s.resets = 117;
  s.long_holds = 118;
  s.checks = 122;
  s.check_failures = 123;
  for (std::size_t i = 0; i < s.closed.size(); ++i) s.closed[i] = 200 + i;
  s.wait = latency(119);
  s.use = latency(120);
  s.create = latency(121);
  return s;
}

TEST(Metrics, say_what_the_snapshot_says) {
  std::map<std::string, double> said;
  for_each_sample(snapshot(), [&](const Sample& sample) {
    EXPECT_EQ(sample.label.empty(), sample.metric.label.empty()) << sample.metric.name;
    EXPECT_EQ(sample.latency != nullptr, sample.metric.kind == MetricKind::histogram);
    std::string name(sample.metric.name);
    if (!sample.label.empty()) name += " " + std::string(sample.label);
    const double value =
        sample.latency == nullptr ? sample.value : static_cast<double>(sample.latency->count);
    EXPECT_TRUE(said.emplace(name, value).second) << name << " is said twice";
  });
  std::map<std::string, double> expected{
      {"db.client.connection.count idle", 103},
      {"db.client.connection.count used", 102},
      {"db.client.connection.max", 101},
      {"db.client.connection.idle.max", 101},
      {"db.client.connection.idle.min", 107},
      {"db.client.connection.pending_requests", 106},
      {"db.client.connection.timeouts", 111},
      {"db.client.connection.create_time", 121},
      {"db.client.connection.wait_time", 119},
      {"db.client.connection.use_time", 120},
      {"weir.acquire immediate", 109},
      {"weir.acquire waited", 110},
      {"weir.acquire timeout", 111},
      {"weir.acquire rejected", 112},
      {"weir.acquire failed", 113},
      {"weir.waiter.oldest_age", 108},
      {"weir.connection.transitional connecting", 104},
      {"weir.connection.transitional other", 105},
      {"weir.connection.opened minimum", 14},
      {"weir.connection.opened demand", 100},
      {"weir.connection.open_failures", 115},
      {"weir.connection.validations", 116},
      {"weir.connection.resets", 117},
      {"weir.health.checks", 122},
      {"weir.health.check_failures", 123},
      {"weir.lease.overdue", 118},
      {"weir.pool.state open", 0},
      {"weir.pool.state suspended", 1},
      {"weir.pool.state draining", 0},
      {"weir.pool.state closed", 0},
      {"weir.pool.info sqlite", 1},
  };
  for (std::size_t i = 0; i < close_reason_count; ++i) {
    expected["weir.connection.closed " + std::string(to_string(static_cast<CloseReason>(i)))] =
        200 + static_cast<double>(i);
  }
  EXPECT_EQ(said, expected);
}

TEST(Metrics, have_one_state_that_is_true) {
  for (const char* state : {"open", "suspended", "draining", "closed"}) {
    PoolStats stats = snapshot();
    stats.state = state;
    for_each_sample(stats, [&](const Sample& sample) {
      if (sample.metric.name != "weir.pool.state") return;
      EXPECT_EQ(sample.value, sample.label == state ? 1 : 0) << sample.label;
    });
  }
}

TEST(Metrics, have_names_that_are_their_own_and_that_Prometheus_takes) {
  const std::regex allowed("[a-z][a-z0-9_]*");
  std::set<std::string> names;
  for (const MetricInfo& info : all_metrics()) {
    const std::string name = prometheus_name(info);
    EXPECT_TRUE(std::regex_match(name, allowed)) << name;
    EXPECT_TRUE(names.insert(name).second) << name << " occurs twice";
    EXPECT_EQ(name.ends_with("_total"), info.kind == MetricKind::counter) << name;
    EXPECT_EQ(info.help.back(), '.') << name;
  }
  EXPECT_EQ(names.count("db_client_connection_wait_time_seconds"), 1U);
  EXPECT_EQ(names.count("db_client_connection_timeouts_total"), 1U);
}

#ifdef WEIR_PROMETHEUS
TEST(PrometheusText, has_one_family_per_metric_and_all_pools_in_it) {
  PoolStats other = snapshot();
  other.name = "other";
  const std::vector<PoolStats> pools{snapshot(), other};
  const auto page = prometheus_text(pools);
  ASSERT_TRUE(page);
  EXPECT_THAT(*page,
              HasSubstr("# TYPE db_client_connection_count gauge\n"
                        "db_client_connection_count{db_client_connection_pool_name="
                        "\"main \\\"one\\\"\\n\",db_client_connection_state=\"idle\"} 103\n"));
  EXPECT_THAT(*page,
              HasSubstr("db_client_connection_count{db_client_connection_pool_name=\"other\","
                        "db_client_connection_state=\"used\"} 102\n"));
  EXPECT_THAT(*page, HasSubstr("weir_connection_closed_total{db_client_connection_pool_name="
                               "\"other\",reason=\"lifetime\"} 201\n"));
  std::set<std::string> families;
  std::istringstream lines(*page);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    EXPECT_TRUE(families.insert(line).second) << line;
  }
  EXPECT_EQ(families.size(), all_metrics().size());
}

TEST(PrometheusText, has_buckets_that_end_in_the_count) {
  const std::vector<PoolStats> pools{snapshot()};
  const auto page = prometheus_text(pools);
  ASSERT_TRUE(page);
  const std::string start =
      "db_client_connection_wait_time_seconds_bucket{db_client_connection_pool_name="
      "\"main \\\"one\\\"\\n\",le=";
  EXPECT_THAT(*page, HasSubstr(start + "\"1e-06\"} 0\n"));
  EXPECT_THAT(*page, HasSubstr(start + "\"30\"} 118\n"));
  EXPECT_THAT(*page, HasSubstr(start + "\"+Inf\"} 119\n"));
  EXPECT_THAT(*page, HasSubstr("db_client_connection_wait_time_seconds_sum{db_client_connection_"
                               "pool_name=\"main \\\"one\\\"\\n\"} 0.003\n"));
}
#else
TEST(PrometheusText, says_what_it_was_built_without) {
  const auto page = prometheus_text({});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code(), Code::unsupported);
  EXPECT_THAT(page.error().what(), HasSubstr("apt-get install prometheus-cpp-dev"));
}
#endif

}  // namespace
}  // namespace weir
