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

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::sim {

// The values that a gauge can have in one plot: times on a logarithmic axis, all else from 0 up.
class Scale {
 public:
  explicit Scale(const Gauge& gauge) : gauge_(gauge) {}
  void take(double value);
  void take(const Estimate& e);  // the whole of it, where it is known

  [[nodiscard]] bool empty() const { return !(high_ > 0); }  // nothing but zeros
  [[nodiscard]] double fraction(double value) const;
  void marks(Chart& chart) const;

 private:
  [[nodiscard]] LogTimes times() const;

  Gauge gauge_;
  double low_ = std::numeric_limits<double>::infinity();  // above 0
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
