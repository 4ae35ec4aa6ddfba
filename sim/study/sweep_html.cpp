// SPDX-License-Identifier: MIT
//
// The page of a sweep. Curves have a band of 95 % around them; what M/M/c says is dotted.
#include "sim/report/chart.hpp"
#include "sim/report/charts.hpp"
#include "sim/report/html_style.hpp"
#include "sim/study/sweep.hpp"

#include <algorithm>
#include <map>

namespace weir::sim {
namespace {

constexpr Gauge wait_p50{Gauge::What::wait, 0.5};
constexpr Gauge wait_p99{Gauge::What::wait, 0.99};
constexpr Gauge throughput{Gauge::What::throughput, Gauge::mean};
constexpr Gauge timeouts{Gauge::What::timeouts, Gauge::mean};

// What is added to the style of the report of a run.
constexpr std::string_view sweep_style = R"css(
path.band { fill: var(--waiting); fill-opacity: .14; stroke: none; }
path.band.p50 { fill: var(--lent-name); }
path.theory { fill: none; stroke: var(--limit); stroke-width: 2; stroke-dasharray: 1.5 5;
  stroke-linecap: round; }
svg .name.theory { fill: var(--limit); }
)css";

using Points = std::vector<const SweepPoint*>;

const Estimate& of(const SweepPoint& point, const Gauge& gauge) {
  const auto all = sweep_gauges();
  const auto at = std::find(all.begin(), all.end(), gauge);
  return point.values[static_cast<std::size_t>(at - all.begin())];
}

double x_of(std::size_t i, const Points& points) {
  return points.size() < 2 ? 0.5 : static_cast<double>(i) / static_cast<double>(points.size() - 1);
}

// A line through what there is of a curve; `at(i)` is a fraction of the height, or nothing.
template <class At>
std::string line(const Chart& chart, const Points& points, At&& at) {
  std::string d;
  bool gap = true;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::optional<double> y = at(i);
    // A single point is a dot: a round cap on a line without length.
    if (y)
      d +=
          fmt::format("{}{:.1f},{:.1f}h0", gap ? "M" : "L", Chart::x(x_of(i, points)), chart.y(*y));
    gap = !y;
  }
  return d;
}

// There and back again; only where all of it is known.
template <class Low, class High>
std::string band(const Chart& chart, const Points& points, Low&& low, High&& high) {
  std::string there;
  std::vector<std::string> back;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::optional<double> l = low(i);
    const std::optional<double> h = high(i);
    if (!l || !h) return "";
    const double x = Chart::x(x_of(i, points));
    there += fmt::format("{}{:.1f},{:.1f}", there.empty() ? "M" : "L", x, chart.y(*h));
    back.push_back(fmt::format("L{:.1f},{:.1f}", x, chart.y(*l)));
  }
  std::for_each(back.rbegin(), back.rend(), [&](const std::string& point) { there += point; });
  return there + "Z";
}

void x_axis(Chart& chart, const Points& points) {
  const std::size_t step = (points.size() + 19) / 20;
  for (std::size_t i = 0; i < points.size(); i += step) {
    chart.x_mark(x_of(i, points), points[i]->settings.front().value);
  }
}

// Draws a gauge: curve, band, and its name where it ends.
template <class Fraction>
void curve(Chart& chart, const Points& points, const Gauge& gauge, std::string_view css,
           Fraction&& fraction, std::vector<Chart::Name>& names) {
  const auto finite = [&](double value) {
    return std::isfinite(value) ? std::optional(fraction(value)) : std::nullopt;
  };
  const std::string around = band(
      chart, points, [&](std::size_t i) { return finite(of(*points[i], gauge).low()); },
      [&](std::size_t i) { return finite(of(*points[i], gauge).high()); });
  if (!around.empty()) chart.path(fmt::format("band {}", css), around);
  const std::string d =
      line(chart, points, [&](std::size_t i) { return finite(of(*points[i], gauge).mean); });
  if (d.empty()) return;
  chart.path(css, d);
  std::size_t last = points.size() - 1;
  while (!std::isfinite(of(*points[last], gauge).mean)) --last;
  names.push_back({chart.y(fraction(of(*points[last], gauge).mean)) + 4, css, to_string(gauge)});
}

template <class Fraction>
void theory_curve(Chart& chart, const Points& points, const Gauge& gauge, Fraction&& fraction,
                  std::vector<Chart::Name>& names) {
  std::optional<double> last;
  const std::string d = line(chart, points, [&](std::size_t i) -> std::optional<double> {
    const auto expected = theory(gauge, *points[i]);
    if (!expected) return std::nullopt;
    last = fraction(*expected);
    return last;
  });
  if (!last) return;
  chart.path("theory", d);
  names.push_back({chart.y(*last) + 4, "theory",
                   fmt::format("M/M/c {}", gauge.quantile == 0.5 ? "p50" : "p99")});
}

