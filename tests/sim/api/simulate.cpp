// SPDX-License-Identifier: MIT
//
// simulate() and what functions of a host may do in it, good and bad.
#include "tests/sim/api/support.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// ---------------------------------------------------------------- a run

TEST(Simulate, tells_what_happened) {
  const Outcome outcome = simulated(busy);
  EXPECT_TRUE(outcome.ok()) << outcome.text();
  EXPECT_EQ(outcome.property(), "");
  EXPECT_EQ(outcome.columns(), "");
  EXPECT_GT(outcome.rounds(), 50U);
  EXPECT_EQ(outcome.failures(), 0U);
  EXPECT_EQ(outcome.round().count, outcome.rounds());
  EXPECT_EQ(outcome.stats().leases, outcome.rounds() + 1);  // one more when it had healed
  EXPECT_GT(outcome.checked("S1"), 0U);
  EXPECT_EQ(outcome.checked("no such property"), 0U);
  EXPECT_GE(outcome.virtual_time(), 200ms);
  EXPECT_THAT(outcome.text(), HasSubstr("S1"));
  EXPECT_THAT(outcome.html(), HasSubstr("<html"));
}

TEST(Simulate, its_scenario_is_the_same_run_again) {
  const Outcome outcome = simulated(busy);
  EXPECT_THAT(outcome.scenario(), Not(HasSubstr("[expect]")));
  EXPECT_EQ(simulated(outcome.scenario()).trace_hash(), outcome.trace_hash());
  EXPECT_NE(simulated("seed = 2\n" + std::string(busy)).trace_hash(), outcome.trace_hash());
}

TEST(Simulate, threads_of_the_operating_system_run_the_same) {
  EXPECT_EQ(simulated(busy, {}, {.os_threads = true}).trace_hash(), simulated(busy).trace_hash());
}

TEST(Simulate, names_everything_that_is_wrong) {
  const auto outcome = simulate(R"toml(
format = 1
duratoin = "1s"
[pool]
max = 0
[[fault]]
what = "restrat"
)toml");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), Code::config_many);
  EXPECT_THAT(outcome.error().message(), HasSubstr("duration"));
  EXPECT_THAT(outcome.error().message(), HasSubstr("restart"));
  EXPECT_THAT(outcome.error().message(), HasSubstr("max"));
}

TEST(Simulate, refuses_what_is_no_scenario) {
  EXPECT_EQ(simulate("what?").error().code(), Code::config_syntax);
  EXPECT_EQ(simulate("").error().code(), Code::config_missing);
  EXPECT_EQ(simulate_file("none.toml").error().code(), Code::config_unreadable);
}

// The driver itself refuses this one, when the run is about to begin.
TEST(Simulate, refuses_options_that_the_driver_does_not_have) {
  const auto outcome = simulate("format = 1\n[pool.options]\nno_such_option = \"1\"\n");
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message(), HasSubstr("no_such_option"));
}

// ---------------------------------------------------------------- files

class Files : public testing::Test {
 protected:
  Files() { std::filesystem::create_directories(folder_); }
  ~Files() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string folder() const { return folder_.string(); }

 private:
  const std::filesystem::path folder_ = std::filesystem::temp_directory_path() /
                                        ("weir-sim-api-" + std::to_string(std::random_device{}()));
};

constexpr const char* weir_toml =
    "version = 1\n[pool.orders]\ndriver = \"sqlite\"\nurl = \"orders.db\"\nmax = 3\n"
    "[pool.orders.retry]\nattempts = 4\n";
constexpr const char* of_the_file =
    "format = 1\nduration = \"50ms\"\npool_file = \"weir.toml\"\n[pool]\nname = \"orders\"\n"
    "[[client]]\nevery = \"5ms\"\n";

TEST_F(Files, the_pool_is_the_hosts) {
  write("weir.toml", weir_toml);
  std::uint32_t attempts = 0;
  const Host host{.work = [&](Pool& pool) {
    attempts = pool.config().retry.attempts;
    return one_statement(pool);
  }};
  const Outcome outcome = simulated(of_the_file, host, {.base_dir = folder()});
  EXPECT_TRUE(outcome.ok()) << outcome.text();
  EXPECT_EQ(outcome.stats().name, "orders");
  EXPECT_EQ(outcome.stats().now.max, 3U);
  EXPECT_EQ(outcome.stats().driver, "mock");
  EXPECT_EQ(attempts, 4U);
}

TEST_F(Files, a_scenario_may_be_one) {
  write("weir.toml", weir_toml);
  write("case.toml", of_the_file);
  const auto outcome = simulate_file(path("case.toml"));
  ASSERT_TRUE(outcome) << outcome.error().what();
  EXPECT_EQ(outcome->stats().now.max, 3U);
}

