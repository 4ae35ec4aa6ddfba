// SPDX-License-Identifier: MIT
//
// What time does: waiters time out, idle connections and old ones leave, quiet ones are kept alive,
// long leases are reported. The rack is looked through only when something can be due, and at most
// once per reap_interval; an idle pool with nothing to expire arms no timer at all, or, where long
// holds are to be reported, one per hold_warn: the rack lends without telling.
#include "core/base/assert.hpp"
#include "core/engine/engine.hpp"

namespace weir::engine {

void Engine::tick(Instant now, Effects& fx) {
  expire_waiters(now, fx);
  expire_ops(now, fx);
  if (reap_at() <= now) reap(now, fx);
  settle(now, fx);
}

void Engine::expire_waiters(Instant now, Effects& fx) {
  while (queue_.earliest_deadline() <= now) {
    resolve(queue_.earliest(), Outcome::timeout, now, fx);
  }
}

Instant Engine::reap_at() const noexcept {
  if (phase_ != Phase::open || reap_due_ == no_deadline) return no_deadline;
  if (last_reap_ == Instant::min()) return reap_due_;
  return std::max(reap_due_, after(last_reap_, config_.reap_interval));
}

void Engine::look_again_at(Instant due) noexcept {
  if (due < reap_due_) reap_due_ = due;
}

bool Engine::above_min() const noexcept {
  return physical() - count(SlotState::closing) - count(SlotState::quarantined) > config_.min;
}

// More than max although nothing is leaving: only after max was lowered.
bool Engine::surplus() const noexcept {
  return physical() - count(SlotState::closing) > config_.max;
}

// Uniform in [0.9 L, L], once per connection, so that connections that were made together do not
// all leave together (T4).
Instant Engine::draw_expiry(Instant now) noexcept {
  if (config_.pinned || config_.max_lifetime == no_timeout) return no_deadline;
  const auto limit = static_cast<double>(config_.max_lifetime.count());
  const auto drawn = limit * (1.0 - 0.1 * random_.unit());
  return after(now, Duration(static_cast<std::int64_t>(drawn)));
}

void Engine::reap(Instant now, Effects& fx) {
  last_reap_ = now;
  reap_due_ = no_deadline;
  SlotId slot = rack_.oldest_idle();
  while (slot != no_slot) {
    const SlotId next = rack_.fresher_than(slot);  // reap_idle may take `slot` off the list
    reap_idle(slot, now, fx);
    slot = next;
  }
  // The rack lends without telling: a hold that begins now is long at the next look but one.
  if (rack_.idle_count() + rack_.lent_count() > 0) look_again_at(after(now, config_.hold_warn));
  if (rack_.lent_count() == 0) return;
  for (slot = 0; slot < slot_count(); ++slot) {
    const Rack::Word word = rack_.view(slot).word;
    if (word == Rack::Word::lent || word == Rack::Word::retire) reap_lent(slot, now, fx);
  }
  // Whoever comes back after this moment cannot have been idle for long before then.
  look_again_at(after(now, config_.idle_timeout));
  look_again_at(after(now, config_.keepalive));
}

void Engine::reap_idle(SlotId slot, Instant now, Effects& fx) {
  const Slot& s = slots_[slot];
  const Rack::View& view = rack_.view(slot);
  const Instant idle_until = config_.pinned ? no_deadline : after(view.since, config_.idle_timeout);
  const Instant quiet_until = after(view.proof, config_.keepalive);
  const bool expired = now >= s.expires_at;
  const bool idle_too_long = now >= idle_until && above_min();
  if (expired || idle_too_long || now >= quiet_until) {
    const auto answer = rack_.reclaim(slot);
    WEIR_ASSERT(answer == Rack::Reclaim::reclaimed);
    if (expired) {
      begin_close(slot, CloseReason::lifetime, now, fx);
    } else if (idle_too_long) {
      begin_close(slot, CloseReason::idle, now, fx);
    } else {
      begin_validate(slot, /*keepalive=*/true, now, fx);
    }
    return;
  }
  look_again_at(s.expires_at);
  look_again_at(quiet_until);
  // Past its idle time but kept for min: nothing to wait for until the pool grows again, which
  // looks again by itself (connection_up).
  if (idle_until > now) look_again_at(idle_until);
}

void Engine::reap_lent(SlotId slot, Instant now, Effects& fx) {
  Slot& s = slots_[slot];
  const Rack::View& view = rack_.view(slot);
  if (now >= s.expires_at) {
    if (view.word == Rack::Word::lent) {
      const auto answer = rack_.reclaim(slot);
      WEIR_ASSERT(answer == Rack::Reclaim::busy);
    }
  } else {
    look_again_at(s.expires_at);
  }
  const Instant warn_at = after(view.since, config_.hold_warn);
  if (s.reported_lease == view.lease) return;
  if (now < warn_at) return look_again_at(warn_at);
  s.reported_lease = view.lease;
  ++counters_.long_holds;
  event(fx, Event::Type::long_hold, slot, now - view.since, {}, view.lease);
}

}  // namespace weir::engine
