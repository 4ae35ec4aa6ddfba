// SPDX-License-Identifier: MIT
#include "sim/check/judge.hpp"

#include "core/engine/engine.hpp"
#include "core/observe/texts.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace weir::sim {
namespace {

using engine::SlotId;
using engine::SlotState;

constexpr std::string_view name_of(SlotState state) {
  constexpr std::string_view names[] = {"closed",     "connecting", "initialising", "racked",
                                        "validating", "resetting",  "closing",      "quarantined"};
  return names[static_cast<std::size_t>(state)];
}

constexpr std::string_view name_of(engine::Op op) {
  constexpr std::string_view names[] = {"none",  "connect", "init", "validate",
                                        "reset", "close",   "check"};
  return names[static_cast<std::size_t>(op)];
}

constexpr std::string_view name_of(engine::Event::Type type) {
  constexpr std::string_view names[] = {
      "created",   "create_failed", "closed", "quarantined",  "quarantine_full",
      "long_hold", "suspect",       "leapt",  "check_failed", "check_passed"};
  return names[static_cast<std::size_t>(type)];
}

std::string ms(Duration d) { return observe::short_duration(d); }

}  // namespace

Judge::Judge(World& world, const Server* server)
    : world_(world),
      server_(server),
      scarce_(world.mode() == Mode::cpu_model ? std::chrono::milliseconds(5) : Duration{}) {
  world_.watch(this);
}

void Judge::count(const char* property) {
  // By address: a literal for each property at each place, and few of both.
  for (auto& [name, count] : checked_) {
    if (name == property) return void(++count);
  }
  checked_.emplace_back(property, 1);
}

Judgement Judge::judgement() && {
  Judgement all = std::move(judgement_);
  for (const auto& [property, count] : checked_) all.checked[property] += count;
  for (std::size_t i = 0; i < marks_.size(); ++i) {
    all.marks[std::string(to_string(static_cast<runtime::Mark>(i)))] = marks_[i];
  }
  return all;
}

void Judge::forget() noexcept {
  slots_ = decltype(slots_)();
  served_at_.clear();
  stalls_ = decltype(stalls_)();
}

Judge::SlotWatch& Judge::slot(std::uint32_t id) {
  if (id >= slots_.size()) slots_.resize(id + 1);
  return slots_[id];
}

// How much of the time since `from` was taken from the pool by early steps of the clock.
Duration Judge::slack_since(Instant from) const {
  const auto after_it =
      std::upper_bound(stalls_.begin(), stalls_.end(), from,
                       [](Instant at, const auto& entry) { return at < entry.first; });
  const Duration before = after_it == stalls_.begin() ? Duration{} : std::prev(after_it)->second;
  return world_.stalled() - before;
}

void Judge::stepped(const std::string&, const engine::Engine& engine, const engine::PlainRack& rack,
                    const engine::Effects& fx) {
  if (stalls_.empty() ? world_.stalled() > Duration{} : stalls_.back().second < world_.stalled()) {
    stalls_.emplace_back(world_.now(), world_.stalled());
  }
  if (engine.steps() == engine_step_) return;  // an input that found nothing to do
  engine_step_ = engine.steps();
  config_ = engine.config();
  max_ever_ = std::max(max_ever_, config_.max);
  engine.check(world_.now());  // S2, S3, S4's books, S7, S18, L2: by recounting
  check_counts(engine, rack);
  check_starts(engine, fx);
  check_links(engine);
  check_resolved(engine, rack, fx);
  check_deadlocks(engine, rack, fx);
  check_events(engine, rack, fx);
  check_times(engine, rack);
  supply_.stepped(*this, engine, rack, fx, world_.now());
  if (failing_ || engine.creator().failing()) failing_seen_ = world_.now();
  failing_ = engine.creator().failing();
}