TEST_F(Files, a_pool_that_is_not_there_is_an_error) {
  const auto outcome = simulate(of_the_file, {}, {.base_dir = folder()});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), Code::config_unreadable);
}

// ---------------------------------------------------------------- functions of the host

Host working(HostFunction work) { return {.work = std::move(work)}; }

TEST(HostFunctions, run_in_virtual_time_and_by_the_retry_policy) {
  Duration slept{};
  std::uint64_t attempts = 0;
  const Outcome outcome = simulated(R"toml(
format = 1
duration = "10s"
[pool]
acquire_timeout = "100ms"
[pool.retry]
attempts = 3
[[client]]
rounds = 1
every = "1s"
[[fault]]
what = "refuse"
)toml",
                                    working([&](Pool& pool) -> Result<void> {
                                      const Instant before = pool.now();
                                      pool.sleep_until(before + 3s);
                                      slept = pool.now() - before;
                                      attempts = 0;
                                      return retry(pool, [&] {
                                        ++attempts;
                                        return one_statement(pool);
                                      });
                                    }));
  EXPECT_TRUE(outcome.ok()) << outcome.text();
  EXPECT_EQ(slept, 3s);
  EXPECT_EQ(attempts, 3U);
  EXPECT_EQ(outcome.rounds(), 1U);
  EXPECT_EQ(outcome.failures(), 1U);
}

TEST(HostFunctions, errors_of_the_work_are_counted_by_code) {
  const Outcome outcome =
      simulated(busy, working([](Pool&) -> Result<void> { return fail(Code::data_error, "no"); }));
  EXPECT_TRUE(outcome.ok()) << outcome.text();
  EXPECT_GT(outcome.failures(), 0U);
  EXPECT_EQ(outcome.failures(Code::data_error), outcome.rounds());
  EXPECT_EQ(outcome.failures(Code::conflict), 0U);
}

TEST(HostFunctions, an_exception_of_the_work_is_a_finding) {
  const Outcome outcome = simulated(
      busy, working([](Pool&) -> Result<void> { throw std::runtime_error("out of ideas"); }));
  EXPECT_EQ(outcome.property(), "exception");
  EXPECT_THAT(outcome.story(), HasSubstr("out of ideas"));
  EXPECT_THAT(outcome.story(), HasSubstr("client 1."));
}

TEST(HostFunctions, a_failing_prepare_ends_the_run) {
  int works = 0;
  const Outcome outcome = simulated(
      busy, {.prepare = [](Pool&) -> Result<void> { return fail(Code::internal, "no table"); },
             .work = [&](Pool&) { return ++works, Result<void>(); }});
  EXPECT_EQ(outcome.property(), "setup");
  EXPECT_EQ(outcome.story(), "no table");
  EXPECT_EQ(works, 0);
}

TEST(HostFunctions, a_failing_check_is_a_finding) {
  Counter counter;
  const Outcome outcome = simulated(busy, counter.host());
  EXPECT_EQ(outcome.property(), "host");
  EXPECT_EQ(outcome.story(), "an update was lost");
  EXPECT_THAT(outcome.columns(), HasSubstr("an update was lost"));
  EXPECT_THAT(outcome.text(), HasSubstr(outcome.columns()));
  EXPECT_THAT(outcome.scenario(), HasSubstr("[expect]\nproperty = \"host\""));
  const Outcome again = simulated(outcome.scenario(), counter.host());
  EXPECT_EQ(again.property(), "host");
  EXPECT_EQ(again.trace_hash(), outcome.trace_hash());
}

TEST(HostFunctions, what_is_required_and_does_not_hold_is_a_finding) {
  int after = 0;
  const Outcome outcome = simulated(busy, working([&](Pool&) -> Result<void> {
                                      require(true, "at most three", "never said");
                                      static_cast<void>(++after);
                                      require(false, "at most three", "there are four");
                                      after = -1;
                                      return {};
                                    }));
  EXPECT_EQ(outcome.property(), "at most three");
  EXPECT_EQ(outcome.story(), "there are four");
  EXPECT_GT(after, 0);
  EXPECT_THAT(outcome.text(), HasSubstr("BROKEN  at most three"));
}

TEST(HostFunctions, what_is_required_needs_a_name_of_its_own) {
  for (const char* name : {"", "config", "interrupted", "nondeterminism"}) {
    const Outcome outcome = simulated(busy, working([&](Pool&) -> Result<void> {
                                        require(true, name);
                                        return {};
                                      }));
    EXPECT_EQ(outcome.property(), "exception") << name;
    EXPECT_THAT(outcome.story(), HasSubstr("cannot be the name"));
  }
}

