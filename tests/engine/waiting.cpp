// SPDX-License-Identifier: MIT
// Goal:   who waits is served in turn, once, by their deadline; overtaking is bounded in time; an
//         offer is never lost (F1, F2, F4, S4, S7, L2, L6, T1, T2, T11, S19).
// Method: biographies on a pool of one connection, where every return decides.
#include "tests/engine/world.hpp"

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

EngineConfig one(Fairness fairness) {
  EngineConfig config = plain_config();
  config.max = 1;
  config.fairness = fairness;
  return config;
}

// A pool whose one connection is lent out, for less than a thread takes to wake up.
struct Busy : EngineWorld {
  explicit Busy(const EngineConfig& config) : EngineWorld(config) {
    acquire(0ns);
    run_for(10ms);
    holder = &acquire();
  }
  Call* holder;
};

TEST(Strict, ArrivalOrderAndDirectHandOff) {
  Busy world(one(Fairness::strict));
  Call& a = world.acquire();
  Call& b = world.acquire();
  EXPECT_FALSE(world.rack().gate_open());
  world.release(*world.holder);
  ASSERT_TRUE(a.lent());  // in the step of the return
  EXPECT_TRUE(b.waiting);
  world.release(a);
  EXPECT_TRUE(b.lent());
  EXPECT_TRUE(world.rack().gate_open());
}

TEST(Strict, NobodyTakesWhatWasHandedOver) {
  Busy world(one(Fairness::strict));
  world.acquire();
  world.release(*world.holder);
  EXPECT_TRUE(world.acquire().waiting);  // F2, M1
}

TEST(Bounded, AReturnIsOfferedAndMayBeOvertaken) {
  Busy world(one(Fairness::bounded));
  world.set_wake_latency(no_timeout);
  Call& head = world.acquire();
  world.release(*world.holder);
  EXPECT_TRUE(head.waiting);
  EXPECT_TRUE(head.offered);
  Call& newcomer = world.acquire();
  EXPECT_TRUE(newcomer.lent());
  world.claim(head);  // wakes for nothing and keeps its place
  EXPECT_TRUE(head.waiting);
  world.release(newcomer);
  EXPECT_TRUE(head.offered);  // a new offer
  world.claim(head);
  EXPECT_TRUE(head.lent());
}

TEST(Bounded, OneOfferAtATime) {
  EngineConfig config = one(Fairness::bounded);
  config.max = 2;
  EngineWorld world(config);
  world.set_wake_latency(no_timeout);
  Call& a = world.acquire();
  Call& b = world.acquire();
  world.run_for(1ms);
  ASSERT_TRUE(a.offered && !b.offered);
  ASSERT_EQ(world.idle(), 2U);
  world.claim(a);
  EXPECT_TRUE(a.lent());
  EXPECT_TRUE(b.offered);
  world.claim(b);
  EXPECT_TRUE(b.lent());
}

// Until then the lane must be closed: a return in it would wake nobody (L2).
TEST(Bounded, WhoWaitsWantsToBeToldOfReturnsUntilAnOfferIsOnItsWay) {
  for (const bool brief : {true, false}) {
    Busy world(one(Fairness::bounded));
    world.set_wake_latency(no_timeout);
    EXPECT_FALSE(world.engine().wants_returns());
    Call& head = world.acquire();
    EXPECT_TRUE(world.engine().wants_returns());
    if (!brief) world.run_for(40us);
    world.release(*world.holder);
    ASSERT_TRUE(head.offered);
    EXPECT_EQ(world.engine().wants_returns(), !brief) << "long leases are not held up by the lock";
    Call& newcomer = world.acquire();
    ASSERT_TRUE(newcomer.lent());
    world.claim(head);
    EXPECT_TRUE(world.engine().wants_returns()) << "it found nothing";
  }
}

TEST(Bounded, FromFairAfterOnNobodyOvertakes) {
  Busy world(one(Fairness::bounded));
  world.set_wake_latency(no_timeout);
  Call& head = world.acquire();
  EXPECT_EQ(world.engine().fair_deadline(), head.enqueued + 5ms);
  EXPECT_EQ(world.engine().next_timer(), head.enqueued + 5ms);
  world.run_for(5ms);
  EXPECT_FALSE(world.rack().gate_open());
  world.release(*world.holder);
  EXPECT_TRUE(head.lent());
}

TEST(Bounded, AnOfferNobodyTookBecomesAHandOver) {
  Busy world(one(Fairness::bounded));
  world.set_wake_latency(no_timeout);
  Call& head = world.acquire();
  world.release(*world.holder);
  ASSERT_TRUE(head.offered);
  world.run_for(5ms);
  EXPECT_TRUE(head.lent());
  world.claim(head);  // it wakes after all: no effect
}

