// SPDX-License-Identifier: MIT
//
// A user's own driver under simulation: one that waits in the host runs in virtual time as the
// drivers that ship do; one that waits in the real world is noticed and named, and runs by the wall
// clock when asked to.
#include "sim/explore/campaign.hpp"
#include "sim/explore/scenario_file.hpp"
#include "tests/sim/plugin/scenario.hpp"

#include <chrono>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Scenario scenario(std::string_view plugin, std::string_view clock = "virtual") {
  return scenario_from_string(scenario_of(plugin, clock), "test", "/").value();
}

std::uint64_t well_ended(const Report& report) {
  std::uint64_t failed = 0;
  for (const auto& [code, count] : report.failures) failed += count;
  return report.rounds - failed;
}

TEST(Plugin, runs_in_virtual_time_and_is_the_same_twice) {
  const Scenario s = scenario(WEIR_TEMPLATE_PLUGIN);
  const Report report = run(s);
  ASSERT_TRUE(report.ok()) << report.ending.text;
  EXPECT_GT(well_ended(report), 20U);
  EXPECT_EQ(compare_runs(s, report, default_engine()), "");
  EXPECT_GT(report.judgement.checked.size(), 10U);
}

TEST(Plugin, is_found_again_from_the_file_that_is_written) {
  const Scenario s = scenario(WEIR_TEMPLATE_PLUGIN);
  EXPECT_EQ(scenario_from_string(to_toml(s), "again", "/elsewhere").value(), s);
}

TEST(Plugin, that_cannot_be_had_is_named) {
  const Report report = run(scenario("/nowhere/weir_x.so"));
  EXPECT_EQ(report.signature(), "config");
  EXPECT_THAT(report.ending.text, HasSubstr("/nowhere/weir_x.so"));
}

TEST(Plugin, that_waits_for_a_descriptor_ends_a_run_in_virtual_time) {
  const Report report = run(scenario(WEIR_POLLS_PLUGIN));
  EXPECT_EQ(report.signature(), "real world");
  EXPECT_THAT(report.ending.text, HasSubstr("clock = \"wall\""));
}

TEST(Plugin, that_waits_for_descriptors_runs_by_the_wall_clock) {
  const Report report = run(scenario(WEIR_POLLS_PLUGIN, "wall"));
  ASSERT_TRUE(report.ok()) << report.ending.text;
  EXPECT_GT(well_ended(report), 5U);
}

TEST(Plugin, that_blocks_runs_by_the_wall_clock) {
  const auto begin = std::chrono::steady_clock::now();
  const Report report = run(scenario(WEIR_SLEEPS_PLUGIN, "wall"));
  ASSERT_TRUE(report.ok()) << report.ending.text;
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 300ms);
  EXPECT_GE(report.virtual_time, 300ms);
  EXPECT_GE(report.stalled, 50ms);  // ten statements and more, of 5 ms that nobody else had
  EXPECT_GT(well_ended(report), 5U);
}

using PluginDeathTest = testing::Test;

TEST(PluginDeathTest, that_sleeps_is_named) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  if (default_engine() == Engine::threads)
    GTEST_SKIP() << "the tripwire is off on OS threads; run a build without ThreadSanitizer";
  EXPECT_DEATH(static_cast<void>(run(scenario(WEIR_SLEEPS_PLUGIN))), "called (clock_)?nanosleep");
}

}  // namespace
}  // namespace weir::sim
