// SPDX-License-Identifier: MIT
//
// explore(), minimize() and the drawing of scenarios, by a host that has a bug and one that has
// none; and the same as values of rapidcheck.
#include "tests/sim/api/support.hpp"

#include <weir/sim_rapidcheck.hpp>

#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// Up to eight clients that count; what goes wrong meanwhile is drawn.
Search counting() {
  Search search;
  search.scenario =
      "format = 1\nduration = \"2s\"\n[pool]\nmax = 3\n"
      "[[client]]\ncount = 8\nevery = \"exp(5ms)\"\nrounds = 20\n";
  search.statements = false;
  return search;
}

// ---------------------------------------------------------------- explore

TEST(Explore, finds_a_lost_update_and_makes_it_small) {
  Counter counter;
  Search search = counting();
  search.budget = 60s;
  const auto findings = explore(search, counter.host());
  ASSERT_TRUE(findings) << findings.error().what();
  ASSERT_EQ(findings->found.size(), 1U) << findings->text();
  const Outcome& found = findings->found.front();
  EXPECT_EQ(found.property(), "host");
  EXPECT_FALSE(findings->ok());
  // Two clients, once each, and nothing that goes wrong.
  const std::string text = found.scenario();
  EXPECT_EQ(occurrences(text, "[[client]]"), 1U) << text;
  EXPECT_THAT(text, HasSubstr("count = 2"));
  EXPECT_THAT(text, HasSubstr("rounds = 1"));
  EXPECT_THAT(text, Not(HasSubstr("[[fault]]")));
  EXPECT_THAT(findings->text(), HasSubstr(text));
  EXPECT_THAT(findings->text(), HasSubstr(found.columns()));
  // And the file is the same run again.
  const Outcome again = simulated(text, counter.host());
  EXPECT_EQ(again.property(), "host");
  EXPECT_EQ(again.trace_hash(), found.trace_hash());
}

TEST(Explore, finds_nothing_where_nothing_is_wrong) {
  Counter counter{.careful = true};
  Search search = counting();
  search.budget = 60s;
  search.runs_max = 40;
  const auto findings = explore(search, counter.host());
  ASSERT_TRUE(findings) << findings.error().what();
  EXPECT_TRUE(findings->ok()) << findings->text();
  EXPECT_EQ(findings->runs, 40U);
  EXPECT_GT(findings->steps, 0U);
  EXPECT_GT(findings->virtual_time, 0s);
  EXPECT_GT(findings->checked.at("S1"), 0U);
  EXPECT_THAT(findings->text(), HasSubstr("40 runs"));
}

TEST(Explore, draws_everything_without_a_scenario) {
  Search search;
  search.pools = true;
  search.runs_max = 30;
  const auto findings = explore(search);
  ASSERT_TRUE(findings) << findings.error().what();
  EXPECT_TRUE(findings->ok()) << findings->text();
  EXPECT_EQ(findings->runs, 30U);
}

TEST(Explore, says_when_the_host_is_not_deterministic) {
  int calls = 0;
  const Host host{.work = [&](Pool& pool) -> Result<void> {
    if (++calls > 10) pool.sleep_until(pool.now() + 1ms);
    return {};
  }};
  const auto findings = explore(counting(), host);
  ASSERT_TRUE(findings) << findings.error().what();
  EXPECT_FALSE(findings->nondeterministic.empty());
  EXPECT_TRUE(findings->found.empty());
  EXPECT_THAT(findings->text(), HasSubstr("two runs differ"));
}

TEST(Explore, does_not_take_a_failure_of_chance_for_a_finding) {
  int calls = 0;
  const Host host{.work = [&](Pool&) -> Result<void> {
    require(++calls != 3, "not the third");
    return {};
  }};
  const auto findings = explore(counting(), host);
  ASSERT_TRUE(findings) << findings.error().what();
  EXPECT_TRUE(findings->found.empty());
  EXPECT_FALSE(findings->nondeterministic.empty());
}

TEST(Explore, refuses_a_scenario_that_is_wrong) {
  Search search;
  search.scenario = "format = 1\nduratoin = \"1s\"\n";
  const auto findings = explore(search);
  ASSERT_FALSE(findings);
  EXPECT_EQ(findings.error().code(), Code::config_unknown_key);
  EXPECT_EQ(draw(search, 1).error().code(), Code::config_unknown_key);
  search.scenario = "format = 1\n[pool.options]\nno_such_option = \"1\"\n";
  EXPECT_THAT(explore(search).error().message(), HasSubstr("no_such_option"));
}

// ---------------------------------------------------------------- what is drawn

std::string drawn(const Search& search, std::uint64_t seed, int size = 100) {
  return or_throw(draw(search, seed, size));
}

TEST(Draw, is_the_same_for_the_same_arguments) {
  EXPECT_EQ(drawn(counting(), 7), drawn(counting(), 7));
  EXPECT_NE(drawn(counting(), 7), drawn(counting(), 8));
}

constexpr const char* everything = R"toml(
format = 1
duration = "2s"
setup = ["PUT a b"]
[pool]
max = 7
acquire_timeout = "123ms"
[server]
statement = "exp(7ms)"
[[client]]
number = 5
count = 6
every = "exp(9ms)"
sql = ["GET a"]
[[fault]]
what = "restart"
at = "500ms"
for = "11ms"
[[action]]
what = "evict"
at = "400ms"
)toml";

