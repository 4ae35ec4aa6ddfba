// SPDX-License-Identifier: MIT
//
// Engine: the pool as a pure state machine. Each public non-const function is one step: it takes an
// input and the time, changes the state, and appends to Effects what the shell has to do. The
// engine knows no clock, thread, lock, driver or log; called with the same inputs it does the same
// (T12).
//
// Parts, each with its own fields that no other part sees:
//   Slots       the record of each connection: its state, its generation    slots.hpp
//   Operations  the driver calls under way, and when they are overdue       operations.hpp
//   Rack        the connections that are idle or lent                       rack.hpp
//   WaitQueue   who waits, in order of arrival                              wait_queue.hpp
//   Creator     when a connect may start: backoff, probe, slow start        creator.hpp
//   Sizing      how many connects to start: arithmetic                      sizing.hpp
//   Agenda      when the rack has to be looked through                      agenda.hpp
//   Nesting     who waits while holding                                     nesting.hpp
//   PhaseClock  what was waited for                                         phases.hpp
// and how they act together, a file for each concern with its own invariants at the top:
//   waiting.cpp creating.cpp looking.cpp checking.cpp returning.cpp expiring.cpp closing.cpp
//   changing.cpp
//
// Invariants, at the end of every step (ids of pools.md §5; docs/properties.md says where each is
// kept and tested):
//   1. physical() <= max + min(quarantined, quarantine_max), unless max was lowered; then nothing
//      is created until it holds (S1).
//   2. a slot is in one state; every count equals a recount (S2, S3).
//   3. no waiter coexists with an idle connection that can be lent, unless that connection is
//      offered to the head, which is younger than fair_after (S7, bounded form).
//   4. no waiter coexists with room for a connect that the creator would allow (S7).
//   5. every token is resolved exactly once (S4).
//   6. next_timer() is later than now, or nothing is due (L7).
//   settle() restores 3, 4 and the gate; every step ends with it.
// Bounds:     bounds.hpp, line by line (S19, S20).
// Threads:    none; the shell calls it under the pool's lock. REQUIRES: now never goes back.
#pragma once

#include "core/base/random.hpp"
#include "core/engine/agenda.hpp"
#include "core/engine/creator.hpp"
#include "core/engine/nesting.hpp"
#include "core/engine/operations.hpp"
#include "core/engine/phases.hpp"
#include "core/engine/rack.hpp"
#include "core/engine/sizing.hpp"
#include "core/engine/slots.hpp"
#include "core/engine/wait_queue.hpp"

#include <array>
#include <optional>
#include <span>

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
  std::array<std::uint64_t, open_reason_count> opened{};  // the created, by OpenReason
  std::uint64_t create_failures = 0;
  std::uint64_t validations = 0;
  std::uint64_t resets = 0;
  std::uint64_t checks = 0;
  std::uint64_t check_failures = 0;
  std::array<std::uint64_t, close_reason_count> closed{};
  std::uint64_t long_holds = 0;
};

// The last health check that has ended, or is as good as ended because its call hangs.
struct LastCheck {
  Instant began;
  Duration took{};
  bool passed = true;
};

class Engine {
 public:
  enum class Phase : std::uint8_t { open, suspended, draining };

  // `rack` outlives the engine and is touched by nobody else but through take() and give().
  Engine(const EngineConfig& config, Rack& rack, std::uint64_t seed);
  // A copy acts on the same rack until it is given a copy of that, too. For tests that explore.
  void use(Rack& rack) noexcept { rack_ = &rack; }

  // -- inputs ---------------------------------------------------------------------------

  // Begins to create `min` connections. Without it nothing happens before demand.
  void start(Instant now, Effects& fx);

  // Queues a caller, or resolves it in this step. A deadline <= now does not wait.
  // `waiter.enqueued` is set here. Returns: its id while it waits; an id that matches nothing once
  // it is resolved.
  WaiterId acquire(Waiter waiter, Instant now, Effects& fx);

  // Ends waits with `outcome` (cancelled or timeout): all of them before their places pass on, so
  // that no connect starts for one that ends as well. No effect on those that are resolved already.
  void cancel(std::span<const WaiterId> ids, Outcome outcome, Instant now, Effects& fx);
  void cancel(WaiterId id, Outcome outcome, Instant now, Effects& fx) {
    cancel({&id, 1}, outcome, now, fx);
  }

