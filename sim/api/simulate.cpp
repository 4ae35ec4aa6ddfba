// SPDX-License-Identifier: MIT
#include "sim/api/outcome.hpp"
#include "sim/explore/campaign.hpp"
#include "sim/explore/scenario_file.hpp"

#include <utility>

namespace weir::sim {
namespace {

using WallClock = std::chrono::steady_clock;

// The same run once more, with its steps, so that it can be shown.
// Returns: empty, or how it was another one.
std::string keep_steps(const Scenario& scenario, const Host& host, Engine engine, Report& report) {
  Report again = run(scenario,
                     {.engine = engine,
                      .keep_trace = report.ending.steps <= trace_steps_max,
                      .keep_history = true},
                     host);
  if (again.ending.trace_hash == report.ending.trace_hash) {
    report = std::move(again);
    return {};
  }
  return "once it ended with " + report.signature() + " (" + report.ending.text + "), then " +
         (again.ok() ? "well" : "with " + again.signature() + " (" + again.ending.text + ")") +
         "\n" + compare_runs(scenario, report, engine, host);
}

}  // namespace

Result<Outcome> outcome_of(const Scenario& scenario, const Host& host,
                           const SimulateOptions& options) {
  const Engine engine = engine_of(options.os_threads);
  const auto begin = WallClock::now();
  const bool once = scenario.clock == Clock::wall;  // another run would be another one
  Report report = run(scenario, {.engine = engine, .keep_trace = once, .keep_history = true}, host);
  const auto wall = std::chrono::duration_cast<Duration>(WallClock::now() - begin);
  if (report.unable) return fail(*std::move(report.unable));
  std::string differs;
  if (once) {
    // Nothing can be said of determinism.
  } else if (!report.ok()) {
    differs = keep_steps(scenario, host, engine, report);
  } else if (options.twice) {
    differs = compare_runs(scenario, report, engine, host);
  }
  if (!differs.empty()) {
    report.ending.kind = Ending::Kind::failed;
    report.ending.property = nondeterminism;
    report.ending.text = std::move(differs);
  }
  return make_outcome({scenario, std::move(report), wall, engine});
}

Result<Outcome> simulate(std::string_view scenario, const Host& host,
                         const SimulateOptions& options) {
  auto read = scenario_from_string(scenario, "scenario", options.base_dir);
  if (!read) return fail(std::move(read).error());
  return outcome_of(*read, host, options);
}

Result<Outcome> simulate_file(const std::string& path, const Host& host,
                              const SimulateOptions& options) {
  auto read = read_scenario(path);
  if (!read) return fail(std::move(read).error());
  return outcome_of(*read, host, options);
}

Outcome minimize(const Outcome& outcome, const Host& host, Duration budget) {
  const Outcome::Data& data = outcome.data();
  if (outcome.ok() || outcome.property() == nondeterminism) return outcome;
  if (data.scenario.clock == Clock::wall) return outcome;
  CaseFound found = minimize(data.scenario, data.report, budget, data.engine, {}, host);
  if (found.report.signature() != outcome.property()) return outcome;
  return make_outcome({std::move(found.minimal), std::move(found.report), {}, data.engine});
}

}  // namespace weir::sim
