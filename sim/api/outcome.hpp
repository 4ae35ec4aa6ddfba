// SPDX-License-Identifier: MIT
//
// What an Outcome refers to, and how one is made of a run. The inside of weir/sim.hpp.
//
// Called by: the other files of sim/api. Threads: any.
#pragma once

#include "sim/explore/run.hpp"

#include <weir/sim.hpp>

namespace weir::sim {

inline constexpr std::string_view nondeterminism = "nondeterminism";

// Constant once it is shared.
struct Outcome::Data {
  Scenario scenario;  // `expected` is what happened
  Report report;      // with the history, and the trace if it failed and was not too long for one
  Duration wall{};    // 0: not known
  Engine engine{};
};

// Runs it as simulate() does. Errors: why the run could not be made.
[[nodiscard]] Result<Outcome> outcome_of(const Scenario& scenario, const Host& host,
                                         const SimulateOptions& options);
[[nodiscard]] Outcome make_outcome(Outcome::Data data);
[[nodiscard]] inline Engine engine_of(bool os_threads) noexcept {
  return os_threads ? Engine::threads : default_engine();
}

}  // namespace weir::sim
