// SPDX-License-Identifier: MIT
//
// PhaseClock: for what the waiters of this pool have been waiting, as sums of time. Each instant
// belongs to one phase, so the difference of two readings says where a wait went, and adds up to
// it (O1). A reading is taken when a caller is queued and when it fails: nothing is kept per
// waiter, and a lend pays nothing.
// Threads: none; the engine owns it.
#pragma once

#include <weir/error.hpp>

namespace weir::engine {

class PhaseClock {
 public:
  void enter(AcquirePhase phase, Instant now) noexcept {
    if (phase == current_) return;
    spent_[static_cast<std::size_t>(current_)] += now - since_;
    since_ = now;
    current_ = phase;
  }
  [[nodiscard]] PhaseTimes read(Instant now) const noexcept {
    PhaseTimes times = spent_;
    times[static_cast<std::size_t>(current_)] += now - since_;
    return times;
  }

 private:
  AcquirePhase current_ = AcquirePhase::busy;
  Instant since_;
  PhaseTimes spent_{};
};

}  // namespace weir::engine
