// SPDX-License-Identifier: MIT
//
// Goal: what the shell and its executor promise between threads holds in schedules that a bug of
// depth 3 needs, with a stated probability of having met them.
// Method: small programs under PCT (litmus.hpp). The executor's are small enough for 99.9 % at each
//         commit; a whole pool's are not, and get the runs that fit into their time; what those are
//         worth is printed, too.
#include "tests/sim/explore/litmus.hpp"

#include "core/runtime/executor.hpp"
#include "sim/explore/run.hpp"
#include "sim/explore/scenario_file.hpp"
#include "sim/world/sim_runtime.hpp"

#include <chrono>
#include <string_view>

#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;
using Executor = runtime::BasicExecutor<SimRuntime>;

// ---- the executor, alone

TEST(ExecutorLitmus, a_task_that_is_posted_runs) {
  EXPECT_TRUE(program_litmus("a posted task runs", [] {
    bool ran = false;
    {
      Executor executor;
      executor.post([&] { ran = true; });
    }
    expect(ran, "the task did not run before the executor's end");
  }));
}

TEST(ExecutorLitmus, a_timer_that_is_removed_fires_no_more) {
  EXPECT_TRUE(program_litmus("a removed timer is over", [] {
    bool gone = false;
    Executor executor;
    const auto timer = executor.add_timer([&] { expect(!gone, "it fired after its removal"); });
    executor.arm(timer, World::current().now());
    executor.remove_timer(timer);
    gone = true;
  }));
}

TEST(ExecutorLitmus, a_timer_fires_once_for_each_arming_and_not_early) {
  EXPECT_TRUE(program_litmus("a timer fires once, in time", [] {
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

// A stack is eight megabytes of a process's addresses, however idle it is.
TEST(ExecutorThreads, that_have_ended_are_joined_by_the_next_one_that_ends) {
  World world(WorldOptions{}, ScheduleSpec{});
  const Ending ending = world.run([] {
    Executor executor;
    for (int i = 0; i < 5; ++i)
      executor.post([] { SimRuntime::sleep_until(SimRuntime::now() + 1s); });
    SimRuntime::sleep_until(SimRuntime::now() + 1h);
    expect(executor.thread_count() == 0, "a thread has stayed without work");
    expect(executor.unjoined_count() <= 1, "threads that have ended were left");
  });
  EXPECT_TRUE(ending.ok()) << ending.text;
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
