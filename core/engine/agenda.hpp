// SPDX-License-Identifier: MIT
//
// Agenda: when the rack has to be looked through for what has fallen due: idle times, lifetimes,
// keepalives, long holds. One time for all of them, coalesced to the reap interval, so that a pool
// of a thousand connections has one timer and an idle pool with nothing to expire has none.
//
// Invariant: due() is never later than the earliest time asked for since the last look, but for the
//            reap interval; two looks are at least one interval apart, unless hurry() was called.
// Threads:   none; the engine owns it.
#pragma once

#include <weir/time.hpp>

#include <algorithm>

namespace weir::engine {

class Agenda {
 public:
  void look_at(Instant due) noexcept { due_ = std::min(due_, due); }
  // The last look left something undone that can be done now.
  void hurry(Instant now) noexcept {
    due_ = std::min(due_, now);
    last_ = Instant::min();
  }
  [[nodiscard]] Instant due(Duration interval) const noexcept {
    if (due_ == no_deadline || last_ == Instant::min()) return due_;
    return std::max(due_, after(last_, interval));
  }
  void begin_look(Instant now) noexcept {
    last_ = now;
    due_ = no_deadline;
  }

 private:
  Instant due_ = no_deadline;
  Instant last_ = Instant::min();
};

}  // namespace weir::engine
