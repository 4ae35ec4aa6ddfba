// SPDX-License-Identifier: MIT
//
// BasicPool, seventh part: when the lane is open (lane.hpp), and what is known of leases that were
// lent in it.
//
// It costs a step for each connection to open and to close it, so it is opened only after as many
// turns as there are connections: on the average that is one step for each turn, however they come.
// And not before turns_before_lane, unless somebody waits, so that a pool that is used now and then
// never opens it.
//
// Where fairness is "bounded" and leases are short it may be open beside waiters, too: while the
// first of them has been woken with an offer, and until he is as old as fair_after. He closes it
// when he comes to look; who comes until then passes him in the lane as he would under the lock
// (F2, decision 0003).
//
// While it is open a timer comes once each period, for its times. Where nobody has used it
// meanwhile it stays closed, and the timer does not come again: a pool that is idle costs nothing.
#pragma once

#include "core/runtime/basic_pool.hpp"

#include <algorithm>

namespace weir::runtime {

template <Runtime R>
void BasicPool<R>::begin_turn() {
  if (lane_.close(*rack_)) lane_used_ = true;
}

template <Runtime R>
void BasicPool<R>::end_turn() noexcept {
  if (turns_ < turns_to_open()) {
    ++turns_;
    return;
  }
  if (!rack_->gate_open() || engine_->wants_returns()) return;
  try {
    open_lane();
  } catch (const std::bad_alloc&) {
    // Then all goes through the lock, as before.
  }
}

template <Runtime R>
std::uint32_t BasicPool<R>::turns_to_open() const noexcept {
  const bool busy = !engine_->queue().empty();
  return std::max(busy ? 1 : R::turns_before_lane, engine_->slot_count());
}

// By how much the times of the lane may be too early.
template <Runtime R>
Duration BasicPool<R>::lane_period() const noexcept {
  constexpr Duration longest = std::chrono::milliseconds(100);
  const Duration shortest_of_use =
      std::min({config_.validate_after, config_.idle_timeout, config_.hold_warn});
  return std::min(longest, shortest_of_use / 8);
}

template <Runtime R>
void BasicPool<R>::open_lane() {
  turns_ = 0;
  const Duration period = lane_period();
  if (period <= Duration{}) return;  // each lease wants a look, or each return an end
  const Instant now = R::now();
  const Instant until = after(now, period);
  // First, since there may be no memory for it: a lane that nobody comes to close would not do.
  if (until < armed_) arm(until);
  if (!lane_.open(*rack_, engine_->slot_count(), now, until,
                  [this](SlotId slot) { return &slots_[slot].session; })) {
    return;
  }
  R::probe(Mark::lane_opened);
  if (!engine_->queue().empty()) R::probe(Mark::opened_beside_a_waiter);
}

// A lease that is about to end in the lane. A sample is not worth waiting for the lock, which many
// threads would then meet at: the next one of the same connection counts for this one, too.
template <Runtime R>
std::optional<Duration> BasicPool<R>::measure(std::uint64_t lease, SlotId slot) {
  Lock lock(mutex_, std::defer_lock);
  if (exactly_) {
    lock.lock();
  } else if (!lock.try_lock()) {
    R::probe(Mark::sample_skipped);
    return std::nullopt;
  }
  return measure_locked(lease, slot, R::now());
}

// A lease that is about to end; counts for all of this slot's since the last one that was measured.
// The rack may not know of it yet. Returns: how long it has lasted, if that is known.
template <Runtime R>
std::optional<Duration> BasicPool<R>::measure_locked(std::uint64_t lease, SlotId slot,
                                                     Instant now) {
  const auto& view = rack_->view(slot);
  const bool known = view.lent() && view.lease == lease && !view.rounded;
  const std::optional<Instant> since = known ? view.since : lane_.since(slot, lease);
  if (!since) return std::nullopt;
  const Duration held = now - *since;
  const auto number = static_cast<std::uint32_t>(lease);
  use_times_.add(held, number - std::exchange(slots_[slot].measured, number));
  if (!known) rack_->observe_hold(held);
  return held;
}

}  // namespace weir::runtime
