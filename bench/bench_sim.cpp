// SPDX-License-Identifier: MIT
//
// How fast the simulator is: the switch, a scheduling point, the shipping pool's acquire and
// release on fibers, whole small schedules, and a year of a pool that nobody uses. Per core.
#include "bench/measured.hpp"
#include "sim/explore/run.hpp"
#include "sim/world/sync.hpp"

#include <weir/pool.hpp>

#include <benchmark/benchmark.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;

WorldOptions endless() {
  WorldOptions o;
  o.steps_max = UINT64_MAX;
  o.guard = false;  // the benchmark reads the clock between iterations
  return o;
}

// From one fiber to another and back, as a world does it; rate is of switches.
void fiber_switch(benchmark::State& state) {
  struct Two {
    benchmark::State& state;
    std::unique_ptr<Contexts> contexts = Contexts::create(Engine::fiber);
    std::unique_ptr<Context> one{};
    std::unique_ptr<Context> other{};
  } two{state};
  two.one = two.contexts->make(
      [](void* arg) {
        auto& both = *static_cast<Two*>(arg);
        for (auto _ : both.state) both.contexts->switch_to(*both.one, *both.other, false);
        both.contexts->switch_to(*both.one, both.contexts->outside(), false);
      },
      &two);
  two.other = two.contexts->make(
      [](void* arg) {
        auto& both = *static_cast<Two*>(arg);
        for (;;) both.contexts->switch_to(*both.other, *both.one, false);
      },
      &two);
  two.contexts->switch_to(two.contexts->outside(), *two.one, false);
  state.counters["switches"] = benchmark::Counter(2.0 * static_cast<double>(state.iterations()),
                                                  benchmark::Counter::kIsRate);
  two.contexts->leave_behind(std::move(two.one));
  two.contexts->leave_behind(std::move(two.other));
}
BENCHMARK(fiber_switch);

void scheduling_point(benchmark::State& state) {
  World world(endless(), ScheduleSpec{});
  world.run([&] {
    Atomic<std::uint64_t> value{0};
    for (auto _ : state) benchmark::DoNotOptimize(value.load(std::memory_order_relaxed));
  });
  state.counters["points"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(scheduling_point);

Scenario plain(Duration duration) {
  Scenario s;
  s.duration = duration;
  s.pool.name = "main";
  s.pool.driver = "mock";
  s.pool.url = Secret("mock:sim");
  s.pool.max = 4;
  s.pool.log.info = false;
  s.steps_max = UINT64_MAX;
  return s;
}

// Acquire and release through the whole shell, fifo; with everything judged as always.
void shell_pairs(benchmark::State& state) {
  Scenario s = plain(1ms);
  ClientGroup clients;
  clients.rounds = 1;
  s.clients.push_back(clients);
  constexpr int batch = 100'000;
  const HostFunction work = [](Pool& pool) -> Result<void> {
    for (int i = 0; i < batch; ++i) {
      if (auto lease = pool.acquire(); !lease) return fail(std::move(lease).error());
    }
    return {};
  };
  for (auto _ : state) {
    if (!run(s, {}, {.work = work}).ok()) state.SkipWithError("the run failed");
  }
  state.counters["pairs"] = benchmark::Counter(batch * static_cast<double>(state.iterations()),
                                               benchmark::Counter::kIsRate);
}
BENCHMARK(shell_pairs)->Unit(benchmark::kMillisecond);

// Four clients, three acquires each, PCT: a world from its making to its verdict.
void small_schedules(benchmark::State& state) {
  Scenario s = plain(1s);
  s.pool.max = 2;
  s.mode = Mode::adversarial;
  s.schedule.kind = ScheduleSpec::Kind::pct;
  s.schedule.steps = 400;
  ClientGroup clients;
  clients.count = 4;
  clients.rounds = 3;
  s.clients.push_back(clients);
  std::uint64_t steps = 0;
  for (auto _ : state) {
    ++s.seed;
    steps += run(s).ending.steps;
  }
  state.counters["schedules"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.counters["steps_each"] =
      static_cast<double>(steps) / static_cast<double>(state.iterations());
}
BENCHMARK(small_schedules);

// Nobody asks, for a year. With lifetimes, each of the two connections is replaced every half hour.
void idle_year(benchmark::State& state) {
  Scenario s = plain(24h * 365);
  s.pool.min = 2;
  if (state.range(0) == 0) s.pool.max_lifetime = no_timeout;
  for (auto _ : state) {
    if (!run(s).ok()) state.SkipWithError("the run failed");
  }
}
BENCHMARK(idle_year)->ArgName("lifetimes")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir::sim

int main(int argc, char** argv) { return weir::bench::Measured().run(argc, argv); }
