// SPDX-License-Identifier: MIT
// Goal:   the pages of size and compare show what was measured where it belongs, stand alone, and
//         are well-formed whatever the numbers are.
// Method: answers made by hand, and what their pages have in them. How a browser shows them
//         browser.py says.
#include "tests/sim/study/pages.hpp"

#include "sim/report/chart.hpp"
#include "sim/study/compare.hpp"
#include "sim/study/plot.hpp"
#include "sim/study/size.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>

#include <gmock/gmock.h>

namespace weir::sim::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr double never = std::numeric_limits<double>::infinity();
constexpr Gauge wait_mean{Gauge::What::wait, Gauge::mean};
constexpr Gauge wait_p99{Gauge::What::wait, 0.99};
constexpr Gauge throughput{Gauge::What::throughput, Gauge::mean};
constexpr Gauge errors{Gauge::What::errors, Gauge::mean};

// The number behind the nth place of `before`.
double number_after(const std::string& page, std::string_view before, std::size_t nth = 0) {
  std::size_t at = page.find(before);
  for (; nth > 0 && at != std::string::npos; --nth) at = page.find(before, at + 1);
  EXPECT_NE(at, std::string::npos) << before;
  return at == std::string::npos ? NAN : std::strtod(page.c_str() + at + before.size(), nullptr);
}

// ---- size

Probe probe(std::uint32_t max, Kept kept, const Estimate& p99, Theory queue) {
  return {max,
          kept,
          {p99, {0, 0}},
          {0.001, 0.0001},
          {0.02, 0.001},
          {100.0 * max, 5},
          1,
          std::move(queue)};
}

// 1: never; 4: 30 ms; 6: 18 ms, give or take 5; 8: 12 ms. Promised are 20 ms.
SizeAnswer answer() {
  SizeAnswer a;
  a.name = "<b>orders</b>";
  a.runs = 4;
  a.seed = 3;
  a.max = 8;
  a.limit = Limit::slo;
  a.why = "with max = 6, p99 wait is 18ms";
  a.most = 64;
  a.probes = {probe(1, Kept::broken, {never, never}, std::string("more comes than it can serve")),
              probe(4, Kept::broken, {0.030, 0.004}, std::string("more comes than it can serve")),
              probe(6, Kept::unclear, {0.018, 0.005}, Queue{220, 50, 6}),
              probe(8, Kept::kept, {0.012, 0.002}, Queue{220, 50, 8})};
  return a;
}
Slo promise() { return parse_slo("p99 wait < 20ms, errors < 0.1%").value(); }

TEST(SizePage, StandsAlone) {
  const std::string page = to_html(answer(), promise());
  expect_stands_alone(page);
  EXPECT_EQ(count(page, "<svg "), 4U);  // two terms, times, throughput
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;orders&lt;/b&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<b>orders")));
}

TEST(SizePage, SaysTheAnswerAndWhichLimitItComesFrom) {
  const std::string page = to_html(answer(), promise());
  EXPECT_THAT(page,
              HasSubstr("<div class=\"verdict\">\u2713 max = 8 keeps p99 wait &lt; 20ms, "
                        "errors &lt; 0.1%\nlimit: slo: with max = 6, p99 wait is 18ms</div>"));
  EXPECT_THAT(page, HasSubstr("ran 4 times, with the seeds 3 to 6"));
  SizeAnswer none = answer();
  none.max.reset();
  EXPECT_THAT(to_html(none, promise()),
              HasSubstr("<div class=\"verdict broken\">\u2717 no max up to 64 keeps"));
}

TEST(SizePage, TellsSizesThatKeepThePromiseByASignAndAShape) {
  const std::string page = to_html(answer(), promise());
  for (const char* place : {">1 \u2717<", ">4 \u2717<", ">6 ?<", ">8 \u2713<"}) {
    EXPECT_EQ(count(page, place), 4U) << place;  // in each chart
  }
  EXPECT_EQ(count(page, "<path class=\"mark broken\""), 1U);            // 4
  EXPECT_EQ(count(page, "<circle class=\"mark hollow unclear\""), 1U);  // 6
  EXPECT_EQ(count(page, "<circle class=\"mark kept\""), 5U);            // 8, and errors of all
  EXPECT_EQ(count(page, ">never</text>"), 1U);
  EXPECT_THAT(page, HasSubstr("<title>max = 6: 18.0ms \u00b1 5.00ms, too close to call</title>"));
  EXPECT_THAT(page, HasSubstr("\u2713 kept</td>"));
}