  // A waiter that was offered a connection has woken: lends it one if one is still there, else it
  // keeps its place and a later return makes a new offer. No effect if it is resolved already.
  void claim(WaiterId id, Instant now, Effects& fx);

  // A lease that did not end on the rack. Returns: false, with nothing changed, if `lease` is not
  // the current lease of `slot`.
  [[nodiscard]] bool give_back(SlotId slot, std::uint64_t lease, const ReturnFacts& facts,
                               Instant now, Effects& fx);

  // A connection went back to the rack through give() while callers are queued.
  void returned(Instant now, Effects& fx);

  // The operation that was started with `serial` has ended. Late and unknown serials are ignored.
  void finished(SlotId slot, std::uint32_t serial, OpResult result, Instant now, Effects& fx);

  // Time has passed: expires what is due.
  void tick(Instant now, Effects& fx);

  // Nobody ran for `missed`: the machine slept, or was starved. What the other side did meanwhile
  // nobody knows, so every connection is looked at before it is lent; then as tick() (T8).
  void leap(Duration missed, Instant now, Effects& fx);

  // Another configuration, whole and absolute, from the next decision on (C1, C4): surplus
  // connections leave as they become idle. `renewed`: what a connection is made of has changed, so
  // those that exist are replaced (C2). REQUIRES: valid; not renewed if pinned.
  void reconfigure(const EngineConfig& config, bool renewed, Instant now, Effects& fx);

  // Replaces every connection: idle ones close now, lent ones as they come back. No effect on a
  // pinned pool, whose data would go with them.
  void evict(Instant now, Effects& fx);

  // Lends nothing and creates nothing until resume(). Who waits goes on waiting, by the deadline it
  // came with (T1). No effect while draining.
  void suspend(Instant now, Effects& fx);
  void resume(Instant now, Effects& fx);

  // No more lends: resolves all waiters, closes what is idle, lets leases finish. Final.
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
  // A connection that comes back has to be told of, or nobody is woken for it: somebody waits, and
  // has no offer that would make him look. Also where telling costs next to nothing.
  [[nodiscard]] bool wants_returns() const noexcept;

  [[nodiscard]] Phase phase() const noexcept { return phase_; }
  [[nodiscard]] bool lost() const noexcept { return lost_; }
  [[nodiscard]] std::uint32_t physical() const noexcept { return slots_.physical(); }
  [[nodiscard]] bool drained() const noexcept {
    return phase_ == Phase::draining && physical() == 0;
  }
  // min connections are up, or as many as max allows.
  [[nodiscard]] bool ready() const noexcept;
  [[nodiscard]] PoolCounts counts() const noexcept;
  [[nodiscard]] PhaseTimes phase_times(Instant now) const noexcept { return phases_.read(now); }
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  [[nodiscard]] const std::optional<LastCheck>& last_check() const noexcept { return last_check_; }
  // How many connections are there, whatever they are at: lent, idle, looked at or cleaned.
  [[nodiscard]] std::uint32_t up() const noexcept;
  [[nodiscard]] const Creator& creator() const noexcept { return creator_; }
  [[nodiscard]] const WaitQueue& queue() const noexcept { return queue_; }
  [[nodiscard]] const EngineConfig& config() const noexcept { return config_; }
  [[nodiscard]] std::uint64_t steps() const noexcept { return step_; }  // those that did something
  [[nodiscard]] SlotState state(SlotId slot) const noexcept { return slots_.state(slot); }
  [[nodiscard]] std::uint32_t slot_count() const noexcept { return slots_.size(); }

  // Recounts everything. For tests: aborts if an invariant above does not hold.
  void check(Instant now) const;

 private:
  // What every step ends with: engine.cpp
  void settle(Instant now, Effects& fx);

  // waiting.cpp
  void serve_waiters(Instant now, Effects& fx);
  void lend(SlotId idle, WaiterId id, Instant now, Effects& fx);
  void resolve(WaiterId id, Outcome outcome, Instant now, Effects& fx);
  void resolve_all(Outcome outcome, Instant now, Effects& fx);
  void break_deadlock(Instant now, Effects& fx);
  [[nodiscard]] bool deadlocked() const noexcept;
  void set_gate(Instant now);
  [[nodiscard]] bool may_offer(Instant now) const noexcept;
  [[nodiscard]] bool holds(TaskId task) const noexcept;
  [[nodiscard]] AcquirePhase waiting_for(Instant now) const noexcept;

