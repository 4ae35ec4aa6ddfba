// SPDX-License-Identifier: MIT
//
// sweep(): one scenario with each value of a key, or each combination of values of several, on the
// same seeds. Beside what was simulated stands what M/M/c says of the same queue, where the
// scenario is one (queueing.hpp).
//
// Called by: `weir sim sweep`. Owns nothing. Threads: one. Blocks: for the runs.
#pragma once

#include "sim/explore/scenario_set.hpp"
#include "sim/study/queueing.hpp"
#include "sim/study/study.hpp"

namespace weir::sim {

inline constexpr std::size_t sweep_points_max = 1000;

// All combinations, the last range the fastest. Errors: config_value, where there are too many, or
// a key is there twice.
[[nodiscard]] Result<std::vector<std::vector<Setting>>> combinations(
    const std::vector<Range>& ranges);

// The columns of a sweep, in their order.
[[nodiscard]] std::span<const Gauge> sweep_gauges() noexcept;

struct SweepPoint {
  std::vector<Setting> settings;
  std::vector<Estimate> values;  // of sweep_gauges()
  Theory queue;                  // or why it has none
};

struct Sweep {
  std::string name;  // of the scenario
  std::uint32_t runs = 0;
  std::uint64_t seed = 0;  // the first
  std::vector<Range> ranges;
  std::vector<SweepPoint> points;
};

// What M/M/c says of a gauge; nothing where it does not.
[[nodiscard]] std::optional<double> theory(const Gauge& gauge, const SweepPoint& point);
// Why no point, or not each of them, has a curve; empty if all have. One line for each reason.
[[nodiscard]] std::vector<std::string> theory_gaps(const Sweep& sweep);

// Requires: scenarios and settings are as many.
[[nodiscard]] Studied<Sweep> sweep(const std::vector<Scenario>& scenarios,
                                   const std::vector<std::vector<Setting>>& settings,
                                   const std::vector<Range>& ranges, const StudyOptions& options);

[[nodiscard]] std::string to_text(const Sweep& sweep);
[[nodiscard]] std::string to_json(const Sweep& sweep);
// One page that stands alone: a chart for each combination of all ranges but the first, over the
// values of the first, and the table.
[[nodiscard]] std::string to_html(const Sweep& sweep);

}  // namespace weir::sim
