// SPDX-License-Identifier: MIT
// Goal:   where a wait went is known by phase, and the phases add up to it (O1).
// Method: a wait through one phase after another, with its reading taken at both ends.
#include "tests/engine/world.hpp"

#include <numeric>

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

Duration in(const PhaseTimes& times, AcquirePhase phase) {
  return times[static_cast<std::size_t>(phase)];
}

class Watch {
 public:
  explicit Watch(EngineWorld& world)
      : world_(world), from_(world.engine().phase_times(world.now())) {}
  // Up to the end of `call`.
  [[nodiscard]] PhaseTimes read(const Call& call) const {
    PhaseTimes times = world_.engine().phase_times(call.resolved_at);
    for (std::size_t i = 0; i < times.size(); ++i) times[i] -= from_[i];
    return times;
  }

 private:
  EngineWorld& world_;
  PhaseTimes from_;
};

TEST(Phases, OfAWaitThroughAllOfThem) {
  EngineConfig config = plain_config();
  config.max = 1;
  config.has_init = true;
  config.validate_after = 1s;
  config.create_retry_interval = config.create_retry_max = 2s;
  EngineWorld world(config);
  world.next(Op::connect, {OpResult::failed, 10ms, Answer::Hang::no});
  world.answer(Op::connect, {OpResult::ok, 20ms, Answer::Hang::no});
  world.answer(Op::init, {OpResult::ok, 30ms, Answer::Hang::no});
  world.answer(Op::validate, {OpResult::failed, 40ms, Answer::Hang::no});
  world.answer(Op::reset, {OpResult::ok, 50ms, Answer::Hang::no});
  world.answer(Op::close, {OpResult::ok, 0ns, Answer::Hang::no});

  const Watch first(world);
  Call& a = world.acquire();
  while (a.waiting) world.run_for(1ms);
  PhaseTimes times = first.read(a);
  EXPECT_EQ(in(times, AcquirePhase::connecting), 30ms);
  EXPECT_EQ(in(times, AcquirePhase::initialising), 30ms);
  EXPECT_GE(in(times, AcquirePhase::backoff), 1600ms - 10ms);
  EXPECT_EQ(std::accumulate(times.begin(), times.end(), Duration{}), a.resolved_at - a.enqueued);

  const Watch second(world);
  Call& b = world.acquire();
  world.run_for(100ms);  // busy
  world.release(a, {.dirty = true});
  while (b.waiting) world.run_for(1ms);
  times = second.read(b);
  EXPECT_EQ(in(times, AcquirePhase::busy), 100ms);
  EXPECT_EQ(in(times, AcquirePhase::resetting), 50ms);

  world.release(b);
  world.run_for(5s);
  const Watch third(world);
  Call& c = world.acquire();
  world.suspend();
  world.run_for(7ms);
  world.resume();
  while (c.waiting) world.run_for(1ms);
  times = third.read(c);
  EXPECT_EQ(in(times, AcquirePhase::suspended), 7ms);
  EXPECT_EQ(in(times, AcquirePhase::validating), 33ms);
  EXPECT_EQ(in(times, AcquirePhase::connecting), 20ms);
}

}  // namespace
}  // namespace weir::engine::test
