// SPDX-License-Identifier: MIT
//
// explore(): draws scenarios until the budget is spent, runs each, and makes what fails small.
//
// The loop is ours and not rapidcheck's, because it has to end on time; so is the way down the
// candidates of its shrink tree. A failure is known by its signature (the property that broke), and
// only scenarios with the same signature count as smaller versions of it. The schedule of a failing
// run becomes a list of deviations, is shrunk like the rest, and goes into the file that replays
// the case.
//
// Each run is made twice where `twice` says so, the second time with other heap contents and
// addresses: a different trace hash is a finding of its own kind.
//
// Threads: one. Blocks: for the budget, and for one run and one shrink more at most.
#pragma once

#include "sim/explore/generate.hpp"
#include "sim/explore/run.hpp"

namespace weir::sim {

struct CampaignOptions {
  Duration budget = std::chrono::seconds(60);  // wall
  std::uint64_t runs_max = UINT64_MAX;
  std::uint64_t seed = 1;
  Generator generator;
  Host host;
  Engine engine = default_engine();
  bool twice = true;
  std::uint32_t findings_max = 1;                     // then it stops
  Duration shrink_budget = std::chrono::seconds(10);  // wall, each finding
  std::function<bool()> interrupted;
  std::function<void(const struct CampaignState&)> progress;  // now and then
};

struct CaseFound {
  Scenario minimal;             // with `expected` filled in; replays exactly
  Report report;                // of the minimal one, with its trace and history
  std::uint64_t run = 0;        // after how many runs it was found
  Duration found_after{};       // wall
  std::uint64_t shrunk_in = 0;  // runs
};

struct CampaignState {
  std::uint64_t runs = 0;
  std::uint64_t steps = 0;
  Duration virtual_time{};
  Duration wall{};
  Judgement judgement;  // of all runs together
  std::vector<CaseFound> found;
  std::vector<std::string> nondeterministic;  // what differed, with both contexts
};

[[nodiscard]] CampaignState explore(const CampaignOptions& options);

// The smallest failing scenario that can be found in the time: best so far when it is interrupted.
// Requires: run(scenario) fails with `report`.
[[nodiscard]] CaseFound minimize(const Scenario& scenario, const Report& report, Duration budget,
                                 Engine engine, const std::function<bool()>& interrupted = {},
                                 const Host& host = {});

// Runs it a second time, in another environment. Returns: empty, or where the two differ first.
[[nodiscard]] std::string compare_runs(const Scenario& scenario, const Report& first, Engine engine,
                                       const Host& host = {});

}  // namespace weir::sim
