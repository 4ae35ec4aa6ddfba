// SPDX-License-Identifier: MIT
//
// run(): one scenario, from an empty world to a verdict. The pool is BasicPool<SimRuntime> over the
// real driver; clients, actions and faults do what the scenario says; then everything heals: faults
// are over, clients have stopped, and the pool has to come to rest within a bound that follows from
// its configuration; then it is drained, and the server's ledger is closed and judged.
//
// Threads: one OS thread. Two runs of one scenario give the same Report.
#pragma once

#include "core/base/histogram.hpp"
#include "sim/check/judge.hpp"
#include "sim/explore/scenario.hpp"

#include <weir/error.hpp>
#include <weir/sim.hpp>
#include <weir/stats.hpp>

#include <functional>
#include <optional>

namespace weir::sim {

// One client's round, as it saw it. Kept where asked for.
struct Round {
  std::uint64_t group;
  std::uint32_t client;
  ThreadId thread;
  Instant due;
  Instant asked;
  Instant served;  // its first lease: until then it has waited; no_deadline: never
  Instant lent;    // the lease of its last attempt that had one; no_deadline: never
  Instant done;
  Code result;
  std::uint32_t slot_session;  // the server's id of the session; 0: not known
};

// The pool's counts at a moment, for the picture over time.
struct Sample {
  Instant at;
  PoolCounts counts;
  std::uint32_t server_sessions;
};

struct RunOptions {
  Engine engine = default_engine();
  bool keep_trace = false;              // every step
  bool keep_history = false;            // rounds and samples
  std::function<bool()> interrupted{};  // asked at each step of the engine; ends the run if true
};

// The property of a run that was interrupted: nothing of the pool's.
inline constexpr const char* interrupted_run = "interrupted";
// Of one that could not be made.
inline constexpr const char* unable_to_run = "config";
// A trace longer than this takes more memory than its end is worth.
inline constexpr std::uint64_t trace_steps_max = 1'000'000;

struct Report {
  Ending ending;
  std::optional<Error> unable;  // why the run could not be made, if that is how it ended
  Judgement judgement;          // what was checked how often
  std::uint64_t rounds = 0;
  std::vector<std::pair<Code, std::uint64_t>> failures;
  base::Histogram wait;        // until a round's first lease, from when it was due
  base::Histogram round;       // of the whole round, from when it was due
  std::uint64_t unserved = 0;  // rounds that are not in `wait`: they never had a lease
  Duration worked{};           // until the last round was over, and at least the duration
  PoolStats stats;             // at the end of the clients' time
  Duration virtual_time{};
  Duration stalled{};
  std::uint32_t sessions_max = 0;  // that the server ever had
  std::vector<Deviation> deviations;
  std::vector<Step> trace;
  std::vector<std::string> thread_names;  // by ThreadId - 1
  std::vector<Round> history;
  std::vector<Sample> samples;
  std::vector<std::string> log;  // the pool's, kept with the history

  // "S13": what two failures have in common if they are the same bug; empty if all is well.
  [[nodiscard]] const std::string& signature() const noexcept { return ending.property; }
  [[nodiscard]] bool ok() const noexcept { return ending.ok(); }
};

[[nodiscard]] Report run(const Scenario& scenario, const RunOptions& options = {},
                         const Host& host = {});

}  // namespace weir::sim
