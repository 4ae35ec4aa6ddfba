// SPDX-License-Identifier: MIT
//
// The life of a connection: connect, init, validate, reset, close, and how each of them ends.
#include "core/base/assert.hpp"
#include "core/engine/engine.hpp"

namespace weir::engine {

namespace {
// For validate, reset and close where create_timeout is "none".
constexpr Duration op_limit_default = std::chrono::seconds(5);
// How long an aborted operation may take to end before its slot is quarantined.
constexpr Duration abort_grace = std::chrono::seconds(1);
}  // namespace

Instant Engine::op_limit(Instant now) const noexcept {
  return after(now, std::min(config_.create_timeout, op_limit_default));
}

SlotId Engine::allocate() {
  if (free_ == no_slot) {
    slots_.emplace_back();
    ++counts_[static_cast<std::size_t>(SlotState::closed)];
    return slot_count() - 1;
  }
  const SlotId slot = free_;
  free_ = slots_[slot].next_free;
  const std::uint32_t serial = slots_[slot].serial;
  slots_[slot] = Slot{};
  slots_[slot].serial = serial;  // late results of the former life must not match
  return slot;
}

void Engine::set_state(SlotId slot, SlotState state) noexcept {
  Slot& s = slots_[slot];
  if (s.state == SlotState::validating && !s.for_keepalive) {
    --validating_for_waiters_;
    if (s.in_doubt) --validating_in_doubt_;
  }
  --counts_[static_cast<std::size_t>(s.state)];
  ++counts_[static_cast<std::size_t>(state)];
  s.state = state;
}

void Engine::free_slot(SlotId slot) {
  ops_.remove(slot);
  set_state(slot, SlotState::closed);
  slots_[slot].op = Op::none;
  slots_[slot].has_session = false;
  slots_[slot].next_free = free_;
  free_ = slot;
}

void Engine::begin_op(SlotId slot, Op op, SlotState state, Instant deadline, Instant now,
                      Effects& fx) {
  Slot& s = slots_[slot];
  set_state(slot, state);
  s.op = op;
  s.aborted = false;
  s.op_deadline = deadline;
  if (op != Op::init) s.started = now;  // init is part of the connect: one start, one deadline
  ops_.set(slot, deadline);
  fx.start.push_back({slot, op, ++s.serial, deadline});
}

void Engine::begin_close(SlotId slot, CloseReason reason, Instant now, Effects& fx) {
  slots_[slot].reason = reason;
  begin_op(slot, Op::close, SlotState::closing, op_limit(now), now, fx);
}

void Engine::begin_validate(SlotId slot, bool keepalive, Instant now, Effects& fx) {
  Slot& s = slots_[slot];
  ++counters_.validations;
  s.idle_since = rack_.view(slot).since;
  begin_op(slot, Op::validate, SlotState::validating, op_limit(now), now, fx);
  s.for_keepalive = keepalive;
  // After a sibling's death no waiter relies on this look alone: a connect starts beside it, so
  // that nobody pays one failed look after the other (R2).
  s.in_doubt = rack_.view(slot).suspect;
  if (keepalive) return;
  ++validating_for_waiters_;
  if (s.in_doubt) ++validating_in_doubt_;
}

void Engine::finished(SlotId slot, std::uint32_t serial, OpResult result, Instant now,
                      Effects& fx) {
  if (slot >= slot_count() || slots_[slot].serial != serial || slots_[slot].op == Op::none) return;
  Slot& s = slots_[slot];
  const Op op = s.op;
  s.op = Op::none;
  ops_.remove(slot);
  switch (op) {
    case Op::connect:
    case Op::init:
      connect_ended(slot, op, result, now, fx);
      break;
    case Op::validate:
    case Op::reset:
      check_ended(slot, op, result, now, fx);
      break;
    case Op::close:
      ++counters_.closed[static_cast<std::size_t>(s.reason)];
      event(fx, Event::Type::closed, slot, {}, s.reason);
      free_slot(slot);
      break;
    case Op::none:
      WEIR_ASSERT(false);
  }
  settle(now, fx);
}

// A failed connect leaves no session; a failed init does, and so does a connect that succeeded
// after it had been given up.
void Engine::connect_ended(SlotId slot, Op op, OpResult result, Instant now, Effects& fx) {
  Slot& s = slots_[slot];
  const bool ok = result == OpResult::ok && !s.aborted;
  if (ok && op == Op::connect && config_.has_init) {
    return begin_op(slot, Op::init, SlotState::initialising, s.op_deadline, now, fx);
  }
  if (result == OpResult::ok || op == Op::init) {
    s.has_session = true;
    ++counters_.created;
  }
  if (ok) {
    creator_.succeeded();
    return connection_up(slot, now, fx);
  }
  // While draining it is we who gave it up; in quarantine it has been counted.
  const bool news = phase_ == Phase::open && s.state != SlotState::quarantined;
  const CloseReason reason = phase_ != Phase::open ? CloseReason::shutdown
                             : s.aborted           ? CloseReason::late
                                                   : CloseReason::broken;
  const Instant started = s.started;
  if (s.has_session) {
    begin_close(slot, reason, now, fx);
  } else {
    free_slot(slot);
  }
  if (news)
    create_failed(slot, started, result == OpResult::ok ? OpResult::failed : result, now, fx);
}

void Engine::create_failed(SlotId slot, Instant started, OpResult how, Instant now, Effects& fx) {
  ++counters_.create_failures;
  creator_.failed(started, now, how);
  event(fx, Event::Type::create_failed, slot, std::max(creator_.retry_at() - now, Duration{}));
  if (create_error_is_final()) resolve_all(Outcome::create_failed, now, fx);
}

void Engine::connection_up(SlotId slot, Instant now, Effects& fx) {
  Slot& s = slots_[slot];
  event(fx, Event::Type::created, slot, now - s.started);
  s.expires_at = draw_expiry(now);
  look_again_at(s.expires_at);
  // One more connection may be one more than min: an older one may go now.
  look_again_at(after(now, config_.reap_interval));
  if (phase_ == Phase::draining) {
    begin_close(slot, CloseReason::shutdown, now, fx);
  } else if (surplus()) {
    begin_close(slot, CloseReason::surplus, now, fx);
  } else {
    to_idle(slot, now, Rack::Place::front, now);
  }
}

// A validation or a reset has ended.
void Engine::check_ended(SlotId slot, Op op, OpResult result, Instant now, Effects& fx) {
  const Slot& s = slots_[slot];
  if (result != OpResult::ok || s.aborted) {
    const bool reset = op == Op::reset;
    connection_died(slot, reset ? CloseReason::reset_failed : CloseReason::broken, now, fx);
  } else if (phase_ == Phase::draining) {
    begin_close(slot, CloseReason::shutdown, now, fx);
  } else if (surplus()) {
    begin_close(slot, CloseReason::surplus, now, fx);
  } else if (now >= s.expires_at) {
    begin_close(slot, CloseReason::lifetime, now, fx);
  } else {
    // A keepalive served nobody: the connection keeps its place at the back.
    const bool keepalive = op == Op::validate && s.for_keepalive;
    to_idle(slot, s.idle_since, keepalive ? Rack::Place::back : Rack::Place::front, now);
  }
}

void Engine::to_idle(SlotId slot, Instant idle_since, Rack::Place place, Instant now) {
  slots_[slot].op = Op::none;
  set_state(slot, SlotState::racked);
  rack_.put_idle(slot, idle_since, now, slots_[slot].expires_at, place);
  // The rack lends without telling: whatever can fall due from here on is looked for from here on.
  look_again_at(slots_[slot].expires_at);
  look_again_at(after(idle_since, config_.idle_timeout));
  look_again_at(after(now, config_.keepalive));
  look_again_at(after(now, config_.hold_warn));
}

// One dead connection casts doubt on those of its generation: each is looked at before it is lent,
// so that a restart of the database costs the first caller one failed look and not one per
// connection (R2). A pinned connection takes its data with it: better no pool than an empty one.
void Engine::connection_died(SlotId slot, CloseReason reason, Instant now, Effects& fx) {
  begin_close(slot, reason, now, fx);
  if (reason == CloseReason::broken && rack_.idle_count() > 0) {
    rack_.suspect_idle();
    event(fx, Event::Type::suspect, slot);
  }
  if (config_.pinned && phase_ == Phase::open) {
    lost_ = true;
    stop_lending(Outcome::lost, now, fx);
  }
}

void Engine::drain(Instant now, Effects& fx) {
  if (phase_ == Phase::draining) return;
  stop_lending(Outcome::closed, now, fx);
  settle(now, fx);
}

void Engine::stop_lending(Outcome outcome, Instant now, Effects& fx) {
  phase_ = Phase::draining;
  resolve_all(outcome, now, fx);
  while (rack_.idle_count() > 0) {
    const SlotId slot = rack_.freshest_idle();
    const auto answer = rack_.reclaim(slot);
    WEIR_ASSERT(answer == Rack::Reclaim::reclaimed);
    begin_close(slot, CloseReason::shutdown, now, fx);
  }
  for (SlotId slot = 0; slot < slot_count(); ++slot) {
    Slot& s = slots_[slot];
    if (s.state != SlotState::connecting && s.state != SlotState::initialising) continue;
    if (s.aborted) continue;
    s.aborted = true;
    fx.abort.push_back(slot);
    ops_.set(slot, after(now, abort_grace));
  }
}

void Engine::abandon_leases(Effects& fx) {
  for (SlotId slot = 0; slot < slot_count(); ++slot) {
    const Rack::Word word = rack_.view(slot).word;
    if (word == Rack::Word::lent || word == Rack::Word::retire) fx.abort.push_back(slot);
  }
}

// First the operation is aborted; if that does not end it, its slot is set aside. It still counts
// against max: the server may hold a session for it.
void Engine::expire_ops(Instant now, Effects& fx) {
  while (ops_.earliest() <= now) {
    const SlotId slot = ops_.front();
    Slot& s = slots_[slot];
    if (!s.aborted) {
      s.aborted = true;
      fx.abort.push_back(slot);
      ops_.set(slot, after(now, abort_grace));
    } else {
      ops_.remove(slot);
      set_state(slot, SlotState::quarantined);
      event(fx, Event::Type::quarantined, slot);
      // A connect that hangs has failed: the next one waits its turn (R3).
      const bool creates = s.op == Op::connect || s.op == Op::init;
      if (creates && phase_ == Phase::open)
        create_failed(slot, s.started, OpResult::failed, now, fx);
    }
  }
}

}  // namespace weir::engine
