// SPDX-License-Identifier: MIT
// SmallPool, first part: what can happen, and one step.
#include "tests/engine/small_pool.hpp"

#include <algorithm>

namespace weir::engine::test {

namespace {

using Kind = Input::Kind;

constexpr Duration missed = 3s;

constexpr std::array<const char*, input_kinds> kind_names = {"start",
                                                             "acquire by a thread",
                                                             "acquire by a callback",
                                                             "acquire, nested",
                                                             "acquire, now",
                                                             "cancel",
                                                             "claim",
                                                             "give back, clean",
                                                             "give back, dirty",
                                                             "give back, broken",
                                                             "give back twice",
                                                             "end of",
                                                             "late end of",
                                                             "tick",
                                                             "leap",
                                                             "suspend",
                                                             "resume",
                                                             "evict",
                                                             "reload",
                                                             "resize",
                                                             "drain"};
constexpr std::array<const char*, op_count> op_names = {"none",  "connect", "init", "validate",
                                                        "reset", "close",   "check"};
constexpr std::array<const char*, 5> result_names = {"ok", "failed", "server full", "fatal",
                                                     "refused"};
constexpr std::array<const char*, place_count> place_names = {
    "closed",     "connecting", "initialising", "idle",       "lent",
    "validating", "resetting",  "closing",      "quarantined"};

template <std::size_t N, class Enum>
const char* name_of(const std::array<const char*, N>& names, Enum value) {
  return names[static_cast<std::size_t>(value)];
}

}  // namespace

const char* text_of(Op op) { return name_of(op_names, op); }
const char* text_of(Place place) { return name_of(place_names, place); }

std::string text_of(const Input& input) {
  std::string text = name_of(kind_names, input.kind);
  if (input.at == no_slot) return text;
  if (input.kind == Kind::finish || input.kind == Kind::finish_late) {
    return text + ' ' + text_of(input.op) + " of slot " + std::to_string(input.at) +
           (input.kind == Kind::finish ? std::string(": ") + name_of(result_names, input.result)
                                       : std::string());
  }
  if (input.kind >= Kind::give_back_clean && input.kind <= Kind::give_back_twice) {
    text += ", slot " + std::to_string(input.at);
  }
  if (input.kind == Kind::acquire_nested) text += ", by the holder of " + std::to_string(input.at);
  if (input.kind == Kind::cancel) text += " waiter " + std::to_string(input.at);
  return text;
}

SmallPool::SmallPool(const Scope& scope) : scope_(&scope), engine_(scope.config, rack_, 1) {}

SmallPool::SmallPool(const SmallPool& other)
    : scope_(other.scope_),
      rack_(other.rack_),
      engine_(other.engine_),
      now_(other.now_),
      callers_(other.callers_),
      conns_(other.conns_),
      next_number_(other.next_number_),
      other_size_(other.other_size_),
      may_wait_(other.may_wait_),
      asked_(other.asked_),
      input_(other.input_),
      resolved_(other.resolved_),
      starts_(other.starts_),
      sessions_before_(other.sessions_before_) {
  engine_.use(rack_);
}

void SmallPool::require(bool held, const char* property, const char* what) const {
  if (!held) throw Violation(std::string(property) + ": " + what);
}

// ---------------------------------------------------------------- what can happen

void SmallPool::inputs_of(SlotId slot, std::vector<Input>& to) const {
  const Conn& conn = conns_[slot];
  const auto add = [&](Kind kind, OpResult result = OpResult::ok) {
    to.push_back({kind, slot, conn.op, result});
  };
  if (conn.held) {
    add(Kind::give_back_clean);
    add(Kind::give_back_dirty);
    add(Kind::give_back_broken);
    if (scope_->nesting && !waits(conn.task)) add(Kind::acquire_nested);
  }
  if (conn.lease > 0) add(Kind::give_back_twice);
  if (conn.op != Op::none) {
    add(Kind::finish);
    add(Kind::finish, OpResult::failed);
    if (conn.op == Op::connect) add(Kind::finish, OpResult::server_full);
    if (conn.op == Op::connect || conn.op == Op::init) add(Kind::finish, OpResult::fatal);
  }
  add(Kind::finish_late);
}

std::vector<Input> SmallPool::inputs() const {
  std::vector<Input> all;
  if (!started() && phase() == Engine::Phase::open) all.push_back({Kind::start});
  all.push_back({Kind::acquire_thread});
  all.push_back({Kind::acquire_callback});
  all.push_back({Kind::acquire_now});
  std::vector<std::string> seen;
  for (SlotId slot = 0; slot < engine_.slot_count(); ++slot) {
    std::string key = key_of(slot);
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) continue;
    seen.push_back(std::move(key));
    inputs_of(slot, all);
  }
  for (std::uint32_t i = 0; i < callers_.size(); ++i) {
    all.push_back({Kind::cancel, i});
    if (callers_[i].offered) all.push_back({Kind::claim});
  }
  if (next_tick() != no_deadline) all.push_back({Kind::tick});
  all.push_back({Kind::leap});
  if (phase() == Engine::Phase::draining) return all;
  all.push_back({phase() == Engine::Phase::open ? Kind::suspend : Kind::resume});
  for (const Kind kind : {Kind::evict, Kind::reload, Kind::drain}) all.push_back({kind});
  if (scope_->other_max > 0) all.push_back({Kind::resize});
  return all;
}

