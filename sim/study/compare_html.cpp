// SPDX-License-Identifier: MIT
//
// The page of compare(): differences with their intervals, and the pairs that they are of. Gauges
// have different units, so each has a scale of its own, with 0 in the middle.
#include "sim/study/compare.hpp"
#include "sim/study/page.hpp"
#include "sim/study/plot.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace weir::sim {
namespace {

constexpr std::size_t pairs_max = 100;  // as many as can be told apart

bool differs(const Compared& row) {
  return row.verdict == Difference::lower || row.verdict == Difference::higher;
}

// ---- The differences

constexpr double row_height = 46;

// How far the row reaches to both sides of 0; 0 where there is nothing to draw.
double reach(const Compared& row) {
  double far = 0;
  const auto take = [&](double value) {
    if (std::isfinite(value)) far = std::max(far, std::abs(value));
  };
  for (const double difference : differences_of(row)) take(difference);
  take(row.difference.low());
  take(row.difference.high());
  return far * 1.05;
}

void draw_row(Chart& chart, const Compared& row, double y) {
  const std::string text =
      fmt::format("{}: {}{}", to_string(row.gauge),
                  row.verdict == Difference::none || row.verdict == Difference::unknown
                      ? ""
                      : difference_text(row) + ", ",
                  to_string(row.verdict));
  chart.raw(fmt::format("<text{} x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                        differs(row) ? " class=\"name\"" : "", Chart::x(0), y - 14,
                        html_text(text)));
  const double far = reach(row);
  if (far <= 0 || row.verdict == Difference::unknown) return;
  const auto x = [&](double value) { return Chart::x(0.5 + 0.5 * value / far); };
  chart.raw(
      fmt::format("<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" "
                  "y2=\"{:.1f}\"/><text class=\"dim\" x=\"{:.1f}\" y=\"{:.1f}\">\u00b1 {}"
                  "</text>\n",
                  Chart::x(0), Chart::x(1), y, y, Chart::x(1) + 8, y + 4,
                  html_text(value_text(row.gauge, far))));
  const std::vector<double> all = differences_of(row);
  for (std::size_t i = 0; i < std::min(all.size(), pairs_max); ++i) {
    chart.raw(fmt::format("<circle class=\"mark pairs\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"/>",
                          x(all[i]), y));
  }
  const Estimate& e = row.difference;
  chart.raw("\n");
  if (std::isfinite(e.half)) {
    chart.path("whisker interval", fmt::format("M{0:.1f},{2:.1f}v8m0,-4H{1:.1f}m0,-4v8", x(e.low()),
                                               x(e.high()), y + 4));
  }
  chart.path("whisker interval", fmt::format("M{:.1f},{:.1f}v14", x(e.mean), y + 1));
}

std::string differences_chart(const Comparison& c) {
  const double height = row_height * static_cast<double>(c.rows.size());
  Chart chart("Differences of B from A, each with its 95 % interval: " + summary(c), height);
  chart.raw(
      fmt::format("<line class=\"zero\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" "
                  "y2=\"{2:.1f}\"/>\n",
                  Chart::x(0.5), chart.y(1), chart.y(0)));
  for (std::size_t i = 0; i < c.rows.size(); ++i) {
    draw_row(chart, c.rows[i], chart.y(1) + row_height * (static_cast<double>(i) + 0.6));
  }
  chart.x_mark(0.5, "0");
  chart.frame("B is lower \u2190 \u2192 B is higher", "B \u2212 A");
  return std::move(chart).finish();
}

// ---- The pairs

std::string pairs_chart(const Comparison& c, const Compared& row) {
  const std::size_t count = std::min(row.a_runs.size(), pairs_max);
  std::vector<double> values(row.a_runs.begin(),
                             row.a_runs.begin() + static_cast<std::ptrdiff_t>(count));
  values.insert(values.end(), row.b_runs.begin(),
                row.b_runs.begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<std::string> seeds;
  for (std::size_t i = 0; i < count; ++i) seeds.push_back(std::to_string(c.seed + i));
  const std::string name = to_string(row.gauge);
  Plot plot(fmt::format("{} of A and B, run by run: {}", name, to_string(row.verdict)), "seed", 140,
            Scale::around(row.gauge, values), seeds);
  for (std::size_t i = 0; i < count; ++i) {
    const double a = row.a_runs[i];
    const double b = row.b_runs[i];
    plot.whisker(i, "pair-line", a, b);
    const auto told = [&](std::string_view which, double value) {
      return fmt::format("seed {}, {}: {}", seeds[i], which, value_text(row.gauge, value));
    };
    plot.mark(i, Plot::Mark::hollow, "a", a, told("A", a));
    plot.mark(i, Plot::Mark::full, "b", b, told("B", b));
  }
  return std::move(plot).finish(name);
}

std::string pairs(const Comparison& c) {
  std::string out;
  for (const Compared& row : c.rows) {
    if (row.verdict != Difference::none) out += pairs_chart(c, row);
  }
  return out;
}

// ---- The numbers

std::string numbers(const Comparison& c) {
  PageTable table{{"", "A", "B", "B \u2212 A (95 %)", "verdict"}, {}};
  for (const Compared& row : c.rows) {
    table.rows.push_back({to_string(row.gauge), estimate_text(row.gauge, row.a),
                          estimate_text(row.gauge, row.b), difference_text(row),
                          std::string(to_string(row.verdict))});
  }
  return page_table(table);
}

std::string runs_table(const Comparison& c) {
  PageTable table{{"seed"}, {}};
  for (const Compared& row : c.rows) {
    table.head.push_back("A " + to_string(row.gauge));
    table.head.emplace_back("B");
  }
  for (std::size_t i = 0; i < c.runs; ++i) {
    std::vector<std::string>& cells = table.rows.emplace_back();
    cells.push_back(std::to_string(c.seed + i));
    for (const Compared& row : c.rows) {
      cells.push_back(value_text(row.gauge, row.a_runs[i]));
      cells.push_back(value_text(row.gauge, row.b_runs[i]));
    }
  }
  return fmt::format("<details><summary>Each of {} runs</summary>{}</details>\n", c.runs,
                     page_table(table));
}

std::string named(const std::string& name) { return name.empty() ? "scenario" : name; }

}  // namespace

std::string to_html(const Comparison& c) {
  std::string out = page_top(fmt::format("{} and {}", named(c.a_name), named(c.b_name)));
  out += page_verdict(std::nullopt, summary(c));  // neither is right
  out += page_note(fmt::format("A is {}, B is {}; {} runs of each, {}.", named(c.a_name),
                               named(c.b_name), c.runs, work_text(c)));
  out += page_section("Differences", differences_chart(c));
  out += page_note(
      "A dot is one pair of runs with the same seed; below the dots are their mean and its 95 % "
      "interval. Where the interval has 0 in it, chance may be all there is. Each row has a scale "
      "of its own.");
  if (const std::string drawn = pairs(c); !drawn.empty()) {
    const std::string of =
        c.runs > pairs_max ? fmt::format(", the first {} of {} runs", pairs_max, c.runs) : "";
    out += page_section(fmt::format("Run by run: \u25cb A, \u25cf B{}", of), drawn);
  }
  return out + page_section("Numbers", numbers(c) + runs_table(c)) + page_end();
}

}  // namespace weir::sim
