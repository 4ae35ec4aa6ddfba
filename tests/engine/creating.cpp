// SPDX-License-Identifier: MIT
// Goal:   an outage is met with one probe at a time and capped backoff; recovery starts slowly; who
//         waits learns of errors as propagate_create_error says (T5, R1, R3, R7, S8, S11).
// Method: biographies of a pool whose driver fails by script.
#include "tests/engine/world.hpp"

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

std::vector<Duration> gaps(const EngineWorld& world) {
  std::vector<Duration> found;
  const EngineWorld::Started* last = nullptr;
  for (const auto& started : world.started()) {
    if (started.op != Op::connect) continue;
    if (last != nullptr) found.push_back(started.at - last->at);
    last = &started;
  }
  return found;
}

void expect_near(Duration delay, Duration planned) {
  EXPECT_GE(delay, planned * 8 / 10);
  EXPECT_LE(delay, planned * 12 / 10);
}

TEST(Creating, BackoffDoublesUpToItsCapFromTheStartOfTheAttempt) {
  EngineWorld world;
  world.answer(Op::connect, Answer::fails(30ms));
  world.acquire();
  world.run_for(20s);
  const auto delays = gaps(world);
  ASSERT_GE(delays.size(), 6U);
  expect_near(delays[0], 200ms);
  expect_near(delays[1], 400ms);
  expect_near(delays[2], 800ms);
  expect_near(delays[3], 1600ms);
  for (std::size_t i = 4; i < delays.size(); ++i) expect_near(delays[i], 2s);
}

// R1: who comes during an outage does not wait for a delay that grew while nobody waited.
TEST(Creating, NewDemandShortensTheBackoffButNotBelowItsFirstStep) {
  EngineConfig config = plain_config();
  config.create_retry_interval = 200ms;
  config.create_retry_max = 1min;
  EngineWorld world(config);
  world.answer(Op::connect, Answer::fails());
  Call& first = world.acquire(20s);
  world.run_for(21s);
  ASSERT_TRUE(first.ended_with(Outcome::timeout));
  const Instant last = world.last_start(Op::connect);
  const Instant due = world.engine().creator().retry_at();
  ASSERT_GT(due, world.now() + 1s);
  world.answer(Op::connect, Answer{});
  Call& second = world.acquire();
  world.run_for(1ms);
  EXPECT_TRUE(second.lent());
  EXPECT_GE(world.last_start(Op::connect), last + 200ms);  // T5
}

// R5, R7: nobody presses a server that is full, or that refuses us.
TEST(Creating, DemandDoesNotShortenWhatWillNotMendItself) {
  for (const OpResult how : {OpResult::server_full, OpResult::fatal}) {
    EngineConfig config = plain_config();
    config.create_retry_interval = 10s;
    config.create_retry_max = 10s;
    config.propagate_create_error = PropagateCreateError::never;
    EngineWorld world(config);
    world.answer(Op::connect, {how, 1ms, Answer::Hang::no});
    world.acquire(1s);
    world.run_for(5s);
    const Instant due = world.engine().creator().retry_at();
    world.acquire();
    EXPECT_EQ(world.engine().creator().retry_at(), due);
  }
}

TEST(Creating, JitterSpreadsPools) {
  Duration least = no_timeout;
  Duration most{};
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    EngineWorld world(plain_config(), seed);
    world.next(Op::connect, Answer::fails());
    world.acquire();
    world.run_for(1s);
    least = std::min(least, gaps(world).at(0));
    most = std::max(most, gaps(world).at(0));
  }
  EXPECT_GT(most - least, 60ms);  // of at most 80
}

TEST(Creating, OneProbeHoweverManyWait) {
  EngineWorld world;
  world.answer(Op::connect, Answer::fails());
  for (int i = 0; i < 8; ++i) world.acquire();
  EXPECT_EQ(world.started(Op::connect), 8U);  // no outage is known yet
  world.run_for(10ms);
  EXPECT_EQ(world.started(Op::connect), 8U);
  world.run_for(300ms);
  EXPECT_EQ(world.started(Op::connect), 9U);  // attempts that failed together count as one
  for (int i = 0; i < 8; ++i) world.acquire();
  EXPECT_EQ(world.started(Op::connect), 9U);
}

TEST(Creating, RecoveryStartsSlowly) {
  EngineWorld world;
  world.next(Op::connect, Answer::fails());
  Call& first = world.acquire();
  world.run_for(5ms);
  for (int i = 0; i < 9; ++i) world.acquire();
  world.answer(Op::connect, {OpResult::ok, 50ms});
  world.run_until(first.enqueued + 250ms);  // the probe
  std::vector<std::size_t> together;
  while (world.waiting() > 0) {
    const auto running = world.running(Op::connect).size();
    if (running > 0 && (together.empty() || together.back() != running))
      together.push_back(running);
    world.run_for(5ms);
  }
  EXPECT_EQ(together, (std::vector<std::size_t>{1, 2, 4, 2}));  // R3: 1, 2, 4 and what is left
}

TEST(Creating, RetriesStopWithTheLastWaiter) {
  EngineWorld world;
  world.answer(Op::connect, Answer::fails());
  world.acquire(500ms);
  world.run_for(600ms);
  const auto starts = world.started(Op::connect);
  world.run_for(1h);
  EXPECT_EQ(world.started(Op::connect), starts);  // S11
  EXPECT_EQ(world.engine().next_timer(), no_deadline);
}