TEST(SizePage, HasWhatIsPromisedBetweenTheSizesThatKeepItAndTheOthers) {
  const std::string page = to_html(answer(), promise());
  const double promised =
      number_after(page, fmt::format("<path class=\"promised\" d=\"M{:.1f},", Chart::left));
  EXPECT_GT(number_after(page, "\" cy=\"", 1), promised);  // 8: below it, which is less
  const std::string unclear = page.substr(page.find("<path class=\"whisker unclear\""));
  EXPECT_GT(number_after(unclear, ","), promised);
  EXPECT_LT(number_after(unclear, "V"), promised);  // its interval is on both sides
  const std::string broken = page.substr(page.find("<path class=\"mark broken\""));
  EXPECT_LT(number_after(broken, ",") + 4, promised);
  EXPECT_EQ(count(page, "<path class=\"whisker "), 3U);  // of what is known, and not of no width
}

TEST(SizePage, HasTheTheoryBesideItWhereThereIsOne) {
  const std::string page = to_html(answer(), promise());
  EXPECT_EQ(count(page, "<path class=\"theory\""), 2U);  // p99 wait; mean wait
  EXPECT_THAT(page, HasSubstr(">M/M/c p99</text>"));
  EXPECT_THAT(page, HasSubstr("No M/M/c curve: max = 1; max = 4: more comes"));
  EXPECT_THAT(page, HasSubstr(value_text(wait_p99, wait_quantile({220, 50, 8}, 0.99)) + "</td>"));
  SizeAnswer other = answer();
  for (Probe& p : other.probes) p.queue = std::string("its clients are a closed loop");
  EXPECT_EQ(count(to_html(other, promise()), "<path class=\"theory\""), 0U);
}

TEST(SizePage, OfOneSizeIsDrawn) {
  SizeAnswer one = answer();
  one.probes.erase(one.probes.begin() + 1, one.probes.end());
  expect_stands_alone(to_html(one, promise()));
}

TEST(Theory, HasNothingToSayOfTheLongestWait) {
  const Theory queue = Queue{220, 50, 6};
  EXPECT_FALSE(expected({Gauge::What::wait, 1}, queue));
  EXPECT_TRUE(expected({Gauge::What::wait, 0.999}, queue));
  EXPECT_FALSE(expected({Gauge::What::round, 0.99}, queue));
}

// ---- compare

Compared compared(const Gauge& gauge, std::vector<double> a, std::vector<double> b,
                  Difference verdict) {
  Compared row{gauge, estimate(a), estimate(b), {}, verdict, std::move(a), std::move(b)};
  row.difference = estimate(differences_of(row));
  return row;
}

Comparison comparison() {
  Comparison c;
  c.runs = 4;
  c.seed = 7;
  c.a_name = "before <&>";
  c.b_name = "after";
  c.rows = {
      compared(wait_mean, {.010, .020, .030, .020}, {.015, .024, .036, .025}, Difference::higher),
      compared(wait_p99, {.1, never, .1, .1}, {.1, .2, .3, .4}, Difference::unknown),
      compared(throughput, {100, 101, 102, 103}, {101, 100, 103, 102}, Difference::unclear),
      compared(errors, {0, 0, 0, 0}, {0, 0, 0, 0}, Difference::none)};
  return c;
}

TEST(ComparePage, StandsAlone) {
  const std::string page = to_html(comparison());
  expect_stands_alone(page);
  EXPECT_EQ(count(page, "<svg "), 4U);  // the differences, and the pairs of three
  EXPECT_THAT(page,
              HasSubstr("A is before &lt;&amp;&gt;, B is after; 4 runs of each, seeds 7 to 10"));
}

TEST(ComparePage, SaysWhatDiffersAndWhetherTheWorkIsTheSame) {
  Comparison c = comparison();
  EXPECT_THAT(to_html(c),
              HasSubstr("<div class=\"verdict neither\">A and B differ in mean wait, p99 "
                        "wait</div>"));
  c.same_work = false;
  EXPECT_THAT(to_html(c), HasSubstr("but [[client]], duration, driver, setup"));
}

