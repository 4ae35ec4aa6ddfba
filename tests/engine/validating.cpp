// SPDX-License-Identifier: MIT
// Goal:   a connection that was quiet for too long, or whose sibling died, is looked at before a
//         lend, and only then; a dead generation costs one failed look (T6, T7, R2, S5, F1).
// Method: biographies with idle connections of known age.
#include "tests/engine/world.hpp"

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

EngineConfig looking() {
  EngineConfig config = plain_config();
  config.validate_after = 500ms;
  return config;
}

// `count` connections have just been returned.
struct Idle : EngineWorld {
  Idle(const EngineConfig& config, std::uint32_t count) : EngineWorld(config) {
    for (std::uint32_t i = 0; i < count; ++i) acquire();
    run_for(1ms);
    for (Call& call : calls()) release(call);
  }
};

TEST(Looking, TheBoundaryValueIsLookedAt) {
  Idle before(looking(), 1);
  before.run_for(500ms - 1ns);
  EXPECT_TRUE(before.acquire().lent());
  EXPECT_EQ(before.started(Op::validate), 0U);

  Idle at(looking(), 1);
  at.run_for(500ms);
  Call& call = at.acquire();
  EXPECT_TRUE(call.waiting);  // T7, M31
  EXPECT_EQ(at.started(Op::validate), 1U);
  at.run_for(1ms);
  EXPECT_TRUE(call.lent());
}

TEST(Looking, ZeroLooksEveryTimeAndEnds) {
  for (const Fairness fairness : {Fairness::strict, Fairness::bounded}) {
    EngineConfig config = looking();
    config.validate_after = 0ns;
    config.fairness = fairness;
    EngineWorld world(config);
    Call& first = world.acquire();
    world.run_for(1ms);
    ASSERT_TRUE(first.lent());  // a new connection has just proved itself
    world.release(first);
    world.run_for(1us);
    Call& second = world.acquire();
    EXPECT_TRUE(second.waiting);
    world.run_for(1ms);
    EXPECT_TRUE(second.lent());
    EXPECT_EQ(world.started(Op::validate), 1U);
  }
}

TEST(Looking, NoneNeverLooks) {
  Idle world(plain_config(), 1);
  world.run_for(1000h);
  EXPECT_TRUE(world.acquire().lent());
}

TEST(Looking, NoMoreLooksThanWaiters) {
  Idle world(looking(), 4);
  world.run_for(1s);
  world.acquire();
  EXPECT_EQ(world.started(Op::validate), 1U);
  EXPECT_EQ(world.started(Op::connect), 4U);  // and no connect beside it
  world.acquire();
  EXPECT_EQ(world.started(Op::validate), 2U);
}

TEST(Looking, AFailedLookKeepsTheWaiterAtTheHead) {
  EngineConfig config = looking();
  config.max = 1;
  Idle world(config, 1);
  world.run_for(1s);
  world.next(Op::validate, Answer::fails());
  Call& a = world.acquire();
  Call& b = world.acquire();
  world.run_for(3ms);
  EXPECT_TRUE(a.lent());  // by the successor
  EXPECT_TRUE(b.waiting);
  EXPECT_EQ(world.closed(CloseReason::broken), 1U);
}

TEST(Looking, AResultForAWaiterThatLeftServesTheNext) {
  EngineConfig config = looking();
  config.max = 1;
  Idle world(config, 1);
  world.run_for(1s);
  Call& a = world.acquire();
  Call& b = world.acquire();
  world.cancel(a);
  world.run_for(1ms);
  EXPECT_TRUE(b.lent());  // M16
}

TEST(Suspecting, OneBrokenReturnMakesItsIdleSiblingsSuspect) {
  Idle world(looking(), 3);
  Call& call = world.acquire();
  world.release(call, {.broken = true});
  EXPECT_EQ(world.happened(Event::Type::suspect), 1U);
  Call& next = world.acquire();
  EXPECT_TRUE(next.waiting);
  EXPECT_EQ(world.started(Op::validate), 1U);
  world.run_for(1ms);
  EXPECT_TRUE(next.lent());
}