void Judge::check_counts(const engine::Engine& engine, const engine::PlainRack& rack) {
  std::uint32_t connecting = 0;
  std::uint32_t quarantined = 0;
  for (SlotId id = 0; id < engine.slot_count(); ++id) {
    const SlotState state = engine.state(id);
    connecting += state == SlotState::connecting || state == SlotState::initialising ? 1 : 0;
    quarantined += state == SlotState::quarantined ? 1 : 0;
  }
  // After max was lowered there may be more, which leave as they come back.
  const std::uint32_t allowed = max_ever_ + std::min(quarantined, config_.quarantine_max);
  require(engine.physical() <= allowed, "S1", [&] {
    return std::to_string(engine.physical()) + " connections where " + std::to_string(allowed) +
           " are allowed";
  });
  if (server_ != nullptr) {
    // Less those whose socket is closed: when the server sees that is not in the pool's hands.
    const Ledger& ledger = server_->ledger();
    const std::uint32_t sessions = ledger.sessions - ledger.sessions_hung_up;
    require(sessions <= max_ever_ + config_.quarantine_max, "S1 by the server", [&] {
      return "the server has " + std::to_string(sessions) +
             " sessions, with max = " + std::to_string(max_ever_);
    });
  }
  require(connecting <= config_.max_connecting, "S8", [&] {
    return std::to_string(connecting) +
           " connects at once, with max_connecting = " + std::to_string(config_.max_connecting);
  });
  require(engine.queue().size() <= config_.max_waiting, "S19", [&] {
    return std::to_string(engine.queue().size()) +
           " wait, with max_waiting = " + std::to_string(config_.max_waiting);
  });
  // A timer that is due is a tick that comes at once, and others may be kept going before it does.
  // What must not be is a tick that leaves it due, again and again.
  const bool due = engine.next_timer() <= world_.now();
  if (!due || world_.now() != stepped_at_) ticks_due_ = 0;
  if (std::exchange(ticks_, false) && due) ++ticks_due_;
  stepped_at_ = world_.now();
  require(ticks_due_ <= 100 + 10 * (engine.physical() + engine.queue().size()), "L7",
          "ticks do not get the next timer out of the past");
  if (engine.phase() != engine::Engine::Phase::draining) {
    const PoolCounts counts = engine.counts();
    require(counts.lent == rack.lent_count() && counts.idle == rack.idle_count(), "S3",
            "the counts differ from the rack's");
  } else {
    draining_since_ = std::min(draining_since_, world_.now());
    require(engine.queue().empty(), "L8", "somebody waits for a pool that is closing");
    if (engine.drained()) drained_at_ = std::min(drained_at_, world_.now());
  }
  if (engine.phase() != engine::Engine::Phase::open) {
    require(!rack.gate_open(), "S11", "a pool that is not open lends to whoever comes");
  }
}

// Whatever the driver has open is a connection of the pool's, also one that comes up or is given
// up.
void Judge::check_links(const engine::Engine& engine) {
  if (server_ == nullptr || server_->ledger().overflowed) return;
  const std::vector<Record>& records = server_->ledger().records;
  for (; records_read_ < records.size(); ++records_read_) {
    const Record& record = records[records_read_];
    links_ += record.what == What::dialed ? 1 : 0;
    links_ -= record.what == What::hung_up ? 1 : 0;
  }
  require(links_ <= engine.physical(), "S1 by the server", [&] {
    return std::to_string(links_) + " links are open, and the pool counts " +
           std::to_string(engine.physical()) + " connections";
  });
}

