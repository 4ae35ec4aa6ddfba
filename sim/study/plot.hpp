// SPDX-License-Identifier: MIT
//
// A plot: values over places that stand side by side, such as the values of a key that was swept,
// the sizes that were tried, or the seeds. Each place has the same room, whatever it is called.
//
// Called by: sim/study's pages. Owns its text. Threads: any, one per Plot.
// Invariant: a value that is not finite leaves a gap, never a number that SVG does not know.
#pragma once

#include "sim/report/chart.hpp"
#include "sim/study/gauge.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::sim {

// The values that a gauge can have in one plot.
class Scale {
 public:
  // Times on a logarithmic axis, all else from 0 up.
  explicit Scale(const Gauge& gauge)
      : gauge_(gauge), kind_(gauge.is_time() ? Kind::times : Kind::from_zero) {}
  // From the lowest to the highest, which shows small differences; times that are far apart are on
  // a logarithmic axis all the same.
  static Scale around(const Gauge& gauge, std::span<const double> values);
  void take(double value);
  void take(const Estimate& e);  // the whole of it, where it is known

  [[nodiscard]] bool empty() const { return !(high_ > 0); }  // nothing but zeros
  [[nodiscard]] double fraction(double value) const;
  void marks(Chart& chart) const;

 private:
  enum class Kind : std::uint8_t { times, from_zero, around };
  [[nodiscard]] LogTimes times() const;
  [[nodiscard]] double bottom() const { return kind_ == Kind::around ? low_ : 0; }

  Gauge gauge_;
  Kind kind_;
  double low_ = std::numeric_limits<double>::infinity();  // `times`: above 0
  double high_ = 0;
};

class Plot {
 public:
  // `over` is what the places are of. Requires: at least one place.
  Plot(std::string_view title, std::string_view over, double height, const Scale& scale,
       const std::vector<std::string>& places);

  // One value or interval for each place.
  void band(std::string_view css, std::span<const Estimate> intervals);
  void curve(std::string_view css, const std::string& name, std::span<const double> values);
  // A line across, with its name where it ends.
  void level(std::string_view css, const std::string& name, double value);
  // What was measured at a place, and its interval as a line through it; kinds differ in their
  // shape. One that is infinite stands above the others, in words. `told` is its tooltip.
  enum class Mark : std::uint8_t { full, hollow, cross };
  void mark(std::size_t place, Mark shape, std::string_view css, double value,
            const std::string& told);
  void whisker(std::size_t place, std::string_view css, double from, double to);
  // Its axis is called `y_title`.
  std::string finish(std::string_view y_title) &&;

 private:
  [[nodiscard]] double x(std::size_t place) const;
  [[nodiscard]] std::optional<double> y(double value) const;

  Scale scale_;
  std::string over_;
  std::vector<std::string> places_;
  Chart chart_;
  std::vector<Chart::Name> names_;
};

[[nodiscard]] std::vector<double> means(std::span<const Estimate> estimates);

}  // namespace weir::sim
