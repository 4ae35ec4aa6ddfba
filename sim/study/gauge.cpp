// SPDX-License-Identifier: MIT
#include "sim/study/gauge.hpp"

#include "core/base/suggest.hpp"
#include "core/base/text.hpp"
#include "core/observe/texts.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace weir::sim {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

struct Named {
  std::string_view name;
  double quantile;
};
constexpr Named statistics[] = {{"mean", Gauge::mean}, {"p50", 0.5},     {"p90", 0.9},
                                {"p99", 0.99},         {"p99.9", 0.999}, {"max", 1}};
constexpr std::string_view whats[] = {"wait", "round", "throughput", "timeouts", "errors"};

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const std::string_view what : {whats[0], whats[1]}) {
    for (const Named& s : statistics) names.push_back(fmt::format("{} {}", s.name, what));
  }
  for (std::size_t i = 2; i < std::size(whats); ++i) names.emplace_back(whats[i]);
  return names;
}

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

double of_times(double quantile, const base::Histogram& times, std::uint64_t endless) {
  if (quantile == Gauge::mean) return seconds(times.summary().mean);
  const std::uint64_t all = times.count() + endless;
  if (all == 0) return 0;
  const double rank = std::min(quantile * static_cast<double>(all), static_cast<double>(all - 1));
  if (std::floor(rank) >= static_cast<double>(times.count())) return never;
  return seconds(times.quantile(std::floor(rank) / static_cast<double>(times.count())));
}

double share(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

// Of 1 to 30 degrees of freedom; then close enough by the second.
double student_975(std::size_t freedom) {
  constexpr double table[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                              2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                              2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                              2.060,  2.056, 2.052, 2.048, 2.045, 2.042};
  if (freedom <= std::size(table)) return table[freedom - 1];
  return 1.96 + 2.5 / static_cast<double>(freedom);
}

}  // namespace

Seen seen(const Report& report) {
  Seen s{report.wait, report.round, report.unserved, report.rounds, 0, 0, seconds(report.worked)};
  for (const auto& [code, count] : report.failures) {
    s.failed += count;
    if (code == Code::acquire_timeout) s.timeouts += count;
  }
  return s;
}

Result<Gauge> parse_gauge(std::string_view name) {
  for (std::size_t i = 2; i < std::size(whats); ++i) {
    if (name == whats[i]) return Gauge{static_cast<Gauge::What>(i), Gauge::mean};
  }
  for (std::size_t i = 0; i < 2; ++i) {
    for (const Named& s : statistics) {
      if (name == fmt::format("{} {}", s.name, whats[i])) {
        return Gauge{static_cast<Gauge::What>(i), s.quantile};
      }
    }
  }
  const auto names = all_names();
  const std::string_view near = nearest(name, names);
  return fail(Code::config_value,
              fmt::format("'{}' cannot be measured; {}", printable(name),
                          near.empty() ? fmt::format("there are mean, p50, p90, p99, p99.9 and max "
                                                     "of wait and of round, throughput, timeouts "
                                                     "and errors")
                                       : fmt::format("did you mean '{}'?", near)));
}

std::string to_string(const Gauge& gauge) {
  const std::string_view what = whats[static_cast<std::size_t>(gauge.what)];
  if (!gauge.is_time()) return std::string(what);
  const auto* s = std::find_if(std::begin(statistics), std::end(statistics),
                               [&](const Named& row) { return row.quantile == gauge.quantile; });
  return fmt::format("{} {}", s->name, what);
}

double value(const Gauge& gauge, const Seen& seen) {
  switch (gauge.what) {
    case Gauge::What::wait:
      return of_times(gauge.quantile, seen.wait, seen.unserved);
    case Gauge::What::round:
      return of_times(gauge.quantile, seen.round, 0);
    case Gauge::What::throughput:
      return static_cast<double>(seen.rounds - seen.failed) / seen.seconds;
    case Gauge::What::timeouts:
      return share(seen.timeouts, seen.rounds);
    case Gauge::What::errors:
      break;
  }
  return share(seen.failed, seen.rounds);
}

std::string value_text(const Gauge& gauge, double value) {
  if (std::isinf(value)) return "never";
  if (gauge.is_share()) return fmt::format("{:.3g}%", value * 100);
  if (!gauge.is_time()) return fmt::format("{:.4g}/s", value);
  const std::string text = observe::short_duration(Duration(std::llround(std::abs(value) * 1e9)));
  return value < 0 ? "-" + text : text;
}

Estimate estimate(std::span<const double> values) {
  Estimate e;
  const auto n = static_cast<double>(values.size());
  for (const double v : values) e.mean += v / n;
  if (values.size() < 2 || !std::isfinite(e.mean)) return e;
  double squares = 0;
  for (const double v : values) squares += (v - e.mean) * (v - e.mean);
  e.half = student_975(values.size() - 1) * std::sqrt(squares / (n - 1) / n);
  return e;
}

Estimate estimate(const Gauge& gauge, std::span<const Seen> runs) {
  std::vector<double> values;
  values.reserve(runs.size());
  for (const Seen& run : runs) values.push_back(value(gauge, run));
  return estimate(values);
}

std::string estimate_text(const Gauge& gauge, const Estimate& estimate) {
  std::string mean = value_text(gauge, estimate.mean);
  if (!std::isfinite(estimate.half)) return mean;
  return mean + " \u00b1 " + value_text(gauge, estimate.half);
}

}  // namespace weir::sim
