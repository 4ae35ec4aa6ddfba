// SPDX-License-Identifier: MIT
//
// Expiring: what time does. Waiters time out, driver calls are given up, idle connections and old
// ones leave, quiet ones are kept alive, long leases are reported.
//
// Invariants: 1. nobody waits past its deadline, or leaves before it (L1, T1, T2).
//             2. a driver call is aborted at its deadline; one that the abort does not end is set
//                aside, counted, and its result never used (T9, S10, R8).
//             3. an idle connection leaves within one reap_interval of its idle_timeout, unless
//                that went below min, and of its lifetime; a lent one as it comes back (T3, T4,
//                S12).
//             4. a lifetime is drawn once, in [0.9 L, L] (T4).
//             5. keepalives go a few at a time (T6).
//             6. a long hold is reported once (O4).
//             7. the rack is looked through only when something can be due, and at most once per
//                reap_interval (L7).
#include "core/base/assert.hpp"
#include "core/engine/engine.hpp"

namespace weir::engine {

void Engine::tick(Instant now, Effects& fx) {
  expire_waiters(now, fx);
  expire_ops(now, fx);
  if (reap_at() <= now) reap(now, fx);
  settle(now, fx);
}

void Engine::leap(Duration missed, Instant now, Effects& fx) {
  if (rack_->idle_count() + rack_->lent_count() > 0) {
    event(fx, Event::Type::leapt, no_slot, missed);
  }
  rack_->doubt_all();
  tick(now, fx);
}

void Engine::expire_waiters(Instant now, Effects& fx) {
  while (queue_.earliest_deadline() <= now) {
    resolve(queue_.earliest(), Outcome::timeout, now, fx);
  }
}

void Engine::expire_ops(Instant now, Effects& fx) {
  while (ops_.earliest() <= now) {
    if (const auto hung = ops_.expire(now, fx)) set_aside(*hung, now, fx);
  }
}

// Its call goes on in the driver, on a thread that is lost to it. It still counts: the server may
// hold a session for it.
void Engine::set_aside(SlotId slot, Instant now, Effects& fx) {
  const bool creates = slots_.connects(slot) && !slots_.outdated(slot);
  const bool looks = slots_.state(slot) == SlotState::validating;
  const bool had_data = looks || slots_.state(slot) == SlotState::resetting;
  if (slots_.look(slot) == Look::keepalive) agenda_.hurry(now);
  if (slots_.look(slot) == Look::health) health_checked(slot, /*passed=*/false, now, fx);
  slots_.move(slot, SlotState::quarantined);
  event(fx, Event::Type::quarantined, slot);
  if (slots_.count(SlotState::quarantined) >= config_.quarantine_max) {
    event(fx, Event::Type::quarantine_full, slot);
  }
  // A connect that hangs has failed: the next one waits its turn (R3). A connection that does not
  // answer is as good as dead.
  if (creates && phase_ != Phase::draining) {
    create_failed(slot, ops_[slot].started, OpResult::failed, now, fx);
  }
  if (looks) doubt_siblings(slot, fx);
  if (had_data) data_lost(now, fx);
}

// ---------------------------------------------------------------- the rack

Instant Engine::reap_at() const noexcept {
  return phase_ == Phase::draining ? no_deadline : agenda_.due(config_.reap_interval);
}

// An attempt that was given up will not help to keep it.
bool Engine::above_min() const noexcept {
  return physical() - slots_.leaving() - slots_.connecting_outdated() > config_.min;
}

// Uniform in [0.9 L, L], so that connections that were made together do not all leave together.
Instant Engine::draw_expiry(Instant now) noexcept {
  if (config_.pinned || config_.max_lifetime == no_timeout) return no_deadline;
  const auto limit = static_cast<double>(config_.max_lifetime.count());
  const auto drawn = limit * (1.0 - 0.1 * random_.unit());
  return after(now, Duration(static_cast<std::int64_t>(drawn)));
}

void Engine::reap(Instant now, Effects& fx) {
  agenda_.begin_look(now);
  SlotId slot = rack_->oldest_idle();
  while (slot != no_slot) {
    const SlotId next = rack_->fresher_than(slot);  // reap_idle may take `slot` off the list
    reap_idle(slot, now, fx);
    slot = next;
  }
  // The rack lends without telling: a hold that begins now is long at the next look but one.
  if (rack_->idle_count() + rack_->lent_count() > 0) agenda_.look_at(after(now, config_.hold_warn));
  check_health(now, fx);
  if (rack_->lent_count() == 0) return;
  for (slot = 0; slot < slots_.size(); ++slot) {
    if (rack_->view(slot).lent()) reap_lent(slot, now, fx);
  }
  // Whoever comes back after this moment cannot have been idle for long before then.
  agenda_.look_at(after(now, config_.idle_timeout));
  agenda_.look_at(after(now, config_.keepalive));
}

void Engine::reap_idle(SlotId slot, Instant now, Effects& fx) {
  const Rack::View& view = rack_->view(slot);
  const Instant expires_at = slots_[slot].expires_at;
  const Instant idle_until = config_.pinned ? no_deadline : after(view.since, config_.idle_timeout);
  const Instant quiet_until = after(view.proof, config_.keepalive);
  if (now >= expires_at) return close_idle(slot, CloseReason::lifetime, now, fx);
  if (now >= idle_until && above_min()) return close_idle(slot, CloseReason::idle, now, fx);
  // As many keepalives at once as connects; the next when one of them has ended. A suspended pool
  // sends none.
  const bool turn = phase_ == Phase::open && slots_.count(Look::keepalive) < config_.max_connecting;
  if (now < quiet_until) {
    agenda_.look_at(quiet_until);
  } else if (turn) {
    return begin_validate(slot, /*keepalive=*/true, now, fx);
  }
  agenda_.look_at(expires_at);
  // Past its idle time but kept for min: nothing to wait for until the pool grows again, which
  // looks again by itself (connection_up).
  if (idle_until > now) agenda_.look_at(idle_until);
}

void Engine::reap_lent(SlotId slot, Instant now, Effects& fx) {
  Slots::Facts& facts = slots_[slot];
  const Rack::View& view = rack_->view(slot);
  if (now < facts.expires_at) {
    agenda_.look_at(facts.expires_at);
  } else if (view.word == Rack::Word::lent) {
    const auto answer = rack_->reclaim(slot);
    WEIR_ASSERT(answer == Rack::Reclaim::busy);
  }
  const Instant warn_at = after(view.since, config_.hold_warn);
  if (facts.reported_lease == view.lease) return;
  if (now < warn_at) return agenda_.look_at(warn_at);
  facts.reported_lease = view.lease;
  ++counters_.long_holds;
  event(fx, Event::Type::long_hold, slot, now - view.since, {}, view.lease);
}

}  // namespace weir::engine
