// SPDX-License-Identifier: MIT
// Goal:   an operation that hangs is aborted at its deadline; if that does not end it, its slot is
//         set aside, counted and, within a bound, replaced; a result that comes late is never lent
//         (T9, S1, S10, R3, R8, M12, M14).
// Method: biographies of slots whose driver does not answer, and of drivers that answer twice.
#include "tests/engine/world.hpp"

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

TEST(Hanging, AConnectIsAbortedAtItsDeadlineAndThenCountsAsFailed) {
  EngineWorld world;
  world.next(Op::connect, Answer::hangs());
  Call& call = world.acquire();
  EXPECT_EQ(world.started().back().deadline, world.now() + 5s);
  world.run_for(5s);
  EXPECT_EQ(world.aborts(), 1U);
  world.run_for(1ms);
  EXPECT_EQ(world.engine().counters().create_failures, 1U);
  world.run_for(10ms);
  EXPECT_TRUE(call.lent());  // R1: the backoff ran from the start of the attempt
}

TEST(Hanging, WhatTheAbortDoesNotEndIsSetAsideAndCounted) {
  EngineConfig config = plain_config();
  config.max = 2;
  EngineWorld world(config);
  world.next(Op::connect, Answer::hangs_for_good());
  world.answer(Op::connect, {OpResult::ok, 10s, Answer::Hang::no});
  Call& call = world.acquire(no_timeout);
  world.run_for(6s);
  EXPECT_EQ(world.happened(Event::Type::quarantined), 1U);
  EXPECT_EQ(world.sessions(), 2U);  // S1: the server may have it; one more has started
  EXPECT_EQ(world.engine().counts().other, 1U);
  EXPECT_TRUE(call.waiting);
}

TEST(Hanging, AQuarantinedConnectIsAFailureAndBacksOff) {
  EngineConfig config = plain_config();
  config.create_retry_interval = 20s;
  config.create_retry_max = 20s;
  EngineWorld world(config);
  world.next(Op::connect, Answer::hangs_for_good());
  world.acquire();
  world.run_for(10s);
  EXPECT_EQ(world.happened(Event::Type::create_failed), 1U);
  EXPECT_TRUE(world.engine().creator().failing());
  EXPECT_EQ(world.started(Op::connect), 1U);  // R3: not at once
  world.run_for(20s);
  EXPECT_EQ(world.started(Op::connect), 2U);
}

TEST(Hanging, ALateFailureDoesNotBeginAnOutage) {
  EngineWorld world;
  world.next(Op::connect, Answer::hangs_for_good());
  Call& call = world.acquire();
  world.run_for(30s);
  ASSERT_TRUE(call.lent());
  world.finish(0, OpResult::failed);
  EXPECT_FALSE(world.engine().creator().failing());
  EXPECT_EQ(world.engine().counters().create_failures, 1U);
  EXPECT_EQ(world.sessions(), 1U);  // the slot is free again
}

TEST(Hanging, ALateSuccessIsClosedAndNeverLent) {
  EngineConfig config = plain_config();
  config.max = 1;
  EngineWorld world(config);
  world.next(Op::connect, Answer::hangs_for_good());
  Call& call = world.acquire();
  world.run_for(30s);
  ASSERT_TRUE(call.waiting);  // M12: no second session beside the one that hangs
  EXPECT_EQ(world.started(Op::connect), 1U);
  world.finish(0, OpResult::ok);
  EXPECT_TRUE(call.waiting);
  EXPECT_TRUE(world.runs(0, Op::close));
  world.run_for(2ms);
  EXPECT_TRUE(call.lent());
  EXPECT_EQ(world.closed(CloseReason::late), 1U);
}

TEST(Hanging, OthersAreServedMeanwhile) {
  EngineConfig config = plain_config();
  config.max = 3;
  EngineWorld world(config);
  world.next(Op::connect, Answer::hangs_for_good());
  world.next(Op::connect, Answer::hangs_for_good());
  Call& a = world.acquire();
  world.acquire();
  Call& c = world.acquire();
  world.run_for(1min);
  ASSERT_TRUE(a.lent());  // R8, M14: one healthy slot serves them all in turn
  world.release(a);
  world.run_for(1ms);
  world.release(world.calls()[1]);
  EXPECT_TRUE(c.lent());
}