void Judge::check_starts(const engine::Engine& engine, const engine::Effects& fx) {
  for (const SlotId id : fx.abort) {
    slot(id).given_up = engine.state(id) != SlotState::racked;  // else it is the lease's call
  }
  for (const engine::StartOp& op : fx.start) slot(op.slot).given_up = false;
  std::uint32_t connects = 0;
  const auto closes = static_cast<std::uint32_t>(
      std::count_if(fx.start.begin(), fx.start.end(),
                    [](const engine::StartOp& op) { return op.op == engine::Op::close; }));
  std::uint32_t going = 0;   // or hanging, which is replaced
  std::uint32_t doomed = 0;  // beside those
  std::uint32_t closing = 0;
  std::uint32_t hung = 0;
  for (SlotId id = 0; id < engine.slot_count(); ++id) {
    const SlotState state = engine.state(id);
    if (state == SlotState::closing || state == SlotState::quarantined) {
      ++going;
      ++(state == SlotState::closing ? closing : hung);
    } else if (state != SlotState::closed && slot(id).given_up) {
      ++doomed;
    }
  }
  auto closes_left = static_cast<std::uint32_t>(
      std::count_if(fx.start.begin(), fx.start.end(), [&](const engine::StartOp& op) {
        return op.op == engine::Op::close && engine.state(op.slot) == SlotState::closing;
      }));
  for (const engine::StartOp& op : fx.start) {
    SlotWatch& watch = slot(op.slot);
    watch.op_started = world_.now();
    ++judgement_.seen[{std::string(name_of(engine.state(op.slot))),
                       "start " + std::string(name_of(op.op))}];
    if (op.op == engine::Op::connect) {
      ++connects;
      watch.connect_started = world_.now();
    }
    if (op.op == engine::Op::check) check_health(engine);
    if (op.op == engine::Op::close) {
      // What else leaves in this step has its own reason.
      watch.above_min_at_close = engine.physical() - going + closes - 1 >= config_.min;
      // They leave one after another; those that are still to leave count.
      const std::uint32_t staying = engine.physical() - closing + closes_left;
      watch.surplus_at_close = staying > config_.max + std::min(hung, config_.quarantine_max);
      if (engine.state(op.slot) == SlotState::closing) --closes_left;
    }
  }
  if (connects == 0) return;
  // Above a max that was lowered they may stay, but none may be added.
  const std::uint32_t room = config_.max + std::min(hung, config_.quarantine_max);
  require(engine.physical() <= room, "S1", [&] {
    return "a connect was started that makes " + std::to_string(engine.physical()) +
           " connections, where " + std::to_string(room) + " are allowed";
  });
  require(engine.phase() == engine::Engine::Phase::open, "S11",
          "a connect was started by a pool that is not open");
  // Who was not to wait has shown a demand all the same: others will come.
  const bool asked = !engine.queue().empty() ||
                     std::any_of(fx.resolved.begin(), fx.resolved.end(), [](const auto& resolved) {
                       return resolved.outcome == engine::Outcome::none_idle ||
                              resolved.outcome == engine::Outcome::rejected;
                     });
  require(asked || engine.physical() - going - doomed <= config_.min, "S11",
          "a connect was started that nobody needs");
  if (engine.creator().failing()) {
    require(connects == 1, "R3", "several connects at once while connecting fails");
  }
}

// A health check has begun.
void Judge::check_health(const engine::Engine& engine) {
  const Instant now = world_.now();
  require(engine.queue().empty(), "T13", "a health check was started while somebody waits");
  require(engine.phase() == engine::Engine::Phase::open, "T13",
          "a health check was started by a pool that is not open");
  require(!checked_at_ || now >= after(*checked_at_, config_.check_interval), "T13",
          "a health check was started before its time");
  checked_at_ = now;
}

void Judge::check_resolved(const engine::Engine& engine, const engine::PlainRack& rack,
                           const engine::Effects& fx) {
  const Instant now = world_.now();
  for (const engine::Resolved& resolved : fx.resolved) {
    const Instant enqueued = now - resolved.waited;
    if (resolved.outcome == engine::Outcome::lent) {
      ++judgement_.seen[{"racked", "lent"}];
      const auto& view = rack.view(resolved.slot);
      if (view.lease == resolved.lease) served_at_[view.holder.thread] = now;
      if (!engine.queue().empty()) {
        require(engine.queue()[engine.queue().head()].enqueued >= enqueued, "F1",
                "a waiter was served before one who came earlier");
      }
      require(engine.phase() == engine::Engine::Phase::open, "S5",
              "a connection was lent by a pool that is not open");
    }
  }
  check_rack(engine, rack);
}

// What the rack lends and takes back without asking, under the lock or in the lane, from one step
// to the next: nothing behind a closed gate, and no return that somebody waits to be told of but
// the one that this step is about.
void Judge::check_rack(const engine::Engine& engine, const engine::PlainRack& rack) {
  require(gate_open_ || rack.lends() == lends_, "F2", "a connection was lent by a closed rack");
  require(!wants_returns_ || rack.returns() <= returns_ + 1, "L2",
          "connections came back, and who waits was not told");
  gate_open_ = rack.gate_open();
  lends_ = rack.lends();
  // A sample may change the average between two steps; where it is short anyway, what makes the
  // engine want returns is that nobody has an offer.
  wants_returns_ = engine.wants_returns() && rack.hold_estimate() <= std::chrono::microseconds(1);
  returns_ = rack.returns();
  if (engine.queue().empty()) return;
  if (config_.fairness == Fairness::strict) {
    require(!gate_open_, "F2", "somebody waits, and callers may pass");
    return;
  }
  // The timer that closes the gate runs on a thread of the pool, which has to come to the lock
  // first. Only where that takes no time can it be judged.
  if (world_.options().mode != Mode::ideal) return;
  const Duration waited = world_.now() - engine.queue()[engine.queue().head()].enqueued;
  if (waited > config_.fair_after) {
    require(!gate_open_, "F2", "callers may pass a waiter that is older than fair_after");
  }
}

