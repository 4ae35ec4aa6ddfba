// SPDX-License-Identifier: MIT
//
// settle(): what every step ends with. Serves waiters from idle connections, starts connects for
// the demand that is left, and sets the gate. No event has to remember to wake anybody: whatever
// freed capacity, the same three questions are asked again (properties S7, L2, L4).
#include "core/base/assert.hpp"
#include "core/engine/engine.hpp"

namespace weir::engine {

namespace {
// Waking a blocked thread on another CPU costs about this much (40 us were measured between two
// idle virtual CPUs). Overtaking the head saves that once per lend; with longer holds there is
// nothing to save, so the head is served directly.
constexpr Duration wake_up_cost = std::chrono::microseconds(50);
}  // namespace

void Engine::settle(Instant now, Effects& fx) {
  if (phase_ == Phase::open) {
    serve_waiters(now, fx);
    start_creates(now, fx);
    fail_hopeless(now, fx);
  }
  set_gate(now);
}

void Engine::serve_waiters(Instant now, Effects& fx) {
  while (!queue_.empty()) {
    const SlotId slot = lendable_idle(now);
    if (slot == no_slot) {
      if (!prepare_idle(now, fx)) return;
    } else if (may_offer(now)) {
      if (!queue_.contains(offered_)) {
        offered_ = queue_.head();
        fx.offer = queue_[offered_].token;
      }
      return;
    } else {
      lend(slot, queue_.head(), now, fx);
    }
  }
}

// The freshest idle connection that can be lent at once. The latest proof of life is at one of the
// two ends: leases and looks put at the front, keepalives at the back.
SlotId Engine::lendable_idle(Instant now) const noexcept {
  for (const SlotId slot : {rack_.freshest_idle(), rack_.oldest_idle()}) {
    if (slot != no_slot && can_lend(slot, now)) return slot;
  }
  return no_slot;
}

// No idle connection can be lent: sends away one that has expired, or has a look at the freshest.
// Returns: whether anything changed.
bool Engine::prepare_idle(Instant now, Effects& fx) {
  SlotId slot = rack_.freshest_idle();
  if (slot == no_slot) return false;
  const SlotId oldest = rack_.oldest_idle();
  const bool expired = slots_[slot].expires_at <= now || slots_[oldest].expires_at <= now;
  if (!expired && validating_for_waiters_ >= queue_.size()) return false;
  if (expired && slots_[slot].expires_at > now) slot = oldest;
  const auto answer = rack_.reclaim(slot);
  WEIR_ASSERT(answer == Rack::Reclaim::reclaimed);
  if (expired) {
    begin_close(slot, CloseReason::lifetime, now, fx);
  } else {
    begin_validate(slot, /*keepalive=*/false, now, fx);
  }
  return true;
}

void Engine::start_creates(Instant now, Effects& fx) {
  for (std::uint32_t n = connects_to_start(sizing(now)); n > 0; --n) {
    const SlotId slot = allocate();
    begin_op(slot, Op::connect, SlotState::connecting, after(now, config_.create_timeout), now, fx);
  }
}

// Only a connect could serve those who wait, and until the next attempt that is in vain.
void Engine::fail_hopeless(Instant now, Effects& fx) {
  if (queue_.empty() || !create_error_is_final() || now >= creator_.retry_at()) return;
  if (count(SlotState::connecting) + count(SlotState::initialising) > 0) return;
  resolve_all(Outcome::create_failed, now, fx);
}

// Open exactly while a newcomer may take an idle connection and a return may go to the rack without
// asking: nobody waits, or the head waiter may be overtaken.
void Engine::set_gate(Instant now) {
  gate_open_ = phase_ == Phase::open && !surplus() && config_.reset != ResetPolicy::always &&
               (queue_.empty() || may_offer(now));
  rack_.set_gate(gate_open_);
}

// Where every return comes to the engine anyway nobody can overtake, and an offer gains nothing.
bool Engine::may_offer(Instant now) const noexcept {
  if (config_.fairness != Fairness::bounded || queue_.empty()) return false;
  if (config_.reset == ResetPolicy::always || surplus()) return false;
  if (config_.validate_after == Duration{}) return false;  // stale before the waiter wakes
  const Waiter& head = queue_[queue_.head()];
  return head.kind == WaiterKind::thread && now < after(head.enqueued, config_.fair_after) &&
         rack_.hold_estimate() < wake_up_cost;
}

bool Engine::can_lend(SlotId idle, Instant now) const noexcept {
  const Rack::View& view = rack_.view(idle);
  // A proof of this very instant always counts: with validate_after = 0 the look that has just
  // ended would otherwise call for the next one, for ever.
  const bool proven = view.proof == now || after(view.proof, config_.validate_after) > now;
  return proven && !view.suspect && slots_[idle].expires_at > now;
}

Sizing Engine::sizing(Instant now) const noexcept {
  Sizing s;
  s.min = started_ ? config_.min : 0;
  s.max = config_.max;
  s.physical = physical();
  s.leaving = count(SlotState::closing) + count(SlotState::quarantined);
  s.connecting = count(SlotState::connecting) + count(SlotState::initialising);
  s.validating = validating_for_waiters_ - validating_in_doubt_;
  s.ready = queue_.contains(offered_) ? rack_.idle_count() : 0;
  s.waiting = queue_.size();
  s.allowance = creator_.allowance(now, s.connecting);
  return s;
}

void Engine::lend(SlotId idle, WaiterId id, Instant now, Effects& fx) {
  const Waiter& waiter = queue_[id];
  const std::uint64_t lease = rack_.lend(idle, waiter.holder, now);
  const Duration waited = now - waiter.enqueued;
  fx.resolved.push_back({waiter.token, Outcome::lent, idle, lease, waited});
  ++counters_.granted;
  if (waited > Duration{}) ++counters_.waited;
  queue_.remove(id);
}

void Engine::resolve(WaiterId id, Outcome outcome, Instant now, Effects& fx) {
  WEIR_ASSERT(outcome != Outcome::lent);
  const Waiter& waiter = queue_[id];
  fx.resolved.push_back({waiter.token, outcome, no_slot, 0, now - waiter.enqueued});
  if (outcome == Outcome::timeout) {
    ++counters_.timeouts;
  } else if (outcome == Outcome::none_idle || outcome == Outcome::rejected) {
    ++counters_.rejected;
  } else {
    ++counters_.failed;
  }
  queue_.remove(id);
}

void Engine::resolve_all(Outcome outcome, Instant now, Effects& fx) {
  while (!queue_.empty()) resolve(queue_.head(), outcome, now, fx);
}

bool Engine::only_a_connect_could_serve() const noexcept {
  return count(SlotState::racked) + count(SlotState::validating) + count(SlotState::resetting) == 0;
}

// Only a connect could serve a waiter, and the last one failed in a way that is not worth waiting
// for.
bool Engine::create_error_is_final() const noexcept {
  if (!creator_.failing() || !only_a_connect_could_serve()) return false;
  switch (config_.propagate_create_error) {
    case PropagateCreateError::never:
      return false;
    case PropagateCreateError::fatal:
      return creator_.failing_for_good();
    case PropagateCreateError::any:
      return true;
  }
  return false;
}

}  // namespace weir::engine
