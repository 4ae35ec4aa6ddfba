// SPDX-License-Identifier: MIT
#include "sim/check/supply.hpp"

#include "core/engine/engine.hpp"
#include "core/observe/texts.hpp"
#include "sim/check/judge.hpp"

#include <algorithm>

namespace weir::sim {
namespace {

using engine::Event;
using engine::SlotId;
using engine::SlotState;

// What jitter may add to a delay, or take from it.
constexpr Duration fifth_of(Duration d) { return d / 5 + Duration(1); }

std::uint32_t count(const engine::Engine& engine, std::initializer_list<SlotState> states) {
  std::uint32_t found = 0;
  for (SlotId id = 0; id < engine.slot_count(); ++id) {
    found += std::find(states.begin(), states.end(), engine.state(id)) != states.end() ? 1 : 0;
  }
  return found;
}

std::uint32_t connecting(const engine::Engine& engine) {
  return count(engine, {SlotState::connecting, SlotState::initialising});
}

}  // namespace

Supply::Slot& Supply::at(std::uint32_t slot) {
  if (slot >= slots_.size()) slots_.resize(slot + 1);
  return slots_[slot];
}

void Supply::stepped(Judge& judge, const engine::Engine& engine, const engine::PlainRack& rack,
                     const engine::Effects& fx, Instant now) {
  learn(judge, engine, fx, now);  // of attempts that have ended, before those that begin
  check_connects(judge, engine, fx, now);
  check_looks(judge, engine, rack, fx);
  check_demand(judge, engine, rack, now);
}

void Supply::learn(Judge& judge, const engine::Engine& engine, const engine::Effects& fx,
                   Instant now) {
  const engine::EngineConfig& config = engine.config();
  window_ = std::min(window_, config.max_connecting);
  for (const Event& event : fx.events) {
    if (event.type == Event::Type::created) {
      window_ = failing_ ? 1 : std::min(window_ + 1, config.max_connecting);
      failing_ = false;
    }
    if (event.type != Event::Type::create_failed) continue;
    const Instant started = at(event.slot).connect_started;
    // Attempts that ran side by side fail together, and count once.
    if (!failing_ || started >= round_start_) {
      failed_start_ = started;
      round_start_ = now;
    }
    failing_ = true;
    window_ = 1;
    planned_ = after(now, event.amount);
    const Duration cap = config.create_retry_max;
    judge.require(cap == no_timeout || event.amount <= cap + fifth_of(cap), "T5", [&] {
      return "the next attempt is put off by " + observe::short_duration(event.amount) +
             ", with create_retry_max = " + observe::short_duration(cap);
    });
  }
  if (failing_ && !engine.creator().failing()) {  // forgotten: the endpoint is another one
    failing_ = false;
    window_ = config.max_connecting;
  }
}

void Supply::check_connects(Judge& judge, const engine::Engine& engine, const engine::Effects& fx,
                            Instant now) {
  bool any = false;
  for (const engine::StartOp& op : fx.start) {
    if (op.op != engine::Op::connect) continue;
    any = true;
    at(op.slot).connect_started = now;
  }
  if (!any) return;
  judge.require(connecting(engine) <= window_, "S8", [&] {
    return std::to_string(connecting(engine)) + " connects at once after an outage, where " +
           std::to_string(window_) + " may be";
  });
  if (!failing_) return;
  const engine::EngineConfig& config = engine.config();
  const Duration first = std::min(config.create_retry_interval, config.create_retry_max);
  judge.require(now - failed_start_ >= first - fifth_of(first), "T5", [&] {
    return "a connect is repeated after " + observe::short_duration(now - failed_start_) +
           ", with create_retry_interval = " + observe::short_duration(first);
  });
  // Demand shortens the delay only after a failure that may mend itself.
  if (engine.creator().last_result() == engine::OpResult::failed) return;
  judge.require(now >= planned_, "R5", "a server that is full or refuses is asked before its time");
}

void Supply::check_looks(Judge& judge, const engine::Engine& engine, const engine::PlainRack& rack,
                         const engine::Effects& fx) {
  for (const engine::StartOp& op : fx.start) {
    const bool looks = op.op == engine::Op::validate;
    if (!looks && op.op != engine::Op::check) continue;
    at(op.slot).checked = !looks;
    at(op.slot).in_doubt = looks && rack.suspect(op.slot);
    at(op.slot).keepalive = looks && engine.queue().empty() && fx.resolved.empty();
  }
  std::uint32_t keepalives = 0;
  for (SlotId id = 0; id < engine.slot_count(); ++id) {
    if (engine.state(id) == SlotState::validating && at(id).keepalive) ++keepalives;
  }
  if (keepalives == 0) return;
  judge.require(keepalives <= engine.config().max_connecting, "T6",
                [&] { return std::to_string(keepalives) + " keepalives at once"; });
}

// Nobody waits for a connect that could be under way. A look at a connection whose sibling has died
// is no supply: its waiter must not depend on it (R2). Nor is one that is checked (T13). A hung
// call has a replacement (R8).
void Supply::check_demand(Judge& judge, const engine::Engine& engine, const engine::PlainRack& rack,
                          Instant now) {
  const auto waiting = static_cast<std::uint32_t>(engine.queue().size());
  if (waiting == 0 || engine.phase() != engine::Engine::Phase::open) return;
  std::uint32_t supply = connecting(engine) + (rack.gate_open() ? rack.idle_count() : 0);
  std::uint32_t doubtful = 0;
  std::uint32_t checked = 0;
  for (SlotId id = 0; id < engine.slot_count(); ++id) {
    if (engine.state(id) != SlotState::validating) continue;
    ++(at(id).checked ? checked : at(id).in_doubt ? doubtful : supply);
  }
  const std::uint32_t hung = count(engine, {SlotState::quarantined});
  const engine::EngineConfig& config = engine.config();
  const bool room = engine.physical() < config.max + std::min(hung, config.quarantine_max);
  const bool may = engine.creator().allowance(now, connecting(engine)) > 0;
  judge.require(waiting <= supply || !room || !may,
                hung > 0       ? "R8"
                : doubtful > 0 ? "R2"
                : checked > 0  ? "T13"
                               : "S7",
                [&] {
                  return std::to_string(waiting) + " wait, " + std::to_string(supply) +
                         " connections are on their way, and no connect is started";
                });
}

}  // namespace weir::sim
