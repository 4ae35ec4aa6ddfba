// SPDX-License-Identifier: MIT
//
// What the pictures of the HTML reports are drawn with, as inline SVG: a frame with two axes, what
// lies in it, and times on a logarithmic axis. Colours and type are the page's, by class
// (html_style.hpp).
//
// Called by: charts.cpp, study_html.cpp. Owns its text. Threads: any, one per Chart.
#pragma once

#include "core/observe/texts.hpp"
#include "sim/report/html.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace weir::sim {

// One picture: its frame, axes and what is drawn into it.
class Chart {
 public:
  // Of all charts, so that axes agree. In the units of the viewBox, which are CSS pixels on a page
  // that is 800 wide.
  static constexpr double width = 800;
  static constexpr double left = 70;   // for a mark such as "<= 100 ms", in DejaVu Sans
  static constexpr double right = 92;  // for the names of the curves
  static constexpr double plot_width = width - left - right;

  Chart(std::string_view title, double height) : height_(height) {
    out_ = fmt::format("<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">\n",
                       width, height + top + bottom, html_text(title));
  }

  // Fractions of the plot, from its lower left corner.
  [[nodiscard]] static double x(double fraction) { return left + fraction * plot_width; }
  [[nodiscard]] double y(double fraction) const { return top + (1 - fraction) * height_; }

  void y_mark(double fraction, std::string_view label) {
    out_ += fmt::format(
        "<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" "
        "y2=\"{:.1f}\"/><text class=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
        x(0), x(1), y(fraction), y(fraction), left - 8, y(fraction) + 4, html_text(label));
  }
  void x_mark(double fraction, std::string_view label) {
    out_ += fmt::format(
        "<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" "
        "y2=\"{2:.1f}\"/><text class=\"mid\" x=\"{0:.1f}\" y=\"{3:.1f}\">{4}"
        "</text>\n",
        x(fraction), y(0), y(0) + 4, y(0) + 18, html_text(label));
  }
  void frame(std::string_view x_title, std::string_view y_title) {
    out_ += fmt::format(
        "<line class=\"axis\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" "
        "y2=\"{:.1f}\"/>",
        x(0), x(1), y(0), y(0));
    out_ += fmt::format("<text class=\"mid dim\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", x(0.5),
                        y(0) + 36, html_text(x_title));
    out_ += fmt::format("<text class=\"dim\" x=\"4\" y=\"12\">{}</text>\n", html_text(y_title));
  }
  void path(std::string_view css, const std::string& d) {
    out_ += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", css, d);
  }
  void raw(const std::string& svg) { out_ += svg; }
  // The names of curves to the right of where they end, moved apart where they would overlap.
  struct Name {
    double y;
    std::string_view css;
    std::string text;
  };
  void names(std::vector<Name> list) {
    std::stable_sort(list.begin(), list.end(),
                     [](const Name& a, const Name& b) { return a.y < b.y; });
    double low = y(0) + 4 - 15 * static_cast<double>(list.size() - 1);
    double before = top - 15;
    for (Name& name : list) {
      name.y = std::min(std::max(name.y, before + 15), low);
      before = name.y;
      low += 15;
      out_ += fmt::format("<text class=\"name {}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", name.css,
                          x(1) + 8, name.y, html_text(name.text));
    }
  }
  std::string finish() && { return std::move(out_) + "</svg>\n"; }

 private:
  static constexpr double top = 24;
  static constexpr double bottom = 42;
  double height_;
  std::string out_;
};

// Times on a logarithmic axis, in whole powers of ten around what there is.
class LogTimes {
 public:
  LogTimes(double low_ns, double high_ns)
      : low_(std::floor(std::log10(std::max(low_ns, 1e3)))),
        high_(std::max(std::ceil(std::log10(std::max(high_ns, 1e3))), low_ + 1)) {}

  [[nodiscard]] double fraction(double ns) const {
    if (ns <= 0) return 0;
    return std::clamp((std::log10(ns) - low_) / (high_ - low_), 0.0, 1.0);
  }
  // Zero, and what is shorter, lies on the lowest line, which says so.
  void marks(Chart& chart) const {
    for (double power = low_; power <= high_; ++power) {
      const std::string label =
          observe::short_duration(Duration(static_cast<std::int64_t>(std::pow(10, power))));
      chart.y_mark((power - low_) / (high_ - low_),
                   (power == low_ ? "\u2264 " : "") + without_fraction(label));
    }
  }

 private:
  // "1.00ms" is "1 ms" where all are powers of ten.
  static std::string without_fraction(const std::string& label) {
    const std::size_t unit = label.find_first_not_of("0123456789.");
    std::string digits = label.substr(0, unit);
    if (digits.find('.') != std::string::npos) {
      digits.erase(digits.find_last_not_of('0') + 1);
      if (digits.back() == '.') digits.pop_back();
    }
    return digits + " " + label.substr(unit);
  }

  double low_;
  double high_;
};

}  // namespace weir::sim
