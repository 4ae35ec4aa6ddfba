// SPDX-License-Identifier: MIT
//
// Goal: durations are drawn as their text says, the same on every machine; streams are independent.
// Method: quantiles of many draws against the formulas, pinned values, texts that are wrong.
#include "sim/server/distribution.hpp"

#include "sim/world/streams.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace weir::sim {
namespace {

using ::testing::HasSubstr;
constexpr double ms = 1e6;

std::vector<double> sample(const char* text, int n = 200'000) {
  const Distribution d = Distribution::parse(text).value();
  base::Random random = stream(1, 2, text);
  std::vector<double> all;
  for (int i = 0; i < n; ++i) all.push_back(static_cast<double>(d.draw(random)));
  std::sort(all.begin(), all.end());
  return all;
}

double quantile(const std::vector<double>& sorted, double q) {
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size()))];
}

TEST(Distribution, quantiles_are_those_of_the_formulas) {
  const auto exponential = sample("exp(2ms)");
  const auto uniform = sample("uniform(1ms,5ms)");
  const auto lognormal = sample("lognormal(2ms,0.5)");
  const auto pareto = sample("pareto(1ms,1.5)");
  for (const double q : {0.1, 0.5, 0.9, 0.99}) {
    EXPECT_NEAR(1.0, quantile(exponential, q) / (-2 * ms * std::log(1 - q)), 0.03) << q;
    EXPECT_NEAR(1.0, quantile(uniform, q) / ((1 + 4 * q) * ms), 0.03) << q;
    EXPECT_NEAR(1.0, quantile(pareto, q) / (ms * std::pow(1 - q, -1 / 1.5)), 0.04) << q;
  }
  for (const auto& [q, z] :
       {std::pair(0.5, 0.0), {0.1586553, -1.0}, {0.8413447, 1.0}, {0.9772499, 2.0}}) {
    EXPECT_NEAR(1.0, quantile(lognormal, q) / (2 * ms * std::exp(0.5 * z)), 0.03) << q;
  }
  const auto bimodal = sample("bimodal(1ms,100ms,0.01)");
  EXPECT_NEAR(0.01,
              static_cast<double>(std::count(bimodal.begin(), bimodal.end(), 100 * ms)) /
                  static_cast<double>(bimodal.size()),
              0.002);
  const auto empirical = sample("empirical(1ms,1ms,1ms,7ms)");
  EXPECT_EQ(1 * ms, quantile(empirical, 0.74));
  EXPECT_EQ(7 * ms, quantile(empirical, 0.76));
}

TEST(Distribution, logarithm_and_power_are_exact_enough) {
  for (const std::uint64_t x : {1ULL, 2ULL, 3ULL, 1000ULL, 0xffffffffffffffffULL, 1ULL << 31}) {
    EXPECT_NEAR(std::log2(static_cast<double>(x)), std::ldexp(fixed::log2(x), -32), 1e-8) << x;
  }
  for (const double e : {-40.5, -1.0, -0.25, 0.0, 0.5, 1.0, 3.75}) {
    const auto exponent = static_cast<std::int64_t>(std::ldexp(e, 32));
    EXPECT_NEAR(1e9 * std::exp2(e), static_cast<double>(fixed::times_exp2(1'000'000'000, exponent)),
                1 + 1e9 * std::exp2(e) * 1e-8)
        << e;
  }
  EXPECT_EQ(INT64_MAX, fixed::times_exp2(1000, std::int64_t{70} << 32));
}

TEST(Distribution, the_same_seed_gives_the_same_everywhere) {
  const std::pair<const char*, std::int64_t> expected[] = {
      {"uniform(1ms,5ms)", 1964329},       {"exp(2ms)", 4957142},
      {"lognormal(2ms,0.5)", 1508194},     {"pareto(1ms,1.5)", 5219388},
      {"bimodal(1ms,100ms,0.5)", 1000000}, {"empirical(1ms,2ms,3ms)", 1000000},
  };
  for (const auto& [text, ns] : expected) {
    base::Random random(42);
    EXPECT_EQ(ns, Distribution::parse(text)->draw(random)) << text;
  }
}

TEST(Distribution, a_wrong_text_is_told_what_is_right) {
  const std::pair<const char*, const char*> wrong[] = {
      {"", "2ms"},
      {"5", "write 5s"},
      {"expo(2ms)", "there is no distribution 'expo'"},
      {"exp(2ms", "parenthesis"},
      {"exp(2ms,3ms)", "write it like exp(2ms)"},
      {"lognormal(2ms,x)", "'x' is not a number"},
      {"lognormal(2ms,1.)", "'1.' is not a number"},
      {"lognormal(2ms,11)", "sigma is at most 10"},
      {"pareto(1ms,0.01)", "at least 0.1"},
      {"uniform(5ms,1ms)", "the first is the smaller"},
      {"bimodal(1ms,2ms,1.5)", "at most 1"},
      {"empirical()", "empirical(1ms,1ms,7ms)"},
      {"2h", "longer than 1h"},
  };
  for (const auto& [text, says] : wrong) {
    const auto d = Distribution::parse(text);
    ASSERT_FALSE(d.has_value()) << text;
    EXPECT_THAT(d.error(), HasSubstr(says)) << text;
    EXPECT_THAT(d.error(), HasSubstr("bimodal(1ms,100ms,0.01)"));
  }
}

RC_GTEST_PROP(Distribution, any_text_is_a_distribution_within_bounds_or_an_error, ()) {
  const auto letters = std::string("exp(lognrmaitbdu,).0123456789 ");
  const auto tail = *rc::gen::container<std::string>(rc::gen::elementOf(letters));
  const auto head = *rc::gen::element<std::string>("", "exp(", "pareto(1ms,", "lognormal(1h,",
                                                   "bimodal(1ms,1h,", "empirical(1ns,");
  const auto d = Distribution::parse(head + tail);
  if (!d) return;
  base::Random random = stream(*rc::gen::arbitrary<std::uint64_t>(), 1, "x");
  for (int i = 0; i < 100; ++i) {
    const std::int64_t ns = d->draw(random);
    RC_ASSERT(ns >= 0);
    RC_ASSERT(ns <= Distribution::longest_ns);
  }
}

TEST(Streams, differ_by_each_part_of_their_key) {
  const std::uint64_t first = stream(1, 7, "service").next();
  EXPECT_EQ(first, stream(1, 7, "service").next());
  EXPECT_NE(first, stream(2, 7, "service").next());
  EXPECT_NE(first, stream(1, 8, "service").next());
  EXPECT_NE(first, stream(1, 7, "arrival").next());
}

}  // namespace
}  // namespace weir::sim
