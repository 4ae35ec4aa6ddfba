// SPDX-License-Identifier: MIT
// Goal:   the curve beside a sweep is that of M/M/c, stands only beside scenarios that are one, and
//         the simulator agrees with it.
// Method: values that are known; runs of several seeds, whose interval has to hold what is
// expected.
#include "sim/study/queueing.hpp"

#include "sim/study/study.hpp"
#include "tests/sim/study/scenarios.hpp"

#include <gmock/gmock.h>

namespace weir::sim::test {
namespace {

TEST(Queueing, ErlangCHasItsKnownValues) {
  EXPECT_NEAR(erlang_c({0.5, 1, 1}), 0.5, 1e-12);     // M/M/1: the load
  EXPECT_NEAR(erlang_c({1, 1, 2}), 1.0 / 3, 1e-12);   // by hand
  EXPECT_NEAR(erlang_c({8, 1, 10}), 0.409180, 1e-5);  // from tables
  EXPECT_NEAR(erlang_c({90, 1, 100}), 0.216940, 1e-5);
  EXPECT_LT(erlang_c({1, 1, 500}), 1e-300);  // and no overflow
  EXPECT_NEAR(mean_wait({80, 100, 1}), 0.8 / 20, 1e-12);
  EXPECT_NEAR(wait_quantile({80, 100, 1}, 0.99), std::log(80.0) / 20, 1e-12);
  EXPECT_EQ(wait_quantile({1, 1, 50}, 0.99), 0);
}

TEST(Queueing, WaitsOfASimulationAgree) {
  for (const int max : {5, 6}) {
    const Scenario scenario = read(mmc(max));
    const auto queue = queue_of(scenario);
    ASSERT_TRUE(std::holds_alternative<Queue>(queue));
    const auto runs = run_seeds(scenario, {.runs = 8, .run = {}, .progress = {}}, "test");
    ASSERT_TRUE(runs) << runs.error().why;
    const Estimate mean = estimate({Gauge::What::wait, Gauge::mean}, *runs);
    EXPECT_NEAR(mean.mean, mean_wait(std::get<Queue>(queue)), 1.5 * mean.half) << max;
    // Of a histogram: up to a sixteenth above.
    const Estimate p99 = estimate({Gauge::What::wait, 0.99}, *runs);
    const double expected = wait_quantile(std::get<Queue>(queue), 0.99);
    EXPECT_NEAR(p99.mean, expected * 1.03, 1.5 * p99.half + 0.04 * expected) << max;
  }
}

std::string why_not(const std::string& text, std::span<const Setting> settings = {}) {
  const auto queue = queue_of(read(text, settings));
  const std::string* why = std::get_if<std::string>(&queue);
  return why != nullptr ? *why : "";
}

std::string statements(const std::string& sql, const std::string& more = {}) {
  return "format = 1\n[server]\nstatement = \"exp(1ms)\"\n[[client]]\ncount = 20\nloop = \"open\"\n"
         "every = \"exp(5ms)\"\nsql = [\"" +
         sql + "\"]\n" + more;
}

TEST(Queueing, WhatIsNoQueueOfThisKindSaysWhy) {
  using testing::HasSubstr;
  EXPECT_EQ(why_not(mmc(5)), "");
  EXPECT_THAT(why_not(mmc(4)), HasSubstr("more comes than it can serve"));
  EXPECT_THAT(why_not(mmc(5, "together = 2")), HasSubstr("more than one lease"));
  EXPECT_THAT(why_not(mmc(5, "[[client]]\ncount = 1\nevery = \"1s\"")), HasSubstr("[[client]]"));
  EXPECT_THAT(why_not(mmc(5, "[[fault]]\nwhat = \"error\"\nat = \"1s\"")), HasSubstr("faults"));
  EXPECT_THAT(why_not(mmc(5, "timeout = \"1ms\"")), HasSubstr("time out"));
  EXPECT_THAT(why_not("format = 1\n[[client]]\nevery = \"exp(5ms)\"\nhold = \"exp(1ms)\""),
              HasSubstr("closed loop"));
  EXPECT_THAT(why_not("format = 1\n[server]\nstatement = \"exp(1ms)\"\ncores = 2\n[pool]\nmax = 8\n"
                      "[[client]]\nloop = \"open\"\nevery = \"exp(5ms)\"\nsql = [\"SELECT 1\"]"),
              HasSubstr("cores, sigma or kappa"));
  EXPECT_THAT(why_not(mmc(5, "[server]\nmax_connections = 4")), HasSubstr("max_connections"));
  EXPECT_EQ(why_not(mmc(5, "[server]\nmax_connections = 5")), "");
  const Setting few{"pool.max_waiting", "94"};
  const Setting all{"pool.max_waiting", "95"};
  EXPECT_THAT(why_not(mmc(5), {&few, 1}), HasSubstr("max_waiting"));
  EXPECT_EQ(why_not(mmc(5), {&all, 1}), "");
  EXPECT_EQ(why_not(statements("SELECT 1")), "");
  EXPECT_THAT(why_not(statements("SLEEP 5")), HasSubstr("a query or a write"));
  EXPECT_THAT(why_not(statements("COMMIT")), HasSubstr("a query or a write"));
  EXPECT_THAT(why_not(statements("SELECT 1", "within = \"6ms\"")), HasSubstr("`within`"));
  EXPECT_EQ(why_not(statements("SELECT 1", "within = \"7ms\"")), "");
}

}  // namespace
}  // namespace weir::sim::test
