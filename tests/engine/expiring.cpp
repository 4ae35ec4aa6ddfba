// SPDX-License-Identifier: MIT
// Goal:   idle time, lifetime and long holds are seen to by timer, within reap_interval; an idle
//         pool does not wake for nothing (T3, T4, S5, S12, O4, L7).
// Method: biographies; the fast path lends and takes back behind the engine's back.
#include "tests/engine/world.hpp"

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

EngineConfig idling(Duration idle_timeout) {
  EngineConfig config = plain_config();
  config.idle_timeout = idle_timeout;
  return config;
}

EngineConfig living(Duration max_lifetime) {
  EngineConfig config = plain_config();
  config.max_lifetime = max_lifetime;
  return config;
}

TEST(IdleTimeout, ClosesAtItsBoundaryByTimer) {
  EngineWorld world(idling(10s));
  Call& call = world.acquire();
  world.run_for(1ms);
  world.release(call);
  const Instant returned = world.now();
  world.run_until(returned + 10s - 1ns);
  EXPECT_EQ(world.started(Op::close), 0U);
  EXPECT_EQ(world.engine().next_timer(), returned + 10s);
  world.run_until(returned + 10s);
  EXPECT_EQ(world.started(Op::close), 1U);  // T3, M19, M31
}

TEST(IdleTimeout, CountsFromTheReturnEvenIfThePoolSawNeitherLendNorReturn) {
  EngineWorld world(idling(10s));
  Call& call = world.acquire();
  world.run_for(1ms);
  world.release(call);
  world.run_for(8s);
  Call& again = world.acquire();  // from the rack
  world.run_for(5s);
  world.release(again);  // to the rack
  const Instant returned = world.now();
  world.run_until(returned + 9s);
  EXPECT_EQ(world.idle(), 1U);
  world.run_until(returned + 11s + 1ms);
  EXPECT_EQ(world.sessions(), 0U);
}

TEST(IdleTimeout, KeepsMin) {
  EngineConfig config = idling(10s);
  config.min = 2;
  EngineWorld world(config);
  for (int i = 0; i < 5; ++i) world.acquire();
  world.run_for(1ms);
  for (Call& call : world.calls()) world.release(call);
  world.run_for(1h);
  EXPECT_EQ(world.idle(), 2U);  // S12, M20
  EXPECT_EQ(world.started(Op::connect), 5U);
  EXPECT_EQ(world.engine().next_timer(), no_deadline);  // L7: nothing left to wait for
}

TEST(IdleTimeout, AnOldOneLeavesWhenThePoolHasGrownAboveMin) {
  EngineConfig config = idling(10s);
  config.min = 1;
  EngineWorld world(config);
  world.start();
  world.run_for(1h);  // far past its idle time, kept for min
  Call& a = world.acquire();
  Call& b = world.acquire();
  world.run_for(10ms);
  world.release(b);
  world.release(a);
  world.run_for(12s);
  EXPECT_EQ(world.idle(), 1U);
}

TEST(Lifetime, IsDrawnOnceBetweenNineTenthsAndTheWhole) {
  Duration least = no_timeout;
  Duration most{};
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    EngineConfig config = living(100s);
    config.reap_interval = 1ms;
    config.keepalive = 1s;  // looked at, looked through, again and again: never redrawn
    EngineWorld world(config, seed);
    world.acquire(0ns);
    world.run_for(1ms);
    const Instant born = world.now();
    while (world.closed(CloseReason::lifetime) == 0) world.run_for(10ms);
    const Duration lived = world.last_start(Op::close) - born;
    least = std::min(least, lived);
    most = std::max(most, lived);
  }
  EXPECT_GE(least, 90s);
  EXPECT_LE(least, 92s);
  // T4, M8: redrawn at each look, the least of many draws would decide.
  EXPECT_GE(most, 98s);
  EXPECT_LE(most, 100s + 10ms);
}

TEST(Lifetime, TheFastPathDoesNotLendAnExpiredConnection) {
  EngineConfig config = living(10s);
  config.reap_interval = 1min;
  EngineWorld world(config);
  Call& call = world.acquire();
  world.run_for(1ms);
  world.release(call);
  world.jump(11s);  // the reaper has not come yet
  Call& next = world.acquire();
  EXPECT_TRUE(next.waiting);                   // S5
  EXPECT_EQ(world.started(Op::validate), 0U);  // nor is a look wasted on it
  world.run_for(2ms);
  ASSERT_TRUE(next.lent());
  EXPECT_EQ(world.closed(CloseReason::lifetime), 1U);
}

TEST(Lifetime, ALentOneLeavesOnReturnAlsoBetweenTwoLooks) {
  for (const bool reaper_came : {false, true}) {
    EngineConfig config = living(10s);
    if (!reaper_came) config.reap_interval = 1min;
    EngineWorld world(config);
    Call& call = world.acquire();
    world.run_for(1ms);
    world.run_for(reaper_came ? 20s : 11s);
    EXPECT_EQ(world.lent(), 1U);
    world.release(call);
    world.run_for(1ms);
    EXPECT_EQ(world.closed(CloseReason::lifetime), 1U);
  }
}

TEST(Lifetime, IsNotForgottenDuringAReset) {
  EngineConfig config = living(100s);
  EngineWorld world(config);
  Call& call = world.acquire();
  world.run_for(1ms);
  world.answer(Op::reset, {OpResult::ok, 3s});
  world.run_for(88s);
  world.release(call, {.dirty = true});
  world.resize(0, 10);  // a look at the rack comes and goes while it is reset
  world.run_for(13s);
  EXPECT_EQ(world.sessions(), 0U);  // T4
}

TEST(Lifetime, ARetiredLeaseReturnsToTheEngineAndIsClosed) {
  EngineWorld world(living(10s));
  Call& call = world.acquire();
  world.run_for(12s);
  ASSERT_EQ(world.rack().view(call.slot).word, Rack::Word::retire);
  world.release(call);
  EXPECT_TRUE(world.runs(call.slot, Op::close));
}

TEST(LongHold, IsReportedOncePerLeaseThoughItBeganOnTheRack) {
  EngineConfig config = plain_config();
  config.hold_warn = 60s;
  EngineWorld world(config);
  Call& first = world.acquire();
  world.run_for(10ms);
  world.release(first);
  world.run_for(1000s);
  Call& call = world.acquire();  // no step of the engine
  world.run_for(59s);
  EXPECT_EQ(world.happened(Event::Type::long_hold), 0U);
  world.run_for(2s);
  EXPECT_EQ(world.happened(Event::Type::long_hold), 1U);  // O4
  world.run_for(1000s);
  EXPECT_EQ(world.happened(Event::Type::long_hold), 1U);
  EXPECT_EQ(world.engine().counters().long_holds, 1U);
  world.release(call);
  Call& next = world.acquire();
  world.run_for(61s);
  EXPECT_EQ(world.happened(Event::Type::long_hold), 2U);
  EXPECT_EQ(world.events().back().event.lease, next.lease);
}

TEST(Timers, AnEmptyPoolSleeps) {
  EngineConfig config = idling(10s);
  config.max_lifetime = 100s;
  config.keepalive = 3s;
  config.hold_warn = 60s;
  EngineWorld world(config);
  world.acquire(0ns);
  world.run_for(1h);
  EXPECT_EQ(world.sessions(), 0U);
  EXPECT_EQ(world.engine().next_timer(), no_deadline);
}

}  // namespace
}  // namespace weir::engine::test
