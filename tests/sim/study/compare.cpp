// SPDX-License-Identifier: MIT
// Goal:   identical scenarios have no difference, different ones have theirs, and pairs make
//         intervals narrower than chance would have them.
#include "sim/study/compare.hpp"

#include "tests/sim/study/scenarios.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace weir::sim::test {
namespace {

using testing::HasSubstr;

constexpr const char* brief = "5s";

Comparison compared(const Scenario& a, const Scenario& b) {
  auto c = compare(a, b, {.runs = 5, .run = {}, .progress = {}});
  EXPECT_TRUE(c) << (c ? "" : c.error().why);
  return *std::move(c);
}

TEST(Compare, OfTheSameSeesNoDifference) {
  const Comparison c = compared(read(mmc(6, "", brief)), read(mmc(6, "", brief)));
  for (const Compared& row : c.rows) EXPECT_EQ(row.verdict, Difference::none);
  EXPECT_THAT(to_text(c), HasSubstr("A and B are the same in each run"));
}

TEST(Compare, OfAPoolOfTwoAndOneOfEightSeesOne) {
  const Comparison c =
      compared(read(mmc(2, "timeout = \"1s\"", brief)), read(mmc(8, "timeout = \"1s\"", brief)));
  EXPECT_EQ(c.rows.at(0).gauge, (Gauge{Gauge::What::wait, Gauge::mean}));
  EXPECT_EQ(c.rows.at(0).verdict, Difference::lower);
  EXPECT_TRUE(c.same_work);
  EXPECT_THAT(to_text(c), HasSubstr("differ in mean wait"));
  const auto json = nlohmann::json::parse(to_json(c));
  EXPECT_EQ(json["rows"][0]["verdict"], "lower");
}

TEST(Compare, TakesDifferencesOfPairs) {
  const Comparison c = compared(read(mmc(6, "", brief)), read(mmc(7, "", brief)));
  const Compared& wait = c.rows.at(0);
  EXPECT_EQ(wait.verdict, Difference::lower);
  EXPECT_LT(wait.difference.half, std::hypot(wait.a.half, wait.b.half));
}

TEST(Compare, SaysThatTheWorkIsNotTheSame) {
  const Setting less{"client.1.every", "exp(5ms)"};
  const Comparison c = compared(read(mmc(6, "", brief)), read(mmc(6, "", brief), {&less, 1}));
  EXPECT_FALSE(c.same_work);
  EXPECT_THAT(to_text(c), HasSubstr("[[client]]"));
}

TEST(Compare, OfAnotherDatabaseIsNotOfTheSameWork) {
  const Scenario a = read(mmc(6, "", "50ms"));
  const auto same = [&](auto&& change) {
    Scenario b = a;
    change(b);
    return compared(a, b).same_work;
  };
  const Distribution slow = Distribution::parse("exp(1ms)").value();
  EXPECT_TRUE(same([](Scenario& s) { s.pool.max = 2; }));
  EXPECT_FALSE(same([](Scenario& s) { s.setup = {"SELECT 1"}; }));
  EXPECT_FALSE(same([&](Scenario& s) { s.disk.latency = slow; }));
  EXPECT_FALSE(same([&](Scenario& s) { s.disk.sync = slow; }));
}

TEST(Estimates, HaveStudentsIntervals) {
  const Estimate e = estimate(std::vector<double>{1, 2, 3, 4, 5});
  EXPECT_DOUBLE_EQ(e.mean, 3);
  EXPECT_NEAR(e.half, 2.776 * std::sqrt(2.5 / 5), 1e-9);
  EXPECT_TRUE(std::isinf(estimate(std::vector<double>{1}).half));
  EXPECT_TRUE(std::isinf(estimate(std::vector<double>{1, INFINITY}).mean));
}

}  // namespace
}  // namespace weir::sim::test
