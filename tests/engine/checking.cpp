// SPDX-License-Identifier: MIT
// The pool's own query on an idle connection (T13): when it goes, who waits for it, its price.
#include "tests/engine/world.hpp"

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

EngineConfig checking() {
  EngineConfig config = plain_config();
  config.check_interval = 30s;
  config.reap_interval = 1s;
  return config;
}

// `count` connections that have just been given back.
struct Checked : EngineWorld {
  Checked(const EngineConfig& config, std::uint32_t count) : EngineWorld(config) {
    for (std::uint32_t i = 0; i < count; ++i) acquire();
    run_for(1ms);
    for (Call& call : calls()) release(call);
  }
};

TEST(Checking, GoesOnceForThePoolEachInterval) {
  Checked world(checking(), 3);
  world.run_for(1s);
  EXPECT_EQ(world.started(Op::check), 1U);  // the first at once
  world.run_for(90s + 4s);                  // each may be late by reap_interval
  EXPECT_EQ(world.started(Op::check), 4U);
  EXPECT_EQ(world.engine().counters().checks, 4U);
  EXPECT_EQ(world.engine().counters().check_failures, 0U);
  ASSERT_TRUE(world.engine().last_check());
  EXPECT_TRUE(world.engine().last_check()->passed);
  EXPECT_EQ(world.engine().last_check()->took, Duration(1ms));
  EXPECT_EQ(world.idle(), 3U);
}

TEST(Checking, IsOffUnlessItIsAskedFor) {
  EngineConfig config = checking();
  config.check_interval = no_timeout;
  Checked world(config, 3);
  world.run_for(1h);
  EXPECT_EQ(world.started(Op::check), 0U);
  EXPECT_FALSE(world.engine().last_check());
}

TEST(Checking, WithoutAConnectionThereIsNoneAndNoTimer) {
  EngineWorld world(checking());
  world.start();
  world.run_for(1h);
  EXPECT_EQ(world.started(Op::connect), 0U);
  EXPECT_EQ(world.engine().next_timer(), no_deadline);
}

TEST(Checking, ACallerGetsAnotherConnectionMeanwhile) {
  Checked world(checking(), 2);
  world.answer(Op::check, {OpResult::ok, 3s});
  world.run_for(1s);
  ASSERT_EQ(world.running(Op::check).size(), 1U);
  EXPECT_TRUE(world.acquire().lent());  // the other one
  Call& third = world.acquire();        // no other one, but room: a connect (T13)
  world.run_for(1ms);
  EXPECT_TRUE(third.lent());
  EXPECT_EQ(world.started(Op::connect), 3U);
  ASSERT_EQ(world.running(Op::check).size(), 1U);
}

TEST(Checking, ACallerWaitsForItOnlyWhereThereIsNoRoom) {
  EngineConfig config = checking();
  config.max = 1;
  Checked world(config, 1);
  world.answer(Op::check, {OpResult::ok, 10ms});
  world.run_for(1s + 1ms);
  ASSERT_EQ(world.running(Op::check).size(), 1U);
  Call& call = world.acquire();
  EXPECT_TRUE(call.waiting);
  world.run_for(10ms);
  EXPECT_TRUE(call.lent());  // what it proved needs no other look
  EXPECT_EQ(world.started(Op::validate), 0U);
}

TEST(Checking, WaitsUntilAConnectionIsIdle) {
  EngineConfig config = checking();
  config.max = 1;
  EngineWorld world(config);
  Call& busy = world.acquire();
  world.run_for(100s);
  EXPECT_EQ(world.started(Op::check), 0U);
  world.release(busy);
  world.run_for(1s);
  EXPECT_EQ(world.started(Op::check), 1U);
}

