// SPDX-License-Identifier: MIT
//
// Waiting: callers come, are served in turn, or leave.
//
// Invariants: 1. each caller is resolved once; whoever leaves passes its offer on in the same step
//                (S4, F4, L2).
//             2. lends follow the order of arrival; in the bounded form a newcomer may pass the
//                head while that is younger than fair_after (F1, F2). What is idle is lent before
//                anything is created, whatever the size is (L6).
//             3. one deadline, fixed on arrival, whatever the caller waits for; one that has passed
//                does not wait (T1, T2, T11).
//             4. len(queue) <= max_waiting (S19).
//             5. callers that wait for each other do not wait: the youngest of them fails (S18).
#include "core/base/assert.hpp"
#include "core/engine/engine.hpp"

namespace weir::engine {

namespace {
// Waking a blocked thread on another CPU costs about this much (40 us were measured between two
// idle virtual CPUs). Overtaking the head saves that once per lend; with longer holds there is
// nothing to save, so the head is served directly.
constexpr Duration wake_up_cost = std::chrono::microseconds(50);

// A lease that is not longer than this pays for the lock and the engine as much as for itself.
constexpr Duration as_short_as_a_turn = std::chrono::microseconds(2);
}  // namespace

WaiterId Engine::acquire(Waiter waiter, Instant now, Effects& fx) {
  ++counters_.queued;
  started_ = true;  // with start = "lazy" the first demand begins to keep `min`
  waiter.enqueued = now;
  const bool may_wait = waiter.deadline > now;
  const bool full = queue_.size() >= config_.max_waiting;
  if (phase_ != Phase::draining && may_wait && full && !queue_.empty()) {
    ++counters_.rejected;
    fx.resolved.push_back({waiter.token, Outcome::rejected, no_slot, 0, Duration{}});
    settle(now, fx);
    return {};
  }
  if (queue_.empty()) creator_.demand();
  const WaiterId id = queue_.push(waiter);
  if (phase_ == Phase::draining) {
    resolve(id, lost_ ? Outcome::lost : Outcome::closed, now, fx);
  } else if (may_wait && (waiter.part || holds(waiter.holder.task))) {
    nesting_.add(id, waiter.holder.task);
  }
  settle(now, fx);
  if (queue_.contains(id) && id == offered_) {  // it is awake: nobody has to be woken for it
    fx.offer = nullptr;
    claim(id, now, fx);
  }
  // With max_waiting = 0 nobody waits, but demand still begins connects for those who come later.
  if (queue_.contains(id) && (!may_wait || full)) {
    resolve(id,
            may_wait                     ? Outcome::rejected
            : phase_ == Phase::suspended ? Outcome::suspended
                                         : Outcome::none_idle,
            now, fx);
    settle(now, fx);  // its place passes on
  }
  return id;
}

void Engine::cancel(std::span<const WaiterId> ids, Outcome outcome, Instant now, Effects& fx) {
  bool any = false;
  for (const WaiterId id : ids) {
    if (!queue_.contains(id)) continue;
    resolve(id, outcome, now, fx);
    any = true;
  }
  if (any) settle(now, fx);
}

void Engine::claim(WaiterId id, Instant now, Effects& fx) {
  if (!queue_.contains(id) || id != offered_) return;
  offered_ = {};
  if (phase_ == Phase::open) {
    const SlotId slot = lendable_idle(now);
    if (slot != no_slot) lend(slot, id, now, fx);
  }
  settle(now, fx);
}

void Engine::serve_waiters(Instant now, Effects& fx) {
  while (!queue_.empty() && rack_->idle_count() > 0) {
    const SlotId slot = lendable_idle(now);
    if (slot == no_slot) {
      offered_ = {};  // what was offered has become too old or doubtful: it is no supply (R2)
      if (!prepare_idle(now, fx)) return;
    } else if (may_offer(now)) {
      if (!queue_.contains(offered_)) {
        offered_ = queue_.head();
        fx.offer = queue_[offered_].token;
      }
      return;
    } else {
      lend(slot, queue_.head(), now, fx);
    }
  }
}

// Where every return comes to the engine anyway nobody can overtake, and an offer gains nothing.
bool Engine::may_offer(Instant now) const noexcept {
  if (config_.fairness != Fairness::bounded || queue_.empty()) return false;
  if (config_.reset == ResetPolicy::always || surplus()) return false;
  if (config_.validate_after == Duration{}) return false;  // stale before the waiter wakes
  const Waiter& head = queue_[queue_.head()];
  return head.kind == WaiterKind::thread && now < after(head.enqueued, config_.fair_after) &&
         rack_->hold_estimate() < wake_up_cost;
}

// Open exactly while a newcomer may take an idle connection and a return may go to the rack without
// asking: nobody waits, or the head waiter may be overtaken.
void Engine::set_gate(Instant now) {
  rack_->set_gate(phase_ == Phase::open && !surplus() && config_.reset != ResetPolicy::always &&
                  (queue_.empty() || may_offer(now)));
}

Instant Engine::fair_deadline() const noexcept {
  if (queue_.empty() || !rack_->gate_open()) return no_deadline;  // nobody is being overtaken
  return after(queue_[queue_.head()].enqueued, config_.fair_after);
}

bool Engine::wants_returns() const noexcept {
  if (queue_.empty()) return false;
  return !queue_.contains(offered_) || rack_->hold_estimate() > as_short_as_a_turn;
}

void Engine::lend(SlotId idle, WaiterId id, Instant now, Effects& fx) {
  const Waiter& waiter = queue_[id];
  const std::uint64_t lease = rack_->lend(idle, waiter.holder, now);
  const Duration waited = now - waiter.enqueued;
  fx.resolved.push_back({waiter.token, Outcome::lent, idle, lease, waited});
  ++counters_.granted;
  if (waited > Duration{}) ++counters_.waited;
  queue_.remove(id);
  nesting_.remove(id);
}

void Engine::resolve(WaiterId id, Outcome outcome, Instant now, Effects& fx) {
  WEIR_ASSERT(outcome != Outcome::lent);
  const Waiter& waiter = queue_[id];
  fx.resolved.push_back({waiter.token, outcome, no_slot, 0, now - waiter.enqueued});
  if (outcome == Outcome::timeout) {
    ++counters_.timeouts;
  } else if (outcome == Outcome::none_idle || outcome == Outcome::rejected) {
    ++counters_.rejected;
  } else {
    ++counters_.failed;
  }
  queue_.remove(id);
  nesting_.remove(id);
}

void Engine::resolve_all(Outcome outcome, Instant now, Effects& fx) {
  while (!queue_.empty()) resolve(queue_.head(), outcome, now, fx);
}

bool Engine::holds(TaskId task) const noexcept {
  if (task == no_task || rack_->lent_count() == 0) return false;
  for (SlotId slot = 0; slot < slots_.size(); ++slot) {
    const Rack::View& view = rack_->view(slot);
    if (view.lent() && view.holder.task == task) return true;
  }
  return false;
}

// Nothing is on its way that could serve a waiter, there is no room for more, and nobody who holds
// a connection can get to the point of giving it back. That a hung call is stood in for makes no
// room: its connection is never lent. A holder that is not known to wait is taken to be at work:
// better a timeout than an error for a program that is right.
bool Engine::deadlocked() const noexcept {
  const std::uint32_t lent = rack_->lent_count();
  if (lent == 0 || lent < config_.max) return false;
  if (lent < physical() - slots_.count(SlotState::quarantined)) return false;
  for (SlotId slot = 0; slot < slots_.size(); ++slot) {
    const Rack::View& view = rack_->view(slot);
    if (view.lent() && !nesting_.waits(view.holder.task)) return false;
  }
  return true;
}

// A task may wait more than once, in several threads or for several connections: none of its own
// can be served by what it holds.
void Engine::break_deadlock(Instant now, Effects& fx) {
  while (!nesting_.empty() && deadlocked()) {
    const WaiterId last = nesting_.youngest([this](TaskId task) { return holds(task); });
    resolve(last, Outcome::self_deadlock, now, fx);
  }
}

// The nearest thing that can serve the queue. Called while somebody waits.
AcquirePhase Engine::waiting_for(Instant now) const noexcept {
  if (phase_ == Phase::suspended) return AcquirePhase::suspended;
  if (slots_.count(SlotState::validating) > 0) return AcquirePhase::validating;
  if (slots_.count(SlotState::initialising) > 0) return AcquirePhase::initialising;
  if (slots_.count(SlotState::connecting) > 0) return AcquirePhase::connecting;
  if (slots_.count(SlotState::resetting) > 0) return AcquirePhase::resetting;
  const bool room = physical() < capacity();
  return room && now < creator_.retry_at() ? AcquirePhase::backoff : AcquirePhase::busy;
}

}  // namespace weir::engine
