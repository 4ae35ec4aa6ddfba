// SPDX-License-Identifier: MIT
//
// Creating: how many connections there should be, and what becomes of an attempt.
//
// Invariants: 1. a connect starts only for a waiter that nothing else will serve, or for min, and
//                then as soon as it may (L3); none starts before start(), while suspended, or from
//                drain() on (S11).
//             2. physical <= capacity: max, and one more for each hung call, up to quarantine_max
//                (S1, R8).
//             3. an attempt belongs to the pool: its caller's timeout does not end it, its result
//                goes to whoever waits longest, or to the rack (T9).
//             4. an attempt that was given up never comes up: its late success is closed (S10).
#include "core/base/assert.hpp"
#include "core/engine/engine.hpp"

namespace weir::engine {

void Engine::start(Instant now, Effects& fx) {
  started_ = true;
  settle(now, fx);
}

// A hung call may hold a session on the server, so it counts; but as many as quarantine_max of them
// are stood in for, so that a few dead ends do not stop the pool.
std::uint32_t Engine::capacity() const noexcept {
  return config_.max + std::min(slots_.count(SlotState::quarantined), config_.quarantine_max);
}

// More than may be although nothing is leaving: only after max was lowered.
bool Engine::surplus() const noexcept {
  return physical() - slots_.count(SlotState::closing) > capacity();
}

Sizing Engine::sizing(Instant now) const noexcept {
  Sizing s;
  s.min = started_ ? config_.min : 0;
  s.max = capacity();
  s.physical = physical();
  s.leaving = slots_.leaving() + slots_.connecting_outdated();
  s.connecting = slots_.connecting() - slots_.connecting_outdated();
  s.validating = slots_.count(Look::for_waiter);
  s.ready = queue_.contains(offered_) ? rack_->idle_count() : 0;
  s.waiting = queue_.size();
  s.allowance = creator_.allowance(now, slots_.connecting());
  return s;
}

void Engine::start_creates(Instant now, Effects& fx) {
  if (physical() >= capacity()) return;  // the usual case of a crowded pool
  const Connects start = connects_to_start(sizing(now));
  for (std::uint32_t n = 0; n < start.all; ++n) {
    const SlotId slot = slots_.allocate();
    slots_[slot].opened_for = n < start.for_waiters ? OpenReason::demand : OpenReason::minimum;
    ops_.begin(slot, Op::connect, after(now, config_.create_timeout), now, fx);
  }
}

// A failed connect leaves no session; a failed init does, and so does a connect that succeeded
// after it had been given up.
void Engine::connect_ended(SlotId slot, const Operations::Operation& op, OpResult result,
                           Instant now, Effects& fx) {
  Slots::Facts& facts = slots_[slot];
  const bool ok = result == OpResult::ok && !op.aborted;
  if (ok && op.op == Op::connect && config_.has_init) {
    slots_.move(slot, SlotState::initialising);
    return ops_.begin_init(slot, fx);
  }
  if (result == OpResult::ok || op.op == Op::init) {
    facts.has_session = true;
    ++counters_.created;
    ++counters_.opened[static_cast<std::size_t>(facts.opened_for)];
  }
  if (ok) return connection_up(slot, op.started, now, fx);
  // While draining it is we who gave it up, and an outdated one too; in quarantine it was counted.
  const bool outdated = slots_.outdated(slot);
  const bool hung = slots_.state(slot) == SlotState::quarantined;
  const bool news = phase_ != Phase::draining && !outdated && !hung;
  if (facts.has_session) {
    begin_close(slot,
                phase_ == Phase::draining ? CloseReason::shutdown
                : outdated                ? renewed_
                : op.aborted              ? CloseReason::late
                                          : CloseReason::broken,
                now, fx);
  } else {
    slots_.free(slot);
  }
  if (news)
    create_failed(slot, op.started, result == OpResult::ok ? OpResult::failed : result, now, fx);
}

void Engine::create_failed(SlotId slot, Instant started, OpResult how, Instant now, Effects& fx) {
  ++counters_.create_failures;
  creator_.failed(started, now, how);
  event(fx, Event::Type::create_failed, slot, std::max(creator_.retry_at() - now, Duration{}));
  if (phase_ == Phase::open && create_error_is_final()) {
    resolve_all(Outcome::create_failed, now, fx);
  }
}

void Engine::connection_up(SlotId slot, Instant started, Instant now, Effects& fx) {
  creator_.succeeded();
  rack_->vouch(slot);
  event(fx, Event::Type::created, slot, now - started);
  Slots::Facts& facts = slots_[slot];
  facts.expires_at = draw_expiry(now);
  facts.idle_since = now;
  // One more connection may be one more than min: an older one may go now.
  agenda_.look_at(after(now, config_.reap_interval));
  if (const auto reason = must_leave(slot, now)) {
    begin_close(slot, *reason, now, fx);
  } else {
    to_idle(slot, Rack::Place::front, now);
  }
}

// Connects that nobody can use any more, because the pool is closing or has another configuration.
void Engine::give_up_connects(Instant now, Effects& fx) {
  for (SlotId slot = 0; slot < slots_.size(); ++slot) {
    if (slots_.connects(slot)) ops_.abort(slot, now, fx);
  }
}

// Only a connect could serve those who wait, and until the next attempt that is in vain.
void Engine::fail_hopeless(Instant now, Effects& fx) {
  if (queue_.empty() || !create_error_is_final() || now >= creator_.retry_at()) return;
  if (slots_.connecting() > 0) return;
  resolve_all(Outcome::create_failed, now, fx);
}

bool Engine::only_a_connect_could_serve() const noexcept { return up() == 0; }

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