TEST(HostFunctions, what_is_not_deterministic_is_found_out) {
  int calls = 0;  // is never set back
  const Host host = working([&](Pool& pool) -> Result<void> {
    if (++calls > 10) pool.sleep_until(pool.now() + 1ms);
    return {};
  });
  const Outcome outcome = simulated(busy, host);
  EXPECT_EQ(outcome.property(), "nondeterminism");
  EXPECT_THAT(outcome.story(), HasSubstr("two runs differ"));
  EXPECT_TRUE(simulated(busy, host, {.twice = false}).ok());
}

TEST(HostFunctions, a_failure_that_does_not_come_again_is_found_out) {
  bool first = true;
  const Outcome outcome = simulated(busy, working([&](Pool& pool) -> Result<void> {
                                      require(!std::exchange(first, false), "not the first");
                                      return one_statement(pool);
                                    }));
  EXPECT_EQ(outcome.property(), "nondeterminism");
  EXPECT_THAT(outcome.story(), HasSubstr("once it ended with not the first"));
}

// ---------------------------------------------------------------- chance, time, threads

using Draws = std::map<std::string, std::vector<std::uint64_t>>;

// What the clients of two groups draw; each group is known by the statements that it may say.
Draws draws_of(bool both) {
  Draws draws;
  std::string scenario =
      "format = 1\nduration = \"30ms\"\n[[client]]\nnumber = 2\nevery = \"3ms\"\n";
  if (both) scenario += "[[client]]\nnumber = 1\ncount = 2\nevery = \"2ms\"\n";
  const Host host = working([&](Pool& pool) -> Result<void> {
    Random random;
    const std::uint64_t one = random();
    pool.sleep_until(pool.now() + 1ms);
    draws[std::to_string((pool.now().time_since_epoch() / 1ms) % 3)].push_back(one);
    draws["all"].push_back(std::uniform_int_distribution<std::uint64_t>(1, 6)(random));
    return {};
  });
  EXPECT_TRUE(simulated(scenario, host, {.twice = false}).ok());
  return draws;
}

TEST(Chance, is_the_same_in_each_run) { EXPECT_EQ(draws_of(true), draws_of(true)); }

TEST(Chance, is_each_clients_own) {
  std::map<std::uint64_t, int> seen;
  const Host host =
      working([&](Pool&) -> Result<void> { return ++seen[Random{}()], Result<void>(); });
  ASSERT_TRUE(simulated(busy, host, {.twice = false}).ok());
  for (const auto& [draw, count] : seen) EXPECT_EQ(count, 1) << draw;
  EXPECT_GT(seen.size(), 50U);
}

TEST(Chance, stays_when_other_clients_are_taken_away) {
  std::vector<std::uint64_t> with;
  std::vector<std::uint64_t> without;
  const auto first_of_group_two = [](std::vector<std::uint64_t>& draws, const std::string& others) {
    const Host host = working([&](Pool& pool) -> Result<void> {
      // Group 2 begins when the others have ended.
      const std::uint64_t draw = Random{}();
      if (pool.now() >= Instant(1h + 50ms)) draws.push_back(draw);
      return {};
    });
    const std::string two = "[[client]]\nnumber = 2\nfrom = \"50ms\"\nevery = \"5ms\"\n";
    ASSERT_TRUE(
        simulated("format = 1\nduration = \"90ms\"\n" + others + two, host, {.twice = false}).ok());
  };
  first_of_group_two(with, "[[client]]\nnumber = 1\nevery = \"1ms\"\nto = \"40ms\"\n");
  first_of_group_two(without, "");
  EXPECT_FALSE(with.empty());
  EXPECT_EQ(with, without);
}

TEST(Inside, is_needed_by_what_belongs_there) {
  EXPECT_DEATH(require(true, "something"), "belongs to no world");
  EXPECT_DEATH(static_cast<void>(Random{}()), "belongs to no world");
}

// The library comes before libc: also for what the standard library calls on a host's behalf.
TEST(Inside, real_clocks_and_sleep_end_the_process) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "virtual threads are real ones in this build; run one without ThreadSanitizer";
#endif
  EXPECT_DEATH(static_cast<void>(simulate(busy, working([](Pool&) -> Result<void> {
                                            static_cast<void>(std::chrono::system_clock::now());
                                            return {};
                                          }))),
               "client 1.. called clock_gettime");
  EXPECT_GT(std::chrono::system_clock::now().time_since_epoch().count(), 0);
}

}  // namespace
}  // namespace weir::sim