std::optional<Input> SmallPool::healing() const {
  if (phase() == Engine::Phase::suspended) return Input{Kind::resume};
  for (SlotId slot = 0; slot < conns_.size(); ++slot) {
    if (conns_[slot].op != Op::none) return Input{Kind::finish, slot, conns_[slot].op};
  }
  for (const Caller& caller : callers_) {
    if (caller.offered) return Input{Kind::claim};
  }
  for (SlotId slot = 0; slot < conns_.size(); ++slot) {
    if (conns_[slot].held) return Input{Kind::give_back_clean, slot};
  }
  if (next_tick() != no_deadline) return Input{Kind::tick};
  return std::nullopt;
}

bool SmallPool::healed() const {
  if (!callers_.empty()) return false;
  if (phase() == Engine::Phase::draining) return engine_.drained();
  return phase() == Engine::Phase::open && (!started() || engine_.ready());
}

// ---------------------------------------------------------------- one step

void SmallPool::apply(const Input& input) {
  fx_.clear();
  lent_.clear();
  input_ = input.kind;
  resolved_ = starts_ = 0;
  asked_ = true;
  sessions_before_ = sessions();
  switch (input.kind) {
    case Kind::give_back_twice:
    case Kind::finish_late:
      return refused(input);
    case Kind::start:
      engine_.start(now_, fx_);
      break;
    case Kind::acquire_thread:
    case Kind::acquire_callback:
    case Kind::acquire_nested:
    case Kind::acquire_now:
      acquire(input);
      break;
    case Kind::cancel:
      engine_.cancel(callers_[input.at].id, Outcome::cancelled, now_, fx_);
      break;
    case Kind::claim: {
      const auto caller =
          std::find_if(callers_.begin(), callers_.end(), [](const Caller& c) { return c.offered; });
      caller->offered = false;
      engine_.claim(caller->id, now_, fx_);
      break;
    }
    case Kind::give_back_clean:
    case Kind::give_back_dirty:
    case Kind::give_back_broken:
      give_back(input);
      break;
    case Kind::finish:
      finish(input);
      break;
    case Kind::tick:
      now_ = next_tick();
      engine_.tick(now_, fx_);
      break;
    case Kind::leap:
      now_ += missed;
      doubt_all();
      engine_.leap(missed, now_, fx_);
      break;
    default:
      reconfigure(input);
  }
  perform();
  if (asked_) check();
}