// Only the caller that is told so need not be in the queue: everybody else who holds a connection
// has to wait there.
void Judge::check_deadlocks(const engine::Engine& engine, const engine::PlainRack& rack,
                            const engine::Effects& fx) {
  const auto told = static_cast<std::size_t>(
      std::count_if(fx.resolved.begin(), fx.resolved.end(), [](const engine::Resolved& resolved) {
        return resolved.outcome == engine::Outcome::self_deadlock;
      }));
  if (told == 0) {
    if (!all_wait_for_each_other(engine, rack)) return;
    return require(false, "S18", "all who hold a connection wait for one, and nobody is told");
  }
  std::set<engine::TaskId> waiting;
  std::set<engine::TaskId> at_work;
  engine.queue().for_each([&](const engine::Waiter& w) { waiting.insert(w.holder.task); });
  for (SlotId id = 0; id < engine.slot_count(); ++id) {
    const auto& view = rack.view(id);
    if (view.lent() && !waiting.contains(view.holder.task)) at_work.insert(view.holder.task);
  }
  require(at_work.size() <= told, "S18",
          "a caller is told of a deadlock, and one who holds a connection does not wait");
}

// All connections that may be are lent to tasks that wait for a further one, and nothing is under
// way. Who has come to a lease of his task only after he had begun to wait does not count, nor one
// of which it is not known when.
bool Judge::all_wait_for_each_other(const engine::Engine& engine, const engine::PlainRack& rack) {
  if (engine.phase() != engine::Engine::Phase::open) return false;
  if (rack.lent_count() == 0 || rack.lent_count() < engine.config().max) return false;
  const auto waits = [&](const engine::Rack::View& lease) {
    bool found = false;
    engine.queue().for_each([&](const engine::Waiter& w) {
      found |= w.holder.task == lease.holder.task && lease.since < w.enqueued;
    });
    return found && lease.holder.task != engine::no_task && !lease.rounded;
  };
  for (SlotId id = 0; id < engine.slot_count(); ++id) {
    const SlotState state = engine.state(id);
    if (state == SlotState::closed || state == SlotState::quarantined) continue;
    const auto& view = rack.view(id);
    if (state != SlotState::racked || !view.lent() || !waits(view)) return false;
  }
  return true;
}

void Judge::check_times(const engine::Engine& engine, const engine::PlainRack& rack) {
  const Instant now = world_.now();
  const bool open = engine.phase() == engine::Engine::Phase::open;
  std::uint32_t of_use = 0;
  for (SlotId id = 0; id < engine.slot_count(); ++id) {
    const SlotState state = engine.state(id);
    of_use += state == SlotState::racked || state == SlotState::validating ||
                      state == SlotState::resetting
                  ? 1
                  : 0;
  }
  if (of_use <= config_.min || config_.min != min_before_) above_min_since_ = now;
  min_before_ = config_.min;
  for (SlotId id = 0; id < engine.slot_count(); ++id) {
    check_attempt(id, engine.state(id));
    const auto& view = rack.view(id);
    if (engine.state(id) == SlotState::racked) {
      require(!slot(id).given_up, "S10", "a connection is used whose operation was given up");
    }
    if (view.word != engine::Rack::Word::idle) slot(id).idle_from = Instant{};
    if (view.word != engine::Rack::Word::off) check_doubt(id, rack);
    if (view.lent()) {
      require(view.since < view.expires_at, "S5",
              "a connection was lent past the end of its lifetime");
      require(view.proof == view.since || after(view.proof, config_.validate_after) > view.since,
              "T7", "a connection was lent without a look that was due");
    } else if (open && view.word == engine::Rack::Word::idle) {
      check_idle(id, engine, rack, of_use);
    }
  }
}

