// SPDX-License-Identifier: MIT
//
// How fast the engine decides, without threads, locks, clock and driver: the rate that bounds a
// simulation. One step is one input (an acquire, a return, a driver's answer) with its effects.
#include "bench/measured.hpp"
#include "core/engine/engine.hpp"

namespace {

using namespace std::chrono_literals;
using weir::Duration;
using weir::Instant;
using weir::engine::Effects;
using weir::engine::Engine;
using weir::engine::EngineConfig;
using weir::engine::OpResult;
using weir::engine::Outcome;
using weir::engine::PlainRack;
using weir::engine::Resolved;
using weir::engine::StartOp;
using weir::engine::Waiter;

EngineConfig plain_config(std::uint32_t connections) {
  EngineConfig config;
  config.min = config.max = connections;
  config.max_connecting = connections;
  config.max_waiting = 20'000;
  config.create_timeout = 5s;
  config.create_retry_interval = 200ms;
  config.create_retry_max = 2s;
  config.idle_timeout = 10min;
  config.reap_interval = 1s;
  config.max_lifetime = 30min;
  config.validate_after = 500ms;
  config.fairness = weir::Fairness::strict;
  config.fair_after = 5ms;
  return config;
}

// An engine with all its connections up, and a driver that answers at once.
class World {
 public:
  explicit World(std::uint32_t connections)
      : config_(plain_config(connections)), engine_(config_, rack_, 1) {
    engine_.start(now_, fx_);
    perform();
  }

  void acquire(Instant deadline) {
    Waiter waiter;
    waiter.token = this;
    waiter.deadline = deadline;
    engine_.acquire(waiter, tick(), fx_);
    ++steps_;
    perform();
  }
  void give_back_oldest() {
    const Resolved lease = leases_[first_++];
    if (!engine_.give_back(lease.slot, lease.lease, {}, tick(), fx_)) std::abort();
    if (first_ == leases_.size() || first_ == 64) {  // memory of its own must not be measured
      leases_.erase(leases_.begin(), leases_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
    ++steps_;
    perform();
  }
  [[nodiscard]] std::size_t lent() const { return leases_.size() - first_; }
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  [[nodiscard]] Instant now() const { return now_; }

 private:
  Instant tick() { return now_ += 1us; }

  void perform() {
    while (!fx_.empty()) {
      done_.clear();
      std::swap(done_, fx_);
      for (const Resolved& r : done_.resolved) {
        if (r.outcome == Outcome::lent) leases_.push_back(r);
      }
      for (const StartOp& op : done_.start) {
        engine_.finished(op.slot, op.serial, OpResult::ok, tick(), fx_);
        ++steps_;
      }
    }
  }

  EngineConfig config_;
  PlainRack rack_;
  Engine engine_;
  Effects fx_;
  Effects done_;
  std::vector<Resolved> leases_;
  std::size_t first_ = 0;
  Instant now_{1s};
  std::int64_t steps_ = 0;
};

void count_steps(benchmark::State& state, const World& world, std::int64_t before) {
  state.counters["steps"] =
      benchmark::Counter(static_cast<double>(world.steps() - before), benchmark::Counter::kIsRate);
}

// A connection is there: acquire and return, two steps.
void idle_pool(benchmark::State& state) {
  World world(static_cast<std::uint32_t>(state.range(0)));
  const std::int64_t before = world.steps();
  for (auto _ : state) {
    world.acquire(weir::after(world.now(), 30s));
    world.give_back_oldest();
  }
  count_steps(state, world, before);
}
BENCHMARK(idle_pool)->ArgName("pool")->Arg(2)->Arg(32)->Arg(1024);

// Many callers for two connections: each return serves the head of the queue. The goal is 10
// million steps per second, flat within a factor of two.
void crowded_pool(benchmark::State& state) {
  World world(2);
  for (std::int64_t i = 0; i < state.range(0); ++i) world.acquire(weir::after(world.now(), 24h));
  const std::int64_t before = world.steps();
  for (auto _ : state) {
    world.acquire(weir::after(world.now(), 24h));
    world.give_back_oldest();
  }
  count_steps(state, world, before);
}
BENCHMARK(crowded_pool)->ArgName("waiters")->Arg(10)->Arg(100)->Arg(10'000);

}  // namespace

int main(int argc, char** argv) { return weir::bench::Measured().run(argc, argv); }
