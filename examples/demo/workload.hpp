// SPDX-License-Identifier: MIT
//
// The demo's traffic: threads that read and transfer as fast as they can through one small pool.
//
// Each thread keeps a journal of what the database told it about each of its transfers. The
// journals are the evidence that check.hpp holds against the tables afterwards.
#pragma once

#include <weir/weir.hpp>

#include <functional>
#include <string>
#include <vector>

namespace demo {

// One row of the ledger. The id is drawn by the thread before the attempt, so that a transfer can
// be recognised whatever happened to the answer.
struct Transfer {
  std::int64_t id = 0;
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::int64_t amount = 0;
  friend bool operator==(const Transfer&, const Transfer&) = default;
};

struct Journal {
  std::vector<Transfer> committed;  // the database said so
  std::vector<Transfer> unknown;    // the connection died during the commit: either is right
};

struct Counts {
  std::uint64_t lookups = 0;
  std::uint64_t reverse_lookups = 0;
  std::uint64_t streams = 0;
  std::uint64_t streamed_rows = 0;
  std::uint64_t transfers = 0;  // committed
  std::uint64_t declined = 0;   // not enough money on the account
  std::uint64_t conflicts = 0;  // somebody else held the write lock for too long; tried again
  std::uint64_t timeouts = 0;   // no connection within acquire_timeout

  [[nodiscard]] std::uint64_t operations() const {
    return lookups + reverse_lookups + streams + transfers + declined;
  }
  Counts& operator+=(const Counts& other);
};

struct Plan {
  int threads = 16;
  weir::Duration duration = std::chrono::seconds(4);
  std::int64_t accounts = 0;
  std::vector<std::string> names;  // of packages to ask for
};

struct Outcome {
  Counts counts;
  weir::Duration elapsed{};
  std::vector<Journal> journals;      // one per thread
  std::vector<std::string> failures;  // whatever a thread could not explain; it stopped there
};

// Called on the calling thread, several times a second.
using Progress = std::function<void(const Counts& so_far, weir::Duration elapsed)>;

// Blocks: for plan.duration and the operations that are under way at its end.
Outcome run_workload(weir::Pool& db, const Plan& plan, const Progress& progress);

}  // namespace demo
