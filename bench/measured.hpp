// SPDX-License-Identifier: MIT
//
// Runs the benchmarks of a program and keeps their times, so that a program can end with what
// matters: ratios to a yardstick of the same run. Absolute numbers belong to one machine.
//
// Used by each bench_*.cpp from its main. Threads: one.
#pragma once

#include <cstdio>
#include <map>
#include <string>
#include <unistd.h>

#include <benchmark/benchmark.h>

namespace weir::bench {

class Measured : public benchmark::ConsoleReporter {
 public:
  Measured() : ConsoleReporter(isatty(STDOUT_FILENO) == 1 ? OO_Color : OO_None) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred) continue;
      // Of several repetitions (--benchmark_repetitions), which come first, the median counts.
      if (run.run_type == Run::RT_Aggregate && run.aggregate_name != "median") continue;
      times_[run.run_name.str()] = run.GetAdjustedRealTime();  // ns unless a Unit() says else
    }
    ConsoleReporter::ReportRuns(runs);
  }

  // Runs what --benchmark_filter leaves. Returns: an exit code.
  int run(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
    return benchmark::RunSpecifiedBenchmarks(this) == 0 ? 1 : 0;
  }

  // Prints "label: a is N x b"; nothing if one of them was filtered out.
  void print_ratio(const char* label, const std::string& a, const std::string& b) const {
    const auto left = times_.find(a);
    const auto right = times_.find(b);
    if (left == times_.end() || right == times_.end() || right->second <= 0) return;
    std::printf("%-44s %8.2f x %s\n", label, left->second / right->second, b.c_str());
  }

  // Prints "label: N us (goal: ...)"; nothing if it was filtered out.
  void print_time(const char* label, const std::string& of, const char* goal) const {
    const auto found = times_.find(of);
    if (found == times_.end()) return;
    std::printf("%-44s %8.2f us (goal: %s)\n", label, found->second / 1000, goal);
  }

 private:
  std::map<std::string, double> times_;
};

}  // namespace weir::bench
