// SPDX-License-Identifier: MIT
//
// BasicPool, third part: carrying out what the engine asks for.
#pragma once

#include "core/base/text.hpp"
#include "core/observe/texts.hpp"
#include "core/runtime/basic_pool.hpp"
#include "core/runtime/classify.hpp"

#include <algorithm>

namespace weir::runtime {

// A timer that is later than this was not merely slow: the machine slept, or nobody ran.
inline constexpr Duration leap_threshold = std::chrono::seconds(5);

// Delivers the effects of the step that was just made. Waiters are completed and operations queued
// under the lock, so that their order is the engine's; aborts and the log come after it, so that
// they may use the pool (S9). Returns with the lock held again. Without memory for it the process
// ends: callers have been told of a part of the step, and the rest can neither be done nor undone.
template <Runtime R>
void BasicPool<R>::perform(Turn& lock) noexcept {
  R::stepped(name_, *engine_, *rack_, fx_);
  for (const engine::Resolved& resolved : fx_.resolved) {
    auto& waiter = *static_cast<Completion*>(resolved.token);
    waiter.done = true;
    waiter.outcome = resolved.outcome;
    waiter.slot = resolved.slot;
    waiter.lease = resolved.lease;
    waiter.waited = resolved.waited;
    if (resolved.outcome != engine::Outcome::lent) {
      const PhaseTimes end = engine_->phase_times(R::now());
      for (std::size_t i = 0; i < end.size(); ++i) waiter.phases[i] = end[i] - waiter.phases[i];
    } else if (resolved.waited > Duration{}) {
      wait_times_.add(resolved.waited);
    }
    waiter.wake(waiter);
  }
  if (fx_.offer != nullptr) {
    auto& waiter = *static_cast<Completion*>(fx_.offer);
    waiter.offered = true;
    waiter.wake(waiter);
  }
  for (const engine::StartOp& op : fx_.start) start_op(op);
  rearm();
  if (watchers_ > 0) changed_.notify_all();
  if (fx_.abort.empty() && fx_.events.empty() && woken_.empty()) return fx_.clear();

  std::vector<Canceller> aborts;
  for (const SlotId id : fx_.abort) {
    Slot& slot = slots_[id];
    slot.abort_requested = true;
    if (slot.canceller) {
      R::probe(Mark::aborted);
      aborts.push_back(slot.canceller);
    }
  }
  const std::vector<engine::Event> events = std::move(fx_.events);
  fx_.clear();
  for (const engine::Event& event : events) {
    if (event.type == engine::Event::Type::created) create_times_.add(event.amount);
    if (event.type == engine::Event::Type::quarantined) slots_[event.slot].is_set_aside = true;
    if (event.type == engine::Event::Type::create_failed && slots_[event.slot].is_set_aside) {
      // It has no error of its own, and an earlier one would mislead.
      create_error_.emplace(Code::create_failed, "the attempt has not ended in time");
      create_error_at_ = R::now();
    }
    if (event.type == engine::Event::Type::check_failed) {
      check_failure_ = check_error_.empty() ? "it has not ended in time" : check_error_;
    }
  }
  std::vector<std::string> details;
  details.reserve(events.size());
  for (const engine::Event& event : events) details.push_back(detail_of(event));
  const PoolCounts counts = engine_->counts();
  const std::vector<DestroyEvent> destroyed = destroyed_by(events, counts);
  auto woken = std::exchange(woken_, {});
  ++telling_;
  lock.unlock();
  hand_on(woken);
  for (const Canceller& canceller : aborts) driver_->table->abort(canceller.get());
  for (std::size_t i = 0; i < events.size(); ++i) tell(events[i], counts, details[i]);
  for (const DestroyEvent& event : destroyed) tell(Hook::destroy, hooks_.on_destroy, event);
  aborts.clear();  // a canceller's end is a driver call, too
  lock.lock();
  --telling_;
  if (watchers_ > 0) changed_.notify_all();
}

// Nothing of the pool runs but leases, and hooks that the caller is in. For a Turn; an orphan's
// lane is closed for good.
template <Runtime R>
bool BasicPool<R>::quiet() const noexcept {
  const bool in_others_hooks =
      std::any_of(in_hooks_.begin(), in_hooks_.end(),
                  [](std::uint64_t thread) { return thread != R::thread_id(); });
  return running_ == 0 && telling_ == 0 && !in_others_hooks &&
         engine_->physical() == rack_->lent_count();
}

// Who keeps the pool alive after its owner has gone; to be let go without the lock.
template <Runtime R>
std::shared_ptr<BasicPool<R>> BasicPool<R>::end_of_itself() noexcept {
  if (orphan_) R::probe(Mark::pool_ended_itself);
  return std::move(orphan_);
}

template <Runtime R>
void BasicPool<R>::start_op(const engine::StartOp& op) {
  while (slots_.size() <= op.slot)
    slots_.emplace_back(context_, static_cast<SlotId>(slots_.size()));
  Slot& slot = slots_[op.slot];
  // Of the connection that was here before. An abort of this one may come before it has a
  // canceller.
  if (op.op == engine::Op::connect) slot.abort_requested = slot.is_set_aside = false;
  ++running_;
  executor_->post([this, op, &slot] { run(op, slot); });
}

// Only ever moves the timer forward: one that fires early finds nothing due and arms itself anew,
// which is cheaper than moving it at every step.
template <Runtime R>
void BasicPool<R>::rearm() {
  Instant next = engine_->next_timer();
  // Blocked threads see to their deadlines themselves.
  if (async_waiting_ > 0) next = std::min(next, engine_->next_deadline());
  if (next < armed_) arm(next);
}

template <Runtime R>
void BasicPool<R>::arm(Instant at) {
  armed_ = no_deadline;  // so it is if there is no memory for that, and the next step tries again
  executor_->arm(timer_, at);
  armed_ = at;
}

template <Runtime R>
void BasicPool<R>::on_timer() {
  std::shared_ptr<BasicPool> last;  // must go after the lock
  Turn lock(*this);
  const Instant now = R::now();
  const Instant due = std::exchange(armed_, no_deadline);
  turns_ = std::exchange(lane_used_, false) ? turns_to_open() : 0;
  R::probe(Mark::timer_came);
  if (due != no_deadline && now - due > leap_threshold) {
    R::probe(Mark::leapt);
    engine_->leap(now - due, now, fx_);
  } else {
    engine_->tick(now, fx_);
  }
  perform(lock);
  if (quiet() && engine_->physical() == 0) last = end_of_itself();
}

// Runs on the executor. Nobody else uses the slot's session until finished() has been told.
template <Runtime R>
void BasicPool<R>::run(const engine::StartOp& op, Slot& slot) {
  engine::OpResult result = engine::OpResult::ok;
  switch (op.op) {
    case engine::Op::connect:
      result = run_connect(op, slot);
      break;
    case engine::Op::init:
      result = run_init(op, slot);
      break;
    case engine::Op::validate:
      result = slot.session.validate(op.deadline) ? engine::OpResult::ok : engine::OpResult::failed;
      break;
    case engine::Op::reset:
      result = run_reset(op, slot);
      break;
    case engine::Op::check:
      result = run_check(op, slot);
      break;
    case engine::Op::close:
      run_close(op, slot);
      break;
    case engine::Op::none:
      WEIR_ASSERT(false);
  }
  driver_->table->thread_detach(env_);
  std::shared_ptr<BasicPool> last;  // must go after the lock
  Turn lock(*this);
  engine_->finished(op.slot, op.serial, result, R::now(), fx_);
  perform(lock);
  --running_;
  if (watchers_ > 0) changed_.notify_all();
  if (quiet() && engine_->physical() == 0) last = end_of_itself();
}

template <Runtime R>
engine::OpResult BasicPool<R>::run_connect(const engine::StartOp& op, Slot& slot) {
  std::uint64_t tag = 0;
  weir_source* source = nullptr;
  {
    const Lock lock(mutex_);
    slot.tag = tag = ++last_tag_;
    slot.made_of = generations_.back();
    slot.accepted = false;
    source = slot.made_of->source;
  }
  host_.add_cell(tag);
  auto canceller = slot.session.make_canceller(source, tag);
  if (!canceller) return forget(slot), create_failed(slot, std::move(canceller).error());
  bool aborted = false;
  {
    const Lock lock(mutex_);
    slot.canceller = *canceller;
    // Draining, replaced or overdue before it began: the abort found no canceller yet.
    aborted = slot.abort_requested || engine_->phase() == engine::Engine::Phase::draining;
  }
  if (aborted) {
    R::probe(Mark::aborted_before_open);
    driver_->table->abort(canceller->get());
  }
  auto opened = slot.session.open(source, tag, *canceller, op.deadline);
  if (!opened) return forget(slot), create_failed(slot, std::move(opened).error());
  // Where the session is set up, that decides as whom it asks.
  const bool set_up_next = !slot.made_of->init_sql.empty() || hooks_.on_create;
  if (set_up_next) return engine::OpResult::ok;
  if (give_advice(op, slot)) return accept(slot), engine::OpResult::ok;
  slot.session.close(op.deadline);
  return forget(slot), create_failed(slot, broken_by_question());
}

template <Runtime R>
engine::OpResult BasicPool<R>::run_init(const engine::StartOp& op, Slot& slot) {
  auto done = set_up(slot, /*after_reset=*/false, op.deadline);
  if (!done) {
    R::probe(Mark::init_failed);
    return create_failed(slot, std::move(done).error());
  }
  return give_advice(op, slot) ? engine::OpResult::ok : create_failed(slot, broken_by_question());
}

// Once for each server. Returns: false if the connection is not fit to be lent after it: broken, or
// still calling off a question that took too long. One that is lost says nothing about its server,
// so the next one asks again; but a server that drops each one that asks is taken as it is.
template <Runtime R>
bool BasicPool<R>::give_advice(const engine::StartOp& op, Slot& slot) {
  std::string driver;
  bool sizes = false;
  {
    const Lock lock(mutex_);
    driver = config_.driver;
    sizes = sizes_itself_;
  }
  const bool warns = process_ && logs(LogLevel::warn);
  if ((!sizes && !warns) || advised_.exchange(true)) return true;
  const auto server = facts_of_server(slot.session, driver, op.deadline);
  const Session::Facts facts = slot.session.facts();
  const bool fit = !facts.broken && !facts.busy;
  if (!server && !fit && !asked_again_.exchange(true)) return advised_.store(false), false;
  if (sizes) take_share(server.value_or(observe::ServerFacts{}));
  if (server && warns) {
    for (const std::string& line : warnings(config(), *server, *process_)) {
      log(LogLevel::warn, line);
    }
  }
  return fit;
}

template <Runtime R>
engine::OpResult BasicPool<R>::create_failed(const Slot& slot, Error error) {
  const auto result = classify_create_error(error, driver_->table.has(WEIR_CAP_EMBEDDED));
  const Lock lock(mutex_);
  if (slot.is_set_aside) return result;
  create_error_ = std::move(error);
  create_error_at_ = R::now();
  return result;
}

// An unclean session goes, unless the data would go with it: then it stays, and the log says so.
template <Runtime R>
engine::OpResult BasicPool<R>::run_reset(const engine::StartOp& op, Slot& slot) {
  auto clean = slot.session.reset(op.deadline);
  if (clean) {  // back to the driver's own defaults, and from there to this pool's
    if (auto again = set_up(slot, /*after_reset=*/true, op.deadline); !again) {
      clean = weir::fail(std::move(again).error());
    }
  }
  if (!clean) {
    R::probe(Mark::not_cleaned);
    log(LogLevel::warn,
        "a connection could not be cleaned and is replaced: " + clean.error().message());
    return engine::OpResult::failed;
  }
  if (*clean) return engine::OpResult::ok;
  if (!pinned_) return engine::OpResult::failed;
  log(LogLevel::warn, "the session of this in-memory database may keep what its last user changed");
  return engine::OpResult::ok;
}

template <Runtime R>
void BasicPool<R>::run_close(const engine::StartOp& op, Slot& slot) {
  slot.session.close(op.deadline);
  forget(slot);
}

template <Runtime R>
void BasicPool<R>::forget(Slot& slot) {
  Canceller released;  // the driver's function must not run under the lock
  std::uint64_t tag = 0;
  {
    const Lock lock(mutex_);
    released = std::move(slot.canceller);
    slot.canceller.reset();
    slot.made_of.reset();
    tag = slot.tag;
  }
  released.reset();
  host_.remove_cell(tag);
}

// ---------------------------------------------------------------- what is written down

// What only the state knows, and only now.
template <Runtime R>
std::string BasicPool<R>::detail_of(const engine::Event& event) const {
  switch (event.type) {
    case engine::Event::Type::create_failed:
      return create_error_ ? create_error_->message() : "the attempt has not ended in time";
    case engine::Event::Type::check_failed:
      return check_failure_;
    case engine::Event::Type::long_hold:
      return observe::holder_text(holder_of(event.slot, R::now()));
    default:
      return {};
  }
}

template <Runtime R>
void BasicPool<R>::tell(const engine::Event& event, const PoolCounts& counts,
                        const std::string& detail) {
  using Type = engine::Event::Type;
  const std::string slot = "connection " + std::to_string(event.slot);
  const std::string now = " (now " + observe::counts_text(counts) + ")";
  switch (event.type) {
    case Type::created:
      return log(LogLevel::info,
                 slot + " opened in " + observe::short_duration(event.amount) + now);
    case Type::create_failed:
      return log(LogLevel::error, "connecting failed: " + detail + "; next attempt in " +
                                      observe::short_duration(event.amount) + " if one is needed");
    case Type::closed:
      return log(LogLevel::info, slot + " closed: " + std::string(to_string(event.reason)) + now);
    case Type::quarantined:
      return log(LogLevel::error, slot + " is set aside: its driver call does not end" + now);
    case Type::quarantine_full:
      return log(
          LogLevel::error,
          "as many driver calls hang as quarantine_max replaces; each further one leaves one "
          "connection less" +
              now);
    case Type::leapt:
      return log(LogLevel::warn, "nothing ran for " + observe::short_duration(event.amount) +
                                     "; the connections are looked at before they are lent");
    case Type::long_hold:
      return log(LogLevel::warn, slot + " has been lent for longer than hold_warn: " + detail);
    case Type::check_failed:
      return log(LogLevel::error, "the health check failed after " +
                                      observe::short_duration(event.amount) + ": " + detail);
    case Type::check_passed:
      return log(LogLevel::info,
                 "the health check passes again, in " + observe::short_duration(event.amount));
    case Type::suspect:
      return log(LogLevel::warn, slot + " died; the idle ones are looked at before they are lent");
  }
}

template <Runtime R>
bool BasicPool<R>::logs(LogLevel level) const noexcept {
  return (log_levels_ >> static_cast<unsigned>(level) & 1U) != 0;
}

template <Runtime R>
void BasicPool<R>::set_log_levels(const LogLevels& levels) noexcept {
  const auto bit = [](bool on, LogLevel level) {
    return static_cast<unsigned>(on) << static_cast<unsigned>(level);
  };
  log_levels_ = static_cast<std::uint8_t>(
      bit(levels.query, LogLevel::query) | bit(levels.info, LogLevel::info) |
      bit(levels.warn, LogLevel::warn) | bit(levels.error, LogLevel::error));
}

template <Runtime R>
void BasicPool<R>::log(LogLevel level, std::string_view line) const noexcept {
  if (!sink_ || muted_ || !logs(level)) return;
  try {
    // What the database, its server or a statement says may look like lines of ours.
    sink_(level, name_, one_line(line));
  } catch (...) {
    // A sink that throws loses its line; nobody's query fails for it.
  }
}

}  // namespace weir::runtime
