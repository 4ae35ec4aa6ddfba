// SPDX-License-Identifier: MIT
// Model, first part: what becomes of connections. Who is served is in model_serving.cpp.
#include "tests/engine/model.hpp"

#include <algorithm>

namespace weir::engine::test {

namespace {

using Kind = Input::Kind;
using Phase = Engine::Phase;

constexpr Duration second = 1s;  // the backoff is over, and an aborted call hangs, after one

}  // namespace

void Model::follow(const Input& input, const SmallPool& pool) {
  seen_ = &pool;
  now_ = pool.now();
  resolved_.clear();
  starts_.clear();
  aborts_.clear();
  lends_ = 0;
  switch (input.kind) {
    case Kind::give_back_twice:
    case Kind::finish_late:
      break;
    case Kind::acquire_thread:
    case Kind::acquire_callback:
    case Kind::acquire_nested:
    case Kind::acquire_now:
      acquire(input);
      break;
    case Kind::cancel:
      resolve(input.at, Outcome::cancelled);
      settle();
      break;
    case Kind::claim:
      claim();
      break;
    case Kind::give_back_clean:
    case Kind::give_back_dirty:
    case Kind::give_back_broken:
      give_back(input);
      break;
    case Kind::finish:
      finish(input);
      break;
    case Kind::leap:
      doubt_all();
      pass_time();
      break;
    case Kind::tick:
      pass_time();
      break;
    default:
      change(input);
  }
  compare(pool);
}

// ---------------------------------------------------------------- connections

void Model::give_back(const Input& input) {
  Conn& conn = conns_[input.at];
  if (input.kind == Kind::give_back_broken) {
    close(input.at);
    doubt_all();
  } else if (phase_ == Phase::draining || conn.outdated || surplus()) {
    close(input.at);
  } else if (input.kind == Kind::give_back_dirty) {
    begin(input.at, Op::reset);
  } else {
    conn.place = Place::idle;
  }
  settle();
}

void Model::finish(const Input& input) {
  Conn& conn = conns_[input.at];
  const Conn was = conn;
  const bool good = input.result == OpResult::ok && !was.aborted;
  conn.op = Op::none;
  conn.due = no_deadline;
  if (was.op == Op::close) {
    conns_.erase(input.at);
  } else if (was.op == Op::connect || was.op == Op::init) {
    connect_ended(input.at, was, input.result);
  } else if (good) {
    conn.suspect = false;
    rest(input.at);
  } else {
    close(input.at);
    if (was.op == Op::validate && was.place != Place::quarantined) doubt_all();
  }
  settle();
}

void Model::connect_ended(SlotId slot, const Conn& was, OpResult result) {
  if (result == OpResult::ok && !was.aborted) {
    if (was.op == Op::connect && config_.has_init) {
      conns_[slot].place = Place::initialising;
      conns_[slot].op = Op::init;
      set_due(conns_[slot], was.due);
      starts_.emplace_back(slot, Op::init);
      return;
    }
    // Slow start: one more at a time (S8).
    window_ = failing_ ? 1 : std::min(window_ + 1, config_.max_connecting);
    failing_ = false;
    return rest(slot);
  }
  if (result == OpResult::ok || was.op == Op::init) {
    close(slot);
  } else {
    conns_.erase(slot);
  }
  // What the pool gave up itself, or has counted as hung, is no news.
  if (was.outdated || was.place == Place::quarantined) return;
  fail_create(was, result == OpResult::ok ? OpResult::failed : result);
}

void Model::fail_create(const Conn& conn, OpResult how) {
  if (phase_ == Phase::draining) return;
  how_ = how;
  if (!failing_ || conn.started >= failed_at_) {  // not of the same round
    failing_ = true;
    window_ = 1;
    failed_at_ = now_;
    retry_at_ = conn.started + second;
  }
  if (phase_ == Phase::open && no_point_in_waiting()) resolve_all(Outcome::create_failed);
}

// R7: only a connect could serve anybody, and the last one failed for good.
bool Model::no_point_in_waiting() const {
  const bool others =
      count(Place::idle) + count(Place::lent) + count(Place::validating) + count(Place::resetting) >
      0;
  if (!failing_ || others) return false;
  return config_.propagate_create_error == PropagateCreateError::any ||
         (config_.propagate_create_error == PropagateCreateError::fatal && how_ == OpResult::fatal);
}

void Model::rest(SlotId slot) {
  Conn& conn = conns_[slot];
  if (phase_ == Phase::draining || conn.outdated || surplus()) return close(slot);
  conn.place = Place::idle;
}

void Model::close(SlotId slot) { begin(slot, Op::close); }

void Model::begin(SlotId slot, Op op) {
  Conn& conn = conns_[slot];
  if (op == Op::connect) conn.started = now_;
  if (op == Op::validate) conn.place = Place::validating;
  if (op == Op::reset) conn.place = Place::resetting;
  // What was set aside stays there until it is gone.
  if (op == Op::close && conn.place != Place::quarantined) conn.place = Place::closing;
  conn.op = op;
  conn.aborted = false;
  set_due(conn, now_ + config_.create_timeout);
  starts_.emplace_back(slot, op);
}

void Model::set_due(Conn& conn, Instant due) {
  conn.due = due;
  conn.order = ++order_;
}

void Model::doubt_all() {
  for (auto& [slot, conn] : conns_) {
    conn.suspect = conn.place != Place::connecting && conn.place != Place::initialising;
  }
}

// ---------------------------------------------------------------- time and change

void Model::pass_time() {
  for (std::size_t i = callers_.size(); i > 0; --i) {
    if (callers_[i - 1].deadline <= now_) resolve(i - 1, Outcome::timeout);
  }
  // T12: what falls due at one instant comes in the order in which it was asked for.
  while (true) {
    const auto first =
        std::min_element(conns_.begin(), conns_.end(), [](const auto& a, const auto& b) {
          return std::pair(a.second.due, a.second.order) < std::pair(b.second.due, b.second.order);
        });
    if (first == conns_.end() || first->second.due > now_) break;
    if (first->second.aborted) {
      give_up(first->second);
    } else {
      abort(first->first, first->second);
    }
  }
  settle();
}

void Model::abort(SlotId slot, Conn& conn) {
  if (conn.aborted) return;
  conn.aborted = true;
  set_due(conn, now_ + second);
  aborts_.push_back(slot);
}

// R8: a call that goes on although it was aborted is nobody's hope any more.
void Model::give_up(Conn& conn) {
  const Conn was = conn;
  conn.place = Place::quarantined;
  set_due(conn, no_deadline);
  if (was.place == Place::validating) doubt_all();
  const bool connects = was.place == Place::connecting || was.place == Place::initialising;
  if (connects && !was.outdated) fail_create(was, OpResult::failed);
}

void Model::change(const Input& input) {
  switch (input.kind) {
    case Kind::start:
      started_ = true;
      break;
    case Kind::suspend:
      phase_ = Phase::suspended;
      offered_ = false;
      break;
    case Kind::resume:
      phase_ = Phase::open;
      break;
    case Kind::reload:
      failing_ = false;
      window_ = config_.max_connecting;
      [[fallthrough]];
    case Kind::evict:
      renew();
      break;
    case Kind::resize:
      other_size_ = !other_size_;
      config_.min = other_size_ ? scope_->other_min : scope_->config.min;
      config_.max = other_size_ ? scope_->other_max : scope_->config.max;
      while (surplus() && count(Place::idle) > 0) close(chosen(Op::close, Place::idle));
      break;
    case Kind::drain:
      phase_ = Phase::draining;
      resolve_all(Outcome::closed);
      for (auto& [slot, conn] : conns_) {
        if (conn.place == Place::idle) close(slot);
      }
      abort_connects();
      break;
    default:
      break;
  }
  settle();
}

void Model::renew() {
  for (auto& [slot, conn] : conns_) {
    if (conn.place == Place::idle) close(slot);
    conn.outdated = true;
  }
  abort_connects();
}

void Model::abort_connects() {
  for (auto& [slot, conn] : conns_) {
    if (conn.place == Place::connecting || conn.place == Place::initialising) abort(slot, conn);
  }
}

}  // namespace weir::engine::test
