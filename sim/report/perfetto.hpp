// SPDX-License-Identifier: MIT
//
// One run as a trace that ui.perfetto.dev and chrome://tracing open: rounds with their waits and
// leases, the pool's and the server's counts over time, faults, actions of the host, failures.
// Format: "Trace Event Format", JSON object form; times in microseconds since the beginning.
//
// Processes: 1 clients, 2 connections, 3 server, 4 faults. Slices of one track have to nest, which
// rounds of an open workload do not, so all are asynchronous pairs ("b", "e") with an id for each.
//
// Called by: the CLI, for a run with kept history. Owns nothing. Threads: any.
// Invariants: each "b" has its "e" of the same category and id, not before it; what is over the
//             limit is left out evenly, but no failure while there is room, and the trace says so.
//             Never throws for what a report holds.
#pragma once

#include "sim/report/facts.hpp"

namespace weir::sim {

struct PerfettoOptions {
  std::size_t rounds_max = 50'000;  // of up to seven events each; a browser takes a few hundred MB
};

[[nodiscard]] std::string to_perfetto(const Case& shown, const PerfettoOptions& options = {});

}  // namespace weir::sim