  // creating.cpp
  void start_creates(Instant now, Effects& fx);
  void fail_hopeless(Instant now, Effects& fx);
  void connect_ended(SlotId slot, const Operations::Operation& op, OpResult result, Instant now,
                     Effects& fx);
  void create_failed(SlotId slot, Instant started, OpResult how, Instant now, Effects& fx);
  void connection_up(SlotId slot, Instant started, Instant now, Effects& fx);
  void give_up_connects(Instant now, Effects& fx);
  [[nodiscard]] Sizing sizing(Instant now) const noexcept;
  [[nodiscard]] std::uint32_t capacity() const noexcept;
  [[nodiscard]] bool surplus() const noexcept;
  [[nodiscard]] bool only_a_connect_could_serve() const noexcept;
  [[nodiscard]] bool create_error_is_final() const noexcept;

  // looking.cpp
  [[nodiscard]] bool can_lend(SlotId idle, Instant now) const noexcept;
  [[nodiscard]] SlotId lendable_idle(Instant now) const noexcept;
  [[nodiscard]] bool prepare_idle(Instant now, Effects& fx);
  void begin_validate(SlotId slot, bool keepalive, Instant now, Effects& fx);
  void check_ended(SlotId slot, const Operations::Operation& op, OpResult result, Instant now,
                   Effects& fx);
  void doubt_siblings(SlotId of, Effects& fx);

  // checking.cpp
  void check_health(Instant now, Effects& fx);
  void give_up_check(Instant now, Effects& fx);
  void health_checked(SlotId slot, bool passed, Instant now, Effects& fx);
  [[nodiscard]] Instant check_due(Instant now) const noexcept;

  // returning.cpp
  void to_idle(SlotId slot, Rack::Place place, Instant now);
  [[nodiscard]] std::optional<CloseReason> must_leave(SlotId slot, Instant now) const noexcept;
  [[nodiscard]] Instant op_limit(Instant now) const noexcept;

  // expiring.cpp
  void expire_waiters(Instant now, Effects& fx);
  void expire_ops(Instant now, Effects& fx);
  void set_aside(SlotId slot, Instant now, Effects& fx);
  void reap(Instant now, Effects& fx);
  void reap_idle(SlotId slot, Instant now, Effects& fx);
  void reap_lent(SlotId slot, Instant now, Effects& fx);
  [[nodiscard]] Instant reap_at() const noexcept;
  [[nodiscard]] Instant draw_expiry(Instant now) noexcept;
  [[nodiscard]] bool above_min() const noexcept;

  // closing.cpp
  void begin_close(SlotId slot, CloseReason reason, Instant now, Effects& fx);
  void close_ended(SlotId slot, Effects& fx);
  void close_idle(SlotId slot, CloseReason reason, Instant now, Effects& fx);
  void connection_died(SlotId slot, CloseReason reason, Instant now, Effects& fx);
  void data_lost(Instant now, Effects& fx);
  void stop_lending(Outcome outcome, Instant now, Effects& fx);

  // changing.cpp
  void renew(CloseReason reason, Instant now, Effects& fx);

  void event(Effects& fx, Event::Type type, SlotId slot, Duration amount = {},
             CloseReason reason = {}, std::uint64_t lease = 0);

  EngineConfig config_;
  Rack* rack_;
  Slots slots_;
  Operations ops_;
  WaitQueue queue_;
  Creator creator_;
  Agenda agenda_;
  Nesting nesting_;
  PhaseClock phases_;
  base::Random random_;  // lifetime jitter
  Counters counters_;

  Phase phase_ = Phase::open;
  bool started_ = false;               // `min` is kept from now on
  bool lost_ = false;                  // the pinned connection is gone, and the data with it
  std::optional<Instant> checked_at_;  // when the last health check began
  std::optional<LastCheck> last_check_;
  CloseReason renewed_{};   // why the past generations are outdated
  WaiterId offered_;        // holds the one outstanding offer; matches nothing if there is none
  std::uint64_t step_ = 0;  // how many steps have been made
};

}  // namespace weir::engine
