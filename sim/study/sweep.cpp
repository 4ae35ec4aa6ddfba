// SPDX-License-Identifier: MIT
#include "sim/study/sweep.hpp"

#include "sim/study/json.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir::sim {
namespace {

constexpr Gauge gauges[] = {{Gauge::What::wait, Gauge::mean},
                            {Gauge::What::wait, 0.5},
                            {Gauge::What::wait, 0.99},
                            {Gauge::What::round, 0.99},
                            {Gauge::What::throughput, Gauge::mean},
                            {Gauge::What::timeouts, Gauge::mean},
                            {Gauge::What::errors, Gauge::mean}};

// The columns of a table of text are as wide as what is in them.
std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  const auto length = [](const std::string& text) {  // "±" is one
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
      return (static_cast<unsigned char>(c) >> 6) != 2;
    }));
  };
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], length(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - length(row[i]) + 2, ' ');
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

bool any_theory(const Sweep& sweep) {
  return std::any_of(sweep.points.begin(), sweep.points.end(),
                     [](const SweepPoint& p) { return std::holds_alternative<Queue>(p.queue); });
}

}  // namespace

std::span<const Gauge> sweep_gauges() noexcept { return gauges; }

Result<std::vector<std::vector<Setting>>> combinations(const std::vector<Range>& ranges) {
  std::vector<std::vector<Setting>> all(1);
  for (const Range& range : ranges) {
    const auto same = [&](const Range& other) { return other.key == range.key; };
    if (std::count_if(ranges.begin(), ranges.end(), same) > 1) {
      return fail(
          Code::config_value,
          fmt::format("{} is there twice; write all of its values in one --set", range.key));
    }
    if (all.size() * range.values.size() > sweep_points_max) {
      return fail(
          Code::config_value,
          fmt::format("these are more than {} combinations; write fewer values", sweep_points_max));
    }
    std::vector<std::vector<Setting>> longer;
    for (const auto& settings : all) {
      for (const std::string& value : range.values) {
        longer.push_back(settings);
        longer.back().push_back({range.key, value});
      }
    }
    all = std::move(longer);
  }
  return all;
}

std::optional<double> theory(const Gauge& gauge, const SweepPoint& point) {
  return expected(gauge, point.queue);
}

std::vector<std::string> theory_gaps(const Sweep& sweep) {
  std::vector<Variant> variants;
  for (const SweepPoint& point : sweep.points) {
    variants.push_back({to_string(point.settings), &point.queue});
  }
  return theory_gaps(variants);
}

Studied<Sweep> sweep(const std::vector<Scenario>& scenarios,
                     const std::vector<std::vector<Setting>>& settings,
                     const std::vector<Range>& ranges, const StudyOptions& options) {
  Sweep all{scenarios.front().name, options.runs, scenarios.front().seed, ranges, {}};
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    auto runs = run_seeds(scenarios[i], options, to_string(settings[i]));
    if (!runs) return tl::unexpected(runs.error());
    SweepPoint point{settings[i], {}, queue_of(scenarios[i])};
    for (const Gauge& gauge : gauges) point.values.push_back(estimate(gauge, *runs));
    all.points.push_back(std::move(point));
  }
  return all;
}

std::string to_text(const Sweep& sweep) {
  const bool with_theory = any_theory(sweep);
  std::vector<std::vector<std::string>> rows(1);
  for (const Range& range : sweep.ranges) rows[0].push_back(range.key);
  for (const Gauge& gauge : gauges) {
    rows[0].push_back(to_string(gauge));
    if (with_theory && gauge.what == Gauge::What::wait) rows[0].emplace_back("M/M/c");
  }
  for (const SweepPoint& point : sweep.points) {
    std::vector<std::string> row;
    for (const Setting& setting : point.settings) row.push_back(setting.value);
    for (std::size_t i = 0; i < std::size(gauges); ++i) {
      row.push_back(estimate_text(gauges[i], point.values[i]));
      if (!with_theory || gauges[i].what != Gauge::What::wait) continue;
      const auto wait = theory(gauges[i], point);
      row.push_back(wait ? value_text(gauges[i], *wait) : "-");
    }
    rows.push_back(std::move(row));
  }
  std::string out = table(rows);
  for (const std::string& gap : theory_gaps(sweep)) out += "no M/M/c curve: " + gap + "\n";
  return out;
}

std::string to_json(const Sweep& sweep) {
  Json out = {{"scenario", sweep.name},
              {"runs", sweep.runs},
              {"seed", sweep.seed},
              {"points", Json::array()},
              {"no_theory", theory_gaps(sweep)}};
  for (const SweepPoint& point : sweep.points) {
    Json row = {{"settings", Json::object()}, {"theory", Json::object()}};
    for (const Setting& setting : point.settings) row["settings"][setting.key] = setting.value;
    for (std::size_t i = 0; i < std::size(gauges); ++i) {
      row[to_string(gauges[i])] = json_of(point.values[i]);
      const auto wait = theory(gauges[i], point);
      if (wait) row["theory"][to_string(gauges[i])] = json_of(*wait);
    }
    out["points"].push_back(std::move(row));
  }
  return dumped(out);
}

}  // namespace weir::sim