TEST(ComparePage, ShowsEachDifferenceWithItsInterval) {
  const std::string page = to_html(comparison());
  EXPECT_EQ(count(page, "<circle class=\"mark pairs\""), 8U);  // of the two that can be drawn
  EXPECT_THAT(page, HasSubstr("mean wait: 5.00ms \u00b1 1.30ms, B is higher</text>"));
  EXPECT_THAT(page, HasSubstr("p99 wait: one has no end</text>"));
  EXPECT_THAT(page, HasSubstr("errors: the same in each run</text>"));
  const double zero = number_after(page, "<line class=\"zero\" x1=\"");
  const std::string_view interval = "<path class=\"whisker interval\" d=\"M";
  EXPECT_GT(number_after(page, interval), zero);     // mean wait: all of it
  EXPECT_LT(number_after(page, interval, 2), zero);  // throughput: on both sides
  const std::string unclear = page.substr(page.rfind(interval.substr(0, 30)));
  EXPECT_NEAR(number_after(unclear, " d=\"M"), zero, 0.1);  // its mean
}

TEST(ComparePage, ShowsThePairOfEachRun) {
  const std::string page = to_html(comparison());
  EXPECT_EQ(count(page, "<circle class=\"mark hollow a\""), 11U);  // 3 * 4, but one that is never
  EXPECT_EQ(count(page, "<circle class=\"mark b\""), 12U);
  EXPECT_EQ(count(page, ">never</text>"), 1U);
  EXPECT_THAT(page, HasSubstr("<title>seed 9, B: 36.0ms</title>"));
  EXPECT_THAT(page, HasSubstr("<td class=\"n\">10</td><td class=\"n\">20.0ms</td>"
                              "<td class=\"n\">25.0ms</td>"));
}

TEST(ComparePage, OfTheSameHasNothingToDraw) {
  Comparison c = comparison();
  c.rows = {c.rows.back()};
  const std::string page = to_html(c);
  expect_stands_alone(page);
  EXPECT_THAT(page, HasSubstr("A and B are the same in each run</div>"));
  EXPECT_THAT(page, Not(HasSubstr("Run by run")));
}

TEST(ComparePage, OfMoreRunsThanCanBeSeenSaysSo) {
  Comparison c;
  c.runs = 300;
  std::vector<double> a(300, 1);
  std::vector<double> b(300, 2);
  b.front() = 3;
  c.rows = {compared(throughput, a, b, Difference::higher)};
  const std::string page = to_html(c);
  expect_stands_alone(page);
  EXPECT_EQ(count(page, "<circle class=\"mark b\""), 100U);
  EXPECT_THAT(page, HasSubstr("the first 100 of 300 runs"));
  EXPECT_EQ(count(page, "<tr>"), 2U + 301U);
}

// ---- scales

std::vector<std::string> labels_of(const Gauge& gauge, const std::vector<double>& values) {
  Plot plot("", "", 100, Scale::around(gauge, values), {"1", "2"});
  const std::string chart = std::move(plot).finish("");
  std::vector<std::string> labels;
  const std::string_view before = "<text class=\"end\"";
  for (std::size_t at = chart.find(before); at != std::string::npos; at = chart.find(before, at)) {
    at = chart.find('>', at) + 1;
    labels.push_back(chart.substr(at, chart.find('<', at) - at));
  }
  return labels;
}

TEST(Scales, HaveAFewLabelsThatDiffer) {
  for (const std::vector<double>& values :
       {std::vector<double>{0, 0}, {5, 5}, {100, 100.0000001}, {1e-9, 1e9}, {never, never}, {}}) {
    for (const Gauge& gauge : {throughput, wait_p99, errors}) {
      const std::vector<std::string> labels = labels_of(gauge, values);
      EXPECT_LT(labels.size(), 24U);
      EXPECT_EQ(std::set(labels.begin(), labels.end()).size(), labels.size())
          << testing::PrintToString(labels);
    }
  }
  EXPECT_THAT(labels_of(throughput, {100, 101}), testing::Contains("100/s"));
}

}  // namespace
}  // namespace weir::sim::test
