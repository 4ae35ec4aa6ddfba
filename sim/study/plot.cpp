// SPDX-License-Identifier: MIT
#include "sim/study/plot.hpp"

#include "sim/report/charts.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace weir::sim {

// ---- Scale

Scale Scale::around(const Gauge& gauge, std::span<const double> values) {
  Scale scale(gauge);
  for (const double value : values) scale.take(value);
  constexpr double far = 20;
  if (gauge.is_time() && scale.high_ > far * scale.low_) return scale;
  scale.kind_ = Kind::around;
  for (const double value : values) {
    if (std::isfinite(value)) scale.low_ = std::min(scale.low_, value);
  }
  scale.low_ = std::min(scale.low_, scale.high_);
  // At least so far that the numbers at the axis, which are rounded, differ.
  const double room = std::max({0.08 * (scale.high_ - scale.low_), 0.01 * scale.high_, 1e-6});
  scale.low_ = std::max(scale.low_ - room, 0.0);
  scale.high_ += room;
  return scale;
}

void Scale::take(double value) {
  if (!std::isfinite(value)) return;
  high_ = std::max(high_, value);
  if (value > 0) low_ = std::min(low_, value);
}

void Scale::take(const Estimate& e) {
  take(e.mean);
  if (kind_ == Kind::from_zero) take(e.high());
}

LogTimes Scale::times() const {
  return {std::clamp(low_, 1e-6, 1e-3) * 1e9, std::max(high_, 1e-6) * 1e9};
}

double Scale::fraction(double value) const {
  if (kind_ == Kind::times) return times().fraction(value * 1e9);
  return empty() ? 0 : std::clamp((value - bottom()) / (high_ - bottom()), 0.0, 1.0);
}

void Scale::marks(Chart& chart) const {
  if (kind_ == Kind::times) return times().marks(chart);
  if (empty()) return;
  const int wanted = static_cast<int>(4 * high_ / (high_ - bottom()));
  for (const double mark : axis_marks(high_, wanted)) {
    if (mark >= bottom() && mark <= high_) chart.y_mark(fraction(mark), value_text(gauge_, mark));
  }
}

// ---- Plot

namespace {

double fraction(std::size_t place, std::size_t places) {
  return places < 2 ? 0.5 : static_cast<double>(place) / static_cast<double>(places - 1);
}

}  // namespace

Plot::Plot(std::string_view title, std::string_view over, double height, const Scale& scale,
           const std::vector<std::string>& places)
    : scale_(scale), over_(over), places_(places), chart_(title, height) {
  scale_.marks(chart_);
}

double Plot::x(std::size_t place) const { return Chart::x(fraction(place, places_.size())); }

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
    back.insert(0, fmt::format("L{:.1f},{:.1f}", x(i), *low));
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

void Plot::level(std::string_view css, const std::string& name, double value) {
  const auto at = y(value);
  if (!at) return;
  chart_.path(css, fmt::format("M{:.1f},{:.1f}H{:.1f}", Chart::x(0), *at, Chart::x(1)));
  names_.push_back({*at + 4, css, name});
}

void Plot::mark(std::size_t place, Mark shape, std::string_view css, double value,
                const std::string& told) {
  const auto at = y(value);
  std::string drawn;
  if (!at) {
    drawn = fmt::format("<text class=\"mid {}\" x=\"{:.1f}\" y=\"{:.1f}\">never</text>", css,
                        x(place), chart_.y(1) + 12);
  } else if (shape == Mark::cross) {
    drawn = fmt::format("<path class=\"mark {}\" d=\"M{:.1f},{:.1f}l8,8m0,-8l-8,8\"/>", css,
                        x(place) - 4, *at - 4);
  } else {
    drawn = fmt::format("<circle class=\"mark{} {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4.5\"/>",
                        shape == Mark::hollow ? " hollow" : "", css, x(place), *at);
  }
  chart_.raw(fmt::format("<g><title>{}</title>{}</g>\n", html_text(told), drawn));
}

void Plot::whisker(std::size_t place, std::string_view css, double from, double to) {
  const auto low = y(from);
  const auto high = y(to);
  if (!low || !high || std::abs(*low - *high) < 0.1) return;  // hidden by the marks
  chart_.path(fmt::format("whisker {}", css),
              fmt::format("M{:.1f},{:.1f}V{:.1f}", x(place), *low, *high));
}

std::string Plot::finish(std::string_view y_title) && {
  chart_.names(std::move(names_));
  const std::size_t step = (places_.size() + 19) / 20;
  for (std::size_t i = 0; i < places_.size(); i += step) {
    chart_.x_mark(fraction(i, places_.size()), places_[i]);
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
