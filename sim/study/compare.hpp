// SPDX-License-Identifier: MIT
//
// compare(): two scenarios on the same seeds, so on the same arrivals and service times, and
// whether what differs between them is more than chance. Differences are taken run by run, which
// leaves out what both runs of a seed have in common.
//
// Called by: `weir sim compare`. Owns nothing. Threads: one. Blocks: for the runs.
#pragma once

#include "sim/study/study.hpp"

namespace weir::sim {

enum class Difference : std::uint8_t {
  none,     // the same number in each run
  unclear,  // 0 lies in the interval
  lower,    // B's is, with 95 % confidence
  higher,
  unknown  // one of them is infinite
};

struct Compared {
  Gauge gauge;
  Estimate a;
  Estimate b;
  Estimate difference;  // b - a, of pairs
  Difference verdict = Difference::none;
  std::vector<double> a_runs;  // by seed
  std::vector<double> b_runs;
};

struct Comparison {
  std::uint32_t runs = 0;
  std::uint64_t seed = 0;  // the first
  bool same_work = true;   // clients, duration, database and service times are
  std::vector<Compared> rows;
  std::string a_name;  // of the scenarios
  std::string b_name;
};

// Both run with the seeds of `a`.
[[nodiscard]] Studied<Comparison> compare(const Scenario& a, const Scenario& b,
                                          const StudyOptions& options);

[[nodiscard]] std::string to_text(const Comparison& comparison);
[[nodiscard]] std::string to_json(const Comparison& comparison);
// One page that stands alone: the differences with their intervals, each run's pair, the tables.
[[nodiscard]] std::string to_html(const Comparison& comparison);

[[nodiscard]] std::string summary(const Comparison& comparison);    // what differs
[[nodiscard]] std::string work_text(const Comparison& comparison);  // what both have in common
// Run by run; 0 where both are infinite.
[[nodiscard]] std::vector<double> differences_of(const Compared& row);
[[nodiscard]] std::string difference_text(const Compared& row);
[[nodiscard]] std::string_view to_string(Difference verdict) noexcept;  // "B is lower"

}  // namespace weir::sim
