// SPDX-License-Identifier: MIT
//
// A host's own tests over a driver of its own, through the library.
#include "tests/sim/plugin/scenario.hpp"

#include <weir/sim.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using testing::HasSubstr;

TEST(PluginOfHost, is_run_once_by_the_wall_clock_and_not_searched) {
  const auto once = simulate(scenario_of(WEIR_SLEEPS_PLUGIN, "wall"), {}, {.base_dir = "/"});
  ASSERT_TRUE(once.has_value()) << once.error().what();
  EXPECT_TRUE(once->ok()) << once->text();
  EXPECT_THAT(once->text(), HasSubstr("by the wall clock"));
  Search search;
  search.scenario = scenario_of(WEIR_SLEEPS_PLUGIN, "wall");
  const auto findings = explore(search);
  ASSERT_FALSE(findings.has_value());
  EXPECT_THAT(findings.error().message(), HasSubstr("wall"));
}

TEST(PluginOfHost, can_be_searched_by_virtual_time) {
  Search search;
  search.scenario = scenario_of(WEIR_TEMPLATE_PLUGIN, "virtual");
  search.runs_max = 20;
  const auto findings = explore(search);
  ASSERT_TRUE(findings.has_value()) << findings.error().what();
  EXPECT_TRUE(findings->ok()) << findings->text();
  EXPECT_GE(findings->runs, 20U);
}

}  // namespace
}  // namespace weir::sim
