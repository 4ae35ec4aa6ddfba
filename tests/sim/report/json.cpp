// SPDX-License-Identifier: MIT
// Goal:   a program can read the verdict: every number in it, with stable names.
// Method: parses what is written and looks up what the hand-made report holds.
#include "sim/report/json.hpp"

#include "tests/sim/report/cases.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace weir::sim::test {
namespace {

TEST(ReportJson, HoldsVerdictPercentilesAndWhatReplays) {
  const BrokenCase broken;
  const auto json = nlohmann::json::parse(to_json({broken.scenario, broken.report, 2ms}));
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["seed"], 7);
  EXPECT_EQ(json["trace_hash"], "0x00000000000000ab");
  EXPECT_EQ(json["ending"]["kind"], "failed");
  EXPECT_EQ(json["ending"]["at_ns"], 5'000'000);
  EXPECT_EQ(json["verdicts"][0]["property"], "S13");
  EXPECT_EQ(json["verdicts"][0]["verdict"], "broken");
  EXPECT_EQ(json["verdicts"][0]["sentence"], broken.report.ending.text);
  EXPECT_EQ(json["deviations"], nlohmann::json({"3.2p2", "2.4p0"}));
  EXPECT_EQ(json["wall_ns"], 2'000'000);
}

TEST(ReportJson, CountsAreNumbersInPlainUnits) {
  const Sample10s sample;
  const auto json = nlohmann::json::parse(to_json({sample.scenario, sample.report}));
  EXPECT_EQ(json["ok"], true);
  EXPECT_EQ(json["rounds"], 1000);
  EXPECT_EQ(json["wait"]["count"], 990);
  EXPECT_EQ(json["wait"]["max_ns"], 5'000'000);
  EXPECT_EQ(json["results"][0], (nlohmann::json{{"code", ""}, {"name", "ok"}, {"count", 990}}));
  EXPECT_EQ(json["results"][1]["code"], "W301");
  EXPECT_EQ(json["coverage"][0]["event"], "created");
  EXPECT_FALSE(json.contains("wall_ns"));  // not known
}

TEST(ReportJson, BytesThatAreNoTextDoNotHideTheFailure) {
  BrokenCase broken;
  broken.report.ending.text = "got \xff\xfe\"\n\x01";
  const auto json = nlohmann::json::parse(to_json({broken.scenario, broken.report}));
  const std::string sentence = json["verdicts"][0]["sentence"];
  EXPECT_EQ(sentence, "got \ufffd\ufffd\"\n\x01");
}

}  // namespace
}  // namespace weir::sim::test
