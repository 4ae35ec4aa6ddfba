// SPDX-License-Identifier: MIT
// Goal:   a drain resolves all waiters at once, lets leases finish, and completes; the loss of a
//         pinned connection ends the pool instead of emptying it (L5, L8, S10, S11, Q3).
// Method: biographies with connections in every state.
#include "tests/engine/world.hpp"

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

TEST(Drain, ResolvesWaitersInItsOwnStep) {
  EngineConfig config = plain_config();
  config.max = 1;
  EngineWorld world(config);
  Call& holder = world.acquire();
  world.run_for(1ms);
  Call& a = world.acquire(1s);
  Call& b = world.acquire();
  world.drain();
  EXPECT_TRUE(a.ended_with(Outcome::closed));
  EXPECT_TRUE(b.ended_with(Outcome::closed));  // L8, M26: while a lease is still out
  EXPECT_TRUE(world.acquire(1s).ended_with(Outcome::closed));  // M27: not a timeout
  EXPECT_TRUE(world.acquire(0ns).ended_with(Outcome::closed));
  EXPECT_FALSE(world.engine().drained());
  world.release(holder);
  world.run_for(1ms);
  EXPECT_TRUE(world.engine().drained());
}

TEST(Drain, EndsConnectionsInEveryState) {
  EngineConfig config = plain_config();
  config.validate_after = 500ms;
  EngineWorld world(config);
  for (int i = 0; i < 4; ++i) world.acquire();
  world.run_for(1ms);
  world.release(world.calls()[0]);
  world.run_for(1s);
  world.acquire();  // looks at the idle one
  world.release(world.calls()[1], {.dirty = true});
  world.release(world.calls()[2], {.broken = true});
  world.next(Op::connect, Answer::hangs());
  world.acquire();
  ASSERT_EQ(world.running(Op::validate).size(), 1U);
  ASSERT_EQ(world.running(Op::reset).size(), 1U);
  ASSERT_EQ(world.running(Op::close).size(), 1U);
  ASSERT_EQ(world.running(Op::connect).size(), 1U);
  world.drain();
  world.drain();                  // the second has no effect
  EXPECT_EQ(world.aborts(), 1U);  // the connect
  world.run_for(10ms);
  EXPECT_EQ(world.sessions(), 1U);
  world.release(world.calls()[3]);
  world.run_for(10ms);
  EXPECT_TRUE(world.engine().drained());
  EXPECT_EQ(world.engine().next_timer(), no_deadline);
}

TEST(Drain, AConnectThatSucceedsAllTheSameIsClosed) {
  EngineConfig config = plain_config();
  config.has_init = true;
  EngineWorld world(config);
  world.acquire();
  world.drain();
  world.run_for(10ms);
  EXPECT_EQ(world.started(Op::init), 0U);
  EXPECT_EQ(world.closed(CloseReason::shutdown), 1U);
  EXPECT_TRUE(world.engine().drained());
}

TEST(Drain, AbandonedLeasesAreBrokenAndStillComeBack) {
  EngineWorld world;
  Call& call = world.acquire();
  world.run_for(1ms);
  world.drain();
  Effects fx;
  world.engine().abandon_leases(fx);
  EXPECT_EQ(fx.abort, std::vector<SlotId>{call.slot});
  world.release(call, {.broken = true});
  world.run_for(1ms);
  EXPECT_TRUE(world.engine().drained());
}

EngineConfig pinned() {
  EngineConfig config = plain_config();
  config.pinned = true;
  config.max = 1;
  config.min = 1;
  config.idle_timeout = 1s;
  config.max_lifetime = 1s;
  return config;
}

TEST(Pinned, NeitherIdleTimeNorLifetimeApplies) {
  EngineWorld world(pinned());
  world.start();
  world.run_for(1h);
  EXPECT_EQ(world.idle(), 1U);
  EXPECT_EQ(world.started(Op::close), 0U);
}

TEST(Pinned, ItsLossIsFinal) {
  for (const bool by_reset : {false, true}) {
    EngineWorld world(pinned());
    Call& call = world.acquire();
    world.run_for(1ms);
    Call& waiter = world.acquire();
    world.next(Op::reset, Answer::fails());
    world.release(call, by_reset ? ReturnFacts{.busy = true} : ReturnFacts{.broken = true});
    world.run_for(10ms);
    EXPECT_TRUE(waiter.ended_with(Outcome::lost));  // Q3
    EXPECT_TRUE(world.acquire().ended_with(Outcome::lost));
    EXPECT_TRUE(world.engine().lost());
    EXPECT_TRUE(world.engine().drained());
    EXPECT_EQ(world.started(Op::connect), 1U);
    world.drain();
  }
}

TEST(Pinned, WhatElseThePoolHadGoesToo) {
  EngineConfig config = pinned();
  config.max = 3;
  EngineWorld world(config);
  Call& a = world.acquire();
  Call& b = world.acquire();
  world.run_for(1ms);
  world.release(b);
  world.acquire(0ns);
  Call& c = world.calls().back();
  world.release(c);
  world.release(a, {.broken = true});
  EXPECT_EQ(world.idle(), 0U);
  world.run_for(10ms);
  EXPECT_TRUE(world.engine().drained());
}

TEST(Pinned, AFailedFirstConnectIsNoLoss) {
  EngineWorld world(pinned());
  world.next(Op::connect, Answer::fails());
  Call& call = world.acquire();
  world.run_for(1s);
  EXPECT_TRUE(call.lent());
}

}  // namespace
}  // namespace weir::engine::test
