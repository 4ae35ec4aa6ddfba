// SPDX-License-Identifier: MIT
// Goal:   resize is absolute: what is above max leaves as it becomes idle, and no more than that;
//         what waits gets the new room in the same step (C4, S1, S11, L2).
// Method: biographies across every state a connection can be in.
#include "tests/engine/world.hpp"

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

struct Lent : EngineWorld {
  explicit Lent(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) acquire();
    run_for(1ms);
  }
};

TEST(Resize, MoreRoomServesWaitersInTheSameStep) {
  EngineConfig config = plain_config();
  config.max = 1;
  EngineWorld world(config);
  world.acquire();
  world.acquire();
  world.resize(0, 3);
  EXPECT_EQ(world.running(Op::connect).size(), 2U);
}

TEST(Resize, RaisedMinIsCreated) {
  EngineWorld world;
  world.start();
  world.resize(4, 10);
  world.run_for(1ms);
  EXPECT_EQ(world.idle(), 4U);  // M5
  world.resize(5, 10);
  world.run_for(1ms);
  EXPECT_EQ(world.idle(), 5U);
}

TEST(Resize, SurplusIdleOnesCloseOldestFirst) {
  Lent world(4);
  for (Call& call : world.calls()) world.release(call);
  world.resize(0, 1);
  EXPECT_EQ(world.idle(), 1U);
  EXPECT_EQ(world.rack().freshest_idle(), world.calls().back().slot);
  world.run_for(1ms);
  EXPECT_EQ(world.sessions(), 1U);
}

TEST(Resize, LentOnesCloseOnReturnAndNoMoreThanTheSurplus) {
  Lent world(4);
  world.resize(0, 2);
  EXPECT_FALSE(world.rack().gate_open());
  for (Call& call : world.calls()) world.release(call);  // closes are still under way
  EXPECT_EQ(world.idle(), 2U);
  world.run_for(1ms);
  EXPECT_EQ(world.sessions(), 2U);  // C4: and not 0
  EXPECT_EQ(world.closed(CloseReason::surplus), 2U);
  EXPECT_TRUE(world.rack().gate_open());
}

TEST(Resize, WhatComesUpAboveMaxLeaves) {
  EngineWorld world;
  for (int i = 0; i < 4; ++i) world.acquire();
  for (Call& call : world.calls()) world.cancel(call);
  ASSERT_EQ(world.running(Op::connect).size(), 4U);
  world.resize(0, 1);
  world.run_for(10ms);
  EXPECT_EQ(world.idle(), 1U);
  EXPECT_EQ(world.closed(CloseReason::surplus), 3U);
}

TEST(Resize, ResettingOnesLeaveToo) {
  Lent world(2);
  for (Call& call : world.calls()) world.release(call, {.dirty = true});
  world.resize(0, 1);
  world.run_for(10ms);
  EXPECT_EQ(world.idle(), 1U);
}

TEST(Resize, IsAbsolute) {
  for (const std::uint32_t via : {1U, 2U, 7U, 10U}) {
    Lent world(5);
    world.resize(0, via);
    world.resize(0, 3);
    for (Call& call : world.calls()) world.release(call);
    world.run_for(1s);
    EXPECT_EQ(world.sessions(), 3U) << via;  // C4, M6
    for (int i = 0; i < 9; ++i) world.acquire();
    world.run_for(1s);
    EXPECT_EQ(world.sessions(), 3U) << via;
  }
}

TEST(Resize, WaitersDoNotGetWhatHasToLeave) {
  Lent world(2);
  Call& waiter = world.acquire();  // a third connect is under way for it
  world.resize(0, 1);
  world.run_for(1ms);
  EXPECT_TRUE(waiter.waiting);
  world.release(world.calls()[0]);
  EXPECT_TRUE(waiter.waiting);
  world.release(world.calls()[1]);
  EXPECT_TRUE(waiter.lent());
}

TEST(Resize, ALowerMinLetsIdleOnesGo) {
  EngineConfig config = plain_config();
  config.min = 3;
  config.idle_timeout = 10s;
  EngineWorld world(config);
  world.start();
  world.run_for(1h);
  ASSERT_EQ(world.idle(), 3U);
  world.resize(1, 10);
  world.run_for(1s + 1ms);
  EXPECT_EQ(world.sessions(), 1U);
}

TEST(Resize, DuringDrainChangesNothing) {
  Lent world(2);
  world.drain();
  world.resize(5, 20);
  world.run_for(1s);
  EXPECT_EQ(world.started(Op::connect), 2U);
}

}  // namespace
}  // namespace weir::engine::test
