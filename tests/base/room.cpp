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
    make_room(vector, size);
    moves += vector.capacity() != before ? 1 : 0;
    vector.push_back(0);
    ASSERT_LE(vector.capacity(), size + size / 4);
  }
  EXPECT_LT(moves, 50);
}

}  // namespace
}  // namespace weir::base
