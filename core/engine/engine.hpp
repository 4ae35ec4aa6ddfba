// SPDX-License-Identifier: MIT
//
// Engine: the pool as a pure state machine. Each public non-const function is one step: it takes an
// input and the time, changes the state, and appends to Effects what the shell has to do. The
// engine knows no clock, thread, lock, driver or log; called with the same inputs it does the same.
//
// Shape:      slots (one record per connection) in the states of types.hpp; the rack (idle and lent
//             connections); the queue of waiters; the creator (when a connect may start).
// Invariants, at the end of every step (ids of pools.md §5):
//   1. physical() <= max, unless max was lowered; then nothing is created until it holds (S1).
//   2. a slot is in one state; counts_ equals a recount (S2, S3).
//   3. no waiter coexists with an idle connection that can be lent, unless that connection is
//      offered to the head, which is younger than fair_after (S7, bounded form).
//   4. no waiter coexists with room for a connect that the creator would allow (S7).
//   5. every token is resolved exactly once (S4).
//   6. next_timer() is later than now, or nothing is due (L7).
//   settle() restores 3, 4 and the gate; every step ends with it.
// Bounds:     slots <= max at its highest; waiters <= max_waiting; one operation per slot.
// Threads:    none; the shell calls it under the pool's lock. REQUIRES: now never goes back.
#pragma once

#include "core/base/deadline_heap.hpp"
#include "core/base/random.hpp"
#include "core/engine/creator.hpp"
#include "core/engine/effects.hpp"
#include "core/engine/rack.hpp"
#include "core/engine/sizing.hpp"
#include "core/engine/wait_queue.hpp"

#include <array>

namespace weir::engine {

// What the engine has counted; with the rack's own counts it makes PoolStats.
struct Counters {
  std::uint64_t queued = 0;   // acquires that came to the engine
  std::uint64_t granted = 0;  // of those: leases
  std::uint64_t waited = 0;   // of those: not in the step of the acquire
  std::uint64_t timeouts = 0;
  std::uint64_t rejected = 0;
  std::uint64_t failed = 0;
  std::uint64_t created = 0;
  std::uint64_t create_failures = 0;
  std::uint64_t validations = 0;
  std::uint64_t resets = 0;
  std::array<std::uint64_t, close_reason_count> closed{};
  std::uint64_t long_holds = 0;
};

class Engine {
 public:
  enum class Phase : std::uint8_t { open, draining };

  // `rack` outlives the engine and is touched by nobody else but through take() and give().
  Engine(const EngineConfig& config, Rack& rack, std::uint64_t seed);

  // -- inputs ---------------------------------------------------------------------------

  // Begins to create `min` connections. Without it nothing happens before demand.
  void start(Instant now, Effects& fx);

  // Queues a caller, or resolves it in this step. A deadline <= now does not wait.
  // `waiter.enqueued` is set here. Returns: its id while it waits; an id that matches nothing once
  // it is resolved.
  WaiterId acquire(Waiter waiter, Instant now, Effects& fx);

  // Ends a wait with `outcome` (cancelled or timeout). No effect if it is resolved already.
  void cancel(WaiterId id, Outcome outcome, Instant now, Effects& fx);

  // A waiter that was offered a connection has woken: lends it one if one is still there, else it
  // keeps its place and a later return makes a new offer. No effect if it is resolved already.
  void claim(WaiterId id, Instant now, Effects& fx);

  // A lease that did not end on the rack. Returns: false, with nothing changed, if `lease` is not
  // the current lease of `slot`.
  [[nodiscard]] bool give_back(SlotId slot, std::uint64_t lease, const ReturnFacts& facts,
                               Instant now, Effects& fx);

  // A connection went back to the rack through give() while callers are queued.
  void returned(Instant now, Effects& fx) { settle(now, fx); }

  // The operation that was started with `serial` has ended. Late and unknown serials are ignored.
  void finished(SlotId slot, std::uint32_t serial, OpResult result, Instant now, Effects& fx);

  // Time has passed: expires what is due.
  void tick(Instant now, Effects& fx);

  // New limits; surplus connections leave as they become idle. REQUIRES: 0 < max, min <= max.
  void resize(std::uint32_t min, std::uint32_t max, Instant now, Effects& fx);

  // No more lends: resolves all waiters, closes what is idle, lets leases finish.
  void drain(Instant now, Effects& fx);
  // Breaks the calls of the leases that are still out. They close as they come back.
  void abandon_leases(Effects& fx);

  // -- views ----------------------------------------------------------------------------

  // When tick() has to be called next for the pool's own sake.
  [[nodiscard]] Instant next_timer() const noexcept;
  // When the first waiter times out. Blocked threads see to that themselves.
  [[nodiscard]] Instant next_deadline() const noexcept { return queue_.earliest_deadline(); }
  // When the gate must close for the head waiter; no_deadline while nobody is being overtaken.
  [[nodiscard]] Instant fair_deadline() const noexcept;

