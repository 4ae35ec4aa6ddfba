// SPDX-License-Identifier: MIT
//
// Changing: another configuration, other connections, a pause, in a running pool.
//
// Invariants: 1. a configuration is taken whole, between two decisions (C1), and is absolute: what
//                the pool becomes does not depend on what it was before (C4).
//             2. a change that leaves alone what a connection is made of closes none, but by the
//                new limits (C2).
//             3. nothing of a past generation is lent again; what is lent may finish (S5).
//             4. a suspended pool lends nothing and starts no connect; deadlines go on (S11, T1).
#include "core/base/assert.hpp"
#include "core/engine/engine.hpp"

namespace weir::engine {

void Engine::reconfigure(const EngineConfig& config, bool renewed, Instant now, Effects& fx) {
  WEIR_ASSERT(config.max > 0 && config.min <= config.max && config.max_connecting > 0);
  WEIR_ASSERT(!(renewed && config_.pinned) && config.pinned == config_.pinned);
  if (phase_ == Phase::draining) return;
  config_ = config;
  creator_.configure(config.create_retry_interval, config.create_retry_max, config.max_connecting);
  rack_->set_validate_after(config.validate_after);
  if (renewed) {
    creator_.forget();
    renew(CloseReason::outdated, now, fx);
  }
  while (surplus() && rack_->idle_count() > 0) {
    close_idle(rack_->oldest_idle(), CloseReason::surplus, now, fx);
  }
  // Shorter times, or a lower min, may let some go.
  agenda_.look_at(after(now, config_.reap_interval));
  settle(now, fx);
}

void Engine::evict(Instant now, Effects& fx) {
  if (phase_ == Phase::draining || config_.pinned) return;
  renew(CloseReason::evicted, now, fx);
  settle(now, fx);
}

void Engine::renew(CloseReason reason, Instant now, Effects& fx) {
  renewed_ = reason;
  slots_.renew();
  while (rack_->idle_count() > 0) close_idle(rack_->oldest_idle(), reason, now, fx);
  for (SlotId slot = 0; slot < slots_.size(); ++slot) {
    if (rack_->view(slot).word != Rack::Word::lent) continue;
    const auto answer = rack_->reclaim(slot);
    WEIR_ASSERT(answer == Rack::Reclaim::busy);
  }
  give_up_connects(now, fx);
}

void Engine::suspend(Instant now, Effects& fx) {
  if (phase_ != Phase::open) return;
  phase_ = Phase::suspended;
  offered_ = {};
  settle(now, fx);
}

void Engine::resume(Instant now, Effects& fx) {
  if (phase_ != Phase::suspended) return;
  phase_ = Phase::open;
  agenda_.look_at(now);  // for the keepalives and the check that were not sent
  settle(now, fx);
}

}  // namespace weir::engine
