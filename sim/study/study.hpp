// SPDX-License-Identifier: MIT
//
// A study runs scenarios that differ in a little, each with the same seeds: work has its luck by
// its number (run.cpp), so variants get the same arrivals and service times, and what differs
// between them is what was changed, and not chance.
//
// Called by: size, sweep, compare. Owns nothing. Threads: one. Blocks: for as long as the runs
// take.
#pragma once

#include "sim/study/gauge.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace weir::sim {

struct StudyOptions {
  std::uint32_t runs = 5;  // of each variant: with the seed of the scenario, the next one ...
  RunOptions run;
  std::function<void(const std::string&)> progress;  // before each run: "max = 4, seed 2"
};

// Why a study cannot go on: a run was interrupted, or cannot be made, or the pool itself broke a
// property in it, which `weir sim run` can show and numbers should not hide.
struct Stopped {
  bool interrupted = false;
  std::optional<Error> unable;  // the runs cannot be made
  std::string why;              // "max = 4, seed 3: S13 broken at 1.25s: a session kept its role"
};

template <class T>
using Studied = tl::expected<T, Stopped>;

[[nodiscard]] Studied<std::vector<Seen>> run_seeds(Scenario scenario, const StudyOptions& options,
                                                   const std::string& variant);

}  // namespace weir::sim
