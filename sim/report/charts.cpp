// SPDX-License-Identifier: MIT
#include "sim/report/charts.hpp"

#include "core/observe/texts.hpp"
#include "sim/report/chart.hpp"
#include "sim/report/html.hpp"

#include <weir/error.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace weir::sim {
namespace {

double seconds(Duration d) { return static_cast<double>(d.count()) / 1e9; }

// "250ms", "1.5s", "2min": the unit of the whole axis, so that its labels compare.
std::string time_label(double at_seconds, double top_seconds) {
  struct Unit {
    double seconds;
    std::string_view name;
  };
  constexpr Unit units[] = {{3600, "h"}, {60, "min"}, {1, "s"}, {1e-3, "ms"}, {1e-6, "us"}};
  Unit unit{1e-9, "ns"};
  for (const Unit& u : units) {
    if (top_seconds >= 2 * u.seconds) {
      unit = u;
      break;
    }
  }
  if (at_seconds == 0) return "0";
  return fmt::format("{:.4g} {}", at_seconds / unit.seconds, unit.name);
}

// Steps of a clock above a minute: nobody counts in 50 s.
std::vector<double> time_marks(double top) {
  if (top < 120) return axis_marks(top, 7);
  constexpr double steps[] = {15,   30,   60,    120,   300,   600,    1800,
                              3600, 7200, 21600, 43200, 86400, 604800, 2592000};
  double step = steps[0];
  for (const double s : steps) {
    step = s;
    if (top / s <= 8) break;
  }
  std::vector<double> marks;
  for (double at = 0; at <= top * 1.0001; at += step) marks.push_back(at);
  return marks;
}

void time_axis(Chart& chart, double top_seconds) {
  for (const double at : time_marks(top_seconds)) {
    chart.x_mark(at / top_seconds, time_label(at, top_seconds));
  }
}

// Bands across the plot, each with its kind at the top; hatched, so that they need no colour.
void fault_bands(Chart& chart, const Case& shown, double height) {
  const double end = seconds(shown_time(shown));
  double free_from = -1;
  for (const Fault& fault : shown.scenario.server.faults) {
    const Span span = active(fault, shown);
    const double from = seconds(span.from) / end;
    const double to = std::max(seconds(span.to) / end, from + 0.002);
    const std::string name(name_of(fault.what));
    chart.raw(
        fmt::format("<g><title>{}: {} to {}</title><rect class=\"fault\" x=\"{:.1f}\" "
                    "y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
                    name, observe::short_duration(span.from), observe::short_duration(span.to),
                    Chart::x(from), chart.y(1), (to - from) * Chart::plot_width, height));
    // Names that would lie on each other are in the tooltip only.
    if (from >= free_from) {
      chart.raw(fmt::format("<text class=\"faultname\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>",
                            Chart::x(from) + 3, chart.y(1) + 12, name));
      free_from = from + (8 + 6.5 * static_cast<double>(name.size())) / Chart::plot_width;
    }
    chart.raw("</g>\n");
  }
}

void failure_line(Chart& chart, const Case& shown) {
  if (shown.report.ok()) return;
  const double at = seconds(since_beginning(shown.report.ending.at)) / seconds(shown_time(shown));
  if (at > 1) return;  // after what is shown: while it was healing, or at the end
  chart.raw(
      fmt::format("<line class=\"failure\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" "
                  "y2=\"{2:.1f}\"><title>{3}</title></line>\n",
                  Chart::x(at), chart.y(1), chart.y(0), html_text(headline(shown.report))));
}

// ---------------------------------------------------------------- states

constexpr std::size_t points_max = 800;  // more than the plot has pixels

// Of each group of samples the one with most waiters: short queues are what is looked for.
std::vector<Sample> thinned(const std::vector<Sample>& all) {
  if (all.size() <= points_max) return all;
  std::vector<Sample> out;
  for (std::size_t i = 0; i < points_max; ++i) {
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(i * all.size() / points_max);
    const auto to = all.begin() + static_cast<std::ptrdiff_t>((i + 1) * all.size() / points_max);
    out.push_back(*std::max_element(from, to, [](const Sample& a, const Sample& b) {
      return a.counts.waiting < b.counts.waiting;
    }));
  }
  return out;
}

// Counts stay as they are until the next sample, so curves have steps.
template <class Value>
std::string steps(const Chart& chart, const std::vector<Sample>& samples, double end, Value value) {
  std::string d;
  double before = 0;
  for (const Sample& s : samples) {
    const double x = Chart::x(std::min(seconds(since_beginning(s.at)) / end, 1.0));
    const double y = chart.y(value(s));
    if (d.empty()) {
      d = fmt::format("M{:.1f},{:.1f}", x, y);
    } else if (y != before) {
      d += fmt::format("H{:.1f}V{:.1f}", x, y);
    }
    before = y;
  }
  return d + fmt::format("H{:.1f}", Chart::x(1));
}

struct Layer {
  std::string_view css;
  std::string_view name;
  std::uint32_t PoolCounts::*count;
};
constexpr Layer layers[] = {{"lent", "lent", &PoolCounts::lent},
                            {"idle", "idle", &PoolCounts::idle},
                            {"connecting", "connecting", &PoolCounts::connecting},
                            {"other", "other", &PoolCounts::other}};

double highest(const std::vector<Sample>& samples) {
  std::uint32_t most = 1;
  for (const Sample& s : samples) {
    const PoolCounts& c = s.counts;
    most = std::max({most, c.max, c.lent + c.idle + c.connecting + c.other, c.waiting});
  }
  return static_cast<double>(most) * 1.08;
}

}  // namespace

