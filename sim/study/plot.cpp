// SPDX-License-Identifier: MIT
#include "sim/study/plot.hpp"

#include "sim/report/charts.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace weir::sim {

// ---- Scale

void Scale::take(double value) {
  if (!std::isfinite(value)) return;
  high_ = std::max(high_, value);
  if (value > 0) low_ = std::min(low_, value);
}

void Scale::take(const Estimate& e) {
  take(e.mean);
  if (!gauge_.is_time()) take(e.high());
}

LogTimes Scale::times() const {
  return {std::clamp(low_, 1e-6, 1e-3) * 1e9, std::max(high_, 1e-6) * 1e9};
}

double Scale::fraction(double value) const {
  if (gauge_.is_time()) return times().fraction(value * 1e9);
  return empty() ? 0 : std::clamp(value / high_, 0.0, 1.0);
}

void Scale::marks(Chart& chart) const {
  if (gauge_.is_time()) return times().marks(chart);
  for (const double mark : axis_marks(high_, 4)) {
    chart.y_mark(fraction(mark), value_text(gauge_, mark));
  }
}

// ---- Plot

Plot::Plot(std::string_view title, std::string_view over, double height, const Scale& scale,
           const std::vector<std::string>& places)
    : scale_(scale), over_(over), places_(places), chart_(title, height) {
  scale_.marks(chart_);
}

double Plot::x(std::size_t place) const {
  const std::size_t n = places_.size();
  return Chart::x(n < 2 ? 0.5 : static_cast<double>(place) / static_cast<double>(n - 1));
}

std::optional<double> Plot::y(double value) const {
  if (!std::isfinite(value)) return std::nullopt;
  return chart_.y(scale_.fraction(value));
}

// There and back again; only where all of it is known.
void Plot::band(std::string_view css, std::span<const Estimate> intervals) {
  std::string there;
  std::string back;
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    const auto low = y(intervals[i].low());
    const auto high = y(intervals[i].high());
    if (!low || !high) return;
    there += fmt::format("{}{:.1f},{:.1f}", there.empty() ? "M" : "L", x(i), *high);
    back = fmt::format("L{:.1f},{:.1f}", x(i), *low) + back;
  }
  chart_.path(fmt::format("band {}", css), there + back + "Z");
}

void Plot::curve(std::string_view css, const std::string& name, std::span<const double> values) {
  std::string d;
  std::optional<double> last;
  bool gap = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto at = y(values[i]);
    // A single point is a dot: a round cap on a line of hardly any length.
    if (at) d += fmt::format("{}{:.1f},{:.1f}h0.1", gap ? "M" : "L", x(i), *at);
    if (at) last = at;
    gap = !at;
  }
  if (!last) return;
  chart_.path(css, d);
  names_.push_back({*last + 4, css, name});
}

std::string Plot::finish(std::string_view y_title) && {
  chart_.names(std::move(names_));
  const std::size_t step = (places_.size() + 19) / 20;
  for (std::size_t i = 0; i < places_.size(); i += step) {
    const std::size_t n = places_.size();
    chart_.x_mark(n < 2 ? 0.5 : static_cast<double>(i) / static_cast<double>(n - 1), places_[i]);
  }
  chart_.frame(over_, y_title);
  return std::move(chart_).finish();
}

std::vector<double> means(std::span<const Estimate> estimates) {
  std::vector<double> all;
  for (const Estimate& e : estimates) all.push_back(e.mean);
  return all;
}

}  // namespace weir::sim
