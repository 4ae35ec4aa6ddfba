// SPDX-License-Identifier: MIT
// Goal:   the trace is one that viewers open: pairs match and nest, times are microseconds,
//         counters are there, texts are escaped, and what was left out is said.
// Method: parses it and follows every pair, as a viewer does.
#include "sim/report/perfetto.hpp"

#include "tests/sim/report/cases.hpp"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace weir::sim::test {
namespace {

using nlohmann::json;

std::vector<json> events_of(const Case& shown, const PerfettoOptions& options = {}) {
  return json::parse(to_perfetto(shown, options))["traceEvents"];
}

std::size_t count(const std::vector<json>& events, std::string_view phase, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(events.begin(), events.end(), [&](const json& e) {
    return e["ph"] == phase && e["name"] == name;
  }));
}

const json* find(const std::vector<json>& events, std::string_view phase, std::string_view name) {
  const auto it = std::find_if(events.begin(), events.end(), [&](const json& e) {
    return e["ph"] == phase && e["name"] == name;
  });
  return it == events.end() ? nullptr : &*it;
}

// In the order of their times, and among equal ones in that of the file: the last slice that was
// begun is the first to end.
void expect_nested(std::vector<json> events) {
  std::stable_sort(events.begin(), events.end(), [](const json& a, const json& b) {
    return a.value("ts", 0.0) < b.value("ts", 0.0);
  });
  std::map<std::pair<std::string, std::string>, std::vector<json>> open;
  for (const json& e : events) {
    if (e["ph"] != "b" && e["ph"] != "e") continue;
    auto& stack = open[{e["cat"], e["id"]}];
    if (e["ph"] == "b") {
      stack.push_back(e);
      continue;
    }
    ASSERT_FALSE(stack.empty()) << e;
    EXPECT_EQ(stack.back()["name"], e["name"]) << e;
    EXPECT_EQ(stack.back()["pid"], e["pid"]);
    EXPECT_EQ(stack.back()["tid"], e["tid"]);
    EXPECT_LE(stack.back()["ts"], e["ts"]);
    stack.pop_back();
  }
  for (const auto& [id, stack] : open) EXPECT_TRUE(stack.empty()) << id.first << id.second;
}

TEST(ReportPerfetto, EachPairMatchesAndNests) {
  const Sample10s sample;
  const auto events = events_of({sample.scenario, sample.report});
  expect_nested(events);
  EXPECT_EQ(count(events, "b", "round"), 1000U);
  EXPECT_EQ(count(events, "b", "wait"), 1000U);
  EXPECT_EQ(count(events, "b", "lease"), 990U);  // ten were never lent
  EXPECT_EQ(count(events, "b", "session 1"), 990U);
  EXPECT_EQ(count(events, "i", "acquire_timeout"), 10U);
}

TEST(ReportPerfetto, TimesAreMicrosecondsSinceTheBeginning) {
  Sample10s sample;
  sample.report.history.resize(1);
  sample.report.history[0].served = at(1'234'567ns);
  sample.report.history[0].lent = at(3ms);  // of a further attempt
  const auto events = events_of({sample.scenario, sample.report});
  EXPECT_EQ((*find(events, "b", "round"))["ts"], 0.0);
  EXPECT_EQ((*find(events, "e", "wait"))["ts"], 1234.567);
  EXPECT_EQ((*find(events, "b", "lease"))["ts"], 3000.0);
  EXPECT_EQ((*find(events, "e", "round"))["ts"], 7000.0);
}

TEST(ReportPerfetto, CountersAndFaultsAreThere) {
  const Sample10s sample;
  const auto events = events_of({sample.scenario, sample.report});
  EXPECT_EQ(count(events, "C", "connections"), 10U);
  EXPECT_EQ((*find(events, "C", "connections"))["args"],
            (json{{"lent", 0}, {"idle", 3}, {"connecting", 0}, {"other", 0}}));
  EXPECT_EQ(count(events, "C", "waiting"), 10U);
  EXPECT_EQ((*find(events, "C", "sessions"))["args"]["sessions"], 3);
  EXPECT_EQ((*find(events, "b", "refuse"))["ts"], 2e6);
  EXPECT_EQ((*find(events, "e", "refuse"))["ts"], 4e6);
  EXPECT_EQ((*find(events, "e", "slow"))["ts"], 10e6);  // it has no end: that of the run
  EXPECT_NE(find(events, "i", "host: evict"), nullptr);
}

TEST(ReportPerfetto, TextsAreEscapedAndTheFailureIsShown) {
  BrokenCase broken;
  broken.scenario.name = "a \"name\"\\\n\xff";
  broken.report.thread_names[1] = "client \"<1>\"";
  broken.report.history.push_back(
      {1, 0, 2, at(0s), at(0s), no_deadline, no_deadline, at(1ms), Code::sql_error, 0});
  const std::string text = to_perfetto({broken.scenario, broken.report});
  const json trace = json::parse(text);
  EXPECT_EQ(trace["otherData"]["scenario"], "a \"name\"\\\n\ufffd");
  const std::vector<json> events = trace["traceEvents"];
  const auto name = std::find_if(events.begin(), events.end(),
                                 [](const json& e) { return e["name"] == "thread_name"; });
  ASSERT_NE(name, events.end());
  EXPECT_EQ((*name)["args"]["name"], "client \"<1>\"");
  EXPECT_NE(find(events, "i", headline(broken.report)), nullptr);
}

TEST(ReportPerfetto, WhatIsLeftOutIsSaidAndFailuresStay) {
  const Sample10s sample;
  PerfettoOptions options;
  options.rounds_max = 100;
  const auto events = events_of({sample.scenario, sample.report}, options);
  expect_nested(events);
  EXPECT_EQ(count(events, "b", "round"), 100U);
  EXPECT_EQ(count(events, "i", "acquire_timeout"), 10U);
  EXPECT_NE(find(events, "i", "900 of 1 000 rounds are not shown"), nullptr);
}

TEST(ReportPerfetto, ARoundThatNeverEndedEndsWithTheRun) {
  BrokenCase broken;
  broken.report.history.push_back(
      {1, 0, 2, at(1ms), at(1ms), at(2ms), at(2ms), no_deadline, Code{}, 0});
  const auto events = events_of({broken.scenario, broken.report});
  expect_nested(events);
  EXPECT_EQ((*find(events, "e", "lease"))["ts"], 5000.0);
}

}  // namespace
}  // namespace weir::sim::test