void SmallPool::acquire(const Input& input) {
  const bool nested = input.kind == Kind::acquire_nested;
  const std::uint32_t number = next_number_++;
  const TaskId task = nested ? conns_[input.at].task : number;
  const auto kind =
      input.kind == Kind::acquire_callback ? WaiterKind::callback : WaiterKind::thread;
  may_wait_ = input.kind != Kind::acquire_now;
  const Holder holder{"test", "here.cpp", 0, number, task};
  const SlotId slot = rack_.take(holder, now_);  // as the shell does
  if (slot != no_slot) {
    const EngineConfig& config = engine_.config();
    require(callers_.empty() || (config.fairness == Fairness::bounded &&
                                 now_ < after(callers_.front().enqueued, config.fair_after)),
            "F2", "passed a waiter");
    // Whom it was offered to still has to wake, and to find nothing: until then nobody is asked.
    asked_ = false;
    return lent_now(number, task, slot, rack_.view(slot).lease);
  }
  const Instant deadline = !may_wait_                     ? now_
                           : kind == WaiterKind::callback ? now_ + callback_timeout
                                                          : no_deadline;
  callers_.push_back({number, kind, task, now_, deadline, {}, false});
  // A token is a number: a copy of the pool finds its own record by it.
  const auto token = reinterpret_cast<Token>(static_cast<std::uintptr_t>(number));
  callers_.back().id = engine_.acquire({token, kind, holder, {}, deadline}, now_, fx_);
}

void SmallPool::give_back(const Input& input) {
  Conn& conn = conns_[input.at];
  ReturnFacts facts;
  facts.broken = input.kind == Kind::give_back_broken;
  facts.dirty = input.kind == Kind::give_back_dirty;
  conn.held = false;
  conn.must_close = facts.broken;
  conn.dirty = facts.dirty;
  if (facts.broken) doubt_all();
  if (facts.clean()) {
    const auto given = rack_.give(input.at, conn.lease, now_);
    require(given != PlainRack::Give::refused, "S6", "a return was refused");
    if (given == PlainRack::Give::racked) {
      if (!callers_.empty()) engine_.returned(now_, fx_);
      return;
    }
  }
  require(engine_.give_back(input.at, conn.lease, facts, now_, fx_), "S6", "a return was refused");
}

void SmallPool::refused(const Input& input) {
  const Conn& conn = conns_[input.at];
  if (input.kind == Kind::give_back_twice) {
    const std::uint64_t lease = conn.held ? conn.lease - 1 : conn.lease;
    require(rack_.give(input.at, lease, now_) == PlainRack::Give::refused, "S6", "given twice");
    require(!engine_.give_back(input.at, lease, {}, now_, fx_), "S6", "accepted twice");
  } else {
    const std::uint32_t serial = conn.op == Op::none ? conn.serial : conn.serial - 1;
    engine_.finished(input.at, serial, OpResult::ok, now_, fx_);
  }
  require(fx_.empty(), "S6", "a refused input had effects");
}

void SmallPool::reconfigure(const Input& input) {
  switch (input.kind) {
    case Kind::suspend:
      return engine_.suspend(now_, fx_);
    case Kind::resume:
      return engine_.resume(now_, fx_);
    case Kind::evict:
      outdate_all();
      return engine_.evict(now_, fx_);
    case Kind::reload:
      outdate_all();
      return engine_.reconfigure(engine_.config(), true, now_, fx_);
    case Kind::drain:
      return engine_.drain(now_, fx_);
    default:
      break;
  }
  other_size_ = !other_size_;
  EngineConfig next = scope_->config;
  if (other_size_) {
    next.min = scope_->other_min;
    next.max = scope_->other_max;
  }
  engine_.reconfigure(next, false, now_, fx_);
}

// Where the rack has nothing that could fall due, looking through it changes nothing, and a second
// is the distance of everything else.
Instant SmallPool::next_tick() const {
  if (!scope_->rack_timers()) return now_ + 1s;
  const Instant next = std::min(engine_.next_timer(), engine_.next_deadline());
  if (next == no_deadline) return next;
  return std::max<Instant>(now_, std::chrono::ceil<std::chrono::seconds>(next));
}

}  // namespace weir::engine::test
