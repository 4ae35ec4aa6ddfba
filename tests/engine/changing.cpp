// SPDX-License-Identifier: MIT
// Goal:   a reload, an eviction and a suspension do what they say in every state a connection can
//         be in, and lose nothing (C1, C2, S5, S11, T1, L2).
// Method: biographies across a change.
#include "tests/engine/world.hpp"

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

struct Lent : EngineWorld {
  explicit Lent(std::uint32_t count, const EngineConfig& config = plain_config())
      : EngineWorld(config) {
    for (std::uint32_t i = 0; i < count; ++i) acquire();
    run_for(1ms);
  }
};

TEST(Reload, TheSameAgainIsNoChange) {
  Lent world(2);
  world.release(world.calls()[0]);
  const std::size_t started = world.started().size();
  world.reload(world.config(), false);
  EXPECT_EQ(world.started().size(), started);  // C2
  EXPECT_EQ(world.idle(), 1U);
}

TEST(Reload, NewLimitsCountFromTheNextDecisionOn) {
  EngineConfig config = plain_config();
  config.reset = ResetPolicy::never;
  Lent world(1, config);
  EngineConfig next = config;
  next.reset = ResetPolicy::always;  // C1
  next.idle_timeout = 2s;
  next.validate_after = 1s;
  world.reload(next, false);
  world.release(world.calls()[0]);
  EXPECT_EQ(world.running(Op::reset).size(), 1U);
  world.run_for(1500ms);
  EXPECT_TRUE(world.acquire().waiting);  // it is looked at: it came back more than a second ago
  EXPECT_EQ(world.running(Op::validate).size(), 1U);
}

TEST(Reload, ANewGenerationReplacesIdleOnesNowAndLentOnesOnReturn) {
  Lent world(3);
  world.release(world.calls()[0]);
  world.release(world.calls()[1], {.dirty = true});  // in the middle of its reset
  world.reload(world.config(), true);
  EXPECT_EQ(world.idle(), 0U);
  EXPECT_TRUE(world.calls()[2].held);
  Call& fresh = world.acquire();
  world.run_for(10ms);
  ASSERT_TRUE(fresh.lent());
  EXPECT_FALSE(world.engine().state(fresh.slot) == SlotState::closed);
  world.release(world.calls()[2]);
  world.run_for(10ms);
  EXPECT_EQ(world.closed(CloseReason::outdated), 3U);  // S5
  EXPECT_EQ(world.sessions(), 1U);
}

TEST(Reload, AConnectOfThePastIsGivenUpAndANewOneServes) {
  EngineConfig config = plain_config();
  config.max = 2;
  EngineWorld world(config);
  world.next(Op::connect, {OpResult::ok, 1s, Answer::Hang::no});
  Call& call = world.acquire();
  world.reload(config, true);
  EXPECT_EQ(world.aborts(), 1U);
  EXPECT_EQ(world.running(Op::connect).size(), 2U);  // L4: in the same step
  world.run_for(10ms);
  EXPECT_TRUE(call.lent());
  world.run_for(2s);
  EXPECT_EQ(world.closed(CloseReason::outdated), 1U);        // its late success
  EXPECT_EQ(world.engine().counters().create_failures, 0U);  // and no failure of the new ones
}

TEST(Reload, AnotherEndpointIsNotBlamedForTheLastOne) {
  EngineConfig config = plain_config();
  config.create_retry_interval = 1min;
  config.create_retry_max = 1min;
  EngineWorld world(config);
  world.next(Op::connect, Answer::fails());
  Call& call = world.acquire();
  world.run_for(10ms);
  ASSERT_TRUE(world.engine().creator().failing());
  world.reload(config, true);
  world.run_for(10ms);
  EXPECT_TRUE(call.lent());  // at once, and not after a minute
}

TEST(Reload, MinOfTheNewGenerationIsKept) {
  EngineConfig config = plain_config();
  config.min = 3;
  EngineWorld world(config);
  world.start();
  world.run_for(10ms);
  world.reload(config, true);
  world.run_for(10ms);
  EXPECT_EQ(world.idle(), 3U);
  EXPECT_EQ(world.engine().counters().created, 6U);
}

TEST(Reload, DuringDrainChangesNothing) {
  Lent world(1);
  world.drain();
  world.reload(plain_config(), true);
  EXPECT_FALSE(world.engine().drained());
  world.release(world.calls()[0]);
  world.run_for(1ms);
  EXPECT_TRUE(world.engine().drained());
  EXPECT_EQ(world.closed(CloseReason::shutdown), 1U);
}

TEST(Evict, ReplacesEveryConnection) {
  Lent world(2);
  world.release(world.calls()[0]);
  world.evict();
  world.release(world.calls()[1]);
  world.run_for(10ms);
  EXPECT_EQ(world.closed(CloseReason::evicted), 2U);
  EXPECT_EQ(world.sessions(), 0U);
  world.acquire();
  world.run_for(10ms);
  EXPECT_EQ(world.lent(), 1U);
}

