// SPDX-License-Identifier: MIT
//
// BasicPool, first part: lending and taking back, and why an acquire failed.
#pragma once

#include "core/observe/texts.hpp"
#include "core/runtime/basic_pool.hpp"

#include <algorithm>

namespace weir::runtime {

inline std::string_view tag_text(const engine::Holder& holder) noexcept {
  return holder.tag == nullptr ? "" : holder.tag;
}

template <Runtime R>
engine::Holder BasicPool<R>::holder_of(const Request& request) const noexcept {
  const std::uint64_t thread = R::thread_id();
  const engine::TaskId task = request.options.task != 0 ? request.options.task * 2
                              : request.on_this_thread  ? task_of(thread)
                                                        : engine::no_task;
  return {request.options.tag, request.site.file, request.site.line, thread, task};
}

template <Runtime R>
Instant BasicPool<R>::deadline_of(const Request& request, Instant now) const noexcept {
  const Duration timeout = request.options.timeout.value_or(config_.acquire_timeout);
  return std::min(request.deadline, after(now, std::max(timeout, Duration{})));
}

// Nothing is put aside for what is hardly ever called: the exchange waits for each store that was
// made before it.
template <Runtime R>
Result<Lease> BasicPool<R>::lend(const Request& request) {
  if (forked()) return fail(forked_error());
  const auto taken = lane_.take(R::thread_id());
  if (taken.session == nullptr) return lend_under_lock(request);
  if (is_measured(taken.lease) || hooks_.on_acquire) return lent_in_lane(taken, request);
  R::probe(Mark::lent_in_lane);
  lane_.note_holder(taken, holder_of(request));
  return grant(*taken.session, taken.lease, request.options.tag, request.site);
}

template <Runtime R>
Result<Lease> BasicPool<R>::lent_in_lane(typename Lane<R>::Taken taken, const Request& request) {
  note(taken, holder_of(request));
  return grant(*taken.session, taken.lease, holder_of(request), Duration{});
}

template <Runtime R>
void BasicPool<R>::note(typename Lane<R>::Taken taken, const engine::Holder& holder) noexcept {
  R::probe(Mark::lent_in_lane);
  if (is_measured(taken.lease)) lane_.note_since(taken);
  lane_.note_holder(taken, holder);
}

template <Runtime R>
Result<Lease> BasicPool<R>::lend_under_lock(const Request& request) {
  const engine::Holder holder = holder_of(request);
  Lock held(mutex_);
  // Opened while this thread waited for the lock. If it closed the lane again, so would the next
  // one that waits, and with enough threads it would never stay open.
  if (const auto taken = lane_.take(holder.thread); taken.session != nullptr) {
    held.unlock();
    return lent_in_lane(taken, request);
  }
  Turn lock(*this, std::move(held));
  const Instant now = R::now();
  const SlotId slot = rack_->take(holder, now);
  if (slot != engine::no_slot) {
    R::probe(Mark::lent_at_once);
    return grant(slots_[slot].session, rack_->view(slot).lease, holder, Duration{}, lock);
  }
  return queue_up(holder, request, now, lock);
}

// The last thing that is done under the lock.
template <Runtime R>
Lease BasicPool<R>::grant(Session& session, std::uint64_t lease, const engine::Holder& holder,
                          Duration waited, Turn& lock) {
  lock.unlock();
  return grant(session, lease, holder, waited);
}

template <Runtime R>
Lease BasicPool<R>::grant(Session& session, std::uint64_t lease, const engine::Holder& holder,
                          Duration waited) {
  Lease granted = grant(session, lease, holder.tag, {holder.file, holder.line});
  if (hooks_.on_acquire) {
    tell(Hook::acquire, hooks_.on_acquire, AcquireEvent{name_, session.lease_info(), waited});
  }
  return granted;
}

// Tells nobody.
template <Runtime R>
Lease BasicPool<R>::grant(Session& session, std::uint64_t lease, const char* tag,
                          const CallSite& site) noexcept {
  session.begin_lease(lease, tag, site);
  return make_lease({&session, lease, no_deadline});
}

// To be followed by perform(). Without memory the process ends here as it does in perform().
template <Runtime R>
engine::WaiterId BasicPool<R>::enqueue(Completion& waiter, const engine::Waiter& as,
                                       Instant now) noexcept {
  waiter.at_start = engine_->counts();
  waiter.phases = engine_->phase_times(now);
  return engine_->acquire(as, now, fx_);
}

template <Runtime R>
Result<Lease> BasicPool<R>::queue_up(const engine::Holder& holder, const Request& request,
                                     Instant now, Turn& held) {
  // While this thread waits, the pool must not vanish under it; and it must not end under its lock.
  const auto self = this->shared_from_this();
  Turn lock(std::move(held));
  const Instant deadline = deadline_of(request, now);
  ThreadWaiter waiter;
  const engine::WaiterId id = enqueue(
      waiter,
      {static_cast<Completion*>(&waiter), engine::WaiterKind::thread, holder, now, deadline}, now);
  perform(lock);
  std::optional<StopCallback> stop;  // begun and ended without the lock, which it takes
  if (!waiter.done && (hooks_.on_wait || request.options.stop.stop_possible())) {
    if (hooks_.on_wait) tell_of_wait(holder, lock);
    if (lock.owns_lock()) lock.unlock();
    if (request.options.stop.stop_possible())
      stop.emplace(request.options.stop, StopWaiting{this, id});
    lock.lock();
  }
  while (!waiter.done) {
    // What came while the lock was open, here or in perform(), woke nobody.
    if (!waiter.offered) lock.wait_until(waiter.cv, deadline);
    if (waiter.done) break;
    now = R::now();
    if (std::exchange(waiter.offered, false)) {
      R::probe(now < deadline ? Mark::offer_claimed : Mark::offer_at_deadline);
      engine_->claim(id, now, fx_);
    } else if (now >= deadline) {
      R::probe(Mark::gave_up_in_line);
      engine_->cancel(id, engine::Outcome::timeout, now, fx_);
    } else {
      R::probe(Mark::woken_for_nothing);
      continue;  // woken for nothing
    }
    perform(lock);
  }
  if (stop) {
    lock.unlock();
    stop.reset();
    lock.lock();
  }
  if (waiter.lent()) {
    R::probe(Mark::lent_in_line);
    rack_->note_use(waiter.slot, R::now());
    return grant(slots_[waiter.slot].session, waiter.lease, holder, waiter.waited, lock);
  }
  return fail(tell_of_failure(waiter, holder, lock));
}

// The last thing that is done under the lock.
template <Runtime R>
Error BasicPool<R>::tell_of_failure(const Completion& waiter, const engine::Holder& holder,
                                    Turn& lock, std::ptrdiff_t timeouts) {
  Error why = failure(waiter, holder, R::now());
  const bool tells = hooks_.on_timeout && waiter.outcome == engine::Outcome::timeout;
  if (tells) begin_hook();
  lock.unlock();
  if (!tells) return why;
  const TimeoutEvent event{name_, tag_text(holder), {holder.file, holder.line}, why};
  for (; timeouts > 0; --timeouts) tell(Hook::timeout, hooks_.on_timeout, event);
  end_hook();
  return why;
}

template <Runtime R>
void BasicPool<R>::cancel_wait(engine::WaiterId id) noexcept {
  const auto self = this->shared_from_this();
  Turn lock(*this);
  R::probe(Mark::stopped_in_line);
  engine_->cancel(id, engine::Outcome::cancelled, R::now(), fx_);
  perform(lock);
}

// ---------------------------------------------------------------- several at once

// All parts are queued before anybody else comes to the engine, and are served in their turn: of
// two callers that want several the first has all before the second gets one, so that they never
// wait for each other (S17).
template <Runtime R>
Result<std::vector<Lease>> BasicPool<R>::lend_several(const Request& request, std::uint32_t count) {
  if (forked()) return fail(forked_error());
  if (count == 0) return std::vector<Lease>{};
  const auto self = this->shared_from_this();
  engine::Holder holder = holder_of(request);
  Turn lock(*this);
  if (count > config_.max) {
    return fail(Code::invalid_argument, name_ + ": acquire_n(" + std::to_string(count) +
                                            ") cannot succeed: max is " +
                                            std::to_string(config_.max));
  }
  if (holder.task == engine::no_task) holder.task = own_tasks | (++last_own_task_ << 1);
  const Instant now = R::now();
  const Instant deadline = deadline_of(request, now);
  Several several;
  several.open = count;
  several.ids.reserve(count);  // once the first is queued, nothing may fail
  for (std::uint32_t i = 0; i < count; ++i) several.parts.emplace_back(several);
  for (auto& part : several.parts) {
    several.ids.push_back(enqueue(part,
                                  {static_cast<Completion*>(&part), engine::WaiterKind::callback,
                                   holder, now, deadline, /*part=*/true},
                                  now));
  }
  perform(lock);
  std::optional<StopCallback> stop;
  if (!several.over()) {
    if (hooks_.on_wait) tell_of_wait(holder, lock);
    if (lock.owns_lock()) lock.unlock();
    // One that is cancelled fails, and all with it.
    stop.emplace(request.options.stop, StopWaiting{this, several.ids.back()});
    lock.lock();
  }
  while (!several.over()) {
    lock.wait_until(several.cv, deadline);
    if (several.over() || R::now() < deadline) continue;
    // Each is an acquire that timed out, as for a tick.
    engine_->cancel(several.ids, engine::Outcome::timeout, R::now(), fx_);
    perform(lock);
  }
  if (stop) {
    lock.unlock();
    stop.reset();
    lock.lock();
  }
  return several.failed ? give_up(several, holder, lock) : grant_all(several, holder, lock);
}

// The last thing that is done under the lock.
template <Runtime R>
std::vector<Lease> BasicPool<R>::grant_all(Several& several, const engine::Holder& holder,
                                           Turn& lock) {
  std::vector<Lease> leases;
  leases.reserve(several.parts.size());
  for (const auto& part : several.parts) {
    if (!part.lent()) continue;
    if (!lock.owns_lock()) lock.lock();
    leases.push_back(grant(slots_[part.slot].session, part.lease, holder, part.waited, lock));
  }
  if (lock.owns_lock()) lock.unlock();
  return leases;
}

// What there is of them goes back. As many are told to have timed out as are counted.
template <Runtime R>
Result<std::vector<Lease>> BasicPool<R>::give_up(Several& several, const engine::Holder& holder,
                                                 Turn& lock) {
  const auto failed = std::find_if(several.parts.begin(), several.parts.end(),
                                   [](const auto& part) { return part.done && !part.lent(); });
  engine_->cancel(several.ids, engine::Outcome::cancelled, R::now(), fx_);
  perform(lock);
  R::probe(Mark::several_given_up);
  const auto timeouts = std::count_if(
      several.parts.begin(), several.parts.end(),
      [](const auto& part) { return part.done && part.outcome == engine::Outcome::timeout; });
  Error why = tell_of_failure(*failed, holder, lock, timeouts);
  lock.lock();
  static_cast<void>(grant_all(several, holder, lock));
  return fail(std::move(why));
}

// ---------------------------------------------------------------- telling, and taking back

// The last thing that is done under the lock.
template <Runtime R>
void BasicPool<R>::tell_of_wait(const engine::Holder& holder, Turn& lock) {
  const WaitEvent event{name_, tag_text(holder), {holder.file, holder.line}, engine_->counts()};
  begin_hook();
  lock.unlock();
  tell(Hook::wait, hooks_.on_wait, event);
  end_hook();
}

// A lease that has done nothing with its connection, and is not measured, ends here; all others in
// functions of their own, so that nothing has to be put aside for them first.
template <Runtime R>
void BasicPool<R>::take_back(Session& session, std::uint64_t lease) noexcept {
  if (forked()) return;  // the parent will give it back
  if (hooks_.on_release) return take_back_and_tell(session, lease);
  if (!session.end_lease(lease)) return;
  if (session.used() || is_measured(lease) || !lane_.give(session.slot(), lease)) {
    give_back(session, lease);
    return;
  }
  R::probe(Mark::returned_in_lane);
}

template <Runtime R>
void BasicPool<R>::take_back_and_tell(Session& session, std::uint64_t lease) noexcept {
  const auto self = this->shared_from_this();  // the lease that held the pool ends here
  const LeaseInfo info = session.lease_info();
  if (!session.end_lease(lease)) return;
  {
    const Lock lock(mutex_);
    begin_hook();
  }
  const Duration held = give_back(session, lease);
  tell(Hook::release, hooks_.on_release, ReleaseEvent{name_, info, held});
  end_hook();
}

// Returns: how long the lease lasted, if it is measured.
template <Runtime R>
Duration BasicPool<R>::give_back(Session& session, std::uint64_t lease) noexcept {
  const Session::Facts seen = session.used() ? session.facts() : Session::Facts{};
  const engine::ReturnFacts facts{seen.broken, seen.busy, seen.dirty};
  std::optional<Duration> held;
  if (facts.clean()) {
    if (is_measured(lease)) held = measure(lease, session.slot());
    if (lane_.give(session.slot(), lease)) {
      R::probe(Mark::returned_in_lane);
      return held.value_or(Duration{});
    }
  }
  return give_back_under_lock(session, lease, facts, held);
}

template <Runtime R>
Duration BasicPool<R>::give_back_under_lock(Session& session, std::uint64_t lease,
                                            const engine::ReturnFacts& facts,
                                            std::optional<Duration> held) noexcept {
  std::shared_ptr<BasicPool> last;  // must go after the lock, it may hold the pool's end
  Lock plain(mutex_);
  // As in lend_under_lock().
  if (facts.clean() && lane_.give(session.slot(), lease)) {
    R::probe(Mark::returned_in_lane);
    return held.value_or(Duration{});
  }
  Turn lock(*this, std::move(plain));
  const Instant now = R::now();
  if (!held) held = measure_locked(lease, session.slot(), now);
  if (facts.clean() && rack_->give(session.slot(), lease, now) == engine::PlainRack::Give::racked) {
    if (engine_->queue().empty()) return held.value_or(Duration{});
    R::probe(Mark::returned_to_line);
    engine_->returned(now, fx_);
  } else {
    const bool current = engine_->give_back(session.slot(), lease, facts, now, fx_);
    WEIR_ASSERT(current);
  }
  perform(lock);
  if (quiet() && engine_->physical() == 0) last = end_of_itself();
  return held.value_or(Duration{});
}

// ---------------------------------------------------------------- why it failed

template <Runtime R>
Error BasicPool<R>::failure(const Completion& waiter, const engine::Holder& holder,
                            Instant now) const {
  const std::string& name = name_;
  switch (waiter.outcome) {
    case engine::Outcome::none_idle:
      return Error(Code::none_idle, name + ": no connection can be lent at once (" +
                                        observe::counts_text(engine_->counts()) + ")");
    case engine::Outcome::rejected:
      return Error(Code::queue_full, name + ": " + std::to_string(config_.max_waiting) +
                                         " callers wait already, which is max_waiting (" +
                                         observe::counts_text(engine_->counts()) + ")");
    case engine::Outcome::closed:
      return Error(Code::pool_closed, name + ": the pool is closed");
    case engine::Outcome::suspended:
      return Error(Code::pool_suspended, name + ": the pool is suspended");
    case engine::Outcome::self_deadlock: {
      AcquireReport why = report(waiter, holder, now);
      why.reason = AcquireClass::self_deadlock;  // as it was then
      std::string text = observe::explain(name, why);
      return Error(Code::self_deadlock, std::move(text), std::move(why));
    }
    case engine::Outcome::cancelled:
      return Error(Code::cancelled, name + ": the acquire was cancelled");
    case engine::Outcome::lost:
      return Error(Code::pool_closed,
                   name +
                       ": the connection that held this in-memory database broke, and the data "
                       "went with it; the pool does not go on with an empty one");
    case engine::Outcome::create_failed: {
      const std::string cause = create_error_ ? create_error_->message() : "unknown";
      std::string text = name + ": no connection can be made: " + cause;
      if (create_error_ && now - create_error_at_ > std::chrono::milliseconds(1)) {
        text += " (seen " + observe::short_duration(now - create_error_at_) + " ago)";
      }
      return Error(Code::create_failed, std::move(text), report(waiter, holder, now));
    }
    default: {
      AcquireReport why = report(waiter, holder, now);
      std::string text = observe::explain(name, why);
      return Error(Code::acquire_timeout, std::move(text), std::move(why));
    }
  }
}

template <Runtime R>
AcquireReport BasicPool<R>::report(const Completion& waiter, const engine::Holder& holder,
                                   Instant now) const {
  AcquireReport r;
  r.waited = waiter.waited;
  r.phases = waiter.phases;
  r.reason = reason(holder, r.waited, now);
  r.at_start = waiter.at_start;
  r.at_end = engine_->counts();
  if (!engine_->queue().empty()) {
    r.oldest_wait = now - engine_->queue()[engine_->queue().head()].enqueued;
  }
  r.holders = longest_leases(3, now);
  // An older error than this caller's wait matters only if nothing has succeeded since (O2).
  if (create_error_ && (engine_->creator().failing() || now - create_error_at_ <= r.waited)) {
    r.create_error = create_error_->message();
    r.create_error_age = now - create_error_at_;
  }
  return r;
}

template <Runtime R>
AcquireClass BasicPool<R>::reason(const engine::Holder& holder, Duration waited,
                                  Instant now) const {
  if (engine_->phase() == engine::Engine::Phase::draining) return AcquireClass::closed;
  if (engine_->phase() == engine::Engine::Phase::suspended) return AcquireClass::suspended;
  if (all_holders_wait(holder)) return AcquireClass::self_deadlock;
  const PoolCounts counts = engine_->counts();
  const bool full = counts.lent + counts.idle + counts.other >= counts.max;
  const engine::Creator& creator = engine_->creator();
  if (!full && (creator.failing() || (create_error_ && now - create_error_at_ <= waited))) {
    switch (creator.last_result()) {
      case engine::OpResult::fatal:
        return AcquireClass::auth;
      case engine::OpResult::server_full:
        return AcquireClass::server_full;
      default:
        return AcquireClass::endpoint_down;
    }
  }
  return full ? AcquireClass::all_busy : AcquireClass::slow_connect;
}

// Every connection that works is held by a thread that is in the queue itself: nobody can make
// progress.
template <Runtime R>
bool BasicPool<R>::all_holders_wait(const engine::Holder& last) const {
  std::vector<std::uint64_t> waiting;
  if (last.thread != 0) waiting.push_back(last.thread);
  engine_->queue().for_each([&](const engine::Waiter& w) {
    if (w.kind == engine::WaiterKind::thread) waiting.push_back(w.holder.thread);
  });
  std::sort(waiting.begin(), waiting.end());
  std::uint32_t lent = 0;
  std::uint32_t hung = 0;
  for (SlotId slot = 0; slot < engine_->slot_count(); ++slot) {
    const auto& view = rack_->view(slot);
    if (engine_->state(slot) == engine::SlotState::quarantined) ++hung;
    if (!view.lent()) continue;
    ++lent;
    if (!std::binary_search(waiting.begin(), waiting.end(), view.holder.thread)) return false;
  }
  return lent > 0 && lent + hung == engine_->physical() && lent >= config_.max;
}

template <Runtime R>
std::vector<LeaseHolder> BasicPool<R>::longest_leases(std::size_t count, Instant now) const {
  std::vector<SlotId> lent;
  for (SlotId slot = 0; slot < engine_->slot_count(); ++slot) {
    if (rack_->view(slot).lent()) lent.push_back(slot);
  }
  const auto shown = lent.begin() + static_cast<std::ptrdiff_t>(std::min(count, lent.size()));
  std::partial_sort(lent.begin(), shown, lent.end(), [&](SlotId a, SlotId b) {
    return rack_->view(a).since < rack_->view(b).since;
  });
  std::vector<LeaseHolder> holders;
  for (auto it = lent.begin(); it != shown; ++it) holders.push_back(holder_of(*it, now));
  return holders;
}

template <Runtime R>
LeaseHolder BasicPool<R>::holder_of(SlotId slot, Instant now) const {
  const auto& view = rack_->view(slot);
  return {now - view.since, view.holder.tag == nullptr ? "" : view.holder.tag,
          std::string(view.holder.file) + ":" + std::to_string(view.holder.line),
          view.holder.thread};
}

}  // namespace weir::runtime
