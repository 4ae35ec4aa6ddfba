// SPDX-License-Identifier: MIT
//
// QueryTimes: how long statements take, as a histogram.
//
//   weir::QueryTimes times;
//   db.use(times.middleware());
//   ... times.summary().p99
//
// Counts query, execute and stream (until its first rows), those that fail, too, with everything
// that is further in: register it last to leave the other middleware out. For a share of the
// statements, put a condition around a middleware() of its own.
//
// Threads:  any, at the same time; recording takes no lock.
// Lifetime: copies, and what middleware() returns, share one histogram.
#pragma once

#include <weir/middleware.hpp>
#include <weir/stats.hpp>

#include <memory>

namespace weir {

class WEIR_API QueryTimes {
 public:
  QueryTimes();
  [[nodiscard]] Middleware middleware() const;
  // What was counted so far. While statements end, the parts may be of one statement more or less.
  [[nodiscard]] LatencySummary summary() const;

 private:
  struct Data;
  std::shared_ptr<Data> data_;
};

}  // namespace weir
