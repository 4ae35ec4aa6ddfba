// SPDX-License-Identifier: MIT
//
// What the demo shows: a progress line while it runs, a table and the verdict at the end. Progress
// goes to stderr, results to stdout.
#pragma once

#include "check.hpp"

namespace demo {

// On a terminal one line that is drawn again and again, elsewhere a line per second.
class ProgressLine {
 public:
  explicit ProgressLine(const weir::Pool& db);
  void show(const Counts& so_far, weir::Duration elapsed);
  void finish();

 private:
  const weir::Pool& db_;
  bool terminal_;
  long long shown_second_ = 0;
};

// `busy` was taken when the workload ended, `closed` after the pool had been drained.
void print_table(const Outcome& outcome, const weir::PoolStats& busy,
                 const weir::PoolStats& closed);
void print_verdict(const Verdict& verdict, const Outcome& outcome);

}  // namespace demo
