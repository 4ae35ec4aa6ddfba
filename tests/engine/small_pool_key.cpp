// SPDX-License-Identifier: MIT
// SmallPool, third part: what a state is, and what is the same state.
#include "tests/engine/small_pool.hpp"

#include <algorithm>

namespace weir::engine::test {

namespace {

// The engine's own fields, so that a state that the engine tells apart is told apart here, whatever
// the books of the test believe. An explicit instantiation may name a private member.
template <class Tag, typename Tag::Member member>
struct Opens {
  friend typename Tag::Member opened(Tag) { return member; }
};
template <class Class, class Field>
struct Private {
  using Member = Field Class::*;
};

struct SlotsOf : Private<Engine, Slots> {
  friend Member opened(SlotsOf);
};
struct OpsOf : Private<Engine, Operations> {
  friend Member opened(OpsOf);
};
struct AgendaOf : Private<Engine, Agenda> {
  friend Member opened(AgendaOf);
};
struct StartedOf : Private<Engine, bool> {
  friend Member opened(StartedOf);
};
struct OfferedOf : Private<Engine, WaiterId> {
  friend Member opened(OfferedOf);
};
struct DueOf : Private<Agenda, Instant> {
  friend Member opened(DueOf);
};
struct LastOf : Private<Agenda, Instant> {
  friend Member opened(LastOf);
};
struct RoundOf : Private<Creator, Instant> {
  friend Member opened(RoundOf);
};
template struct Opens<SlotsOf, &Engine::slots_>;
template struct Opens<OpsOf, &Engine::ops_>;
template struct Opens<AgendaOf, &Engine::agenda_>;
template struct Opens<StartedOf, &Engine::started_>;
template struct Opens<OfferedOf, &Engine::offered_>;
template struct Opens<DueOf, &Agenda::due_>;
template struct Opens<LastOf, &Agenda::last_>;
template struct Opens<RoundOf, &Creator::round_start_>;

char byte(std::uint32_t value) { return static_cast<char>(value); }
template <class Enum>
char code(Enum value) {
  return static_cast<char>(value);
}

char bits(std::initializer_list<bool> flags) {
  std::uint32_t all = 0;
  for (const bool flag : flags) all = all * 2 + (flag ? 1 : 0);
  return byte(all);
}

}  // namespace

bool SmallPool::started() const { return engine_.*opened(StartedOf{}); }

CloseReason SmallPool::reason(SlotId slot) const {
  return (engine_.*opened(SlotsOf{}))[slot].reason;
}

Place SmallPool::place(SlotId slot) const {
  switch (engine_.state(slot)) {
    case SlotState::closed:
      return Place::closed;
    case SlotState::connecting:
      return Place::connecting;
    case SlotState::initialising:
      return Place::initialising;
    case SlotState::racked:
      return rack_.view(slot).lent() ? Place::lent : Place::idle;
    case SlotState::validating:
      return Place::validating;
    case SlotState::resetting:
      return Place::resetting;
    case SlotState::closing:
      return Place::closing;
    case SlotState::quarantined:
      return Place::quarantined;
  }
  return Place::closed;
}

// In whole seconds, rounded up: what falls due within a second does so at its end. What is due is
// due, and what is far away is so for every duration that a scope has.
std::uint8_t SmallPool::distance(Instant to) const {
  if (to <= now_) return 0;
  if (to == no_deadline) return 255;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(to - now_).count();
  return static_cast<std::uint8_t>(std::min<std::int64_t>(seconds, 254));
}

std::string SmallPool::key_of(SlotId slot) const {
  const Slots& slots = engine_.*opened(SlotsOf{});
  const Operations& ops = engine_.*opened(OpsOf{});
  const EngineConfig& config = engine_.config();
  const Conn& conn = conns_[slot];
  const Place at = place(slot);
  const Rack::View& view = rack_.view(slot);
  const Operations::Operation none;
  const Operations::Operation& op = ops.runs(slot) ? ops[slot] : none;
  const bool connects = op.op == Op::connect || op.op == Op::init;
  const bool racked = at == Place::idle || at == Place::lent;
  const bool leaving = at == Place::closing || at == Place::quarantined;
  const bool before_round =
      connects && engine_.creator().failing() && op.started < engine_.creator().*opened(RoundOf{});

  std::string key;
  key += code(at);
  key += code(op.op);
  key += code(slots.look(slot));
  key += bits({op.aborted, !leaving && slots.outdated(slot), racked && rack_.suspect(slot),
               view.word == Rack::Word::retire, before_round, connects && op.started < now_});
  key += bits(
      {conn.given_up, conn.hung, conn.open, conn.up, conn.dirty, conn.must_close, conn.closing});
  key += byte(op.op == Op::none || op.aborted ? 0 : distance(op.deadline));
  // The time an idle connection, or one that is looked at, has been idle for.
  const Instant since = racked ? view.since : slots[slot].idle_since;
  const bool up = racked || at == Place::validating || at == Place::resetting;
  key += byte(
      up ? distance(after(since, at == Place::lent ? config.hold_warn : config.idle_timeout)) : 0);
  key += byte(up ? distance(slots[slot].expires_at) : 0);
  key += byte(at == Place::idle ? distance(after(view.proof, config.validate_after)) : 0);
  key += byte(at == Place::idle ? distance(after(view.proof, config.keepalive)) : 0);
  key += bits({at == Place::idle && config.validate_after == Duration{} && view.proof == now_,
               at == Place::lent && slots[slot].reported_lease == view.lease});
  // Its place among the idle ones.
  std::uint32_t fresher = 0;
  if (at == Place::idle) {
    for (SlotId i = slot; i != no_slot; i = rack_.fresher_than(i)) ++fresher;
  }
  key += byte(fresher);
  // Which caller is of the task that holds it.
  std::uint32_t waits = 0;
  for (std::uint32_t i = 0; conn.held && i < callers_.size(); ++i) {
    if (callers_[i].task == conn.task) waits = i + 1;
  }
  key += byte(waits);
  return key;
}

std::string SmallPool::key() const {
  const Creator& creator = engine_.creator();
  const Agenda& agenda = engine_.*opened(AgendaOf{});
  const EngineConfig& config = engine_.config();
  std::string key;
  key.reserve(80);
  key += bits({started(), engine_.lost(), rack_.gate_open(), other_size_, creator.failing(),
               rack_.hold_estimate() < 50us});
  key += code(engine_.phase());
  key += code(creator.last_result());
  key += byte(creator.failing() ? distance(creator.retry_at())
                                : creator.allowance(now_, 0));  // the window of the slow start
  if (scope_->rack_timers()) {
    key += byte(distance(agenda.*opened(DueOf{})));
    key += byte(distance(agenda.due(config.reap_interval)));
    key += bits({agenda.*opened(LastOf{}) == now_, agenda.*opened(LastOf{}) == Instant::min()});
  }
  key += byte(static_cast<std::uint32_t>(callers_.size()));
  for (const Caller& caller : callers_) {
    key += bits({caller.kind == WaiterKind::callback, caller.offered,
                 engine_.*opened(OfferedOf{}) == caller.id});
    key += byte(distance(caller.deadline));
    const bool aged = config.fairness == Fairness::bounded;
    key += byte(aged ? distance(after(caller.enqueued, config.fair_after)) : 0);
  }
  std::vector<std::string> slots;
  slots.reserve(engine_.slot_count());
  for (SlotId slot = 0; slot < engine_.slot_count(); ++slot) {
    if (place(slot) != Place::closed) slots.push_back(key_of(slot));
  }
  std::sort(slots.begin(), slots.end());
  for (const std::string& slot : slots) key += slot;
  return key;
}

}  // namespace weir::engine::test
