// SPDX-License-Identifier: MIT
//
// Looking: a connection that may have died unseen is looked at before it is lent.
//
// Invariants: 1. a connection is lent without a look exactly if it answered, or came back, less
//                than validate_after ago and is not suspect; the boundary value is looked at (T7).
//             2. one death makes every connection suspect, idle or lent, until it has answered; no
//                waiter relies on such a look alone (R2).
//             3. a failed look is an instant "next, please": nobody sleeps between two of them
//             (R2).
#include "core/base/assert.hpp"
#include "core/engine/engine.hpp"

namespace weir::engine {

bool Engine::can_lend(SlotId idle, Instant now) const noexcept {
  const Rack::View& view = rack_->view(idle);
  // A proof of this very instant always counts: with validate_after = 0 the look that has just
  // ended would otherwise call for the next one, for ever.
  const bool proven = view.proof == now || after(view.proof, config_.validate_after) > now;
  return proven && !rack_->suspect(idle) && slots_[idle].expires_at > now;
}

// The freshest idle connection that can be lent at once. The latest proof of life is at one of the
// two ends: leases and looks put at the front, keepalives at the back (F5). But one that has
// answered since the last doubt may lie between two that have not: then all are asked.
SlotId Engine::lendable_idle(Instant now) const noexcept {
  const SlotId freshest = rack_->freshest_idle();
  const SlotId oldest = rack_->oldest_idle();
  for (const SlotId slot : {freshest, oldest}) {
    if (slot != no_slot && can_lend(slot, now)) return slot;
  }
  SlotId found = no_slot;
  if (freshest == no_slot || !(rack_->suspect(freshest) || rack_->suspect(oldest))) return found;
  for (SlotId slot = oldest; slot != no_slot; slot = rack_->fresher_than(slot)) {
    if (can_lend(slot, now)) found = slot;
  }
  return found;
}

// No idle connection can be lent: sends away one that has expired, or has a look at the freshest.
// Returns: whether anything changed.
bool Engine::prepare_idle(Instant now, Effects& fx) {
  const SlotId freshest = rack_->freshest_idle();
  if (freshest == no_slot) return false;
  for (const SlotId slot : {freshest, rack_->oldest_idle()}) {
    if (slots_[slot].expires_at > now) continue;
    close_idle(slot, CloseReason::lifetime, now, fx);
    return true;
  }
  if (slots_.count(Look::for_waiter) + slots_.count(Look::in_doubt) >= queue_.size()) return false;
  begin_validate(freshest, /*keepalive=*/false, now, fx);
  return true;
}

// Requires: idle.
void Engine::begin_validate(SlotId slot, bool keepalive, Instant now, Effects& fx) {
  ++counters_.validations;
  slots_[slot].idle_since = rack_->view(slot).since;
  const auto answer = rack_->reclaim(slot);
  WEIR_ASSERT(answer == Rack::Reclaim::reclaimed);
  slots_.move(slot, SlotState::validating,
              keepalive              ? Look::keepalive
              : rack_->suspect(slot) ? Look::in_doubt
                                     : Look::for_waiter);
  ops_.begin(slot, Op::validate, op_limit(now), now, fx);
}

// A validation, a health check or a reset has ended.
void Engine::check_ended(SlotId slot, const Operations::Operation& op, OpResult result, Instant now,
                         Effects& fx) {
  const bool health = slots_.look(slot) == Look::health;
  if (health) {
    health_checked(slot, result == OpResult::ok && !op.aborted, now, fx);
    // Given up because the pool closes, it says nothing of the connection either.
    if (op.aborted && phase_ == Phase::draining && slots_.state(slot) != SlotState::quarantined) {
      return begin_close(slot, CloseReason::shutdown, now, fx);
    }
    if (result == OpResult::refused) result = OpResult::ok;  // as to the connection
  }
  const bool keepalive = slots_.look(slot) == Look::keepalive;
  // The next one may begin: they go a few at a time (T6).
  if (keepalive) agenda_.hurry(now);
  if (result != OpResult::ok || op.aborted) {
    return connection_died(
        slot, op.op == Op::reset ? CloseReason::reset_failed : CloseReason::broken, now, fx);
  }
  rack_->vouch(slot);
  if (const auto reason = must_leave(slot, now)) {
    begin_close(slot, *reason, now, fx);
  } else {
    // What served nobody keeps its place at the back.
    to_idle(slot, keepalive || health ? Rack::Place::back : Rack::Place::front, now);
  }
}

void Engine::doubt_siblings(SlotId of, Effects& fx) {
  if (rack_->idle_count() + rack_->lent_count() > 0) event(fx, Event::Type::suspect, of);
  rack_->doubt_all();
}

}  // namespace weir::engine
