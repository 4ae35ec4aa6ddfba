// SPDX-License-Identifier: MIT
//
// BasicPool, fifth part: what a host is told, and asked, by its hooks and its middleware
// (weir/hooks.hpp, weir/middleware.hpp).
//
// Invariants: 1. none of them runs under a lock.
//             2. once muted_ is set none is begun.
#pragma once

#include "core/observe/texts.hpp"
#include "core/runtime/basic_pool.hpp"
#include "core/runtime/thrown.hpp"

#include <algorithm>

namespace weir::runtime {

// How many notices may wait to be told: bounds what a server can make a busy host keep.
inline constexpr std::size_t heard_max = 1024;

// ---------------------------------------------------------------- middleware

template <Runtime R>
void BasicPool<R>::use(Middleware middleware, MiddlewareOptions options) {
  if (!middleware || forked()) return;
  chains_.add({std::move(middleware), std::move(options)});
}

template <Runtime R>
std::shared_ptr<const Chain> BasicPool<R>::chain() {
  if (muted_) return nullptr;
  return {this->shared_from_this(), &chains_.chain()};
}

// Whether somebody wants to know of calls although there is no middleware.
inline bool observes(const PoolConfig& config, const Hooks& hooks) noexcept {
  return config.log.query || config.slow_query != no_timeout || hooks.on_query;
}

template <Runtime R>
void BasicPool<R>::call_ended(const Ended& ended) noexcept {
  const Call& call = ended.call;
  const Duration took = ended.done.took;
  try {
    const bool slow = took.count() >= slow_query_;
    if (slow || logs(LogLevel::query)) {
      const std::string sql = call.sql().empty() ? call.summary() : std::string(call.sql());
      const std::string what =
          std::string(call.kind() == CallKind::prepare ? "prepare " : "") + sql;
      const std::string line =
          observe::short_duration(took) + (ended.error == nullptr ? " " : " failed: ") + what;
      log(LogLevel::query, line);
      const CallSite site = call.site();
      if (slow) {
        log(LogLevel::warn,
            "slow query: " + line + " (" +
                observe::place_text(std::string(site.file) + ":" + std::to_string(site.line),
                                    call.lease().tag) +
                ")");
      }
    }
  } catch (...) {
    // Without memory for a line there is none; the call has its answer.
  }
  tell(Hook::query, hooks_.on_query,
       QueryEvent{name_, call.lease(), call.kind(), call.sql(), call.site(), ended.done,
                  ended.error});
}

// ---------------------------------------------------------------- hooks

template <Runtime R>
template <class Event>
void BasicPool<R>::tell(Hook which, const std::function<void(const Event&)>& hook,
                        const Event& event) noexcept {
  if (!hook || muted_) return;
  try {
    hook(event);
  } catch (...) {
    hook_threw(which);
  }
}

template <Runtime R>
void BasicPool<R>::begin_hook() noexcept {
  try {
    in_hooks_.push_back(R::thread_id());
  } catch (const std::bad_alloc&) {
    // Then drain may return while it runs.
  }
}

template <Runtime R>
void BasicPool<R>::end_hook() noexcept {
  std::shared_ptr<BasicPool> last;  // must go after the lock
  const Lock lock(mutex_);
  const auto mine = std::find(in_hooks_.begin(), in_hooks_.end(), R::thread_id());
  if (mine != in_hooks_.end()) in_hooks_.erase(mine);
  if (watchers_ > 0) changed_.notify_all();
  if (orphan_ && quiet() && engine_->physical() == 0) last = end_of_itself();
}

template <Runtime R>
void BasicPool<R>::hook_threw(Hook which) noexcept {
  static constexpr std::string_view names[] = {"on_destroy", "on_acquire", "on_release",
                                               "on_wait",    "on_timeout", "on_query",
                                               "on_notice",  "on_notify"};
  const auto bit = 1U << static_cast<unsigned>(which);
  if ((hooks_that_threw_.fetch_or(bit) & bit) != 0) return;
  try {
    log(LogLevel::warn, "the hook " + std::string(names[static_cast<std::size_t>(which)]) +
                            " threw: " + text_of_exception() +
                            "; what it throws from now on is dropped without a word");
  } catch (...) {
    // No memory for the text.
  }
}

// Runs init_sql and on_create, which are this pool's baseline of a session.
template <Runtime R>
Result<void> BasicPool<R>::set_up(Slot& slot, bool after_reset, Instant deadline) {
  const auto& init = slot.made_of->init_sql;
  if (auto done = slot.session.run_init(init, deadline); !done) return done;
  const bool asks = hooks_.on_create && !muted_;
  Result<void> answer = asks ? ask_on_create(slot, after_reset, deadline) : Result<void>();
  // By the host's word, before ours: it counts a connection from then on, even if that was given up
  // meanwhile, and is told of its end.
  if (answer && !after_reset) accept(slot);
  if (!asks) return {};
  if (answer) {
    const Session::Facts left = slot.session.facts();
    if (left.broken) {
      answer = weir::fail(Code::connection_lost, "the connection broke in it");
    } else if (left.busy) {
      answer = weir::fail(Code::invalid_state, "it left a transaction or a result open");
    }
  }
  if (answer) return answer;
  const Error& why = answer.error();
  std::string text = "on_create: " + why.message();
  if (why.database() == nullptr) return weir::fail(why.code(), std::move(text));
  return fail(Error(why.code(), std::move(text), *why.database()));
}

template <Runtime R>
Result<void> BasicPool<R>::ask_on_create(Slot& slot, bool after_reset, Instant deadline) {
  Session& session = slot.session;
  // Another one each time: a connection that was kept from an earlier set-up stays worthless.
  const std::uint64_t serial = first_set_up | session.next_mark();
  session.begin_lease(serial, "", {});
  Connection connection = Session::connection({&session, serial, deadline});
  Result<void> answer;
  try {
    answer = hooks_.on_create(connection, {name_, slot.tag, session.slot(), after_reset});
  } catch (...) {
    answer = weir::fail(Code::callback_threw, "it threw: " + text_of_exception());
  }
  const bool ended = session.end_lease(serial);
  WEIR_ASSERT(ended);
  return answer;
}

template <Runtime R>
void BasicPool<R>::accept(Slot& slot) {
  if (!hooks_.on_destroy) return;
  const Lock lock(mutex_);
  slot.accepted = true;
}

// Under the lock, before another connect can take the slots.
template <Runtime R>
std::vector<DestroyEvent> BasicPool<R>::destroyed_by(const std::vector<engine::Event>& events,
                                                     const PoolCounts& counts) const {
  std::vector<DestroyEvent> told;
  if (!hooks_.on_destroy) return told;
  for (const engine::Event& event : events) {
    if (event.type != engine::Event::Type::closed) continue;
    const Slot& slot = slots_[event.slot];
    if (slot.accepted) told.push_back({name_, slot.tag, event.slot, event.reason, counts});
  }
  return told;
}

// ---------------------------------------------------------------- what the server says unasked

// Called by the driver, in the middle of its calls. So a hook is told later, on a thread of the
// pool, where it may use the pool.
template <Runtime R>
void BasicPool<R>::hear(std::uint64_t tag, const weir_event& event) {
  const std::string_view name(event.name.data, event.name.size);
  const std::string_view text(event.text.data, event.text.size);
  const bool notify = event.type == WEIR_EVENT_NOTIFICATION;
  log(LogLevel::info,
      (notify ? "notification on " + std::string(name) + ": " : "") + std::string(text));
  if (notify ? !hooks_.on_notify : !hooks_.on_notice) return;
  if (muted_) return;
  bool lost = false;
  {
    const Lock lock(mutex_);
    lost = heard_.size() >= heard_max;
    if (!lost) {
      SlotId slot = 0;
      while (slot < slots_.size() && !(slots_[slot].made_of && slots_[slot].tag == tag)) ++slot;
      if (slot == slots_.size()) return;  // of no connection
      heard_.push_back({notify, slot, std::string(name), std::string(text)});
      if (!telling_heard_) {
        executor_->post([this] { tell_heard(); });  // may throw
        telling_heard_ = true;
        ++running_;
      }
    }
  }
  if (lost && !heard_lost_.exchange(true)) {
    log(LogLevel::warn, std::to_string(heard_max) +
                            " notices of the server wait for on_notice or on_notify; further ones "
                            "are lost, and this is not said again: let the hook be quicker");
  }
}

template <Runtime R>
void BasicPool<R>::tell_heard() {
  std::shared_ptr<BasicPool> last;  // must go after the lock
  Lock lock(mutex_);
  while (!heard_.empty()) {
    const Heard one = std::move(heard_.front());
    heard_.pop_front();
    lock.unlock();
    if (one.notify) {
      tell(Hook::notify, hooks_.on_notify, NotifyEvent{name_, one.slot, one.name, one.text});
    } else {
      tell(Hook::notice, hooks_.on_notice, NoticeEvent{name_, one.slot, one.name, one.text});
    }
    lock.lock();
  }
  telling_heard_ = false;
  --running_;
  if (watchers_ > 0) changed_.notify_all();
  if (orphan_ && quiet() && engine_->physical() == 0) last = end_of_itself();
}

}  // namespace weir::runtime
