// SPDX-License-Identifier: MIT
//
// Closing: the end of a connection, and of the pool.
//
// Invariants: 1. each connection is closed exactly once, after it was created, and nothing but that
//                close is asked of it from then on (S10, S15).
//             2. a close under way counts: the server has the session until it has ended (S1).
//             3. drain() resolves every waiter in its own step, before anything is waited for; an
//                acquire after it ends at once with `closed` (L8).
//             4. the loss of a pinned connection ends the pool: better none than an empty one (Q3).
#include "core/base/assert.hpp"
#include "core/engine/engine.hpp"

namespace weir::engine {

// Requires: neither on the rack nor in the middle of an operation.
void Engine::begin_close(SlotId slot, CloseReason reason, Instant now, Effects& fx) {
  slots_[slot].reason = reason;
  // What was set aside stays set aside until it is gone: a replacement may exist for it.
  if (slots_.state(slot) != SlotState::quarantined) slots_.move(slot, SlotState::closing);
  ops_.begin(slot, Op::close, op_limit(now), now, fx);
}

void Engine::close_ended(SlotId slot, Effects& fx) {
  const CloseReason reason = slots_[slot].reason;
  ++counters_.closed[static_cast<std::size_t>(reason)];
  event(fx, Event::Type::closed, slot, {}, reason);
  slots_.free(slot);
}

void Engine::close_idle(SlotId slot, CloseReason reason, Instant now, Effects& fx) {
  const auto answer = rack_->reclaim(slot);
  WEIR_ASSERT(answer == Rack::Reclaim::reclaimed);
  begin_close(slot, reason, now, fx);
}

void Engine::connection_died(SlotId slot, CloseReason reason, Instant now, Effects& fx) {
  const bool news = slots_.state(slot) != SlotState::quarantined;  // then it was told
  begin_close(slot, reason, now, fx);
  if (!news) return;
  if (reason == CloseReason::broken) doubt_siblings(slot, fx);
  data_lost(now, fx);
}

void Engine::data_lost(Instant now, Effects& fx) {
  if (!config_.pinned || phase_ == Phase::draining) return;
  lost_ = true;
  stop_lending(Outcome::lost, now, fx);
}

void Engine::drain(Instant now, Effects& fx) {
  if (phase_ == Phase::draining) return;
  stop_lending(Outcome::closed, now, fx);
  settle(now, fx);
}

void Engine::stop_lending(Outcome outcome, Instant now, Effects& fx) {
  phase_ = Phase::draining;
  resolve_all(outcome, now, fx);
  while (rack_->idle_count() > 0) {
    close_idle(rack_->freshest_idle(), CloseReason::shutdown, now, fx);
  }
  give_up_connects(now, fx);
  give_up_check(now, fx);
}

void Engine::abandon_leases(Effects& fx) {
  for (SlotId slot = 0; slot < slots_.size(); ++slot) {
    if (rack_->view(slot).lent()) fx.abort.push_back(slot);
  }
}

}  // namespace weir::engine