  [[nodiscard]] Phase phase() const noexcept { return phase_; }
  [[nodiscard]] bool lost() const noexcept { return lost_; }
  [[nodiscard]] std::uint32_t physical() const noexcept;
  [[nodiscard]] bool drained() const noexcept {
    return phase_ == Phase::draining && physical() == 0;
  }
  // min connections are up, or as many as max allows.
  [[nodiscard]] bool ready() const noexcept;
  [[nodiscard]] PoolCounts counts() const noexcept;
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  [[nodiscard]] const Creator& creator() const noexcept { return creator_; }
  [[nodiscard]] const WaitQueue& queue() const noexcept { return queue_; }
  [[nodiscard]] SlotState state(SlotId slot) const noexcept { return slots_[slot].state; }
  [[nodiscard]] std::uint32_t slot_count() const noexcept {
    return static_cast<std::uint32_t>(slots_.size());
  }
  [[nodiscard]] std::uint32_t min() const noexcept { return config_.min; }
  [[nodiscard]] std::uint32_t max() const noexcept { return config_.max; }

  // Recounts everything. For tests: aborts if an invariant above does not hold.
  void check(Instant now) const;

 private:
  struct Slot {
    SlotState state = SlotState::closed;
    Op op = Op::none;
    bool has_session = false;    // it was counted as created
    bool aborted = false;        // the operation was given up: its result is not used
    bool for_keepalive = false;  // this validation serves nobody in the queue
    bool in_doubt = false;       // it may well fail: nobody's supply
    CloseReason reason{};        // why it is closing
    std::uint32_t serial = 0;    // of the current operation
    Instant started;             // of the current operation, or of the connect
    Instant op_deadline;
    Instant expires_at = no_deadline;  // end of its lifetime, drawn once
    Instant idle_since;                // end of its last lease, kept across a validation
    std::uint64_t reported_lease = 0;  // long_hold is reported once per lease
    SlotId next_free = no_slot;
  };

  // settle.cpp: what every step ends with
  void settle(Instant now, Effects& fx);
  void serve_waiters(Instant now, Effects& fx);
  void start_creates(Instant now, Effects& fx);
  void set_gate(Instant now);
  [[nodiscard]] bool may_offer(Instant now) const noexcept;
  [[nodiscard]] bool can_lend(SlotId idle, Instant now) const noexcept;
  [[nodiscard]] SlotId lendable_idle(Instant now) const noexcept;
  [[nodiscard]] bool prepare_idle(Instant now, Effects& fx);
  void fail_hopeless(Instant now, Effects& fx);
  [[nodiscard]] Sizing sizing(Instant now) const noexcept;
  void lend(SlotId idle, WaiterId id, Instant now, Effects& fx);
  void resolve(WaiterId id, Outcome outcome, Instant now, Effects& fx);
  void resolve_all(Outcome outcome, Instant now, Effects& fx);
  [[nodiscard]] bool only_a_connect_could_serve() const noexcept;
  [[nodiscard]] bool create_error_is_final() const noexcept;

  // operations.cpp: the life of a connection
  void begin_op(SlotId slot, Op op, SlotState state, Instant deadline, Instant now, Effects& fx);
  void begin_close(SlotId slot, CloseReason reason, Instant now, Effects& fx);
  void begin_validate(SlotId slot, bool keepalive, Instant now, Effects& fx);
  void connect_ended(SlotId slot, Op op, OpResult result, Instant now, Effects& fx);
  void create_failed(SlotId slot, Instant started, OpResult how, Instant now, Effects& fx);
  void connection_up(SlotId slot, Instant now, Effects& fx);
  void check_ended(SlotId slot, Op op, OpResult result, Instant now, Effects& fx);
  void to_idle(SlotId slot, Instant idle_since, Rack::Place place, Instant now);
  void connection_died(SlotId slot, CloseReason reason, Instant now, Effects& fx);
  void stop_lending(Outcome outcome, Instant now, Effects& fx);
  [[nodiscard]] Instant op_limit(Instant now) const noexcept;
  SlotId allocate();
  void free_slot(SlotId slot);
  void set_state(SlotId slot, SlotState state) noexcept;

  // expiring.cpp: what time does
  void expire_ops(Instant now, Effects& fx);
  void expire_waiters(Instant now, Effects& fx);
  void reap(Instant now, Effects& fx);
  void reap_idle(SlotId slot, Instant now, Effects& fx);
  void reap_lent(SlotId slot, Instant now, Effects& fx);
  [[nodiscard]] Instant reap_at() const noexcept;
  [[nodiscard]] Instant draw_expiry(Instant now) noexcept;
  [[nodiscard]] bool above_min() const noexcept;
  [[nodiscard]] bool surplus() const noexcept;
  void look_again_at(Instant due) noexcept;

  void event(Effects& fx, Event::Type type, SlotId slot, Duration amount = {},
             CloseReason reason = {}, std::uint64_t lease = 0);
  [[nodiscard]] std::uint32_t count(SlotState state) const noexcept {
    return counts_[static_cast<std::size_t>(state)];
  }

  EngineConfig config_;
  Rack& rack_;
  Creator creator_;
  base::Random random_;  // lifetime jitter
  Phase phase_ = Phase::open;
  bool started_ = false;  // `min` is kept from now on
  bool lost_ = false;

  std::vector<Slot> slots_;
  SlotId free_ = no_slot;
  std::array<std::uint32_t, slot_state_count> counts_{};
  std::uint32_t validating_for_waiters_ = 0;
  std::uint32_t validating_in_doubt_ = 0;  // of those
  base::DeadlineHeap ops_;                 // by slot: when its operation is overdue

  WaitQueue queue_;
  WaiterId offered_;  // the waiter that holds the one outstanding offer; matches nothing if none
  bool gate_open_ = true;

  Instant reap_due_ = no_deadline;  // nothing on the rack falls due before this
  Instant last_reap_ = Instant::min();
  Counters counters_;
};

}  // namespace weir::engine
