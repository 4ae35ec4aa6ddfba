// SPDX-License-Identifier: MIT
//
// ledger.hpp: judges a pool by what a simulated server saw of it. The pool's own counts are not
// asked.
//
// Called by: checks of a world, tests. Owns nothing. Threads: any; pure.
// Invariant: a judge that finds nothing says how often its premise occurred, so that a run in which
//            there was nothing to judge is not taken for a good one.
#pragma once

#include "sim/server/ledger.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weir::sim {

struct Finding {
  weir_time at = 0;
  std::string text;
};

struct LedgerVerdict {
  std::vector<Finding> findings;
  std::uint64_t looked = 0;  // how often there was something to judge
};

// A pool's bound on sessions from a time on: max, and what it may have above it (surge,
// quarantine).
struct SessionBound {
  weir_time from = 0;
  std::uint32_t max = 0;
};

// What a client believes of a key that it wrote, once its call has returned.
struct Claim {
  enum class Belief : std::uint8_t { written, not_written, unknown } belief = Belief::unknown;
  std::string key;
};

// S1: sessions that a client still holds never rise above the bound. One that the client has closed
// and the server has not noticed is not the pool's any more.
[[nodiscard]] LedgerVerdict judge_sessions(const Ledger& ledger,
                                           std::span<const SessionBound> bounds);

// S13: no lease meets session state that an earlier one left.
[[nodiscard]] LedgerVerdict judge_leftovers(const Ledger& ledger);

// S14: a cancel ends only the operation that it was sent for.
[[nodiscard]] LedgerVerdict judge_cancels(const Ledger& ledger);

// An acknowledged write was applied exactly once, a refused one never, a doubtful one at most once.
[[nodiscard]] LedgerVerdict judge_writes(const Ledger& ledger, std::span<const Claim> claims);

// Every session that began ended once, and every connect was hung up once. For the end of a run,
// when the pool is closed and every fault is over. A session whose client has hung up while a
// statement of its runs may go on: the server sees that only after the statement, which takes hours
// where many slow each other down.
[[nodiscard]] LedgerVerdict judge_end(const Ledger& ledger);

}  // namespace weir::sim
