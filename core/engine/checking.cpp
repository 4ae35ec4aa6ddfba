// SPDX-License-Identifier: MIT
//
// Checking: a query of the pool's own on one idle connection each check_interval, which finds a
// server that accepts connections but cannot serve them.
//
// Invariants: 1. one check at a time, and none sooner than check_interval after the last began; the
//                first as soon as a connection is idle (T13).
//             2. nobody waits for a check: none begins while somebody waits, and a connection that
//                is being checked is nobody's supply, so that whoever comes meanwhile gets another
//                one, or a connect, if there is room for one.
//             3. a query that fails costs no connection. A connection that fails is closed, and its
//                siblings are suspect, as after any look (R2).
//             4. the connection keeps its idle time and its place at the back (T3).
#include "core/base/assert.hpp"
#include "core/engine/engine.hpp"

namespace weir::engine {

Instant Engine::check_due(Instant now) const noexcept {
  if (config_.check_interval == no_timeout) return no_deadline;
  return checked_at_ ? std::max(now, after(*checked_at_, config_.check_interval)) : now;
}

// The last part of a look through the rack.
void Engine::check_health(Instant now, Effects& fx) {
  const Instant due = check_due(now);
  if (due > now) return agenda_.look_at(due);
  // A suspended pool leaves the server alone. The end of the present check looks again by itself.
  if (phase_ != Phase::open || slots_.count(Look::health) > 0) return;
  const SlotId slot = rack_->oldest_idle();
  if (slot == no_slot || !queue_.empty()) {
    // The rack lends and takes back without telling. What comes up anew does tell (to_idle).
    if (rack_->idle_count() + rack_->lent_count() > 0) agenda_.look_at(now);
    return;
  }
  checked_at_ = now;
  ++counters_.checks;
  slots_[slot].idle_since = rack_->view(slot).since;
  const auto answer = rack_->reclaim(slot);
  WEIR_ASSERT(answer == Rack::Reclaim::reclaimed);
  slots_.move(slot, SlotState::validating, Look::health);
  ops_.begin(slot, Op::check, after(op_limit(now), check_grace), now, fx);
}

// Nobody is left to be told, and closing waits for what runs.
void Engine::give_up_check(Instant now, Effects& fx) {
  for (SlotId slot = 0; slot < slots_.size(); ++slot) {
    if (slots_.look(slot) == Look::health) ops_.abort(slot, now, fx);
  }
}

void Engine::health_checked(SlotId slot, bool passed, Instant now, Effects& fx) {
  if (phase_ == Phase::draining) return;
  const bool failed_before = last_check_ && !last_check_->passed;
  const Duration took = now - ops_[slot].started;
  last_check_ = LastCheck{ops_[slot].started, took, passed};
  if (!passed) ++counters_.check_failures;
  if (!passed) event(fx, Event::Type::check_failed, slot, took);
  if (passed && failed_before) event(fx, Event::Type::check_passed, slot, took);
  agenda_.look_at(check_due(now));  // this connection may be gone, and others idle
}

}  // namespace weir::engine
