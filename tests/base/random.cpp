// SPDX-License-Identifier: MIT
// Goal:   the same seed gives the same numbers on every machine; unit() is spread evenly over [0,
// 1). Method: the published algorithm's own first output, and loose statistical bounds with fixed
// seeds.
#include "core/base/random.hpp"

#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace weir::base {
namespace {

TEST(Random, IsDeterministic) {
  Random a(42);
  Random b(42);
  Random c(43);
  bool differs = false;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t x = a.next();
    EXPECT_EQ(x, b.next());
    differs = differs || x != c.next();
  }
  EXPECT_TRUE(differs);
}

TEST(Random, IsThePublishedAlgorithm) {
  // xoshiro256** seeded by splitmix64(0): its state is splitmix64's first four outputs.
  std::uint64_t state[4] = {0xe220a8397b1dcdafU, 0x6e789e6aa1b965f4U, 0x06c45d188009454fU,
                            0xf88bb8a8724c81ecU};
  const auto rotl = [](std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); };
  Random random(0);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(random.next(), rotl(state[1] * 5, 7) * 9);
    const std::uint64_t t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotl(state[3], 45);
  }
}

TEST(Random, UnitIsEven) {
  Random random(7);
  std::vector<int> buckets(20);
  double sum = 0;
  constexpr int n = 100'000;
  for (int i = 0; i < n; ++i) {
    const double u = random.unit();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    ++buckets[static_cast<std::size_t>(u * 20)];
  }
  EXPECT_NEAR(sum / n, 0.5, 0.005);
  for (const int count : buckets) EXPECT_NEAR(count, n / 20, 350);  // five standard deviations
}

TEST(Random, NeighbouringSeedsAreUnrelated) {
  std::set<std::uint64_t> firsts;
  int ones = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const std::uint64_t first = Random(seed).next();
    firsts.insert(first);
    ones += std::popcount(first);
  }
  EXPECT_EQ(firsts.size(), 1000U);
  EXPECT_NEAR(ones, 32'000, 700);
}

}  // namespace
}  // namespace weir::base