TEST(Quarantine, HungCallsAreReplacedUpToABound) {
  EngineConfig config = plain_config();
  config.max = 2;
  config.quarantine_max = 1;
  EngineWorld world(config);
  for (int i = 0; i < 3; ++i) world.next(Op::connect, Answer::hangs_for_good());
  Call& a = world.acquire();
  Call& b = world.acquire();
  world.run_for(10s);
  EXPECT_TRUE(a.waiting && b.waiting);
  EXPECT_EQ(world.sessions(), 3U);  // S1: two and one replacement, all of them hang
  EXPECT_GE(world.happened(Event::Type::quarantine_full), 1U);  // R8: and the pool says so
  world.run_for(1h);
  EXPECT_EQ(world.sessions(), 3U);
  world.finish(0, OpResult::failed);  // one of the calls ends after all
  world.run_for(10s);
  EXPECT_TRUE(a.lent());
}

TEST(Quarantine, AReplacementIsNoSurplusWhenTheHungOneGoes) {
  EngineConfig config = plain_config();
  config.max = 1;
  config.quarantine_max = 1;
  EngineWorld world(config);
  world.next(Op::connect, Answer::hangs_for_good());
  Call& call = world.acquire();
  world.run_for(10s);
  ASSERT_TRUE(call.lent());  // R8, M14
  world.finish(0, OpResult::ok);
  EXPECT_EQ(world.engine().state(0), SlotState::quarantined);  // until its close has ended
  world.run_for(10ms);
  EXPECT_EQ(world.closed(CloseReason::late), 1U);
  world.release(call);
  EXPECT_EQ(world.idle(), 1U);
  EXPECT_EQ(world.closed(CloseReason::surplus), 0U);
}

TEST(Quarantine, APinnedConnectionThatHangsIsLost) {
  EngineConfig config = plain_config();
  config.pinned = true;
  config.max = 1;
  config.validate_after = 500ms;
  EngineWorld world(config);
  world.acquire(0ns);
  world.run_for(1s);
  world.next(Op::validate, Answer::hangs_for_good());
  Call& call = world.acquire();
  world.run_for(10s);
  EXPECT_TRUE(call.ended_with(Outcome::lost));  // L1, Q3
}

TEST(Hanging, LooksResetsAndClosesAreAbortedToo) {
  EngineConfig config = plain_config();
  config.validate_after = 500ms;
  config.max = 1;
  EngineWorld world(config);
  world.acquire(0ns);
  world.run_for(1s);
  world.next(Op::validate, Answer::hangs());
  world.next(Op::close, Answer::hangs_for_good());
  Call& call = world.acquire();
  world.run_for(1min);
  EXPECT_EQ(world.aborts(), 2U);
  EXPECT_EQ(world.engine().state(0), SlotState::quarantined);
  EXPECT_TRUE(call.waiting);
  world.finish(0, OpResult::ok);
  world.run_for(1ms);
  EXPECT_TRUE(call.lent());
}

TEST(Hanging, WithoutCreateTimeoutAConnectMayTakeForEver) {
  EngineConfig config = plain_config();
  config.create_timeout = no_timeout;
  EngineWorld world(config);
  world.next(Op::connect, Answer::hangs_for_good());
  world.acquire();
  world.run_for(1000h);
  EXPECT_EQ(world.aborts(), 0U);
  EXPECT_EQ(world.engine().next_timer(), no_deadline);
  world.finish(0, OpResult::ok);
  EXPECT_EQ(world.lent(), 1U);
}

TEST(Lying, SecondAndForeignResultsAreIgnored) {
  EngineWorld world;
  Call& call = world.acquire();
  world.run_for(1ms);
  world.finish_again(call.slot);  // a failure of the connect that had succeeded
  Effects fx;
  world.engine().finished(77, 1, OpResult::ok, world.now(), fx);
  world.engine().finished(no_slot, 1, OpResult::ok, world.now(), fx);
  EXPECT_TRUE(fx.empty());
  world.release(call, {.dirty = true});
  world.finish_again(call.slot);  // the connect's result again, while a reset runs
  EXPECT_TRUE(world.runs(call.slot, Op::reset));
  world.run_for(1ms);
  EXPECT_EQ(world.idle(), 1U);
}

TEST(Lying, AResultOfAFormerLifeDoesNotMatch) {
  EngineConfig config = plain_config();
  config.max = 1;
  EngineWorld world(config);
  Call& a = world.acquire();
  world.run_for(1ms);
  world.release(a, {.broken = true});
  world.acquire();
  world.run_for(1ms);
  ASSERT_TRUE(world.runs(0, Op::connect));
  world.finish_again(0);  // the close of the former connection
  EXPECT_TRUE(world.runs(0, Op::connect));
}

}  // namespace
}  // namespace weir::engine::test