// R2: what was offered died before its waiter woke. Nobody may count on it.
TEST(Bounded, AnOfferOfWhatIsNowInDoubtIsNoSupply) {
  EngineConfig config = one(Fairness::bounded);
  config.max = 2;
  EngineWorld world(config);
  world.set_wake_latency(no_timeout);
  Call& head = world.acquire();
  Call& other = world.acquire();
  world.run_for(1ms);
  world.cancel(other);
  ASSERT_TRUE(head.offered);
  ASSERT_EQ(world.idle(), 2U);
  world.answer(Op::validate, Answer::hangs());
  world.leap(1ms);
  ASSERT_EQ(world.running(Op::validate).size(), 1U);
  ASSERT_EQ(world.idle(), 1U);
  world.resize(0, 3);
  EXPECT_EQ(world.running(Op::connect).size(), 1U);
  world.run_for(1ms);
  world.claim(head);
  EXPECT_TRUE(head.lent());
}

TEST(Bounded, TheOfferPassesOnWhenItsWaiterLeaves) {
  for (const bool by_timeout : {false, true}) {
    Busy world(one(Fairness::bounded));
    world.set_wake_latency(no_timeout);
    Call& head = world.acquire(by_timeout ? Duration(1ms) : no_timeout);
    Call& next = world.acquire();
    world.release(*world.holder);
    ASSERT_TRUE(head.offered);
    if (by_timeout) {
      world.run_for(1ms);
    } else {
      world.cancel(head);
    }
    EXPECT_FALSE(head.waiting);
    EXPECT_TRUE(next.offered);  // M2, M32: in the same step
    world.claim(next);
    EXPECT_TRUE(next.lent());
  }
}

TEST(Bounded, CallbacksAreServedDirectly) {
  Busy world(one(Fairness::bounded));
  Call& head = world.acquire(no_timeout, WaiterKind::callback);
  world.release(*world.holder);
  EXPECT_TRUE(head.lent());
}

TEST(Bounded, LongHoldsAreHandedOverDirectly) {
  EngineWorld world(one(Fairness::bounded));
  Call& first = world.acquire();
  world.run_for(20ms);
  Call& head = world.acquire();
  world.release(first);  // held for far longer than a wake-up takes
  EXPECT_TRUE(head.lent());
}

TEST(Bounded, ANewcomerIsLentWhatIsIdleAndNotOfferedIt) {
  for (const bool may_wait : {true, false}) {
    EngineConfig config = one(Fairness::bounded);
    config.reset = ResetPolicy::always;  // every lend goes through the engine
    EngineWorld world(config);
    world.acquire(0ns);
    world.run_for(10ms);
    ASSERT_EQ(world.idle(), 1U);
    EXPECT_TRUE(world.acquire(may_wait ? no_timeout : Duration(0)).lent());  // L6, T11
  }
}

// The two ends of the rack have expired, so the step of the acquire has to clear them away before
// it meets the connection that can be lent.
TEST(Bounded, ATryBehindExpiredConnectionsGetsTheGoodOne) {
  EngineConfig config = one(Fairness::bounded);
  config.min = 4;
  config.max = 4;
  config.max_connecting = 1;
  config.max_lifetime = 2s;
  config.validate_after = no_timeout;
  EngineWorld world(config);
  world.start();
  bool tried_beside_idle = false;
  for (int i = 0; i < 400; ++i) {  // through the lifetimes of all four
    world.run_for(10ms);
    const bool idle = world.idle() > 0;
    Call& call = world.acquire(0ns);
    tried_beside_idle = tried_beside_idle || (idle && call.lent());
    if (call.lent()) world.release(call);
  }
  EXPECT_TRUE(tried_beside_idle);  // that no offer goes to a caller that is gone, the world checks
}

TEST(Bounded, WhereEveryReturnComesToTheEngineItIsHandedOver) {
  EngineConfig config = one(Fairness::bounded);
  config.reset = ResetPolicy::always;
  EngineWorld world(config);
  Call& first = world.acquire(no_timeout, WaiterKind::callback);
  world.run_for(1ms);
  Call& head = world.acquire();
  world.release(first);
  world.run_for(1ms);
  EXPECT_TRUE(head.lent());  // in the step in which the reset ends
  EXPECT_EQ(head.resolved_at, world.now());
}

