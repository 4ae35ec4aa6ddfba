// SPDX-License-Identifier: MIT
//
// The page of a sweep. Curves have a band of 95 % around them; what M/M/c says is dotted.
#include "sim/study/page.hpp"
#include "sim/study/plot.hpp"
#include "sim/study/sweep.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace weir::sim {
namespace {

constexpr Gauge wait_p50{Gauge::What::wait, 0.5};
constexpr Gauge wait_p99{Gauge::What::wait, 0.99};
constexpr Gauge throughput{Gauge::What::throughput, Gauge::mean};
constexpr Gauge timeouts{Gauge::What::timeouts, Gauge::mean};

using Points = std::vector<const SweepPoint*>;

const Estimate& of(const SweepPoint& point, const Gauge& gauge) {
  const auto all = sweep_gauges();
  const auto at = std::find(all.begin(), all.end(), gauge);
  return point.values[static_cast<std::size_t>(at - all.begin())];
}

std::vector<Estimate> of(const Points& points, const Gauge& gauge) {
  std::vector<Estimate> all;
  for (const SweepPoint* point : points) all.push_back(of(*point, gauge));
  return all;
}

// What there is none of is a gap in the curve.
std::vector<double> theory_of(const Points& points, const Gauge& gauge) {
  std::vector<double> all;
  for (const SweepPoint* point : points) {
    all.push_back(theory(gauge, *point).value_or(std::numeric_limits<double>::quiet_NaN()));
  }
  return all;
}

std::vector<std::string> places(const Points& points) {
  std::vector<std::string> all;
  for (const SweepPoint* point : points) all.push_back(point->settings.front().value);
  return all;
}

void draw(Plot& plot, const Points& points, const Gauge& gauge, std::string_view css) {
  const std::vector<Estimate> values = of(points, gauge);
  plot.band(css, values);
  plot.curve(css, to_string(gauge), means(values));
}

std::string waits(const Points& points, std::string_view key) {
  Scale scale(wait_p99);
  for (const Gauge& gauge : {wait_p50, wait_p99}) {
    for (const Estimate& e : of(points, gauge)) scale.take(e);
    for (const double wait : theory_of(points, gauge)) scale.take(wait);
  }
  Plot plot(fmt::format("Waits over {}", key), key, 240, scale, places(points));
  draw(plot, points, wait_p99, "p99");
  draw(plot, points, wait_p50, "p50");
  plot.curve("theory", "M/M/c p99", theory_of(points, wait_p99));
  plot.curve("theory", "M/M/c p50", theory_of(points, wait_p50));
  return std::move(plot).finish("wait for a connection");
}

std::string linear(const Points& points, const Gauge& gauge, std::string_view key) {
  Scale scale(gauge);
  for (const Estimate& e : of(points, gauge)) scale.take(e);
  if (scale.empty()) return "";  // nothing happened: no timeouts
  const std::string title = to_string(gauge);
  Plot plot(fmt::format("{} over {}", title, key), key, 140, scale, places(points));
  draw(plot, points, gauge, gauge.is_share() ? "p99" : "p50");
  return std::move(plot).finish(title);
}

// By the values of all ranges but the first, in the order of their first points.
std::vector<std::pair<std::string, Points>> charts_of(const Sweep& sweep) {
  std::vector<std::pair<std::string, Points>> charts;
  for (const SweepPoint& point : sweep.points) {
    const std::string title = to_string(std::span(point.settings).subspan(1));
    const auto at = std::find_if(charts.begin(), charts.end(),
                                 [&](const auto& chart) { return chart.first == title; });
    if (at != charts.end()) {
      at->second.push_back(&point);
    } else {
      charts.push_back({title, {&point}});
    }
  }
  return charts;
}

std::string rows(const Sweep& sweep) {
  PageTable table;
  for (const Range& range : sweep.ranges) table.head.push_back(range.key);
  for (const Gauge& gauge : sweep_gauges()) table.head.push_back(to_string(gauge));
  table.head.emplace_back("M/M/c mean wait");
  for (const SweepPoint& point : sweep.points) {
    std::vector<std::string>& row = table.rows.emplace_back();
    for (const Setting& setting : point.settings) row.push_back(setting.value);
    for (std::size_t i = 0; i < point.values.size(); ++i) {
      row.push_back(estimate_text(sweep_gauges()[i], point.values[i]));
    }
    const Gauge mean{Gauge::What::wait, Gauge::mean};
    const auto wait = theory(mean, point);
    row.push_back(wait ? value_text(mean, *wait) : "\u2013");
  }
  return page_table(table);
}

}  // namespace

std::string to_html(const Sweep& sweep) {
  std::string out = page_top((sweep.name.empty() ? "scenario" : sweep.name) + ": a sweep");
  out += page_note(
      fmt::format("{} runs of each, {}. Bands are 95 % intervals; dotted is what queueing theory "
                  "says (M/M/c).",
                  sweep.runs, seeds_text(sweep.seed, sweep.runs)));
  for (const std::string& gap : theory_gaps(sweep)) {
    out += page_note(fmt::format("No M/M/c curve: {}.", gap));
  }
  const std::string& key = sweep.ranges.front().key;
  for (const auto& [title, points] : charts_of(sweep)) {
    out += page_section(
        title.empty() ? key : fmt::format("{}, {}", key, title),
        waits(points, key) + linear(points, throughput, key) + linear(points, timeouts, key));
  }
  return out + page_section("Numbers", rows(sweep)) + page_end();
}

}  // namespace weir::sim
