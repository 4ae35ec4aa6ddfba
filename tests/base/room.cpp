// SPDX-License-Identifier: MIT
//
// Goal: what grows with the connections wastes little and is seldom moved.
#include "core/base/room.hpp"

#include <gtest/gtest.h>

namespace weir::base {
namespace {

TEST(Room, AtMostAQuarterIsUnusedAndGrowthIsGeometric) {
  std::vector<int> vector;
  int moves = 0;
  for (std::size_t size = 1; size <= 10'000; ++size) {
    const std::size_t before = vector.capacity();
    grow_to(vector, size, 7);
    moves += vector.capacity() != before ? 1 : 0;
    ASSERT_EQ(vector.size(), size);
    ASSERT_EQ(vector.back(), 7);
    ASSERT_LE(vector.capacity(), size + size / 4);
  }
  EXPECT_LT(moves, 50);
  grow_to(vector, 1);
  EXPECT_EQ(vector.size(), 10'000U) << "it never gets shorter";
}

}  // namespace
}  // namespace weir::base