// Who had it when a sibling died may keep it; nobody else gets it before it has answered.
void Judge::check_doubt(SlotId id, const engine::PlainRack& rack) {
  std::optional<std::uint64_t>& lease = slot(id).lease_in_doubt;
  if (!rack.suspect(id)) {
    lease.reset();
  } else if (!lease) {
    lease = rack.view(id).lease;
  } else {
    require(*lease == rack.view(id).lease, "T8",
            "a connection was lent without a look although a sibling had died");
  }
}

// What is lent without the lock is lent without a look at the clock, so that must not go on for
// longer than what was in the lane could be lent.
void Judge::check_lane() {
  const Duration fresh =
      std::min({config_.validate_after, config_.idle_timeout, config_.hold_warn});
  if (fresh == no_timeout) return;
  const Duration open = world_.now() - lane_opened_;
  require(open < fresh + scarce_ + slack_since(lane_opened_), "T7", [&] {
    return "a connection was lent without the lock " + ms(open) + " after its period began";
  });
}

// An attempt is given up at its deadline, and set aside soon after; also if it ends in this step.
void Judge::check_attempt(SlotId id, SlotState state) {
  SlotWatch& watch = slot(id);
  const bool connects = state == SlotState::connecting || state == SlotState::initialising;
  if (!std::exchange(watch.connects, connects) && !connects) return;
  if (config_.create_timeout == no_timeout) return;
  const Duration age = world_.now() - watch.connect_started;
  const Duration limit = config_.create_timeout + engine::abort_grace + 20 * scarce_;
  require(age <= limit + slack_since(watch.connect_started), "T9", [&] {
    return "an attempt to connect goes on for " + ms(age) +
           ", with create_timeout = " + ms(config_.create_timeout);
  });
}

void Judge::check_idle(SlotId id, const engine::Engine& engine, const engine::PlainRack& rack,
                       std::uint32_t of_use) {
  const Instant now = world_.now();
  const auto& view = rack.view(id);
  SlotWatch& watch = slot(id);
  if (watch.idle_from == Instant{}) watch.idle_from = now;
  if (watch.fresh || view.lease != watch.last_lease) watch.idle_since = view.since;
  if (watch.fresh) watch.expires_at = view.expires_at;
  watch.fresh = false;
  watch.last_lease = view.lease;
  require(view.since == watch.idle_since, "T3",
          "the idle time of a connection was changed by something else than a lease");
  require(view.expires_at == watch.expires_at, "T4", "a lifetime was drawn twice");
  // A look at it, which may have hung, does not end its idleness, but keeps it from the reaper.
  const Duration away = watch.idle_from - view.since;
  const Duration late =
      config_.reap_interval + std::max(away, Duration{}) + slack_since(view.since);
  if (view.expires_at != no_deadline) {
    require(now <= after(view.expires_at, late), "T4", [&] {
      return "an idle connection stays " + ms(now - view.expires_at) + " past its lifetime";
    });
  }
  // Of those above min the oldest go; which they are changes with every return, so a connection may
  // have become one of them only now.
  if (config_.idle_timeout == no_timeout || of_use <= config_.min) return;
  if (rack.oldest_idle() != id || !engine.queue().empty()) return;
  const Instant limit =
      after(after(std::max(view.since, above_min_since_), config_.idle_timeout), late);
  require(now <= after(limit, config_.reap_interval), "T3",
          [&] { return "a connection is idle for " + ms(now - view.since); });
}

