// SPDX-License-Identifier: MIT
//
// Goal: what the shell and its executor promise between threads holds in schedules that a bug of
// depth 3 needs, with a stated probability of having met them.
// Method: small programs under PCT (Burckhardt et al., ASPLOS 2010): one run of n threads and k
//         steps meets a bug of depth d with a chance of 1 / (n k^(d-1)) at least, so that
//         n k^(d-1) ln(1000) runs meet it with 99.9 %. n and k are measured, the number of runs is
//         computed and printed. The executor's programs are small enough for that at each commit;
//         a whole pool's are not, and get the runs that fit into their time; what those are worth
//         is printed, too.
#include "core/runtime/executor.hpp"
#include "sim/explore/run.hpp"
#include "sim/explore/scenario_file.hpp"
#include "sim/world/sim_runtime.hpp"
#include "tests/sim/explore/scale.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string_view>

#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;
using WallClock = std::chrono::steady_clock;
using Executor = runtime::BasicExecutor<SimRuntime>;

constexpr std::uint32_t depth = 3;

// What a run took; its text is not empty if it failed.
struct Sight {
  std::size_t threads;
  std::uint64_t steps;
  std::string failure;
};

// Runs `once(seed, spec)` until a bug of this depth would have been met with 99.9 %, or until the
// time is over. Returns: whether it came so far.
template <class Once>
bool litmus(const char* name, Duration time, Once&& once) {
  ScheduleSpec spec;
  spec.kind = ScheduleSpec::Kind::pct;
  spec.depth = depth;
  spec.steps = 1;
  const Sight first = once(1, spec);
  EXPECT_EQ(first.failure, "") << name;
  spec.steps = static_cast<std::uint32_t>(first.steps);
  const double chance = 1 / (static_cast<double>(first.threads) *
                             std::pow(static_cast<double>(first.steps), depth - 1));
  const auto needed = static_cast<std::uint64_t>(std::ceil(std::log(1000) / chance));
  const auto end = WallClock::now() + time;
  std::uint64_t runs = 0;
  while (runs < needed && WallClock::now() < end) {
    const Sight seen = once(++runs, spec);
    if (seen.failure.empty()) continue;
    ADD_FAILURE() << name << ", seed " << runs << ": " << seen.failure;
    return false;
  }
  std::printf("%-34s %zu threads, %4llu steps: %9llu runs for 99.9 %%, made %9llu: %.2f %%\n", name,
              first.threads, static_cast<unsigned long long>(first.steps),
              static_cast<unsigned long long>(needed), static_cast<unsigned long long>(runs),
              100 * (1 - std::pow(1 - chance, static_cast<double>(runs))));
  return runs >= needed;
}

// ---- the executor, alone

template <class Program>
bool executor_litmus(const char* name, Program&& program) {
  return litmus(name, full() ? 60s : 15s, [&](std::uint64_t seed, const ScheduleSpec& spec) {
    WorldOptions options;
    options.seed = seed;
    options.mode = Mode::adversarial;
    options.steps_max = 10'000;
    World world(options, spec);
    const Ending ending = world.run(program);
    return Sight{world.threads(), ending.steps, ending.ok() ? "" : ending.text};
  });
}

void expect(bool held, const char* what) {
  if (!held) World::current().fail("litmus", what);
}

TEST(ExecutorLitmus, a_task_that_is_posted_runs) {
  EXPECT_TRUE(executor_litmus("a posted task runs", [] {
    bool ran = false;
    {
      Executor executor;
      executor.post([&] { ran = true; });
    }
    expect(ran, "the task did not run before the executor's end");
  }));
}

TEST(ExecutorLitmus, a_timer_that_is_removed_fires_no_more) {
  EXPECT_TRUE(executor_litmus("a removed timer is over", [] {
    bool gone = false;
    Executor executor;
    const auto timer = executor.add_timer([&] { expect(!gone, "it fired after its removal"); });
    executor.arm(timer, World::current().now());
    executor.remove_timer(timer);
    gone = true;
  }));
}

TEST(ExecutorLitmus, a_timer_fires_once_for_each_arming_and_not_early) {
  EXPECT_TRUE(executor_litmus("a timer fires once, in time", [] {
    int fired = 0;
    const Instant due = World::current().now() + 1ms;
    {
      Executor executor;
      const auto timer = executor.add_timer([&] {
        ++fired;
        expect(World::current().now() >= due, "it fired early");
      });
      executor.arm(timer, due);
      SimRuntime::sleep_until(due + 1ms);
      executor.remove_timer(timer);
    }
    expect(fired <= 1, "it fired more than once");
  }));
}

// ---- a pool

// In the time that there is: a pool is larger than what 99.9 % can be had for in a minute.
void pool_litmus(const char* name, std::string_view text) {
  auto read = scenario_from_string(text, name);
  ASSERT_TRUE(read) << read.error().what();
  Scenario scenario = *std::move(read);
  scenario.mode = Mode::adversarial;
  scenario.pool.log.info = false;
  litmus(name, full() ? 15s : 3s, [&](std::uint64_t seed, const ScheduleSpec& spec) {
    scenario.seed = seed;
    scenario.schedule = spec;
    const Report report = run(scenario);
    return Sight{report.thread_names.size(), report.ending.steps,
                 report.ok() ? "" : report.ending.property + ": " + report.ending.text};
  });
}

TEST(PoolLitmus, a_return_meets_a_deadline) {
  pool_litmus("a return meets a deadline", R"toml(
format = 1
duration = "3ms"
[pool]
max = 1
idle_timeout = "none"
max_lifetime = "none"
[[client]]
rounds = 1
hold = "1ms"
[[client]]
rounds = 1
timeout = "1ms"
)toml");
}

TEST(PoolLitmus, a_connect_meets_its_abort) {
  pool_litmus("a connect meets its abort", R"toml(
format = 1
duration = "3ms"
[pool]
max = 1
create_timeout = "1ms"
[server]
auth = "1ms"
[[client]]
rounds = 1
timeout = "2ms"
)toml");
}

TEST(PoolLitmus, a_drain_meets_an_acquire) {
  pool_litmus("a drain meets an acquire", R"toml(
format = 1
duration = "3ms"
[pool]
max = 1
[[client]]
rounds = 2
[[action]]
what = "drain"
at = "0ms"
timeout = "1ms"
)toml");
}

TEST(PoolLitmus, a_smaller_pool_meets_a_return) {
  pool_litmus("a resize meets a return", R"toml(
format = 1
duration = "3ms"
[pool]
max = 2
[[client]]
count = 2
rounds = 1
[[action]]
what = "resize"
at = "0ms"
max = 1
)toml");
}

}  // namespace
}  // namespace weir::sim
