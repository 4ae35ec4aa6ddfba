// SPDX-License-Identifier: MIT
//
// Model: a pool as pools.md, section 5, describes it: one list of callers in order of arrival, one
// list of connections, every question answered by looking at all of them. It is run beside the
// engine (lockstep.cpp) and says after each step what the engine should have done.
//
// Where the engine is free, the model lets it choose and holds it to the choice: which of several
// idle connections is lent, looked at or sent away; which slot a connect gets; whether the head
// waiter is handed a connection or, where that is allowed, offered one. In everything else there is
// one right answer.
//
// It knows whole seconds (see SmallPool), and no timers of the rack: idle times, lifetimes and
// keepalives are EngineWorld's.
#pragma once

#include "tests/engine/small_pool.hpp"

#include <map>

namespace weir::engine::test {

class Model {
 public:
  explicit Model(const Scope& scope) : scope_(&scope), config_(scope.config) {
    window_ = config_.max_connecting;
  }

  // `input` was given to `pool`. Throws Violation if that did something else than it should have.
  void follow(const Input& input, const SmallPool& pool);

 private:
  struct Caller {
    std::uint32_t number;
    WaiterKind kind;
    Instant enqueued;
    Instant deadline;
  };
  struct Conn {
    Place place = Place::connecting;
    Op op = Op::connect;        // under way; none if nothing is
    Instant started;            // of the attempt, if it connects
    Instant due = no_deadline;  // when what is under way is aborted, or given up
    std::uint64_t order = 0;    // in which that was decided
    bool aborted = false;
    bool outdated = false;
    bool suspect = false;
  };
  using Conns = std::map<SlotId, Conn>;

  void acquire(const Input& input);
  void claim();
  void give_back(const Input& input);
  void finish(const Input& input);
  void connect_ended(SlotId slot, const Conn& was, OpResult result);
  void pass_time();
  void give_up(Conn& conn);
  void change(const Input& input);
  void renew();
  void abort_connects();

  void settle();
  void serve();
  void connect();
  [[nodiscard]] bool may_offer() const;
  void lend(std::uint32_t caller);
  void resolve(std::size_t place, Outcome outcome);
  void resolve_all(Outcome outcome);
  void fail_create(const Conn& conn, OpResult how);
  void rest(SlotId slot);  // on the rack, or away if it has to go
  void close(SlotId slot);
  void begin(SlotId slot, Op op);
  void abort(SlotId slot, Conn& conn);
  void doubt_all();
  void set_due(Conn& conn, Instant due);

  // What the engine chose in this step.
  [[nodiscard]] SlotId chosen(Op op, Place from);
  void compare(const SmallPool& pool) const;

  [[nodiscard]] std::uint32_t count(Place place) const;
  [[nodiscard]] std::uint32_t connecting(bool outdated_too) const;
  [[nodiscard]] std::uint32_t capacity() const;
  [[nodiscard]] bool surplus() const;
  [[nodiscard]] bool lendable(const Conn& conn) const;
  [[nodiscard]] bool anything_lendable() const;
  [[nodiscard]] bool no_point_in_waiting() const;

  using Start = std::pair<SlotId, Op>;
  const Scope* scope_;
  EngineConfig config_;
  const SmallPool* seen_ = nullptr;  // the engine after the step
  Instant now_;
  std::vector<Caller> callers_;
  Conns conns_;
  Engine::Phase phase_ = Engine::Phase::open;
  bool started_ = false;
  bool other_size_ = false;
  bool offered_ = false;  // the head has been woken for an idle connection
  std::uint32_t number_ = 0;
  std::uint64_t order_ = 0;

  bool failing_ = false;  // the last connect failed
  OpResult how_ = OpResult::ok;
  Instant failed_at_;
  Instant retry_at_;
  std::uint32_t window_ = 1;

  std::map<std::uint32_t, Outcome> resolved_;  // in this step
  std::vector<Start> starts_;
  std::vector<SlotId> aborts_;
  std::size_t lends_ = 0;
};

}  // namespace weir::engine::test