std::vector<double> axis_marks(double top, int wanted) {
  if (!(top > 0)) return {0};
  const double rough = top / wanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> marks;
  for (int i = 0; i * step <= top * 1.0001; ++i) marks.push_back(i * step);
  return marks;
}

std::string states_chart(const Case& shown) {
  if (shown.report.samples.empty()) return "";
  const std::vector<Sample> samples = thinned(shown.report.samples);
  constexpr double height = 220;
  const double end = seconds(shown_time(shown));
  const double top = highest(samples);
  Chart chart("Connections by state, and waiters, over time", height);
  for (const double mark : axis_marks(top, 5)) {
    if (mark == std::floor(mark)) chart.y_mark(mark / top, fmt::format("{:.0f}", mark));
  }
  std::vector<Chart::Name> names;
  std::vector<Layer> below;
  const auto stacked = [&](const Sample& s) {
    std::uint32_t sum = 0;
    for (const Layer& layer : below) sum += s.counts.*layer.count;
    return sum / top;
  };
  // From the top of the stack down, so that each covers what is not its own.
  for (std::size_t n = std::size(layers); n > 0; --n) {
    below.assign(std::begin(layers), std::begin(layers) + n);
    const std::string line = steps(chart, samples, end, stacked);
    const double start = Chart::x(seconds(since_beginning(samples.front().at)) / end);
    chart.path(fmt::format("area {}", layers[n - 1].css),
               line + fmt::format("V{:.1f}H{:.1f}Z", chart.y(0), start));
    const auto any = std::any_of(samples.begin(), samples.end(), [&](const Sample& s) {
      return s.counts.*layers[n - 1].count > 0;
    });
    const double middle =
        stacked(samples.back()) - samples.back().counts.*layers[n - 1].count / top / 2;
    if (any) {
      names.push_back({chart.y(middle) + 4, layers[n - 1].css, std::string(layers[n - 1].name)});
    }
  }
  fault_bands(chart, shown, height);
  const auto limit = [&](const Sample& s) { return s.counts.max / top; };
  const auto waiting = [&](const Sample& s) { return s.counts.waiting / top; };
  chart.path("limit", steps(chart, samples, end, limit));
  chart.path("halo", steps(chart, samples, end, waiting));
  chart.path("waiting", steps(chart, samples, end, waiting));
  names.push_back({chart.y(limit(samples.back())) + 4, "limit", "max"});
  names.push_back({chart.y(waiting(samples.back())) + 4, "waiting", "waiting"});
  chart.names(std::move(names));
  failure_line(chart, shown);
  chart.frame("time since the beginning", "connections, waiters");
  time_axis(chart, end);
  return std::move(chart).finish();
}

// ---------------------------------------------------------------- waits