TEST(Deadline, TimesOutThenAndNotBefore) {
  Busy world(one(Fairness::strict));
  Call& a = world.acquire(30ms);
  Call& b = world.acquire(10ms);
  EXPECT_EQ(world.engine().next_deadline(), b.deadline);
  world.run_for(29ms);
  EXPECT_TRUE(a.waiting);
  EXPECT_TRUE(b.ended_with(Outcome::timeout));
  EXPECT_EQ(b.resolved_at, b.deadline);
  world.run_for(1ms);
  EXPECT_TRUE(a.ended_with(Outcome::timeout));
  EXPECT_EQ(world.engine().next_deadline(), no_deadline);
}

TEST(Deadline, NoneIsForEver) {
  Busy world(one(Fairness::strict));
  Call& call = world.acquire(no_timeout);
  world.run_for(1000h);
  EXPECT_TRUE(call.waiting);
  EXPECT_EQ(world.engine().next_deadline(), no_deadline);
}

TEST(Deadline, ATryDoesNotWaitAndDisturbsNobody) {
  Busy world(one(Fairness::strict));
  Call& head = world.acquire();
  EXPECT_TRUE(world.acquire(0ns).ended_with(Outcome::none_idle));
  world.release(*world.holder);
  EXPECT_TRUE(head.lent());
}

TEST(Cancel, LeavesTheQueueOnce) {
  Busy world(one(Fairness::strict));
  Call& a = world.acquire();
  Call& b = world.acquire();
  world.cancel(a);
  EXPECT_TRUE(a.ended_with(Outcome::cancelled));
  world.cancel(a);  // no effect, nor from an id that was never given
  world.engine().cancel(WaiterId{}, Outcome::cancelled, world.now(), *std::make_unique<Effects>());
  world.release(*world.holder);
  EXPECT_TRUE(b.lent());
}

TEST(Cancel, AnIdIsNeverReused) {
  Busy world(one(Fairness::strict));
  Call& a = world.acquire();
  const WaiterId old = a.id;
  world.cancel(a);
  Call& b = world.acquire();
  Effects fx;
  world.engine().cancel(old, Outcome::cancelled, world.now(), fx);
  EXPECT_TRUE(fx.empty());
  EXPECT_TRUE(b.waiting);
}

// One after another, the next attempt would begin for the second of them.
TEST(Cancel, OfAllStartsNoConnect) {
  PlainRack rack;
  Engine engine(plain_config(), rack, 1);
  Effects fx;
  const Instant now{};
  Waiter waiter;
  waiter.deadline = no_deadline;
  const WaiterId ids[] = {engine.acquire(waiter, now, fx), engine.acquire(waiter, now, fx)};
  const std::vector<StartOp> connects = fx.start;
  for (const StartOp& connect : connects) {
    engine.finished(connect.slot, connect.serial, OpResult::failed, now, fx);
  }
  const Instant retry = engine.next_timer();
  ASSERT_NE(retry, no_deadline);
  fx.clear();
  engine.cancel(ids, Outcome::timeout, retry, fx);
  EXPECT_EQ(fx.resolved.size(), 2U);
  EXPECT_TRUE(fx.start.empty());  // S11
}

TEST(QueueFull, OneMoreIsRejectedAtOnce) {
  EngineConfig config = one(Fairness::strict);
  config.max_waiting = 2;
  Busy world(config);
  Call& a = world.acquire();
  Call& b = world.acquire();
  EXPECT_TRUE(world.acquire().ended_with(Outcome::rejected));
  EXPECT_TRUE(world.acquire(0ns).ended_with(Outcome::none_idle));
  EXPECT_TRUE(a.waiting && b.waiting);
  world.cancel(a);
  EXPECT_TRUE(world.acquire().waiting);
}

TEST(QueueFull, WithMaxWaitingZeroDemandStillBeginsConnects) {
  EngineConfig config = one(Fairness::strict);
  config.max_waiting = 0;
  config.validate_after = 500ms;
  EngineWorld world(config);
  EXPECT_TRUE(world.acquire().ended_with(Outcome::rejected));
  world.run_for(10ms);
  Call& call = world.acquire();
  ASSERT_TRUE(call.lent());
  EXPECT_TRUE(world.acquire().ended_with(Outcome::rejected));
  world.release(call);
  world.run_for(10s);  // idle for so long that it needs a look
  EXPECT_TRUE(world.acquire().ended_with(Outcome::rejected));
  world.run_for(10ms);
  EXPECT_TRUE(world.acquire().lent());
}

TEST(Failures, ABrokenReturnStartsAConnectForTheHeadInTheSameStep) {
  Busy world(one(Fairness::strict));
  Call& head = world.acquire();
  world.release(*world.holder, {.broken = true});
  world.run_for(1ms);  // the close; the server has a session until then
  EXPECT_EQ(world.running(Op::connect).size(), 1U);  // L4, M4
  world.run_for(1ms);
  EXPECT_TRUE(head.lent());
}

}  // namespace
}  // namespace weir::engine::test
