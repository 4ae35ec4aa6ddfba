// SPDX-License-Identifier: MIT
//
// The inputs that concern callers, and the views.
#include "core/engine/engine.hpp"

#include "core/base/assert.hpp"

#include <numeric>

namespace weir::engine {

Engine::Engine(const EngineConfig& config, Rack& rack, std::uint64_t seed)
    : config_(config),
      rack_(rack),
      creator_(config.create_retry_interval, config.create_retry_max, config.max_connecting, seed),
      random_(seed + 1) {
  WEIR_ASSERT(config.max > 0 && config.min <= config.max && config.max_connecting > 0);
  set_gate(Instant::min());
}

void Engine::start(Instant now, Effects& fx) {
  started_ = true;
  settle(now, fx);
}

WaiterId Engine::acquire(Waiter waiter, Instant now, Effects& fx) {
  ++counters_.queued;
  started_ = true;  // with start = "lazy" the first demand begins to keep `min`
  waiter.enqueued = now;
  const bool may_wait = waiter.deadline > now;
  const bool full = queue_.size() >= config_.max_waiting;
  if (phase_ == Phase::open && may_wait && full && !queue_.empty()) {
    ++counters_.rejected;
    fx.resolved.push_back({waiter.token, Outcome::rejected, no_slot, 0, Duration{}});
    settle(now, fx);
    return {};
  }
  const WaiterId id = queue_.push(waiter);
  if (lost_) {
    resolve(id, Outcome::lost, now, fx);
  } else if (phase_ != Phase::open) {
    resolve(id, Outcome::closed, now, fx);
  }
  settle(now, fx);
  if (queue_.contains(id) && id == offered_) {  // it is awake: nobody has to be woken for it
    fx.offer = nullptr;
    claim(id, now, fx);
  }
  // With max_waiting = 0 nobody waits, but demand still begins connects for those who come later.
  if (queue_.contains(id) && (!may_wait || full)) {
    resolve(id, may_wait ? Outcome::rejected : Outcome::none_idle, now, fx);
    settle(now, fx);  // its place passes on
  }
  return id;
}

void Engine::cancel(WaiterId id, Outcome outcome, Instant now, Effects& fx) {
  if (!queue_.contains(id)) return;
  resolve(id, outcome, now, fx);
  settle(now, fx);
}

void Engine::claim(WaiterId id, Instant now, Effects& fx) {
  if (!queue_.contains(id) || id != offered_) return;
  offered_ = {};
  const SlotId slot = lendable_idle(now);
  if (slot != no_slot) lend(slot, id, now, fx);
  settle(now, fx);
}

bool Engine::give_back(SlotId slot, std::uint64_t lease, const ReturnFacts& facts, Instant now,
                       Effects& fx) {
  if (!rack_.end_lease(slot, lease, now)) return false;
  Slot& s = slots_[slot];
  WEIR_ASSERT(s.state == SlotState::racked);
  const bool keep_clean = config_.reset == ResetPolicy::never;
  if (facts.broken) {
    connection_died(slot, CloseReason::broken, now, fx);
  } else if (phase_ == Phase::draining) {
    begin_close(slot, CloseReason::shutdown, now, fx);
  } else if (surplus()) {
    begin_close(slot, CloseReason::surplus, now, fx);
  } else if (now >= s.expires_at) {
    begin_close(slot, CloseReason::lifetime, now, fx);
  } else if (facts.busy && keep_clean) {
    connection_died(slot, CloseReason::reset_failed, now, fx);
  } else if (config_.reset == ResetPolicy::always || (!keep_clean && !facts.clean())) {
    ++counters_.resets;
    s.idle_since = now;
    begin_op(slot, Op::reset, SlotState::resetting, op_limit(now), now, fx);
  } else {
    to_idle(slot, now, Rack::Place::front, now);
  }
  settle(now, fx);
  return true;
}

void Engine::resize(std::uint32_t min, std::uint32_t max, Instant now, Effects& fx) {
  WEIR_ASSERT(max > 0 && min <= max);
  config_.min = min;
  config_.max = max;
  while (surplus() && rack_.idle_count() > 0) {
    const SlotId slot = rack_.oldest_idle();
    const auto answer = rack_.reclaim(slot);
    WEIR_ASSERT(answer == Rack::Reclaim::reclaimed);
    begin_close(slot, CloseReason::surplus, now, fx);
  }
  look_again_at(after(now, config_.reap_interval));  // a lower min may let idle ones go
  settle(now, fx);
}

Instant Engine::next_timer() const noexcept {
  Instant next = std::min({ops_.earliest(), reap_at(), fair_deadline()});
  if (phase_ == Phase::open && creator_.failing()) {
    Sizing demand = sizing(Instant::min());
    demand.allowance = 1;
    if (connects_to_start(demand) > 0 && demand.connecting == 0) {
      next = std::min(next, creator_.retry_at());
    }
  }
  return next;
}

Instant Engine::fair_deadline() const noexcept {
  if (queue_.empty() || !gate_open_) return no_deadline;  // nobody is being overtaken
  return after(queue_[queue_.head()].enqueued, config_.fair_after);
}

std::uint32_t Engine::physical() const noexcept { return slot_count() - count(SlotState::closed); }

bool Engine::ready() const noexcept {
  const std::uint32_t up =
      count(SlotState::racked) + count(SlotState::validating) + count(SlotState::resetting);
  return phase_ == Phase::open && up >= config_.min;
}

PoolCounts Engine::counts() const noexcept {
  PoolCounts c;
  c.max = config_.max;
  c.lent = rack_.lent_count();
  c.idle = rack_.idle_count();
  c.connecting = count(SlotState::connecting) + count(SlotState::initialising);
  c.other = physical() - c.lent - c.idle - c.connecting;
  c.waiting = queue_.size();
  return c;
}

void Engine::event(Effects& fx, Event::Type type, SlotId slot, Duration amount, CloseReason reason,
                   std::uint64_t lease) {
  fx.events.push_back({type, slot, reason, amount, lease});
}

void Engine::check(Instant now) const {
  std::array<std::uint32_t, slot_state_count> recount{};
  std::uint32_t idle = 0;
  std::uint32_t lent = 0;
  std::uint32_t for_waiters = 0;
  std::uint32_t in_doubt = 0;
  bool lendable = false;
  std::uint32_t sessions = 0;
  for (SlotId i = 0; i < slot_count(); ++i) {
    const Slot& s = slots_[i];
    ++recount[static_cast<std::size_t>(s.state)];
    const Rack::Word word = rack_.view(i).word;
    WEIR_ASSERT((s.state == SlotState::racked) == (word != Rack::Word::off));
    idle += word == Rack::Word::idle ? 1 : 0;
    lent += word == Rack::Word::lent || word == Rack::Word::retire ? 1 : 0;
    sessions += s.has_session ? 1 : 0;
    const bool looks = s.state == SlotState::validating && !s.for_keepalive;
    for_waiters += looks ? 1 : 0;
    in_doubt += looks && s.in_doubt ? 1 : 0;
    lendable = lendable || (word == Rack::Word::idle && can_lend(i, now));
  }
  WEIR_ASSERT(recount == counts_);
  WEIR_ASSERT(idle == rack_.idle_count() && lent == rack_.lent_count());
  WEIR_ASSERT(for_waiters == validating_for_waiters_ && in_doubt == validating_in_doubt_);
  const Counters& c = counters_;
  WEIR_ASSERT(c.queued == c.granted + c.timeouts + c.rejected + c.failed + queue_.size());
  WEIR_ASSERT(c.created - std::accumulate(c.closed.begin(), c.closed.end(), std::uint64_t{0}) ==
              sessions);
  if (phase_ == Phase::draining) {
    WEIR_ASSERT(queue_.empty() && idle == 0);
    return;
  }
  if (!queue_.empty() && lendable) {
    WEIR_ASSERT(queue_.contains(offered_) && may_offer(now));
  }
  WEIR_ASSERT(connects_to_start(sizing(now)) == 0);
}

}  // namespace weir::engine
