// SPDX-License-Identifier: MIT
// SmallPool, second part: the driver, the server, and what is judged after every step.
#include "tests/engine/small_pool.hpp"

#include <algorithm>

namespace weir::engine::test {

namespace {
using Kind = Input::Kind;
}  // namespace

// ---------------------------------------------------------------- the driver and the server

void SmallPool::finish(const Input& input) {
  Conn& c = conns_[input.at];
  const bool good = input.result == OpResult::ok && !c.aborted;
  const std::uint32_t serial = c.serial;
  switch (c.op) {
    case Op::connect:
      c.open = input.result == OpResult::ok;
      c.up = good && !engine_.config().has_init;
      break;
    case Op::init:
      c.up = good;
      break;
    case Op::validate:
    case Op::check:
      if (!good && !c.hung) doubt_all();
      break;
    case Op::reset:
      c.dirty = c.dirty && !good;
      break;
    case Op::close:
      c.open = c.closing = false;
      break;
    case Op::none:
      require(false, "S10", "nothing runs");
  }
  c.must_close = c.open && !good;
  c.hung = c.hung && c.open;
  if (good) c.suspect = false;
  c.op = Op::none;
  engine_.finished(input.at, serial, input.result, now_, fx_);
}

void SmallPool::perform() {
  const Bounds most = bounds(std::max(scope_->config.max, scope_->other_max),
                             engine_.config().max_waiting, engine_.config().quarantine_max);
  require(fx_.start.size() <= most.starts && fx_.resolved.size() <= most.resolved &&
              engine_.slot_count() <= most.slots,
          "L7", "one step asks for more than its bound");
  for (const SlotId slot : fx_.abort) {
    Conn& c = conns_[slot];
    require(c.op != Op::none && !c.aborted, "T9", "aborted twice, or nothing");
    c.aborted = true;
  }
  for (const Event& event : fx_.events) {
    if (event.type != Event::Type::quarantined) continue;
    Conn& c = conns_[event.slot];
    require(c.aborted && !c.given_up, "T9", "quarantined without an abort");
    c.hung = c.given_up = true;
    if (c.op == Op::validate || c.op == Op::check) doubt_all();
  }
  for (const Resolved& r : fx_.resolved) on_resolved(r);
  for (Caller& caller : callers_) {
    if (reinterpret_cast<std::uintptr_t>(fx_.offer) == caller.number) caller.offered = true;
  }
  for (const StartOp& op : fx_.start) on_start(op);
}

void SmallPool::on_resolved(const Resolved& resolved) {
  const auto number = reinterpret_cast<std::uintptr_t>(resolved.token);
  const auto caller = std::find_if(callers_.begin(), callers_.end(),
                                   [&](const Caller& c) { return c.number == number; });
  require(caller != callers_.end(), "S4", "resolved twice");
  ++resolved_;
  const bool is_new = caller->number + 1 == next_number_ && caller->enqueued == now_;
  switch (resolved.outcome) {
    case Outcome::lent:
      require(caller == callers_.begin(), "F1", "served out of turn");
      lent_now(caller->number, caller->task, resolved.slot, resolved.lease);
      break;
    case Outcome::timeout:
      require(now_ >= caller->deadline, "T2", "timed out before its deadline");
      break;
    case Outcome::none_idle:
    case Outcome::suspended:
      require(is_new && !may_wait_, "T11", "not to wait, but it may");
      break;
    case Outcome::rejected:
      require(is_new && callers_.size() > engine_.config().max_waiting, "S19",
              "rejected with room");
      break;
    case Outcome::closed:
      require(phase() == Engine::Phase::draining, "L8", "closed on an open pool");
      break;
    case Outcome::cancelled:
      require(input_ == Kind::cancel, "S4", "cancelled by nobody");
      break;
    case Outcome::create_failed:
      require(engine_.config().propagate_create_error == PropagateCreateError::any ||
                  engine_.creator().failing_for_good(),
              "R7", "failed for a passing cause");
      break;
    case Outcome::self_deadlock:
      require(all_wait_for_each_other(), "S18", "a holder was not waiting");
      break;
    case Outcome::lost:
      require(false, "Q3", "lost without a pin");
  }
  callers_.erase(caller);
}

void SmallPool::lent_now(std::uint32_t caller, TaskId task, SlotId slot, std::uint64_t lease) {
  Conn& c = conns_[slot];
  require(phase() == Engine::Phase::open, "S11", "lent by a pool that is not open");
  require(!c.held, "S2", "lent to two");
  require(c.open && c.up && !c.closing && !c.must_close && c.op == Op::none, "S5",
          "lent but not usable");
  require(!c.outdated, "S5", "lent although its generation was replaced");
  require(!c.dirty, "S13", "lent with a dirty session");
  require(!c.suspect, "T7", "lent although suspect");
  c.held = true;
  lent_.push_back({caller, slot});
  c.task = task;
  c.lease = lease;
}

void SmallPool::on_start(const StartOp& op) {
  if (op.slot >= conns_.size()) conns_.resize(op.slot + 1);
  Conn& c = conns_[op.slot];
  require(c.op == Op::none && !c.held, "S10", "two at once have the connection");
  require(!c.closing, "S10", "an operation after close");
  require(op.serial > c.serial, "S10", "a serial was used twice");
  if (op.op == Op::connect) {
    require(!c.open, "S10", "connect on an open connection");
    require(phase() == Engine::Phase::open, "S11", "connect by a pool that is not open");
    Conn fresh;
    fresh.lease = c.lease;
    c = fresh;
    ++starts_;
  } else {
    require(c.open, "S10", "an operation without a connection");
    require(!c.must_close || op.op == Op::close, "S10", "used after it had failed");
  }
  c.op = op.op;
  c.serial = op.serial;
  c.aborted = c.given_up = false;
  c.closing = op.op == Op::close;
}

void SmallPool::doubt_all() {
  for (Conn& c : conns_) c.suspect = c.open;
}

void SmallPool::outdate_all() {
  for (Conn& c : conns_) c.outdated = c.open || c.op != Op::none;
}

// ---------------------------------------------------------------- the judgements

void SmallPool::check() const {
  const std::uint32_t open = sessions();
  require(open == engine_.physical(), "S1", "the server counts other sessions than the pool");
  require(open <= capacity() || (open <= sessions_before_ && starts_ == 0), "S1",
          "above max and growing");
  std::uint32_t held = 0;
  for (const Conn& c : conns_) held += c.held ? 1 : 0;
  require(held == rack_.lent_count(), "S3", "lent is miscounted");
  check_waiters();
  check_creates();
  engine_.check(now_);
  if (input_ != Kind::tick && input_ != Kind::leap) return;
  require(engine_.next_timer() > now_, "L7", "a timer is due right after a tick");
  require(engine_.next_deadline() > now_, "L1", "a deadline has passed");
}

void SmallPool::check_waiters() const {
  require(callers_.size() == engine_.queue().size(), "S3", "waiters are miscounted");
  require(callers_.size() <= engine_.config().max_waiting, "S19", "the queue is too long");
  require(callers_.empty() || phase() != Engine::Phase::draining, "L8", "waits on a closing pool");
  if (phase() != Engine::Phase::open || callers_.empty()) return;
  require(!all_wait_for_each_other(), "S18", "they wait for each other");
  const EngineConfig& config = engine_.config();
  const Caller& head = callers_.front();
  for (SlotId slot = 0; slot < conns_.size(); ++slot) {
    const Rack::View& view = rack_.view(slot);
    const bool lendable = view.word == Rack::Word::idle && !conns_[slot].suspect &&
                          after(view.proof, config.validate_after) > now_ && view.expires_at > now_;
    if (!lendable) continue;
    require(config.fairness == Fairness::bounded && head.offered, "S7", "idle beside a waiter");
    require(head.kind == WaiterKind::thread, "S7", "an offer to a callback");
    require(now_ < after(head.enqueued, config.fair_after), "S7", "idle beside an old waiter");
  }
}

void SmallPool::check_creates() const {
  std::uint32_t connecting = 0;
  std::uint32_t looks = 0;
  for (const Conn& c : conns_) {
    connecting += !c.hung && (c.op == Op::connect || c.op == Op::init) ? 1 : 0;
    looks += !c.hung && c.op == Op::validate ? 1 : 0;
  }
  const EngineConfig& config = engine_.config();
  const bool min_kept = started();
  require(connecting <= config.max_connecting, "S8", "too many connects");
  const std::uint32_t others = usable() - starts_;
  const std::uint32_t for_min = min_kept && config.min > others ? config.min - others : 0;
  const auto waiting = static_cast<std::uint32_t>(callers_.size());
  require(starts_ <= std::max(for_min, waiting + resolved_), "S11", "connects without demand");
  if (phase() != Engine::Phase::open || engine_.creator().failing() || connecting > 0) return;
  if (sessions() >= capacity()) return;
  const bool offered = waiting > 0 && callers_.front().offered;
  require(waiting <= looks + (offered ? rack_.idle_count() : 0), "S7",
          "room to connect beside a waiter");
  require(!min_kept || usable() >= config.min, "L3", "below min and nothing under way");
}

std::uint32_t SmallPool::sessions() const {
  return static_cast<std::uint32_t>(std::count_if(
      conns_.begin(), conns_.end(), [](const Conn& c) { return c.open || c.op == Op::connect; }));
}

std::uint32_t SmallPool::usable() const {
  return static_cast<std::uint32_t>(std::count_if(conns_.begin(), conns_.end(), [](const Conn& c) {
    const bool given_up = c.outdated && (c.op == Op::connect || c.op == Op::init);
    return (c.open || c.op == Op::connect) && !c.closing && !given_up && !c.hung;
  }));
}

std::uint32_t SmallPool::capacity() const {
  const auto hung =
      std::count_if(conns_.begin(), conns_.end(), [](const Conn& c) { return c.hung; });
  return engine_.config().max +
         std::min(static_cast<std::uint32_t>(hung), engine_.config().quarantine_max);
}

bool SmallPool::waits(TaskId task) const {
  return std::any_of(callers_.begin(), callers_.end(),
                     [task](const Caller& c) { return c.task == task; });
}

bool SmallPool::all_wait_for_each_other() const {
  std::uint32_t lent = 0;
  for (const Conn& c : conns_) {
    if (c.op != Op::none && !c.hung) return false;
    if (!c.held) continue;
    ++lent;
    if (!waits(c.task)) return false;
  }
  return lent > 0 && lent >= engine_.config().max;
}

}  // namespace weir::engine::test