// S12: found by the simulator.
TEST(Evict, AnAttemptThatWasGivenUpDoesNotCountForMin) {
  EngineConfig config = plain_config();
  config.min = 1;
  config.max = 3;
  config.idle_timeout = 100ms;
  config.reap_interval = 10ms;
  EngineWorld world(config);
  world.start();
  world.run_for(5ms);
  Call& first = world.acquire();
  world.next(Op::connect, Answer::hangs_for_good());
  Call& second = world.acquire();
  world.cancel(second);
  world.release(first);
  world.evict();
  world.run_for(50ms);
  ASSERT_EQ(world.idle(), 1U);
  ASSERT_EQ(world.running(Op::connect).size(), 1U);
  world.run_for(200ms);
  EXPECT_EQ(world.idle(), 1U);
  EXPECT_EQ(world.closed(CloseReason::idle), 0U);
}

TEST(Evict, LeavesAPinnedConnectionAlone) {
  EngineConfig config = plain_config();
  config.pinned = true;
  config.min = config.max = 1;
  EngineWorld world(config);
  world.start();
  world.run_for(1ms);
  world.evict();
  EXPECT_EQ(world.idle(), 1U);
}

TEST(Suspend, LendsNothingAndCreatesNothingUntilItIsResumed) {
  EngineConfig config = plain_config();
  config.max = 2;
  Lent world(1, config);
  world.release(world.calls()[0]);
  world.suspend();
  Call& a = world.acquire();
  Call& b = world.acquire();
  world.run_for(10ms);
  EXPECT_TRUE(a.waiting && b.waiting);
  EXPECT_EQ(world.started(Op::connect), 1U);  // S11
  world.resume();
  EXPECT_TRUE(a.lent());  // L2: in the step of the resume
  world.run_for(10ms);
  EXPECT_TRUE(b.lent());
}

TEST(Suspend, TheDeadlineGoesOn) {
  EngineWorld world;
  world.suspend();
  Call& call = world.acquire(30ms);
  world.run_for(30ms);
  EXPECT_TRUE(call.ended_with(Outcome::timeout));  // T1, M22
  EXPECT_EQ(call.resolved_at, call.deadline);
  EXPECT_TRUE(world.acquire(0ns).ended_with(Outcome::suspended));
}

TEST(Suspend, AnOfferIsTakenBack) {
  EngineConfig config = plain_config();
  config.max = 1;
  config.fairness = Fairness::bounded;
  EngineWorld world(config);
  world.acquire(0ns);
  world.run_for(10ms);
  Call& holder = world.acquire();
  world.set_wake_latency(no_timeout);
  Call& head = world.acquire();
  world.release(holder);
  ASSERT_TRUE(head.offered);
  world.suspend();
  world.claim(head);
  EXPECT_TRUE(head.waiting);
  world.resume();
  EXPECT_TRUE(head.offered);  // a new one
}

TEST(Suspend, WhatIsLentMayFinishAndWhatIsDueLeaves) {
  EngineConfig config = plain_config();
  config.idle_timeout = 2s;
  config.keepalive = 1s;
  Lent world(2, config);
  world.suspend();
  world.release(world.calls()[0], {.dirty = true});
  world.release(world.calls()[1]);
  world.run_for(10s);
  EXPECT_EQ(world.started(Op::reset), 1U);
  EXPECT_EQ(world.started(Op::validate), 0U);  // no keepalive: a suspended pool sends nothing
  EXPECT_EQ(world.closed(CloseReason::idle), 2U);
}

TEST(Suspend, ADrainEndsIt) {
  EngineWorld world;
  world.suspend();
  Call& call = world.acquire();
  world.drain();
  EXPECT_TRUE(call.ended_with(Outcome::closed));
  world.resume();
  EXPECT_TRUE(world.engine().drained());
}

TEST(Leap, EveryConnectionIsLookedAtAndNoStampedeFollows) {
  EngineConfig config = plain_config();
  config.max_connecting = 2;
  Lent world(2, config);
  world.release(world.calls()[0]);
  Call& late = world.acquire(1s);  // takes the idle one
  ASSERT_TRUE(late.lent());
  world.release(late);
  for (int i = 0; i < 6; ++i) world.acquire(30s);
  world.leap(1h);
  EXPECT_EQ(world.waiting(), 0U);  // T8: their time was over
  Call& call = world.acquire();
  EXPECT_TRUE(call.waiting);
  EXPECT_LE(world.running(Op::connect).size(), 2U);
  world.run_for(10ms);
  EXPECT_TRUE(call.lent());
  EXPECT_EQ(world.happened(Event::Type::leapt), 1U);
}

}  // namespace
}  // namespace weir::engine::test
