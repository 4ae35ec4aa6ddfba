// SPDX-License-Identifier: MIT
//
// BasicPool, sixth part: its own query, and what it says of its health (docs/health.md).
#pragma once

#include "core/observe/health.hpp"
#include "core/runtime/basic_pool.hpp"

namespace weir::runtime {

// Runs on the executor. What the query leaves behind is cleaned up as after a lease. A query that
// fails says nothing against the connection, unless that is broken by it.
template <Runtime R>
engine::OpResult BasicPool<R>::run_check(const engine::StartOp& op, Slot& slot) {
  std::string sql;
  bool resets = false;
  {
    const Lock lock(mutex_);
    check_error_.clear();
    sql = config_.health.sql;
    resets = config_.reset != ResetPolicy::never;
  }
  const auto passed = slot.session.check(sql, op.deadline - engine::check_grace);
  const Session::Facts left = slot.session.facts();
  if (!passed) {
    const Lock lock(mutex_);
    check_error_ = passed.error().message();
  }
  if (left.broken) return engine::OpResult::failed;
  const bool unclean = left.busy || (left.dirty && resets);
  if (unclean && run_reset(op, slot) != engine::OpResult::ok) {
    const Lock lock(mutex_);
    if (passed) check_error_ = "its connection could not be cleaned after it";
    return engine::OpResult::failed;
  }
  return passed ? engine::OpResult::ok : engine::OpResult::refused;
}

template <Runtime R>
PoolHealth BasicPool<R>::health() const {
  observe::HealthFacts f;
  f.name = name_;
  f.forked = forked();
  if (f.forked) return observe::assess(std::move(f));  // what is known of it is the parent's
  {
    const Turn lock = look();
    const Instant now = R::now();
    const engine::Engine& engine = *engine_;
    f.closed = engine.phase() == engine::Engine::Phase::draining;
    f.lost = engine.lost();
    f.suspended = engine.phase() == engine::Engine::Phase::suspended;
    f.starting = config_.start != Start::lazy && config_.min > 0 && engine.counters().created == 0;
    f.failing = engine.creator().failing();
    if (f.failing) {
      f.failing_for = now - engine.creator().failing_since();
      f.create_error = create_error_ ? create_error_->message() : "no attempt has ended in time";
    }
    f.up = engine.up();
    f.counts = engine.counts();
    if (!engine.queue().empty()) {
      f.oldest_wait = now - engine.queue()[engine.queue().head()].enqueued;
    }
    f.acquire_timeout = config_.acquire_timeout;
    if (engine.last_check() && config_.health.interval != no_timeout) {
      const engine::LastCheck& last = *engine.last_check();
      f.last_check = CheckReport{now - last.began, last.took, last.passed ? "" : check_failure_};
    }
  }
  return observe::assess(std::move(f));
}

}  // namespace weir::runtime