std::string waits(const Points& points, std::string_view key) {
  double low = 1e-3;
  double high = 1e-6;
  const auto take = [&](double value) {
    if (!std::isfinite(value)) return;
    high = std::max(high, value);
    if (value > 0) low = std::min(low, value);
  };
  for (const SweepPoint* point : points) {
    for (const Gauge& gauge : {wait_p50, wait_p99}) {
      take(of(*point, gauge).mean);
      if (const auto expected = theory(gauge, *point)) take(*expected);
    }
  }
  const LogTimes axis(std::max(low, 1e-6) * 1e9, high * 1e9);
  const auto fraction = [&](double seconds) { return axis.fraction(seconds * 1e9); };
  Chart chart(fmt::format("Waits over {}", key), 240);
  axis.marks(chart);
  std::vector<Chart::Name> names;
  curve(chart, points, wait_p99, "p99", fraction, names);
  curve(chart, points, wait_p50, "p50", fraction, names);
  theory_curve(chart, points, wait_p99, fraction, names);
  theory_curve(chart, points, wait_p50, fraction, names);
  chart.names(std::move(names));
  x_axis(chart, points);
  chart.frame(key, "wait for a connection");
  return std::move(chart).finish();
}

std::string linear(const Points& points, const Gauge& gauge, std::string_view key,
                   std::string_view title) {
  double top = 0;
  for (const SweepPoint* point : points) {
    const Estimate& e = of(*point, gauge);
    top = std::max(top, std::isfinite(e.half) ? e.high() : e.mean);
  }
  if (top <= 0) return "";  // nothing happened: no timeouts
  const auto fraction = [&](double value) { return std::clamp(value / top, 0.0, 1.0); };
  Chart chart(fmt::format("{} over {}", title, key), 140);
  for (const double mark : axis_marks(top, 4)) {
    chart.y_mark(mark / top, value_text(gauge, mark));
  }
  std::vector<Chart::Name> names;
  curve(chart, points, gauge, gauge.is_share() ? "p99" : "p50", fraction, names);
  chart.names(std::move(names));
  x_axis(chart, points);
  chart.frame(key, title);
  return std::move(chart).finish();
}

std::string section(std::string_view title, std::string_view body) {
  return fmt::format("<section><h2>{}</h2>\n<div class=\"card\">{}</div></section>\n",
                     html_text(title), body);
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
  std::string out = "<table class=\"dense\"><thead><tr>";
  const auto cell = [&](std::string_view tag, std::string_view css, const std::string& text) {
    out += fmt::format("<{0} class=\"{1}\">{2}</{0}>", tag, css, html_text(text));
  };
  for (const Range& range : sweep.ranges) cell("th", "n", range.key);
  for (const Gauge& gauge : sweep_gauges()) cell("th", "n", to_string(gauge));
  cell("th", "n", "M/M/c mean wait");
  out += "</tr></thead><tbody>\n";
  for (const SweepPoint& point : sweep.points) {
    out += "<tr>";
    for (const Setting& setting : point.settings) cell("td", "n", setting.value);
    for (std::size_t i = 0; i < point.values.size(); ++i) {
      cell("td", "n", estimate_text(sweep_gauges()[i], point.values[i]));
    }
    const Gauge mean{Gauge::What::wait, Gauge::mean};
    const auto expected = theory(mean, point);
    cell("td", "n", expected ? value_text(mean, *expected) : "\u2013");
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

}  // namespace

std::string to_html(const Sweep& sweep) {
  const std::string name = html_text(sweep.name.empty() ? "scenario" : sweep.name);
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}: a sweep</title>\n<style>{1}{2}</style></head><body>\n"
      "<header><h1>{0}: a sweep</h1>"
      "<button id=\"theme\" type=\"button\">light / dark</button></header>\n",
      name, html_style, sweep_style);
  out += fmt::format(
      "<p class=\"dim\">{} runs of each, with the seeds {} to {}. Bands are 95 % intervals; dotted "
      "is what queueing theory says (M/M/c).</p>\n",
      sweep.runs, sweep.seed, sweep.seed + sweep.runs - 1);
  for (const std::string& gap : theory_gaps(sweep)) {
    out += fmt::format("<p class=\"dim\">No M/M/c curve: {}.</p>\n", html_text(gap));
  }
  const std::string& key = sweep.ranges.front().key;
  for (const auto& [title, points] : charts_of(sweep)) {
    out += section(title.empty() ? key : fmt::format("{}, {}", key, title),
                   waits(points, key) + linear(points, throughput, key, "throughput") +
                       linear(points, timeouts, key, "timeouts"));
  }
  out += section("Numbers", rows(sweep));
  return out + fmt::format("<script>{}</script>\n</body></html>\n", html_script);
}

}  // namespace weir::sim
