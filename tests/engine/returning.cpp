// SPDX-License-Identifier: MIT
// Goal:   what comes back is lent again only when it is clean; a lease ends once (S2, S5, S6, S13,
// R9). Method: the reset policies against what a driver can report, as a table, and wrong returns.
#include "tests/engine/world.hpp"

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

struct Returned {
  ResetPolicy policy;
  ReturnFacts facts;
  Op then;  // Op::none: idle at once
};

TEST(Returning, PoliciesAndFacts) {
  constexpr auto automatic = ResetPolicy::automatic;
  constexpr auto always = ResetPolicy::always;
  constexpr auto never = ResetPolicy::never;
  for (const Returned& c :
       std::vector<Returned>{{automatic, {}, Op::none},
                             {automatic, {.dirty = true}, Op::reset},
                             {automatic, {.busy = true}, Op::reset},
                             {automatic, {.broken = true}, Op::close},
                             {automatic, {.broken = true, .busy = true, .dirty = true}, Op::close},
                             {always, {}, Op::reset},
                             {always, {.busy = true}, Op::reset},
                             {always, {.broken = true}, Op::close},
                             {never, {}, Op::none},
                             {never, {.dirty = true}, Op::none},  // only checks
                             {never, {.busy = true}, Op::close},
                             {never, {.broken = true}, Op::close}}) {
    EngineConfig config = plain_config();
    config.reset = c.policy;
    EngineWorld world(config);
    Call& call = world.acquire();
    world.run_for(1ms);
    world.release(call, c.facts);
    if (c.then == Op::none) {
      EXPECT_EQ(world.idle(), 1U);
    } else {
      EXPECT_TRUE(world.runs(call.slot, c.then));
    }
  }
}

TEST(Returning, AResetEndsOffTheCallersPathAndThenServes) {
  EngineConfig config = plain_config();
  config.max = 1;
  EngineWorld world(config);
  Call& call = world.acquire();
  world.run_for(1ms);
  Call& next = world.acquire();
  world.release(call, {.dirty = true});
  EXPECT_TRUE(next.waiting);
  EXPECT_EQ(world.engine().counts().other, 1U);
  world.run_for(1ms);
  EXPECT_TRUE(next.lent());
  EXPECT_EQ(world.engine().counters().resets, 1U);
}

TEST(Returning, AFailedResetDiscards) {
  EngineWorld world;
  Call& call = world.acquire();
  world.run_for(1ms);
  world.next(Op::reset, Answer::fails());
  world.release(call, {.busy = true});
  world.run_for(10ms);
  EXPECT_EQ(world.closed(CloseReason::reset_failed), 1U);  // M15
  EXPECT_EQ(world.sessions(), 0U);
}

TEST(Returning, AHangingResetIsAbortedAndDiscarded) {
  EngineWorld world;
  Call& call = world.acquire();
  world.run_for(1ms);
  world.next(Op::reset, {OpResult::ok, 1ms, Answer::Hang::until_abort});
  world.release(call, {.busy = true});
  world.run_for(6s);
  EXPECT_EQ(world.aborts(), 1U);
  EXPECT_EQ(world.closed(CloseReason::reset_failed), 1U);  // S10: although it ended well at last
}

TEST(Returning, TwiceAndForeignAreRefused) {
  EngineWorld world;
  Call& first = world.acquire();
  world.run_for(1ms);
  const SlotId slot = first.slot;
  world.release(first);
  EXPECT_FALSE(world.release_lease(slot, first.lease));  // idle
  Call& second = world.acquire();
  ASSERT_EQ(second.slot, slot);
  EXPECT_FALSE(world.release_lease(slot, first.lease));  // S6, M18: somebody else's now
  EXPECT_FALSE(world.release_lease(slot, second.lease + 1));
  EXPECT_FALSE(world.release_lease(slot + 1, 1));
  EXPECT_FALSE(world.release_lease(no_slot, 1));
  EXPECT_EQ(world.lent(), 1U);
  world.release(second);
}

TEST(Returning, ALeaseFromBeforeACloseIsRefused) {
  EngineConfig config = plain_config();
  config.max = 1;
  EngineWorld world(config);
  Call& first = world.acquire();
  world.run_for(1ms);
  world.release(first, {.broken = true});
  Call& second = world.acquire();
  world.run_for(10ms);
  ASSERT_TRUE(second.lent());
  ASSERT_EQ(second.slot, first.slot);
  EXPECT_FALSE(world.release_lease(first.slot, first.lease));
  EXPECT_GT(second.lease, first.lease);
}

TEST(Returning, HoldEstimateFollowsTheLeases) {
  EngineWorld world;
  Call& call = world.acquire();
  world.run_for(1ms);
  world.run_for(80us);
  world.release(call);
  EXPECT_EQ(world.rack().hold_estimate(), 10us);
  EXPECT_EQ(world.rack().returns(), 1U);
}

// Else what is handed over would always look like a long lease, and be handed over for ever.
TEST(Returning, HoldEstimateLeavesOutTheWakeUp) {
  EngineWorld world;
  Call& call = world.acquire();
  world.run_for(1ms);
  world.rack().note_use(call.slot, world.now());
  world.run_for(80us);
  world.release(call);
  EXPECT_EQ(world.rack().hold_estimate(), 10us);
}

}  // namespace
}  // namespace weir::engine::test
