// SPDX-License-Identifier: MIT
// Goal:   the verdict of a run says first what was broken, and leaves nothing of it out.
// Method: golden texts of reports made by hand.
#include "sim/report/text.hpp"

#include "tests/sim/report/cases.hpp"

#include <gtest/gtest.h>

namespace weir::sim::test {
namespace {

TEST(ReportText, AGoodRunOnOneScreen) {
  const Sample10s sample;
  EXPECT_EQ(to_text({sample.scenario, sample.report, 150ms}),
            R"(ten seconds: ok

  ok      S1 x12k   S1 by the server x12k   L1 x1.0k
  never   S3, S5, S7, S8, S9, S10, S11, S12, S13, S14, S17, S18, S19, L2, L3,
          L5, L7, L8, F1, F2, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T13, R1,
          R2, R3, R5, R8, O1, O2, O3, O4

                p50      p90      p99    p99.9      max        count
  wait       1.02ms   5.00ms   5.00ms   5.00ms   5.00ms          990
  round      3.01ms   7.00ms   7.00ms   7.00ms   7.00ms        1 000

  ok                                  990     99.0%
  W301 acquire_timeout                 10     1.00%

  sessions  at most 3
  time      15.0s in 150ms (100x)
  steps     123 456
  seed      42
  trace     0x9c1e0000000000ab
)");
}

TEST(ReportText, WhatIsBrokenComesFirstAndWhole) {
  const BrokenCase broken;
  const std::string text = to_text({broken.scenario, broken.report});
  EXPECT_EQ(text.substr(0, text.find("  never")),
            R"(broken: BROKEN at 5.00ms

  BROKEN  S13: a borrower sees nothing of the one before
          session 3: role "admin" & <b> is left behind
          (looked at 3 times)
  ok      L1 x2
)");
}

TEST(ReportText, APropertyThatNobodyKnowsIsToldTheSame) {
  BrokenCase broken;
  broken.report.ending.property = "X99";
  broken.report.ending.text = "a sentence";
  const std::vector<Verdict> all = verdicts(broken.report);
  EXPECT_EQ(all.front().state, Verdict::State::broken);
  EXPECT_EQ(all.front().property, "X99");
  EXPECT_EQ(all.front().sentence, "a sentence");
  EXPECT_NE(to_text({broken.scenario, broken.report}).find("BROKEN  X99\n          a sentence"),
            std::string::npos);
}

TEST(ReportText, AnEmptyReportIsNoAccident) {
  const Scenario scenario;
  const Report report;
  EXPECT_NE(to_text({scenario, report}).find("wait            -"), std::string::npos);
}

TEST(ReportText, LinesAreNotWiderThanAskedAndWordsStayWhole) {
  EXPECT_EQ(wrapped("one two three", 2, 9), "  one two\n  three\n");
  EXPECT_EQ(wrapped("one two", 4, 9), "    one\n    two\n");
  EXPECT_EQ(wrapped("a-word-that-is-too-long b", 2, 9), "  a-word-that-is-too-long\n  b\n");
  EXPECT_EQ(wrapped("one\ntwo", 1, 80), " one\n two\n");
  EXPECT_EQ(wrapped("", 1, 80), "\n");
}

TEST(ReportText, CountsAndShares) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(1'234'567), "1 234 567");
  EXPECT_EQ(short_count(999), "999");
  EXPECT_EQ(short_count(1234), "1.2k");
  EXPECT_EQ(short_count(999'999), "1.0M");
  EXPECT_EQ(share_text(0), "0%");
  EXPECT_EQ(share_text(0.000001), "<0.001%");
  EXPECT_EQ(share_text(0.0006), "0.060%");
  EXPECT_EQ(share_text(1), "100.0%");
}

}  // namespace
}  // namespace weir::sim::test
