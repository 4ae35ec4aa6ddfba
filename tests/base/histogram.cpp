// SPDX-License-Identifier: MIT
// Goal:   a quantile is never below the true value and at most 1/16 above it; counts add up.
// Method: against sorted samples over all magnitudes, and the edges of the range.
#include "core/base/histogram.hpp"

#include "core/base/random.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace weir::base {
namespace {

TEST(Histogram, QuantilesAreUpperBoundsWithinOneSixteenth) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    Histogram histogram;
    std::vector<std::int64_t> samples;
    for (int i = 0; i < 2000; ++i) {
      const auto value = static_cast<std::int64_t>((random.next() >> 1) >> (random.next() % 63));
      samples.push_back(value);
      histogram.add(Duration(value));
    }
    std::sort(samples.begin(), samples.end());
    for (const double q : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const auto rank = std::min(samples.size() - 1,
                                 static_cast<std::size_t>(q * static_cast<double>(samples.size())));
      const std::int64_t truth = samples[rank];
      const std::int64_t told = histogram.quantile(q).count();
      EXPECT_GE(told, truth) << q;
      EXPECT_LE(told - truth, truth / 16) << q;
    }
    EXPECT_EQ(histogram.quantile(1.0).count(), samples.back());
  }
}

TEST(Histogram, SummaryCountsAndOrders) {
  Histogram histogram;
  EXPECT_EQ(histogram.summary().count, 0U);
  EXPECT_EQ(histogram.quantile(0.5), Duration{});
  for (int i = 1; i <= 1000; ++i) histogram.add(Duration(i * 1000));
  const LatencySummary s = histogram.summary();
  EXPECT_EQ(s.count, 1000U);
  EXPECT_EQ(histogram.count(), 1000U);
  EXPECT_EQ(s.mean, Duration(500'500));
  EXPECT_EQ(s.max, Duration(1'000'000));
  EXPECT_LE(s.p50, s.p90);
  EXPECT_LE(s.p90, s.p99);
  EXPECT_LE(s.p99, s.p999);
  EXPECT_LE(s.p999, s.max);
}

TEST(Histogram, SummaryCountsUpToEachBound) {
  Histogram histogram;
  std::vector<Duration> values{Duration(0), Duration::max()};
  for (const Duration bound : latency_bounds) {
    // Within the bucket of 1/16 around a bound it may be either side of it.
    for (const Duration value : {bound * 8 / 9, bound * 9 / 8}) values.push_back(value);
  }
  for (const Duration value : values) histogram.add(value);
  const LatencySummary s = histogram.summary();
  for (std::size_t i = 0; i < latency_bounds.size(); ++i) {
    EXPECT_EQ(static_cast<std::ptrdiff_t>(s.buckets[i]),
              std::count_if(values.begin(), values.end(),
                            [&](Duration value) { return value <= latency_bounds[i]; }))
        << i;
  }
  EXPECT_EQ(s.count, values.size());
  EXPECT_EQ(s.sum, Duration::max()) << "no more fits";
}

TEST(Histogram, Edges) {
  Histogram histogram;
  histogram.add(Duration(-5));  // a clock that went back counts as 0
  EXPECT_EQ(histogram.quantile(1.0), Duration(0));
  for (int i = 0; i < 16; ++i) histogram.add(Duration(i));
  EXPECT_EQ(histogram.quantile(0.999), Duration(15));  // small values are exact
  histogram.add(Duration::max());
  EXPECT_EQ(histogram.quantile(1.0), Duration::max());
  EXPECT_EQ(histogram.count(), 18U);
}

}  // namespace
}  // namespace weir::base
