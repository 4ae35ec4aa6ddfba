// SPDX-License-Identifier: MIT
//
// Operations: the driver calls under way on the pool's behalf, at most one for each slot, and when
// each is overdue. A call that outlives its deadline is aborted; one that the abort does not end
// within abort_grace hangs, and its slot is set aside.
//
// Invariants: 1. at most one operation per slot (S2, S10).
//             2. a serial number is given once per slot: late, repeated and invented results match
//                nothing.
//             3. an operation is aborted at most once, at its deadline or before (T9).
// Threads:    none; the engine owns it.
#pragma once

#include "core/base/deadline_heap.hpp"
#include "core/engine/effects.hpp"

#include <optional>

namespace weir::engine {

// How long an aborted operation may take to end before its slot is quarantined.
inline constexpr Duration abort_grace = std::chrono::seconds(1);

// The part of a check's time that is for the driver, to call the query off and save the connection:
// a query that takes too long says something of the server, not of the connection.
inline constexpr Duration check_grace = std::chrono::seconds(2);

class Operations {
 public:
  struct Operation {
    Op op = Op::none;
    bool aborted = false;  // it was given up: its result is not used
    std::uint32_t serial = 0;
    Instant started;
    Instant deadline;
  };

  // Requires: nothing runs on `slot`.
  void begin(SlotId slot, Op op, Instant deadline, Instant now, Effects& fx);
  // The second half of a connect: the same start, the same deadline.
  void begin_init(SlotId slot, Effects& fx);

  // Returns: the operation that ended, or nothing if `serial` is not of the one under way.
  [[nodiscard]] std::optional<Operation> end(SlotId slot, std::uint32_t serial) noexcept;

  // Gives up what runs on `slot`, unless that has been done.
  void abort(SlotId slot, Instant now, Effects& fx);

  [[nodiscard]] Instant earliest() const noexcept { return overdue_.earliest(); }
  // Gives up the operation that has been due for longest. Returns: its slot if it had been given up
  // before: it hangs.
  [[nodiscard]] std::optional<SlotId> expire(Instant now, Effects& fx);

  // What runs on `slot`; Op::none if nothing does.
  [[nodiscard]] const Operation& operator[](SlotId slot) const noexcept { return all_[slot]; }
  [[nodiscard]] bool runs(SlotId slot) const noexcept {
    return slot < all_.size() && all_[slot].op != Op::none;
  }

 private:
  void start(SlotId slot, Op op, Effects& fx);

  std::vector<Operation> all_;  // by slot
  base::DeadlineHeap overdue_;  // by slot: when to abort it, or to set it aside
};

}  // namespace weir::engine
