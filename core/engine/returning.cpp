// SPDX-License-Identifier: MIT
//
// Returning: what becomes of a connection whose lease, or whose check, has ended.
//
// Invariants: 1. it goes to the rack only if its transaction is over, nothing is in flight and its
//                session is clean or has been reset; what cannot be made clean is closed (S5, S13,
//                S14).
//             2. a second return, a foreign one, or one from before the slot was closed is refused
//                and changes nothing (S6).
//             3. idle_since is set by the end of a lease or by creation, and by nothing else (T3).
#include "core/base/assert.hpp"
#include "core/engine/engine.hpp"

namespace weir::engine {

namespace {
// For validate, reset and close where create_timeout is "none".
constexpr Duration op_limit_default = std::chrono::seconds(5);
}  // namespace

Instant Engine::op_limit(Instant now) const noexcept {
  return after(now, std::min(config_.create_timeout, op_limit_default));
}

bool Engine::give_back(SlotId slot, std::uint64_t lease, const ReturnFacts& facts, Instant now,
                       Effects& fx) {
  if (!rack_->end_lease(slot, lease, now)) return false;
  WEIR_ASSERT(slots_.state(slot) == SlotState::racked);
  slots_[slot].idle_since = now;
  const bool only_check = config_.reset == ResetPolicy::never;
  if (facts.broken) {
    connection_died(slot, CloseReason::broken, now, fx);
  } else if (const auto reason = must_leave(slot, now)) {
    begin_close(slot, *reason, now, fx);
  } else if (facts.busy && only_check) {
    connection_died(slot, CloseReason::reset_failed, now, fx);
  } else if (config_.reset == ResetPolicy::always || (!only_check && !facts.clean())) {
    ++counters_.resets;
    slots_.move(slot, SlotState::resetting);
    ops_.begin(slot, Op::reset, op_limit(now), now, fx);
  } else {
    to_idle(slot, Rack::Place::front, now);
  }
  settle(now, fx);
  return true;
}

void Engine::returned(Instant now, Effects& fx) { settle(now, fx); }

// Why it may not be lent again, if there is a reason.
std::optional<CloseReason> Engine::must_leave(SlotId slot, Instant now) const noexcept {
  if (phase_ == Phase::draining) return CloseReason::shutdown;
  if (slots_.outdated(slot)) return renewed_;
  if (surplus()) return CloseReason::surplus;
  if (now >= slots_[slot].expires_at) return CloseReason::lifetime;
  return std::nullopt;
}

void Engine::to_idle(SlotId slot, Rack::Place place, Instant now) {
  slots_.move(slot, SlotState::racked);
  const Slots::Facts& facts = slots_[slot];
  rack_->put_idle(slot, facts.idle_since, now, facts.expires_at, place);
  // The rack lends without telling: whatever can fall due from here on is looked for from here on.
  agenda_.look_at(facts.expires_at);
  agenda_.look_at(after(facts.idle_since, config_.idle_timeout));
  agenda_.look_at(after(now, config_.keepalive));
  agenda_.look_at(check_due(now));
  agenda_.look_at(after(now, config_.hold_warn));
}

}  // namespace weir::engine
