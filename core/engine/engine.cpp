// SPDX-License-Identifier: MIT
//
// The frame of every step, and the views.
#include "core/engine/engine.hpp"

#include "core/base/assert.hpp"

namespace weir::engine {

Engine::Engine(const EngineConfig& config, Rack& rack, std::uint64_t seed)
    : config_(config),
      rack_(&rack),
      creator_(config.create_retry_interval, config.create_retry_max, config.max_connecting, seed),
      random_(seed + 1) {
  WEIR_ASSERT(config.max > 0 && config.min <= config.max && config.max_connecting > 0);
  rack_->set_validate_after(config.validate_after);
  set_gate(Instant::min());
}

// Serves waiters from idle connections, starts connects for the demand that is left, and sets the
// gate. No event has to remember to wake anybody: whatever freed capacity, the same questions are
// asked again (S7, L2, L4).
void Engine::settle(Instant now, Effects& fx) {
  ++step_;
  if (phase_ == Phase::open) {
    serve_waiters(now, fx);
    start_creates(now, fx);
    fail_hopeless(now, fx);
    break_deadlock(now, fx);
  }
  set_gate(now);
  if (!queue_.empty()) phases_.enter(waiting_for(now), now);
}

void Engine::finished(SlotId slot, std::uint32_t serial, OpResult result, Instant now,
                      Effects& fx) {
  const auto ended = ops_.end(slot, serial);
  if (!ended) return;
  switch (ended->op) {
    case Op::connect:
    case Op::init:
      connect_ended(slot, *ended, result, now, fx);
      break;
    case Op::validate:
    case Op::check:
    case Op::reset:
      check_ended(slot, *ended, result, now, fx);
      break;
    case Op::close:
      close_ended(slot, fx);
      break;
    case Op::none:
      WEIR_ASSERT(false);
  }
  settle(now, fx);
}

Instant Engine::next_timer() const noexcept {
  Instant next = std::min({ops_.earliest(), reap_at(), fair_deadline()});
  if (phase_ == Phase::open && creator_.failing()) {
    Sizing demand = sizing(Instant::min());
    demand.allowance = 1;
    if (connects_to_start(demand).all > 0 && slots_.connecting() == 0) {
      next = std::min(next, creator_.retry_at());
    }
  }
  return next;
}

std::uint32_t Engine::up() const noexcept {
  return slots_.count(SlotState::racked) + slots_.count(SlotState::validating) +
         slots_.count(SlotState::resetting);
}

bool Engine::ready() const noexcept { return phase_ == Phase::open && up() >= config_.min; }

PoolCounts Engine::counts() const noexcept {
  PoolCounts c;
  c.max = config_.max;
  c.lent = rack_->lent_count();
  c.idle = rack_->idle_count();
  c.connecting = slots_.connecting();
  c.other = physical() - c.lent - c.idle - c.connecting;
  c.waiting = queue_.size();
  return c;
}

void Engine::event(Effects& fx, Event::Type type, SlotId slot, Duration amount, CloseReason reason,
                   std::uint64_t lease) {
  fx.events.push_back({step_, type, slot, reason, amount, lease});
}

}  // namespace weir::engine
