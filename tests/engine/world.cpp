// SPDX-License-Identifier: MIT
// EngineWorld, first part: callers, driver, time. The judgements are in world_checks.cpp.
#include "tests/engine/world.hpp"

#include <algorithm>

namespace weir::engine::test {

EngineConfig plain_config() {
  EngineConfig c;
  c.max = 10;
  c.max_connecting = 10;
  c.create_timeout = 5s;
  c.create_retry_interval = 200ms;
  c.create_retry_max = 2s;
  c.idle_timeout = no_timeout;
  c.reap_interval = 1s;
  c.max_lifetime = no_timeout;
  c.validate_after = no_timeout;
  c.fairness = Fairness::strict;
  c.fair_after = 5ms;
  return c;
}

std::map<std::string, std::uint64_t>& premises() {
  static std::map<std::string, std::uint64_t> counts;
  return counts;
}

std::uint64_t& steps_made() {
  static std::uint64_t count = 0;
  return count;
}

EngineWorld::EngineWorld(const EngineConfig& config, std::uint64_t seed)
    : config_(config),
      engine_(config, rack_, seed),
      slots_max_(config.max),
      waiting_max_(config.max_waiting),
      quarantine_max_(config.quarantine_max) {}

EngineWorld::Conn& EngineWorld::conn(SlotId slot) {
  while (slot >= conns_.size()) conns_.emplace_back();
  return conns_[slot];
}

template <class Input>
void EngineWorld::step(Input&& input) {
  ++steps_made();
  starts_in_step_ = looks_in_step_ = resolved_in_step_ = 0;
  sessions_before_ = sessions();
  usable_before_ = usable();
  waiting_before_ = waiting();
  input();
  perform();
  check();
}

// An input that the pool has to refuse: nothing may come of it.
template <class Input>
void EngineWorld::ignored(Input&& input) {
  input();
  require(fx_.empty(), "S6", "a refused input had effects");
}

void EngineWorld::perform() {
  const Effects fx = std::exchange(fx_, {});
  trace(fx);
  const Bounds most = bounds(slots_max_, waiting_max_, quarantine_max_);
  require(fx.start.size() <= most.starts && fx.resolved.size() <= most.resolved, "L7",
          "one step asks for more than its bound");
  for (const Event& event : fx.events) on_event(event);  // a slot may be used again at once
  for (const Resolved& r : fx.resolved) on_resolved(r);
  if (fx.offer != nullptr) {
    auto& call = *static_cast<Call*>(fx.offer);
    require(call.waiting, "S4", "an offer to a caller that is gone");
    call.offered = true;
    call.wakes_at = after(now_, wake_latency_);
    ++premises()["offer"];
  }
  for (const SlotId slot : fx.abort) on_abort(slot);
  for (const StartOp& op : fx.start) on_start(op);
}

void EngineWorld::on_resolved(const Resolved& resolved) {
  auto& call = *static_cast<Call*>(resolved.token);
  require(call.waiting, "S4", "resolved twice");
  ++resolved_in_step_;
  ++premises()["S4"];
  require(resolved.waited == now_ - call.enqueued, "O1", "waited is not the time since the call");
  if (call.enqueued < now_) ++premises()["T1"];
  if (resolved.outcome == Outcome::timeout) {
    ++premises()["T2"];
    require(now_ >= call.deadline, "T2", "timed out before its deadline");
    for (const Call& other : calls_) {
      require(!other.waiting || other.deadline != call.deadline || other.number >= call.number,
              "T12", "simultaneous timeouts out of order");
    }
  }
  Duration waited{};
  const PhaseTimes phases = engine_.phase_times(now_);
  for (std::size_t i = 0; i < phases.size(); ++i) waited += phases[i] - call.phases[i];
  require(waited == resolved.waited, "O1", "the phases do not add up to the wait");
  if (resolved.outcome == Outcome::self_deadlock) {
    ++premises()["S18"];
    require(all_wait_for_each_other(), "S18", "a holder was not waiting");
  }
  if (resolved.outcome == Outcome::lent) {
    require(oldest_waiting() == &call, "F1", "served out of turn");
    if (call.enqueued < now_) ++premises()["F1"];
    if (call.enqueued < now_ && !late_)
      require(now_ <= call.deadline, "T1", "lent after its deadline");
    lent_now(call, resolved.slot, resolved.lease);
  }
  call.waiting = false;
  call.offered = false;
  call.wakes_at = no_deadline;
  call.outcome = resolved.outcome;
  call.resolved_at = now_;
}

void EngineWorld::lent_now(Call& call, SlotId slot, std::uint64_t lease) {
  Conn& c = conn(slot);
  require(!closed_for_lends_, "S11", "lent after drain");
  require(!suspended_, "S11", "lent while suspended");
  require(!c.outdated, "S5", "lent although its generation was replaced");
  require(c.holder == nullptr, "S2", "lent to two");
  require(c.open && c.up && !c.closing && !c.must_close && !c.flight, "S5", "lent but not usable");
  require(!c.dirty, "S13", "lent with a dirty session");
  require(!c.suspect, c.proof < awake_since_ ? "T8" : "T7", "lent although suspect");
  require(fresh(c), "T7", "lent without a look although it was quiet for too long");
  if (!config_.pinned) {
    require(now_ < after(c.created, c.lifetime), "S5", "lent past its lifetime");
  }
  ++premises()["S5"];
  if (c.ever_dirty) ++premises()["S13"];
  if (c.ever_suspect) ++premises()["R2"];
  c.holder = &call;
  call.slot = slot;
  call.lease = lease;
  call.held = true;
}

Call& EngineWorld::acquire(Duration timeout, WaiterKind kind, TaskId task) {
  Call& call = calls_.emplace_back();
  call.number = static_cast<std::uint32_t>(calls_.size());
  call.kind = kind;
  call.task = task;
  call.enqueued = now_;
  call.deadline = after(now_, timeout);
  const Holder holder{"test", "here.cpp", static_cast<int>(call.number), call.number, task};
  const SlotId slot = rack_.take(holder, now_);
  if (slot != no_slot) {
    for (const Call& other : calls_) {
      if (!other.waiting || &other == &call) continue;
      require(config_.fairness == Fairness::bounded, "F2", "passed a waiter");
      // A timer closes the gate: where it is late, so is the gate.
      require(late_ || now_ < after(other.enqueued, config_.fair_after), "F2",
              "passed an old waiter");
      ++premises()["F2 bounded"];
    }
    call.waiting = false;
    call.outcome = Outcome::lent;
    call.resolved_at = now_;
    const Instant stale = after(conn(slot).proof, config_.validate_after);
    require(now_ < stale, "T7", "taken without a look although it was quiet for too long");
    lent_now(call, slot, rack_.view(slot).lease);
    ++premises()["take"];
    return call;
  }
  if (waiting() > 1) ++premises()["F2"];
  call.phases = engine_.phase_times(now_);
  min_kept_ = true;
  step([&] { call.id = engine_.acquire({&call, kind, holder, {}, call.deadline}, now_, fx_); });
  if (timeout <= Duration{}) {
    require(!call.waiting, "T11", "was not to wait and waits");
    ++premises()["T11"];
  }
  return call;
}

void EngineWorld::release(Call& call, const ReturnFacts& facts) {
  require(release_lease(call.slot, call.lease, facts), "S6", "a return was refused");
}

bool EngineWorld::release_lease(SlotId slot, std::uint64_t lease, const ReturnFacts& facts) {
  static Conn nobody;
  Conn& c = slot < conns_.size() ? conns_[slot] : nobody;
  const bool current = c.holder != nullptr && c.holder->lease == lease;
  if (!current) {
    ++premises()["S6"];
    require(rack_.give(slot, lease, now_) == PlainRack::Give::refused, "S6", "give took it twice");
    bool accepted = true;
    ignored([&] { accepted = engine_.give_back(slot, lease, facts, now_, fx_); });
    require(!accepted, "S6", "a second or foreign return was accepted");
    return false;
  }
  c.holder->held = false;
  c.holder = nullptr;
  c.idle_since = c.proof = now_;
  const bool broken = facts.broken || (facts.busy && config_.reset == ResetPolicy::never);
  c.must_close = broken;
  c.dirty = !facts.clean() && config_.reset != ResetPolicy::never;
  c.ever_dirty = c.ever_dirty || c.dirty;
  if (facts.broken) doubt_all();
  if (facts.clean()) {
    const auto given = rack_.give(slot, lease, now_);
    require(given != PlainRack::Give::refused, "S6", "a return was refused");
    if (given == PlainRack::Give::racked) {
      require(config_.pinned || now_ < after(c.created, c.lifetime), "T4",
              "kept past its lifetime");
      ++premises()["give"];
      c.racked_since = now_;
      if (waiting() > 0) step([&] { engine_.returned(now_, fx_); });
      return true;
    }
  }
  bool accepted = false;
  step([&] { accepted = engine_.give_back(slot, lease, facts, now_, fx_); });
  return accepted;
}

void EngineWorld::claim(Call& call) {
  if (!call.offered) return ignored([&] { engine_.claim(call.id, now_, fx_); });
  call.offered = false;
  call.wakes_at = no_deadline;
  step([&] { engine_.claim(call.id, now_, fx_); });
}

void EngineWorld::cancel(Call& call, Outcome outcome) {
  const bool offered = call.offered;
  if (!call.waiting) return ignored([&] { engine_.cancel(call.id, outcome, now_, fx_); });
  step([&] { engine_.cancel(call.id, outcome, now_, fx_); });
  if (offered) ++premises()["offer passed on"];
}

void EngineWorld::start() {
  min_kept_ = true;
  step([&] { engine_.start(now_, fx_); });
}

void EngineWorld::resize(std::uint32_t min, std::uint32_t max) {
  EngineConfig next = config_;
  next.min = min;
  next.max = max;
  reload(next, false);
}

void EngineWorld::reload(const EngineConfig& config, bool renewed) {
  if (!closed_for_lends_) {
    if (config_.reset != config.reset || config_.idle_timeout != config.idle_timeout) {
      ++premises()["C1"];
    }
    config_ = config;
    changed_at_ = now_;
    above_min_since_ = now_;
    slots_max_ = std::max(slots_max_, config.max);
    waiting_max_ = std::max(waiting_max_, config.max_waiting);
    quarantine_max_ = std::max(quarantine_max_, config.quarantine_max);
    if (renewed) {
      outdate_all();
      failing_ = false;
    }
  }
  step([&] { engine_.reconfigure(config, renewed, now_, fx_); });
}

void EngineWorld::evict() {
  if (closed_for_lends_ || config_.pinned) return ignored([&] { engine_.evict(now_, fx_); });
  outdate_all();
  step([&] { engine_.evict(now_, fx_); });
}

void EngineWorld::suspend() {
  if (closed_for_lends_ || suspended_) return ignored([&] { engine_.suspend(now_, fx_); });
  suspended_ = true;
  step([&] { engine_.suspend(now_, fx_); });
}

void EngineWorld::resume() {
  if (!suspended_) return ignored([&] { engine_.resume(now_, fx_); });
  suspended_ = false;
  for (Conn& c : conns_) c.racked_since = std::max(c.racked_since, now_);
  step([&] { engine_.resume(now_, fx_); });
}

void EngineWorld::leap(Duration missed) {
  awake_since_ = now_ += missed;
  doubt_all();
  ++premises()["T8"];
  step([&] { engine_.leap(missed, now_, fx_); });
  late_ = false;
  check_after_tick();
}

void EngineWorld::drain() {
  closed_for_lends_ = true;
  suspended_ = false;
  const std::uint32_t waited = waiting();
  step([&] { engine_.drain(now_, fx_); });
  require(waiting() == 0, "L8", "a caller waits on a pool that is closing");
  if (waited > 0) ++premises()["L8"];
}

void EngineWorld::tick() {
  if (late_) awake_since_ = now_;
  step([&] { engine_.tick(now_, fx_); });
  late_ = false;
  check_after_tick();
}

void EngineWorld::run_until(Instant until) {
  Instant last = Instant::min();
  std::uint32_t at_this_instant = 0;
  while (true) {
    SlotId ending = no_slot;
    Call* waking = nullptr;
    Instant next = std::min(engine_.next_timer(), engine_.next_deadline());
    for (SlotId slot = 0; slot < conns_.size(); ++slot) {
      const auto& flight = conns_[slot].flight;
      if (flight && flight->ends <= next) {
        next = flight->ends;
        ending = slot;
      }
    }
    for (Call& call : calls_) {
      if (call.wakes_at < next ||
          (call.wakes_at == next && ending == no_slot && next != no_deadline)) {
        next = call.wakes_at;
        waking = &call;
      }
    }
    if (next > until) break;
    now_ = std::max(now_, next);
    at_this_instant = now_ == last ? at_this_instant + 1 : 0;
    last = now_;
    require(at_this_instant < 20 * (engine_.slot_count() + calls_.size() + 10), "L7", "it spins");
    if (waking != nullptr) {
      claim(*waking);
    } else if (ending != no_slot) {
      complete(ending, conns_[ending].flight->answer.result);
    } else {
      tick();
    }
  }
  now_ = std::max(now_, until);
}

// ---------------------------------------------------------------- the driver and the server

void EngineWorld::on_start(const StartOp& op) {
  started_.push_back({op.op, op.slot, now_, op.deadline});
  Conn& c = conn(op.slot);
  if (op.op == Op::close) ++premises()["S10"];
  require(!c.flight, "S10", "two operations at once");
  require(c.holder == nullptr, "S10", "an operation on a connection that is lent");
  require(!c.closing, "S10", "an operation after close");
  require(op.deadline > now_ || op.op == Op::init, "T1", "started with a deadline in the past");
  if (op.op == Op::connect) {
    require(!c.open, "S10", "connect on an open connection");
    require(!closed_for_lends_, "S11", "connect after drain");
    require(!suspended_, "S11", "connect while suspended");
    require(op.deadline <= after(now_, config_.create_timeout), "T9",
            "an attempt may last too long");
    if (failing_) {
      require(now_ > failed_start_, "L7", "tried again without a delay");
      require(now_ >= failed_start_ + std::min(least_delay_, least_delay()) * 8 / 10, "T5",
              "tried again too early");
      ++premises()["T5"];
    }
    const std::uint32_t serial = c.last_serial;
    c = Conn{};
    c.last_serial = serial;
    ++starts_in_step_;
  } else {
    require(c.open, "S10", "an operation without a connection");
    require(!c.must_close || op.op == Op::close, "S10", "used after it had failed");
  }
  if (op.op == Op::validate) {
    ++premises()["T7"];
    ++looks_in_step_;
    require(c.suspect || !fresh(c) || now_ >= after(c.proof, config_.keepalive), "T7",
            "looked at without need");
  }
  if (op.op == Op::check) {
    ++premises()["T13"];
    require(waiting() == 0, "T13", "a check although somebody waits");
    require(!suspended_ && !closed_for_lends_, "T13", "a check in a pool that is not open");
    require(!checked_at_ || now_ >= after(*checked_at_, config_.check_interval), "T13",
            "a check before its time");
    for (const Conn& other : conns_) {
      require(!other.flight || other.flight->op != Op::check || other.flight->quarantined, "T13",
              "two checks at once");
    }
    checked_at_ = now_;
  }
  if (op.op == Op::close) {
    c.closing = true;
    c.min_held_at_close = usable() >= config_.min;
  }
  auto& script = scripted_[static_cast<std::size_t>(op.op)];
  Answer answer = answers_[static_cast<std::size_t>(op.op)];
  if (!script.empty()) {
    answer = script.front();
    script.pop_front();
  }
  require(op.serial != c.last_serial, "S10", "a serial was used twice");
  c.last_serial = op.serial;
  const Instant ends = answer.hang == Answer::Hang::no ? now_ + answer.latency : no_deadline;
  if (op.op != Op::init) c.started = now_;  // init is part of the connect
  c.flight = Flight{op.op, op.serial, c.started, op.deadline, ends, answer, false, false};
}

void EngineWorld::on_abort(SlotId slot) {
  ++aborts_;
  Conn& c = conn(slot);
  if (!c.flight) return;  // a lease's call
  require(!c.flight->aborted, "T9", "aborted twice");
  c.flight->aborted = true;
  if (c.flight->answer.hang == Answer::Hang::until_abort) {
    c.flight->ends = now_ + c.flight->answer.latency;
  }
}

void EngineWorld::complete(SlotId slot, OpResult result) {
  Conn& c = conn(slot);
  const Flight f = *c.flight;
  c.flight.reset();
  const bool refused = f.op == Op::check && result == OpResult::refused;
  const bool good = (result == OpResult::ok || refused) && !f.aborted;
  switch (f.op) {
    case Op::connect:
      c.open = result == OpResult::ok;
      created_ += c.open && (!config_.has_init || f.aborted) ? 1 : 0;
      c.up = good && !config_.has_init;
      break;
    case Op::init:
      ++created_;
      c.up = good;
      break;
    case Op::validate:
    case Op::check:
      if (!good && !f.quarantined) doubt_all();
      break;
    case Op::reset:
      c.dirty = c.dirty && !good;
      break;
    case Op::close:
      c.open = c.closing = false;
      ++gone_;
      break;
    case Op::none:
      break;
  }
  c.must_close = c.open && !good;
  c.set_aside = c.set_aside && c.open;
  if (f.op == Op::connect || f.op == Op::init) {
    if (c.up) c.created = c.idle_since = now_;
    if (c.up) c.lifetime = config_.max_lifetime;
    if (good) failing_ = failing_ && !c.up;
    if (!good && !f.quarantined && !c.outdated) connect_failed(f);
  }
  if (good) c.proof = now_;
  if (good && f.op != Op::close) c.suspect = false;
  step([&] { engine_.finished(slot, f.serial, result, now_, fx_); });
}

void EngineWorld::finish(SlotId slot, OpResult result) {
  if (conn(slot).flight) complete(slot, result);
}

void EngineWorld::finish_again(SlotId slot) {
  const Conn& c = conn(slot);
  if (c.flight) {
    ignored([&] { engine_.finished(slot, c.last_serial - 1, OpResult::ok, now_, fx_); });
  } else {
    ignored([&] { engine_.finished(slot, c.last_serial, OpResult::failed, now_, fx_); });
  }
  ++premises()["late result"];
}

// A connection turned out to be dead: all others have to be looked at.
void EngineWorld::doubt_all() {
  for (Conn& c : conns_) {
    c.suspect = c.open;
    c.ever_suspect = c.ever_suspect || c.open;
  }
}

void EngineWorld::outdate_all() {
  for (Conn& c : conns_) c.outdated = c.open || c.flight;
}

void EngineWorld::trace(const Effects& fx) {
  const auto add = [this](std::uint64_t value) { trace_ = (trace_ ^ value) * 0x100000001b3U; };
  for (const Resolved& r : fx.resolved) {
    add(static_cast<Call*>(r.token)->number);
    add(static_cast<std::uint64_t>(r.outcome) << 32 | r.slot);
    add(r.lease);
  }
  add(fx.offer == nullptr ? 0 : static_cast<Call*>(fx.offer)->number);
  for (const StartOp& op : fx.start) {
    add(static_cast<std::uint64_t>(op.op) << 32 | op.slot);
    add(op.serial);
    add(static_cast<std::uint64_t>(op.deadline.time_since_epoch().count()));
  }
  for (const SlotId slot : fx.abort) add(slot);
  for (const Event& e : fx.events) {
    add(static_cast<std::uint64_t>(e.type) << 32 | e.slot);
    add(e.step);
    add(static_cast<std::uint64_t>(e.amount.count()));
  }
}

}  // namespace weir::engine::test