TEST(Draw, keeps_what_the_scenario_says) {
  Search search;
  search.scenario = everything;
  bool fewer = false;
  bool shorter = false;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const std::string text = drawn(search, seed);
    EXPECT_THAT(text, HasSubstr("setup = [\"PUT a b\"]"));
    EXPECT_THAT(text, HasSubstr("max = 7"));
    EXPECT_THAT(text, HasSubstr("acquire_timeout = \"123ms\""));
    EXPECT_THAT(text, HasSubstr("[server]\nstatement = \"exp(7ms)\"\n\n"));
    EXPECT_THAT(text, HasSubstr("sql = [\"GET a\"]"));
    EXPECT_THAT(text, HasSubstr("what = \"restart\"\nat = \"500ms\""));
    EXPECT_THAT(text, HasSubstr("what = \"evict\"\nat = \"400ms\""));
    EXPECT_EQ(occurrences(text, "[[client]]"), 1U);
    EXPECT_EQ(occurrences(text, "[[fault]]"), 1U);
    EXPECT_EQ(occurrences(text, "[[action]]"), 1U);
    fewer = fewer || text.find("count = 6") == std::string::npos;
    shorter = shorter || text.find("duration = \"2s\"") == std::string::npos;
    EXPECT_TRUE(smaller(text));
  }
  EXPECT_TRUE(fewer);
  EXPECT_TRUE(shorter);
}

TEST(Draw, adds_what_the_scenario_does_not_say) {
  std::size_t faults = 0;
  std::size_t actions = 0;
  std::size_t statements = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const std::string text = drawn({}, seed);
    faults += occurrences(text, "[[fault]]");
    actions += occurrences(text, "[[action]]");
    statements += occurrences(text, "sql = ");
    EXPECT_GT(occurrences(text, "[[client]]"), 0U);
  }
  EXPECT_GT(faults, 0U);
  EXPECT_GT(actions, 0U);
  EXPECT_GT(statements, 0U);
}

TEST(Draw, adds_nothing_that_is_not_asked_for) {
  Search search;
  search.faults = search.actions = search.statements = false;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const std::string text = drawn(search, seed);
    EXPECT_EQ(occurrences(text, "[[fault]]"), 0U);
    EXPECT_EQ(occurrences(text, "[[action]]"), 0U);
    EXPECT_EQ(occurrences(text, "sql = "), 0U);
  }
}

TEST(Draw, draws_the_pool_only_if_asked_to) {
  Search search;
  search.scenario = "format = 1\n[pool]\nname = \"orders\"\nmax = 77\n[pool.retry]\nattempts = 9\n";
  EXPECT_THAT(drawn(search, 1), HasSubstr("max = 77"));
  search.pools = true;
  const std::string text = drawn(search, 1);
  EXPECT_THAT(text, Not(HasSubstr("max = 77")));
  EXPECT_THAT(text, HasSubstr("name = \"orders\""));
  EXPECT_THAT(text, HasSubstr("attempts = 9"));
}

// ---------------------------------------------------------------- smaller ones

TEST(Smaller, comes_to_an_end) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    std::string text = drawn({}, seed);
    std::size_t steps = 0;
    for (auto list = or_throw(smaller(text)); !list.empty(); list = or_throw(smaller(text))) {
      for (const std::string& one : list) ASSERT_NE(one, text);
      text = list[steps % list.size()];
      ASSERT_LT(++steps, 2000U) << text;
    }
  }
}

TEST(Smaller, refuses_what_is_no_scenario) {
  EXPECT_EQ(smaller("format = 2").error().code(), Code::config_value);
}

TEST(Minimize, makes_a_failing_run_small) {
  Counter counter;
  const Outcome outcome = simulated(busy, counter.host());
  ASSERT_EQ(outcome.property(), "host");
  const Outcome small = minimize(outcome, counter.host(), 30s);
  EXPECT_EQ(small.property(), "host");
  EXPECT_LT(small.rounds(), outcome.rounds());
  EXPECT_THAT(small.scenario(), HasSubstr("count = 2"));
  EXPECT_EQ(simulated(small.scenario(), counter.host()).trace_hash(), small.trace_hash());
}

TEST(Minimize, leaves_what_does_not_fail) {
  const Outcome outcome = simulated(busy);
  EXPECT_EQ(minimize(outcome).scenario(), outcome.scenario());
}

// ---------------------------------------------------------------- rapidcheck

TEST(Scenarios, shrink_to_scenarios) {
  const auto shrinkable = scenarios(counting())(rc::Random(1), 50);
  EXPECT_TRUE(simulate(shrinkable.value().text));
  int looked = 0;
  auto shrinks = shrinkable.shrinks();
  for (auto next = shrinks.next(); next; next = shrinks.next()) {
    EXPECT_NE(next->value(), shrinkable.value());
    EXPECT_TRUE(smaller(next->value().text));
    ++looked;
  }
  EXPECT_GT(looked, 5);
  EXPECT_THAT(rc::toString(shrinkable.value()), HasSubstr("\nformat = 1\n"));
}

TEST(Scenarios, throw_what_is_wrong_with_the_search) {
  Search search;
  search.scenario = "format = 1\nduratoin = \"1s\"\n";
  EXPECT_THROW(static_cast<void>(scenarios(search)(rc::Random(1), 50).value()), Exception);
}

RC_GTEST_PROP(Scenarios, hold_for_a_host_without_a_bug, ()) {
  Counter counter{.careful = true};
  const auto scenario = *scenarios(counting()).as("scenario");
  const Outcome outcome = simulated(scenario.text, counter.host(), {.twice = false});
  if (!outcome.ok()) RC_FAIL(outcome.text());
}

}  // namespace
}  // namespace weir::sim
