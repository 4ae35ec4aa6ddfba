// SPDX-License-Identifier: MIT
//
// Columns: a failing case as a story, one column per thread, one line per step, and between two
// threads a line that says why one went on instead of the other: it was preempted, it blocked in a
// lock and who holds it, it waits, it ended, the clock stepped. The form is Lincheck's (Koval et
// al., "Lincheck: A Practical Framework for Testing Concurrent Data Structures on JVM", CAV 2023).
// Repeats are folded; only the end of the trace is shown, and only threads that took part in it.
//
// Called by: the CLI and failing tests (to_columns), the HTML report (columns_of). Owns nothing.
// Threads: any; pure functions. Invariants: never throws for what a report holds; the end of the
// trace is always there, what was left out is counted; no line is wider than asked, but by the
// failure's own sentence if a single word of it is.
#pragma once

#include "sim/report/facts.hpp"

namespace weir::sim {

struct Row {
  enum class Kind : std::uint8_t {
    step,     // of `thread`: belongs into its column
    turn,     // another thread goes on, and why; `forced`: because the schedule said so
    clock,    // time went on; `forced`: although somebody could have run
    repeats,  // how often the rows above came again
    failure,  // the last one
  } kind = Kind::step;
  ThreadId thread = 0;
  Instant at;
  std::string text;
  bool forced = false;
};

struct Columns {
  std::vector<ThreadId> threads;  // that took part, by number
  std::vector<Row> rows;
  std::uint64_t left_out = 0;  // steps before the first row
};

struct ColumnsOptions {
  std::size_t rows_max = 60;
  std::size_t width = 100;
};

[[nodiscard]] Columns columns_of(const Report& report, std::size_t rows_max);

// Empty if no trace was kept.
[[nodiscard]] std::string to_columns(const Report& report, const ColumnsOptions& options = {});

}  // namespace weir::sim
