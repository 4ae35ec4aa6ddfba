// SPDX-License-Identifier: MIT
// Goal:   callers that hold and wait for each other are told so in the step in which it happens;
//         nobody is told so who could still be served (S18, T2, M35).
// Method: biographies of tasks on small pools.
#include "tests/engine/world.hpp"

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

EngineConfig of(std::uint32_t max) {
  EngineConfig config = plain_config();
  config.max = max;
  return config;
}

Call& holder(EngineWorld& world, TaskId task) {
  Call& call = world.acquire(no_timeout, WaiterKind::thread, task);
  world.run_for(10ms);
  EXPECT_TRUE(call.lent());
  return call;
}

TEST(Nesting, ATaskThatWaitsForItselfIsToldAtOnce) {
  EngineWorld world(of(1));
  Call& outer = holder(world, 1);
  Call& inner = world.acquire(1h, WaiterKind::thread, 1);
  EXPECT_TRUE(inner.ended_with(Outcome::self_deadlock));
  EXPECT_EQ(inner.resolved_at, inner.enqueued);
  world.release(outer);
  EXPECT_TRUE(world.acquire().lent());
}

TEST(Nesting, AHungCallThatIsStoodInForIsNoHope) {
  EngineConfig config = of(1);
  config.quarantine_max = 2;
  EngineWorld world(config);
  world.next(Op::connect, Answer::hangs_for_good());
  world.acquire(1s);
  world.run_for(2min);
  ASSERT_EQ(world.engine().state(0), SlotState::quarantined);
  holder(world, 1);
  EXPECT_TRUE(world.acquire(1h, WaiterKind::thread, 1).ended_with(Outcome::self_deadlock));
}

TEST(Nesting, OfTasksThatWaitForEachOtherTheYoungestFails) {
  EngineWorld world(of(2));
  Call& a = holder(world, 1);
  Call& b = holder(world, 2);
  Call& first = world.acquire(no_timeout, WaiterKind::thread, 1);
  EXPECT_TRUE(first.waiting);  // task 2 may still give its own back
  Call& stranger = world.acquire();
  Call& second = world.acquire(no_timeout, WaiterKind::thread, 2);
  EXPECT_TRUE(second.ended_with(Outcome::self_deadlock));
  world.release(b);
  EXPECT_TRUE(first.lent());  // in its turn
  world.release(first);
  EXPECT_TRUE(stranger.lent());
  EXPECT_TRUE(a.held);
}

TEST(Nesting, ATaskThatWaitsTwiceIsToldTwice) {
  EngineWorld world(of(3));
  Call& a = holder(world, 1);
  Call& b = holder(world, 2);
  world.next(Op::connect, Answer::hangs());
  Call& first = world.acquire(no_timeout, WaiterKind::thread, 1);
  Call& second = world.acquire(no_timeout, WaiterKind::thread, 2);
  Call& third = world.acquire(no_timeout, WaiterKind::thread, 2);
  EXPECT_TRUE(first.waiting && second.waiting && third.waiting);  // a connect is under way
  world.resize(0, 2);
  world.run_for(1min);  // it comes to nothing
  EXPECT_TRUE(second.ended_with(Outcome::self_deadlock));
  EXPECT_TRUE(third.ended_with(Outcome::self_deadlock));
  EXPECT_TRUE(first.waiting);
  world.release(b);
  EXPECT_TRUE(first.lent());
  EXPECT_TRUE(a.held);
}

TEST(Nesting, AHolderThatDoesNotWaitIsHopeForAll) {
  EngineWorld world(of(2));
  holder(world, 1);
  Call& other = holder(world, 2);
  Call& inner = world.acquire(no_timeout, WaiterKind::thread, 1);
  EXPECT_TRUE(inner.waiting);  // M35
  world.release(other);
  EXPECT_TRUE(inner.lent());
}

TEST(Nesting, AHolderOfNoKnownTaskIsHopeForAll) {
  EngineWorld world(of(2));
  holder(world, 1);
  holder(world, no_task);  // may be given back by anybody
  EXPECT_TRUE(world.acquire(no_timeout, WaiterKind::thread, 1).waiting);
  EXPECT_TRUE(world.acquire(no_timeout, WaiterKind::thread, no_task).waiting);
}

TEST(Nesting, RoomForOneMoreIsNoDeadlock) {
  EngineWorld world(of(2));
  holder(world, 1);
  Call& inner = world.acquire(no_timeout, WaiterKind::thread, 1);
  EXPECT_TRUE(inner.waiting);
  world.run_for(10ms);
  EXPECT_TRUE(inner.lent());
}

TEST(Nesting, ADeadlockThatComesWithALowerMaxIsFound) {
  EngineWorld world(of(2));
  world.answer(Op::connect, {OpResult::ok, 1ms, Answer::Hang::no});
  holder(world, 1);
  world.next(Op::connect, Answer::hangs());
  Call& inner = world.acquire(no_timeout, WaiterKind::thread, 1);
  world.resize(0, 1);
  EXPECT_TRUE(inner.waiting);  // a connect is still under way
  world.run_for(1min);
  EXPECT_TRUE(inner.ended_with(Outcome::self_deadlock));
}

TEST(Nesting, WhoHasLeftTheQueueDoesNotCount) {
  EngineWorld world(of(2));
  holder(world, 1);
  holder(world, 2);
  Call& inner = world.acquire(1s, WaiterKind::thread, 1);
  world.run_for(1s);
  ASSERT_TRUE(inner.ended_with(Outcome::timeout));
  EXPECT_TRUE(world.acquire(no_timeout, WaiterKind::thread, 2).waiting);  // S18
}

TEST(Nesting, ATryIsNoWait) {
  EngineWorld world(of(1));
  holder(world, 1);
  EXPECT_TRUE(world.acquire(0ns, WaiterKind::thread, 1).ended_with(Outcome::none_idle));
}

}  // namespace
}  // namespace weir::engine::test
