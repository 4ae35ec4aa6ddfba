// SPDX-License-Identifier: MIT
//
// Goal: a budget keeps retries from making an outage outlive its cause, and without one they do.
// Method: examples/storm, two files that differ in the budget and in nothing else.
#include "sim/explore/run.hpp"
#include "sim/explore/scenario_file.hpp"

#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;

Scenario example(const std::string& name) {
  const char* const root = std::getenv("WEIR_TEST_SOURCE_ROOT");
  auto read = read_scenario(std::string(root != nullptr ? root : ".") + "/examples/storm/" + name);
  if (!read) ADD_FAILURE() << read.error().what();
  return read ? *std::move(read) : Scenario{};
}

// Of the rounds that were due since `from`: how many failed or took longer than a second.
double unserved(const Report& report, Duration from) {
  const auto late = [&](const Round& r) { return r.due >= after(World::beginning, from); };
  const auto bad = [&](const Round& r) {
    return late(r) && (r.result != Code{} || r.done - r.due > 1s);
  };
  const auto all = std::count_if(report.history.begin(), report.history.end(), late);
  const auto few = std::count_if(report.history.begin(), report.history.end(), bad);
  return all == 0 ? 1 : static_cast<double>(few) / static_cast<double>(all);
}

TEST(RetryStorm, outlives_its_cause_without_a_budget_and_not_with_one) {
  const Scenario without = example("storm.toml");
  Scenario with = example("storm_budget.toml");
  const Fault& slow = without.server.faults.at(0);
  const Duration long_after = Duration(slow.to) + 4s;
  ASSERT_LT(long_after + 5s, without.duration);

  const Report storm = run(without, {.keep_history = true});
  const Report calm = run(with, {.keep_history = true});
  ASSERT_TRUE(storm.ok()) << storm.ending.text;
  ASSERT_TRUE(calm.ok()) << calm.ending.text;
  EXPECT_GT(unserved(storm, long_after), 0.5);
  EXPECT_LT(unserved(calm, long_after), 0.05);

  with.pool.retry.budget = without.pool.retry.budget;
  with.name = without.name;
  EXPECT_EQ(with, without) << "the files differ in more than the budget";
}

}  // namespace
}  // namespace weir::sim