TEST(Checking, AQueryThatFailsCostsNoConnection) {
  Checked world(checking(), 2);
  world.next(Op::check, Answer::refuses());
  world.next(Op::check, Answer::refuses());
  world.run_for(1s + 1ms);
  EXPECT_EQ(world.happened(Event::Type::check_failed), 1U);
  ASSERT_TRUE(world.engine().last_check());
  EXPECT_FALSE(world.engine().last_check()->passed);
  EXPECT_EQ(world.engine().counters().check_failures, 1U);
  EXPECT_EQ(world.happened(Event::Type::suspect), 0U);
  EXPECT_EQ(world.happened(Event::Type::closed), 0U);
  EXPECT_TRUE(world.acquire().lent());

  world.run_for(31s);
  EXPECT_EQ(world.happened(Event::Type::check_failed), 2U);
  EXPECT_EQ(world.happened(Event::Type::check_passed), 0U);
  world.run_for(31s);
  EXPECT_EQ(world.happened(Event::Type::check_passed), 1U);  // said once, when it has recovered
  EXPECT_TRUE(world.engine().last_check()->passed);
  world.run_for(31s);
  EXPECT_EQ(world.happened(Event::Type::check_passed), 1U);
}

TEST(Checking, AConnectionThatFailsIsClosedAndItsSiblingsAreSuspect) {
  Checked world(checking(), 3);
  world.next(Op::check, Answer::fails());
  world.run_for(1s + 2ms);
  EXPECT_EQ(world.closed(CloseReason::broken), 1U);
  EXPECT_EQ(world.happened(Event::Type::suspect), 1U);  // R2
  EXPECT_EQ(world.happened(Event::Type::check_failed), 1U);
  Call& call = world.acquire();
  EXPECT_TRUE(call.waiting);
  EXPECT_EQ(world.started(Op::validate), 1U);
  world.run_for(1ms);
  EXPECT_TRUE(call.lent());
  world.run_for(31s);  // what the dead one owed, another one does
  EXPECT_EQ(world.started(Op::check), 2U);
}

TEST(Checking, OneThatHangsIsSetAsideAndTheNextGoesElsewhere) {
  Checked world(checking(), 2);
  world.next(Op::check, Answer::hangs_for_good());
  world.run_for(1s + 5s + check_grace + abort_grace);
  EXPECT_EQ(world.happened(Event::Type::quarantined), 1U);
  EXPECT_EQ(world.happened(Event::Type::check_failed), 1U);
  world.run_for(30s);
  EXPECT_EQ(world.started(Op::check), 2U);
  EXPECT_TRUE(world.engine().last_check()->passed);
  for (const SlotId slot : {0U, 1U}) world.finish(slot, OpResult::refused);  // late (T9)
  EXPECT_EQ(world.happened(Event::Type::check_failed), 1U);
  EXPECT_TRUE(world.engine().last_check()->passed);
}

TEST(Checking, KeepsTheIdleTime) {
  EngineConfig config = checking();
  config.check_interval = 2s;
  config.idle_timeout = 7s;
  Checked world(config, 1);
  world.run_for(6s);
  EXPECT_GE(world.started(Op::check), 2U);
  world.run_for(3s);
  EXPECT_EQ(world.closed(CloseReason::idle), 1U);  // T3
}

TEST(Checking, ASuspendedPoolSendsNone) {
  Checked world(checking(), 1);
  world.suspend();
  world.run_for(100s);
  EXPECT_EQ(world.started(Op::check), 0U);
  world.resume();
  world.run_for(1s);
  EXPECT_EQ(world.started(Op::check), 1U);
}

TEST(Checking, IsGivenUpWhenThePoolCloses) {
  Checked world(checking(), 2);
  world.next(Op::check, Answer::hangs());
  world.run_for(1s);
  ASSERT_EQ(world.running(Op::check).size(), 1U);
  world.drain();
  EXPECT_EQ(world.aborts(), 1U);
  world.run_for(1s);
  EXPECT_TRUE(world.engine().drained());
  EXPECT_EQ(world.happened(Event::Type::check_failed), 0U);  // it says nothing of the server
  EXPECT_EQ(world.closed(CloseReason::broken), 0U);          // nor of the connection
  EXPECT_EQ(world.closed(CloseReason::shutdown), 2U);
}

TEST(Checking, IsTurnedOnAndOffByAReload) {
  EngineConfig off = checking();
  off.check_interval = no_timeout;
  Checked world(off, 1);
  world.run_for(10s);
  world.reload(checking(), /*renewed=*/false);
  world.run_for(2s);
  EXPECT_EQ(world.started(Op::check), 1U);
  world.reload(off, /*renewed=*/false);
  world.run_for(1h);
  EXPECT_EQ(world.started(Op::check), 1U);
}

}  // namespace
}  // namespace weir::engine::test