TEST(Suspecting, ADeadGenerationCostsOneFailedLook) {
  for (const std::uint32_t max : {5U, 10U}) {  // with and without room for a fresh one
    EngineConfig config = looking();
    config.max = max;
    Idle world(config, 5);
    world.run_for(1s);
    world.answer(Op::validate, Answer::hangs());
    Call& call = world.acquire();
    world.run_for(1min);
    ASSERT_TRUE(call.lent());
    EXPECT_LE(call.resolved_at - call.enqueued, 5s + 10ms);  // R2, M11: not 5 times 5 s
  }
}

// It may not have been used since, and its driver cannot know.
TEST(Suspecting, WhatWasLentWhenASiblingDiedIsLookedAtOnce) {
  Idle world(looking(), 2);
  Call& a = world.acquire();
  Call& b = world.acquire();
  world.release(a, {.broken = true});
  world.release(b);
  Call& c = world.acquire();
  EXPECT_TRUE(c.waiting);
  world.run_for(1ms);
  ASSERT_TRUE(c.lent());
  world.release(c);
  EXPECT_TRUE(world.acquire().lent());  // it has answered
  EXPECT_EQ(world.started(Op::validate), 1U);
}

TEST(Suspecting, OneThatHasAnsweredIsFoundAmongThoseThatHaveNot) {
  EngineConfig config = looking();
  config.max = 4;
  Idle world(config, 4);
  Call& a = world.acquire();
  Call& b = world.acquire();
  world.leap(1ms);
  Call& looked_at = world.acquire();
  world.run_for(1ms);
  world.release(looked_at);
  world.release(a);  // nobody has asked these two since the leap
  world.release(b);
  ASSERT_EQ(world.idle(), 4U);
  Call& next = world.acquire();
  EXPECT_TRUE(next.lent());  // S7
  EXPECT_EQ(next.slot, looked_at.slot);
  EXPECT_EQ(world.started(Op::validate), 1U);
}

TEST(Suspecting, AHungLookCastsDoubtWhenItIsSetAside) {
  EngineConfig config = looking();
  config.quarantine_max = 1;
  Idle world(config, 2);
  world.run_for(1s);
  world.next(Op::validate, Answer::hangs_for_good());
  world.acquire();
  world.run_for(6s);
  EXPECT_EQ(world.happened(Event::Type::suspect), 1U);
}

TEST(Keepalive, GoesOnWithoutResettingTheIdleTime) {
  EngineConfig config = looking();
  config.keepalive = 2s;
  config.idle_timeout = 7s;
  Idle world(config, 2);
  const Instant returned = world.now();
  world.run_until(returned + 6s);
  EXPECT_GE(world.started(Op::validate), 4U);  // T6
  EXPECT_EQ(world.idle(), 2U);
  world.run_until(returned + 8s + 2ms);
  EXPECT_EQ(world.sessions(), 0U);  // T3, M7
  EXPECT_EQ(world.closed(CloseReason::idle), 2U);
}

TEST(Keepalive, ADeadOneIsClosedAndMinRestored) {
  EngineConfig config = looking();
  config.keepalive = 2s;
  config.min = 1;
  EngineWorld world(config);
  world.start();
  world.run_for(1s);
  world.next(Op::validate, Answer::fails());
  world.run_for(3s);
  EXPECT_EQ(world.closed(CloseReason::broken), 1U);
  EXPECT_EQ(world.idle(), 1U);
}

TEST(Keepalive, WhatItProvedIsLentWithoutALook) {
  EngineConfig config = looking();
  config.max = 2;
  config.keepalive = 10s;
  Idle world(config, 2);
  world.run_for(9s);
  Call& fresher = world.acquire();  // the look renews its proof
  world.run_for(1ms);
  world.release(fresher);
  world.run_for(1s + 10ms);  // the other one is kept alive; the fresher one is stale again
  ASSERT_EQ(world.started(Op::validate), 2U);
  EXPECT_TRUE(world.acquire().lent());  // S7: the one that can be lent, not the front one
  EXPECT_EQ(world.started(Op::validate), 2U);
}

}  // namespace
}  // namespace weir::engine::test