TEST(Creating, ServedAsSoonAsTheServerIsBack) {
  EngineWorld world;
  world.answer(Op::connect, Answer::fails());
  Call& call = world.acquire();
  world.run_for(30s);
  world.answer(Op::connect, {});
  const Instant healthy = world.now();
  world.run_for(10s);
  ASSERT_TRUE(call.lent());
  EXPECT_LE(call.resolved_at - healthy, 2400ms + 1ms);  // R1: cap and jitter, one connect
}

TEST(Creating, AFullServerCostsNoHealthyConnection) {
  EngineConfig config = plain_config();
  config.min = 2;
  EngineWorld world(config);
  world.next(Op::connect, {});
  world.answer(Op::connect, {OpResult::server_full, 1ms});
  world.start();
  world.run_for(10s);
  EXPECT_EQ(world.idle(), 1U);  // R5, M34
  EXPECT_EQ(world.started(Op::close), 0U);
  EXPECT_TRUE(world.acquire().lent());  // and it is not even doubted
}

TEST(Creating, AFailureThatIsFatalRetriesAtTheCap) {
  EngineConfig config = plain_config();
  config.propagate_create_error = PropagateCreateError::never;
  EngineWorld world(config);
  world.answer(Op::connect, {OpResult::fatal, 1ms});
  world.acquire();
  world.run_for(5s);
  expect_near(gaps(world).at(0), 2s);
}

TEST(Propagating, FatalFailsAllAtOnceAndIsRemembered) {
  EngineWorld world;
  world.answer(Op::connect, {OpResult::fatal, 1ms});
  Call& a = world.acquire();
  Call& b = world.acquire();
  world.run_for(1ms);
  EXPECT_TRUE(a.ended_with(Outcome::create_failed));
  EXPECT_TRUE(b.ended_with(Outcome::create_failed));
  // Until the next attempt may start, asking is in vain; then one caller's probe decides.
  EXPECT_TRUE(world.acquire().ended_with(Outcome::create_failed));
  EXPECT_EQ(world.started(Op::connect), 2U);
  world.run_for(3s);
  world.answer(Op::connect, {});
  Call& c = world.acquire();
  EXPECT_TRUE(c.waiting);
  world.run_for(10ms);
  EXPECT_TRUE(c.lent());
}

TEST(Propagating, TransientErrorsReachNobodyByDefault) {
  EngineWorld world;
  world.answer(Op::connect, Answer::fails());
  Call& call = world.acquire(1s);
  world.run_for(2s);
  EXPECT_TRUE(call.ended_with(Outcome::timeout));
}

TEST(Propagating, AnyAndNever) {
  for (const auto policy : {PropagateCreateError::any, PropagateCreateError::never}) {
    EngineConfig config = plain_config();
    config.propagate_create_error = policy;
    EngineWorld world(config);
    world.answer(Op::connect, {OpResult::server_full, 1ms});
    Call& call = world.acquire(5s);
    world.run_for(5s);
    const bool at_once = policy == PropagateCreateError::any;
    EXPECT_TRUE(call.ended_with(at_once ? Outcome::create_failed : Outcome::timeout));
  }
}

TEST(Propagating, WhoCanBeServedByAReturnWaitsForIt) {
  EngineConfig config = plain_config();
  config.propagate_create_error = PropagateCreateError::any;
  EngineWorld world(config);
  Call& holder = world.acquire();
  world.run_for(10ms);
  world.answer(Op::connect, {OpResult::fatal, 1ms});
  Call& call = world.acquire();
  world.run_for(100ms);
  ASSERT_TRUE(call.waiting);  // R5: served by returns meanwhile
  world.release(holder);
  EXPECT_TRUE(call.lent());
}

TEST(Propagating, WhenTheLastConnectionGoesWaitersLearnThatNoneWillCome) {
  EngineWorld world;
  Call& holder = world.acquire();
  world.run_for(10ms);
  world.answer(Op::connect, {OpResult::fatal, 1ms});
  Call& call = world.acquire();
  world.run_for(100ms);
  ASSERT_TRUE(call.waiting);
  world.release(holder, {.broken = true});
  EXPECT_TRUE(call.ended_with(Outcome::create_failed));  // R7, as a newcomer would be
}

TEST(Initialising, SharesTheDeadlineOfTheConnect) {
  EngineConfig config = plain_config();
  config.has_init = true;
  EngineWorld world(config);
  world.answer(Op::connect, {OpResult::ok, 3s});
  world.answer(Op::init, Answer::hangs());
  world.acquire();
  world.run_for(4s);
  ASSERT_EQ(world.running(Op::init).size(), 1U);
  EXPECT_EQ(world.aborts(), 0U);
  world.run_for(1s);
  EXPECT_EQ(world.aborts(), 1U);  // 5 s after the start of the connect, not of the init
}

TEST(Initialising, AFailedInitClosesTheSessionAndBacksOff) {
  EngineConfig config = plain_config();
  config.has_init = true;
  EngineWorld world(config);
  world.answer(Op::init, Answer::fails());
  Call& call = world.acquire();
  world.run_for(10ms);
  EXPECT_EQ(world.sessions(), 0U);
  EXPECT_EQ(world.closed(CloseReason::broken), 1U);
  EXPECT_EQ(world.engine().counters().create_failures, 1U);
  EXPECT_EQ(world.started(Op::connect), 1U);
  world.answer(Op::init, {});
  world.run_for(1s);
  EXPECT_TRUE(call.lent());
}

}  // namespace
}  // namespace weir::engine::test
