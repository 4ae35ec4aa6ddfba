// SPDX-License-Identifier: MIT
// Goal:   the page stands alone, hides no failure, and lets no text of others become markup.
// Method: looks for what must and must not be in pages of hand-made reports; tags are counted.
#include "sim/report/html.hpp"

#include "sim/report/charts.hpp"
#include "tests/sim/report/cases.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace weir::sim::test {
namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(ReportHtml, AGoodRunHasAllItsSections) {
  const Sample10s sample;
  const std::string page = to_html({sample.scenario, sample.report, 150ms});
  for (const char* part :
       {"<title>\u2713 ten seconds</title>", "Over time", "area lent", "path class=\"waiting\"",
        "refuse: 2.00s to 4.00s", "curve-wait", "W301 acquire_timeout", "0x9c1e0000000000ab",
        "class=\"heat\"", "15.0s in 150ms (100x)"}) {
    EXPECT_TRUE(has(page, part)) << part;
  }
  EXPECT_FALSE(has(page, "step by step"));  // only of a failure
}

TEST(ReportHtml, AFailureComesFirstAndHasItsLanes) {
  const BrokenCase broken;
  const std::string page = to_html({broken.scenario, broken.report});
  EXPECT_LT(page.find("S13 broken at 5.00ms"), page.find("<h2>"));
  EXPECT_TRUE(has(page, "held by client 1.1"));
  EXPECT_TRUE(has(page, "is preempted here [3.2p2]"));
}

TEST(ReportHtml, EveryTextIsEscaped) {
  BrokenCase broken;
  const std::string evil = "<script>alert(\"1\")</script>&'\x01";
  broken.scenario.name = evil;
  broken.report.ending.text = evil;
  broken.report.thread_names = {evil, evil, evil};
  broken.report.judgement.seen[{evil, evil}] = 1;
  broken.report.judgement.checked[evil] = 1;
  broken.report.log = {evil};
  const std::string page = to_html({broken.scenario, broken.report});
  EXPECT_FALSE(has(page, "<script>alert"));
  EXPECT_FALSE(has(page, "\x01"));
  EXPECT_EQ(count(page, "<script>"), 1U);  // ours
  EXPECT_EQ(html_text(evil), "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;\ufffd");
}

TEST(ReportHtml, NothingIsLoadedFromAnywhere) {
  const Sample10s sample;
  const std::string page = to_html({sample.scenario, sample.report});
  for (const char* part : {"http:", "https:", "src=", "@import", "<link", "url(h", "file:"}) {
    EXPECT_FALSE(has(page, part)) << part;
  }
}

TEST(ReportHtml, TagsAreClosed) {
  const Sample10s sample;
  const BrokenCase broken;
  for (const std::string& page :
       {to_html({sample.scenario, sample.report}), to_html({broken.scenario, broken.report})}) {
    for (const std::string tag : {"svg", "table", "tr", "td", "div", "section", "details", "g",
                                  "text", "dl", "span", "tbody"}) {
      EXPECT_EQ(count(page, "<" + tag + ">") + count(page, "<" + tag + " "),
                count(page, "</" + tag + ">"))
          << tag;
    }
    EXPECT_FALSE(has(page, "nan"));
    EXPECT_FALSE(has(page, "inf,"));
  }
}

TEST(ReportHtml, AnEmptyReportIsNoAccident) {
  const Scenario scenario;
  const Report report;
  const std::string page = to_html({scenario, report});
  EXPECT_TRUE(has(page, "</html>"));
  EXPECT_FALSE(has(page, "Over time"));
}

TEST(ReportHtml, OneRoundOfNoTimeIsDrawn) {
  Scenario scenario;
  Report report;
  report.virtual_time = 1ms;
  report.wait.add(0ns);
  report.history.push_back({1, 0, 1, at(0s), at(0s), at(0s), at(0s), at(0s), Code{}, 0});
  report.samples.push_back({at(0s), {}, 0});
  const std::string page = to_html({scenario, report});
  EXPECT_TRUE(has(page, "curve-wait"));
  EXPECT_FALSE(has(page, "nan"));
}

TEST(ReportHtml, AxesHaveRoundMarks) {
  EXPECT_EQ(axis_marks(10, 5), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(axis_marks(27, 5), (std::vector<double>{0, 10, 20}));
  EXPECT_EQ(axis_marks(1, 5).size(), 6U);
  EXPECT_EQ(axis_marks(0, 5), (std::vector<double>{0}));
}

}  // namespace
}  // namespace weir::sim::test
