// SPDX-License-Identifier: MIT
//
// Goal:   the state is O(connections + waiters): once the pool has seen its largest crowd, it
//         allocates nothing more, however long it lives (S20).
// Method: a crowd comes and goes, some give up, some are lent a connection, connections die and are
//         replaced; every allocation of the process is counted while the same goes on again.
#include "core/engine/engine.hpp"
#include "tests/engine/allocations.hpp"

#include <gtest/gtest.h>

namespace weir::engine::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t connections = 8;
constexpr std::uint32_t crowd = 500;

EngineConfig config() {
  EngineConfig c;
  c.max = connections;
  c.max_connecting = 4;
  c.max_waiting = crowd;
  c.quarantine_max = 2;
  c.create_timeout = 1s;
  c.create_retry_interval = 10ms;
  c.create_retry_max = 100ms;
  c.idle_timeout = 5s;
  c.reap_interval = 1s;
  c.max_lifetime = 20s;
  c.validate_after = 500ms;
  c.keepalive = 2s;
  c.fair_after = 5ms;
  c.hold_warn = 1s;
  return c;
}

// The shell, with room for everything set aside beforehand.
class Life {
 public:
  Life() {
    fx_.start.reserve(100);
    fx_.resolved.reserve(2 * crowd);
    fx_.abort.reserve(100);
    fx_.events.reserve(1000);
    done_ = fx_;
    leases_.reserve(100);
    done_.start.reserve(100);
    done_.resolved.reserve(2 * crowd);
    done_.abort.reserve(100);
    done_.events.reserve(1000);
  }

  // One wave: a crowd, some of which leave, are served, or find their connections broken.
  void wave(std::uint32_t number) {
    for (std::uint32_t i = 0; i < crowd; ++i) {
      Waiter waiter;
      waiter.token = this;
      waiter.deadline = after(now_, i % 3 == 0 ? Duration(50ms) : Duration(1h));
      waiter.holder.task = i % 7;
      const WaiterId id = engine_.acquire(waiter, now_, fx_);
      if (i % 5 == 0) engine_.cancel(id, Outcome::cancelled, now_, fx_);
      perform(number);
    }
    for (std::uint32_t i = 0; i < 2 * crowd && (!leases_.empty() || !engine_.queue().empty());
         ++i) {
      give_back_all(number + i);
      now_ += 10ms;
      engine_.tick(now_, fx_);
      perform(number);
    }
    if (number % 10 == 9) engine_.evict(now_, fx_);
    now_ += 3s;
    engine_.tick(now_, fx_);
    perform(number);
  }

 private:
  void give_back_all(std::uint32_t number) {
    const std::vector<Resolved>::size_type count = leases_.size();
    for (std::size_t i = 0; i < count; ++i) {
      const Resolved lease = leases_[i];
      const ReturnFacts facts{.broken = (number + i) % 11 == 0, .dirty = (number + i) % 3 == 0};
      ASSERT_TRUE(engine_.give_back(lease.slot, lease.lease, facts, now_, fx_));
    }
    leases_.clear();
    perform(number);
  }

  void perform(std::uint32_t number) {
    while (!fx_.empty()) {
      std::swap(fx_, done_);
      fx_.clear();
      for (const Resolved& r : done_.resolved) {
        if (r.outcome == Outcome::lent) leases_.push_back(r);
      }
      for (const StartOp& op : done_.start) {
        const bool fails = (number + op.serial) % 13 == 0;
        engine_.finished(op.slot, op.serial, fails ? OpResult::failed : OpResult::ok, now_, fx_);
      }
    }
  }

  PlainRack rack_;
  Engine engine_{config(), rack_, 1};
  Effects fx_;
  Effects done_;
  std::vector<Resolved> leases_;
  Instant now_ = Instant(1h);
};

TEST(Memory, ALongLifeAllocatesNothingMore) {
  Life life;
  for (std::uint32_t i = 0; i < 50; ++i) life.wave(i);
  const std::size_t before = allocations();
  ASSERT_GT(before, 0U);
  for (std::uint32_t i = 50; i < 500; ++i) life.wave(i);
  EXPECT_EQ(allocations(), before);
}

}  // namespace
}  // namespace weir::engine::test
