// SPDX-License-Identifier: MIT
// Goal:   connects start for exactly the demand that is left, within max and max_connecting.
// Method: the sizing arithmetic line by line, then pools from their start to their full size.
#include "core/engine/sizing.hpp"

#include "tests/engine/world.hpp"

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

TEST(Sizing, Arithmetic) {
  const auto n = [](Sizing s) { return connects_to_start(s).all; };
  EXPECT_EQ(n({.max = 5, .allowance = 5}), 0U);
  EXPECT_EQ(n({.max = 5, .waiting = 3, .allowance = 5}), 3U);
  EXPECT_EQ(n({.max = 5, .waiting = 3, .allowance = 2}), 2U);  // the creator limits
  EXPECT_EQ(n({.max = 2, .waiting = 3, .allowance = 5}), 2U);  // max limits
  EXPECT_EQ(n({.min = 2, .max = 5, .allowance = 5}), 2U);
  EXPECT_EQ(n({.min = 2, .max = 5, .waiting = 1, .allowance = 5}), 2U);  // not 3: one serves both
  EXPECT_EQ(n({.max = 5, .physical = 1, .connecting = 1, .waiting = 2, .allowance = 5}), 1U);
  EXPECT_EQ(n({.max = 5, .physical = 1, .validating = 1, .waiting = 1, .allowance = 5}), 0U);
  EXPECT_EQ(n({.max = 5, .physical = 2, .ready = 2, .waiting = 2, .allowance = 5}), 0U);
  // What is leaving counts against max, but not towards min.
  EXPECT_EQ(n({.min = 1, .max = 5, .physical = 1, .leaving = 1, .allowance = 5}), 1U);
  EXPECT_EQ(n({.min = 1, .max = 1, .physical = 1, .leaving = 1, .allowance = 5}), 0U);
  // Above max after a resize: nothing starts, nothing wraps round.
  EXPECT_EQ(n({.min = 0, .max = 1, .physical = 3, .waiting = 9, .allowance = 5}), 0U);
}

TEST(Sizing, OfWhatStartsTheWaitersHaveTheFirst) {
  const auto n = [](Sizing s) { return connects_to_start(s).for_waiters; };
  EXPECT_EQ(n({.min = 2, .max = 5, .allowance = 5}), 0U);
  EXPECT_EQ(n({.min = 2, .max = 5, .waiting = 1, .allowance = 5}), 1U);
  EXPECT_EQ(n({.min = 2, .max = 5, .waiting = 3, .allowance = 5}), 3U);
  EXPECT_EQ(n({.min = 2, .max = 5, .waiting = 3, .allowance = 1}), 1U);
}

TEST(Growing, SaysWhatConnectionsWereOpenedFor) {
  EngineConfig config = plain_config();
  config.min = 2;
  EngineWorld world(config);
  const auto opened = [&](OpenReason why) {
    return world.engine().counters().opened[static_cast<std::size_t>(why)];
  };
  world.start();
  world.run_for(10ms);
  EXPECT_EQ(opened(OpenReason::minimum), 2U);
  for (int i = 0; i < 3; ++i) world.acquire();
  world.run_for(10ms);
  EXPECT_EQ(opened(OpenReason::minimum), 2U);
  EXPECT_EQ(opened(OpenReason::demand), 1U);
  world.evict();
  for (Call& call : world.calls()) world.release(call);
  world.run_for(10ms);
  EXPECT_EQ(opened(OpenReason::minimum), 4U);  // nobody waits for those that replace the evicted
  EXPECT_EQ(opened(OpenReason::demand), 1U);
}

TEST(Growing, NothingHappensBeforeDemandOrStart) {
  EngineConfig config = plain_config();
  config.min = 3;
  EngineWorld world(config);
  world.run_for(1min);
  EXPECT_EQ(world.started(Op::connect), 0U);
  EXPECT_EQ(world.engine().next_timer(), no_deadline);
}

TEST(Growing, MinIsCreatedAtStartAndKept) {
  EngineConfig config = plain_config();
  config.min = 3;
  config.max_connecting = 2;
  EngineWorld world(config);
  world.start();
  EXPECT_EQ(world.running(Op::connect).size(), 2U);  // S8
  EXPECT_FALSE(world.engine().ready());
  world.run_for(2ms);
  EXPECT_TRUE(world.engine().ready());
  EXPECT_EQ(world.idle(), 3U);
  Call& call = world.acquire();
  world.release(call, {.broken = true});
  world.run_for(10ms);
  EXPECT_EQ(world.idle(), 3U);
  EXPECT_EQ(world.started(Op::connect), 4U);
}

TEST(Growing, FirstDemandBeginsToKeepMin) {
  EngineConfig config = plain_config();
  config.min = 3;
  EngineWorld world(config);
  Call& call = world.acquire();
  world.run_for(10ms);
  EXPECT_TRUE(call.lent());
  EXPECT_EQ(world.idle(), 2U);
}

TEST(Growing, OneConnectForEachWaiterWithinMax) {
  EngineConfig config = plain_config();
  config.max = 3;
  EngineWorld world(config);
  for (int i = 0; i < 5; ++i) world.acquire();
  EXPECT_EQ(world.running(Op::connect).size(), 3U);
  world.run_for(10ms);
  EXPECT_EQ(world.lent(), 3U);
  EXPECT_EQ(world.waiting(), 2U);
}

TEST(Growing, AConnectBelongsToThePoolAndSurvivesItsCaller) {
  EngineWorld world;
  world.answer(Op::connect, {OpResult::ok, 100ms});
  Call& call = world.acquire(10ms);
  world.run_for(200ms);
  EXPECT_TRUE(call.ended_with(Outcome::timeout));
  EXPECT_EQ(call.resolved_at, call.deadline);
  EXPECT_EQ(world.aborts(), 0U);  // T9
  EXPECT_EQ(world.idle(), 1U);
}

TEST(Growing, LendBeforeGrow) {
  EngineConfig config = plain_config();
  config.min = 2;
  EngineWorld world(config);
  world.next(Op::connect, {});
  world.answer(Op::connect, Answer::fails());
  world.start();
  world.run_for(50ms);  // one is up, the others fail
  ASSERT_EQ(world.idle(), 1U);
  EXPECT_TRUE(world.acquire().lent());  // L6, below min and while connects fail
}

TEST(Growing, LifoReuse) {
  EngineWorld world;
  Call& a = world.acquire();
  Call& b = world.acquire();
  world.run_for(10ms);
  world.release(a);
  world.release(b);
  EXPECT_EQ(world.acquire().slot, b.slot);  // F5
}

TEST(Growing, ATryBeginsAConnectForThoseWhoComeLater) {
  EngineWorld world;
  EXPECT_TRUE(world.acquire(0ns).ended_with(Outcome::none_idle));
  EXPECT_EQ(world.running(Op::connect).size(), 1U);
  world.run_for(10ms);
  EXPECT_TRUE(world.acquire(0ns).lent());
}

}  // namespace
}  // namespace weir::engine::test