namespace {

struct Bin {
  std::vector<double> waits;  // ns
  std::uint64_t failures = 0;
};

double quantile(std::vector<double>& values, double q) {
  const auto rank =
      std::min(static_cast<std::size_t>(q * static_cast<double>(values.size())), values.size() - 1);
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

// By when the lease was asked for: that is when the pool could not give it.
std::vector<Bin> bins_of(const Case& shown, std::size_t count) {
  std::vector<Bin> bins(count);
  const double end = seconds(shown_time(shown));
  for (const Round& r : shown.report.history) {
    const double at = seconds(since_beginning(r.due)) / end;
    const auto index =
        std::min(static_cast<std::size_t>(at * static_cast<double>(count)), count - 1);
    if (r.served != no_deadline) {
      bins[index].waits.push_back(static_cast<double>((r.served - r.due).count()));
    }
    if (r.result != Code{}) ++bins[index].failures;
  }
  return bins;
}

}  // namespace

std::string waits_chart(const Case& shown) {
  if (shown.report.history.empty()) return "";
  constexpr double height = 150;
  const std::size_t count = std::clamp<std::size_t>(shown.report.history.size() / 50, 20, 160);
  std::vector<Bin> bins = bins_of(shown, count);
  double low = 1e15;
  double high = 1e3;
  for (Bin& bin : bins) {
    if (bin.waits.empty()) continue;
    const double median = quantile(bin.waits, 0.5);
    if (median > 0) low = std::min(low, median);
    high = std::max(high, quantile(bin.waits, 0.99));
  }
  const LogTimes axis(std::min(low, high), high);
  Chart chart("Waits over time", height);
  axis.marks(chart);
  fault_bands(chart, shown, height);
  std::vector<Chart::Name> names;
  const auto curve = [&](double q, std::string_view css, std::string_view name) {
    std::string d;
    double y = chart.y(0);
    bool gap = true;
    for (std::size_t i = 0; i < count; ++i) {
      if (bins[i].waits.empty()) {
        gap = true;
        continue;
      }
      const double x = Chart::x((static_cast<double>(i) + 0.5) / static_cast<double>(count));
      y = chart.y(axis.fraction(quantile(bins[i].waits, q)));
      // A lone point is a dot: a line of no length with round ends.
      d += fmt::format("{}{:.1f},{:.1f}", gap ? "M" : "L", x, y);
      if (gap) d += "h0.1";
      gap = false;
    }
    if (d.empty()) return;
    chart.path(css, d);
    names.push_back({y + 4, css, std::string(name)});
  };
  curve(0.5, "p50", "p50");
  curve(0.99, "p99", "p99");
  for (std::size_t i = 0; i < count; ++i) {
    if (bins[i].failures == 0) continue;
    const double x = Chart::x((static_cast<double>(i) + 0.5) / static_cast<double>(count));
    chart.raw(
        fmt::format("<g><title>{} failed rounds</title><path class=\"failed\" "
                    "d=\"M{:.1f},{:.1f}l6,6m0,-6l-6,6\"/></g>\n",
                    grouped(bins[i].failures), x - 3, chart.y(0) - 10));
  }
  const bool any_failed = !shown.report.failures.empty();
  if (any_failed) names.push_back({chart.y(0) - 3, "failed", "\u00d7 failed"});
  chart.names(std::move(names));
  failure_line(chart, shown);
  chart.frame("time since the beginning", "wait for a lease");
  time_axis(chart, seconds(shown_time(shown)));
  return std::move(chart).finish();
}

// ---------------------------------------------------------------- percentiles

std::string percentiles_chart(const Case& shown) {
  std::uint64_t most = 0;
  double low = 1e15;
  double high = 1e3;
  for (const Measure& m : measures(shown.report)) {
    const LatencySummary s = m.histogram.summary();
    if (s.count == 0) continue;
    most = std::max(most, s.count);
    high = std::max(high, static_cast<double>(s.max.count()));
    if (s.p50 > Duration{}) low = std::min(low, static_cast<double>(s.p50.count()));
  }
  if (most == 0) return "";
  const LogTimes axis(std::min(low, high), high);
  // Each nine has the same room; beyond one in the number of values there is nothing to see.
  const double nines = std::clamp(std::log10(static_cast<double>(most)), 1.0, 7.0);
  Chart chart("Percentiles of waits and rounds", 220);
  axis.marks(chart);
  constexpr std::string_view labels[] = {"0%",     "90%",     "99%",      "99.9%",
                                         "99.99%", "99.999%", "99.9999%", "99.99999%"};
  chart.x_mark(std::log10(2.0) / nines, "50%");
  for (std::size_t n = 0; static_cast<double>(n) <= nines; ++n) {
    chart.x_mark(static_cast<double>(n) / nines, labels[n]);
  }
  std::vector<Chart::Name> names;
  for (const Measure& m : measures(shown.report)) {
    if (m.histogram.count() == 0) continue;
    const double own = std::log10(static_cast<double>(m.histogram.count()));
    std::string d;
    double y = 0;
    constexpr int points = 240;
    for (int i = 0; i <= points; ++i) {
      const double n = nines * i / points;
      if (n > own && i > 0) break;
      const Duration value = m.histogram.quantile(1 - std::pow(10, -n));
      y = chart.y(axis.fraction(static_cast<double>(value.count())));
      d += fmt::format("{}{:.1f},{:.1f}", d.empty() ? "M" : "L", Chart::x(n / nines), y);
    }
    chart.path(m.name == "wait" ? "curve-wait" : "curve-round", d);
    names.push_back({y + 4, m.name == "wait" ? "curve-wait" : "curve-round", std::string(m.name)});
  }
  chart.names(std::move(names));
  chart.frame("share of all that took at most this long", "time");
  return std::move(chart).finish();
}

}  // namespace weir::sim