void Judge::check_events(const engine::Engine& engine, const engine::PlainRack& rack,
                         const engine::Effects& fx) {
  for (const engine::Event& event : fx.events) {
    require(event.step >= last_event_step_, "O3", "events out of order");
    last_event_step_ = event.step;
    const std::string_view state =
        event.slot == engine::no_slot ? "-" : name_of(engine.state(event.slot));
    std::string what(name_of(event.type));
    if (event.type == engine::Event::Type::closed)
      what += " " + std::string(to_string(event.reason));
    ++judgement_.seen[{std::string(state), std::move(what)}];
    if (event.type == engine::Event::Type::leapt) {
      for (SlotId id = 0; id < engine.slot_count(); ++id) {
        if (rack.view(id).word != engine::Rack::Word::idle) continue;
        require(rack.suspect(id), "T8", "a connection is trusted after a leap of the clock");
      }
    }
    if (event.slot == engine::no_slot) continue;
    SlotWatch& watch = slot(event.slot);
    switch (event.type) {
      case engine::Event::Type::created:
        watch.created = world_.now();
        watch.fresh = true;
        break;
      case engine::Event::Type::closed: {
        if (event.reason == CloseReason::idle) {
          require(watch.above_min_at_close, "S12", "the reaper went below min");
        }
        if (event.reason == CloseReason::surplus) {
          require(watch.surplus_at_close, "C4", "a shrink closed more than was too many");
        }
        if (event.reason == CloseReason::lifetime && !watch.fresh) {
          require(watch.op_started >= watch.expires_at, "T4", [&] {
            return "a connection was retired " + ms(watch.expires_at - watch.op_started) +
                   " before the end of its lifetime";
          });
        }
        if (event.reason == CloseReason::lifetime && config_.max_lifetime != no_timeout) {
          const Duration age = world_.now() - watch.created;
          require(age >= config_.max_lifetime - config_.max_lifetime / 10, "T4", [&] {
            return "a connection was retired after " + ms(age) +
                   ", with max_lifetime = " + ms(config_.max_lifetime);
          });
        }
        break;
      }
      case engine::Event::Type::long_hold:
        require(watch.lease_warned != event.lease, "O4", "a long hold was reported twice");
        require(event.amount >= config_.hold_warn, "O4", "a long hold was reported early");
        watch.lease_warned = event.lease;
        break;
      default:
        break;
    }
  }
}

void Judge::acquired(const Acquire& call) {
  const Duration stalled = world_.stalled() - call.stalled_before + scarce_;
  if (call.deadline != no_deadline) {
    require(call.answered <= call.deadline + stalled, "L1", [&] {
      return "an acquire returned " + ms(call.answered - call.deadline) + " after its deadline";
    });
  }
  if (call.error != nullptr && call.error->code() == Code::acquire_timeout) {
    require(call.answered >= call.deadline, "T2", [&] {
      return "an acquire timed out " + ms(call.deadline - call.answered) + " before its deadline";
    });
  }
  if (call.deadline <= call.asked) {
    require(call.answered - call.asked <= stalled, "T11", "an acquire that was not to wait waited");
  }
  // From when there was an answer for it, it has to be awake.
  const auto served = served_at_.find(world_.running());
  if (call.error == nullptr && served != served_at_.end() && served->second >= call.asked) {
    require(call.answered <= served->second + slack_since(served->second) + scarce_, "L2", [&] {
      return "an acquire returned " + ms(call.answered - served->second) + " after it was served";
    });
  }
  if (draining_since_ <= call.answered) {
    const Instant since = std::max(draining_since_, call.asked);
    require(call.answered <= since + slack_since(since) + scarce_, "L8", [&] {
      return "an acquire returned " + ms(call.answered - since) + " after the pool was closed";
    });
  }
  if (call.error != nullptr && call.error->acquire() != nullptr) {
    check_report(call, *call.error->acquire());
  }
}

void Judge::check_report(const Acquire& call, const AcquireReport& report) {
  const Duration phases = std::accumulate(report.phases.begin(), report.phases.end(), Duration{});
  // Read in the same step, between two points of which the clock may move.
  const Duration between = world_.stalled() - call.stalled_before + scarce_;
  require(std::chrono::abs(phases - report.waited) <= between, "O1", [&] {
    return "an acquire waited for " + ms(report.waited) + ", its phases for " + ms(phases);
  });
  if (report.create_error.empty()) return;
  require(report.create_error_age <= report.waited || failing_seen_ >= call.asked, "O2", [&] {
    return "the cause of a failed acquire is " + ms(report.create_error_age) +
           " old, and connects have succeeded since";
  });
}

void Judge::closed(Instant asked) {
  if (drained_at_ == no_deadline) return;  // a driver call hangs
  const Instant since = std::max(drained_at_, asked);
  require(world_.now() <= since + slack_since(since) + scarce_, "L2", [&] {
    return "closing went on for " + ms(world_.now() - since) + " after the last connection";
  });
}

void Judge::log_called() {
  require(world_.locks_held() == 0, "S9", "the log is called while a lock is held");
}

// Drivers wait through their host, so this finds a driver call that is made under the pool's lock.
void Judge::waits() {
  require(world_.locks_held() == 1, "S9", "somebody waits who holds another lock");
}

}  // namespace weir::sim
