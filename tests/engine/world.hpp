// SPDX-License-Identifier: MIT
//
// EngineWorld: the engine, the rack, a fake clock, and a driver and a server as small as can be. It
// plays the shell: performs effects, drives next_timer() and next_deadline(), wakes offered
// threads.
//
// After every step it judges the pool by books of its own: what the driver was asked to do, what
// the server has open, what each caller was told. The pool's own counts are compared, never
// believed. A broken property is thrown as a Violation that names its id (pools.md, section 5).
#pragma once

#include "core/engine/bounds.hpp"
#include "core/engine/engine.hpp"

#include <deque>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace weir::engine::test {

using namespace std::chrono_literals;

struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What the driver does with an operation.
struct Answer {
  enum class Hang : std::uint8_t { no, until_abort, for_good };

  OpResult result = OpResult::ok;
  Duration latency = 1ms;  // from the start; with until_abort from the abort
  Hang hang = Hang::no;    // for_good: only EngineWorld::finish() ends it

  static Answer fails(Duration latency = 1ms) { return {OpResult::failed, latency, Hang::no}; }
  static Answer refuses() { return {OpResult::refused, 1ms, Hang::no}; }
  static Answer hangs() { return {OpResult::failed, 1ms, Hang::until_abort}; }
  static Answer hangs_for_good() { return {OpResult::failed, 1ms, Hang::for_good}; }
};

// One acquire, from the call to the return.
struct Call {
  std::uint32_t number = 0;  // order of arrival
  WaiterKind kind = WaiterKind::thread;
  TaskId task = no_task;
  Instant enqueued;
  Instant deadline;
  WaiterId id;
  PhaseTimes phases{};  // a reading at that time
  bool waiting = true;
  Outcome outcome{};
  Instant resolved_at;
  SlotId slot = no_slot;
  std::uint64_t lease = 0;
  bool held = false;               // lent and not yet returned
  Instant wakes_at = no_deadline;  // an offer is under way to it
  bool offered = false;            // and not yet claimed

  [[nodiscard]] bool lent() const noexcept { return !waiting && outcome == Outcome::lent; }
  [[nodiscard]] bool ended_with(Outcome o) const noexcept { return !waiting && outcome == o; }
};

// A configuration for tests: 10 connections, strict, no timers but those that a test asks for.
[[nodiscard]] EngineConfig plain_config();

// How often the premise of a property was true, by property id, over all worlds of this process.
[[nodiscard]] std::map<std::string, std::uint64_t>& premises();
// How many inputs the engines of this process were given.
[[nodiscard]] std::uint64_t& steps_made();

class EngineWorld {
 public:
  explicit EngineWorld(const EngineConfig& config = plain_config(), std::uint64_t seed = 1);

  // -- the driver ---------------------------------------------------------------------
  void answer(Op op, Answer answer) { answers_[static_cast<std::size_t>(op)] = answer; }
  void next(Op op, Answer answer) { scripted_[static_cast<std::size_t>(op)].push_back(answer); }
  void forget_script(Op op) { scripted_[static_cast<std::size_t>(op)].clear(); }
  void finish(SlotId slot, OpResult result);  // ends whatever runs there, now
  void finish_again(SlotId slot);  // repeats the last result of that slot: a lying driver
  [[nodiscard]] bool runs(SlotId slot, Op op) const;
  [[nodiscard]] std::vector<SlotId> running(Op op) const;

  // -- callers, as the shell serves them: the rack first, then the engine ----------------
  Call& acquire(Duration timeout = no_timeout, WaiterKind kind = WaiterKind::thread,
                TaskId task = no_task);
  void release(Call& call, const ReturnFacts& facts = {});
  // Returns: whether the pool accepted it.
  bool release_lease(SlotId slot, std::uint64_t lease, const ReturnFacts& facts = {});
  void claim(Call& call);
  void cancel(Call& call, Outcome outcome = Outcome::cancelled);

  // -- the pool -------------------------------------------------------------------------
  void start();
  void resize(std::uint32_t min, std::uint32_t max);
  void reload(const EngineConfig& config, bool renewed);
  void evict();
  void suspend();
  void resume();
  void drain();
  void tick();
  void leap(Duration missed);  // nobody ran meanwhile, and the shell has noticed

  // -- time -----------------------------------------------------------------------------
  [[nodiscard]] Instant now() const noexcept { return now_; }
  void run_for(Duration duration) { run_until(now_ + duration); }
  void run_until(Instant until);
  // Nobody gets to run meanwhile.
  void jump(Duration duration) {
    now_ += duration;
    late_ = true;
  }
  // How long an offered thread takes to wake up; no_timeout: the test claims by hand.
  void set_wake_latency(Duration latency) { wake_latency_ = latency; }

  // -- what happened --------------------------------------------------------------------
  struct Started {
    Op op;
    SlotId slot;
    Instant at;
    Instant deadline;
  };
  struct Happened {
    Event event;
    Instant at;
  };
  [[nodiscard]] const std::vector<Started>& started() const noexcept { return started_; }
  [[nodiscard]] std::size_t started(Op op) const;
  [[nodiscard]] Instant last_start(Op op) const;  // Requires: started(op) > 0
  [[nodiscard]] const std::vector<Happened>& events() const noexcept { return events_; }
  [[nodiscard]] std::size_t happened(Event::Type type) const;
  [[nodiscard]] std::size_t closed(CloseReason reason) const;
  [[nodiscard]] std::size_t aborts() const noexcept { return aborts_; }
  [[nodiscard]] std::deque<Call>& calls() noexcept { return calls_; }
  [[nodiscard]] std::uint32_t idle() const noexcept { return rack_.idle_count(); }
  [[nodiscard]] std::uint32_t lent() const noexcept { return rack_.lent_count(); }
  [[nodiscard]] std::uint32_t waiting() const;
  [[nodiscard]] std::uint32_t sessions() const;  // that the server may have, by its own count

  [[nodiscard]] Engine& engine() noexcept { return engine_; }
  [[nodiscard]] PlainRack& rack() noexcept { return rack_; }
  [[nodiscard]] const EngineConfig& config() const noexcept { return config_; }
  [[nodiscard]] bool suspended() const noexcept { return suspended_; }
  // Everything that the engine asked for so far, in order, as one number (T12, O3).
  [[nodiscard]] std::uint64_t trace() const noexcept { return trace_; }

 private:
  struct Flight {  // an operation under way
    Op op = Op::none;
    std::uint32_t serial = 0;
    Instant started;
    Instant deadline;
    Instant ends = no_deadline;
    Answer answer;
    bool aborted = false;
    bool quarantined = false;
  };
  struct Conn {  // a slot as driver and server see it
    std::optional<Flight> flight;
    std::uint32_t last_serial = 0;
    bool open = false;  // the server has a session
    bool up = false;    // and it is initialised
    bool dirty = false;
    bool suspect = false;
    bool ever_dirty = false;
    bool ever_suspect = false;
    bool set_aside = false;  // a call of it hung; until it is closed
    bool outdated = false;   // of a generation that has been replaced
    bool told_created = false;
    bool told_closed = false;
    bool must_close = false;  // it failed: nothing but close may follow
    bool closing = false;
    bool min_held_at_close = false;  // min were left when its close began
    Call* holder = nullptr;
    std::uint64_t warned_lease = 0;
    Instant started;  // of the operation, or of the connect that it belongs to
    Instant created;
    Duration lifetime = no_timeout;  // as configured when it came up
    Instant idle_since;              // end of the last lease
    Instant proof;                   // last known to live
    Instant racked_since;            // on the rack without a break
  };

  template <class Input>
  void step(Input&& input);
  template <class Input>
  void ignored(Input&& input);
  void perform();
  void on_resolved(const Resolved& resolved);
  void on_start(const StartOp& op);
  void on_abort(SlotId slot);
  void on_event(const Event& event);
  void lent_now(Call& call, SlotId slot, std::uint64_t lease);
  void complete(SlotId slot, OpResult result);
  void doubt_all();
  void outdate_all();
  void trace(const Effects& fx);
  [[nodiscard]] Conn& conn(SlotId slot);

  void check();
  void check_books();
  void check_waiters();
  void check_creates();
  void check_after_tick();
  void check_idle_times(SlotId slot);
  void connect_failed(const Flight& flight);
  [[nodiscard]] Duration least_delay() const;
  void require(bool held, const char* property, const std::string& what) const;
  [[nodiscard]] bool fresh(const Conn& conn) const;
  [[nodiscard]] bool surely_lendable(SlotId slot) const;
  [[nodiscard]] std::uint32_t usable() const;  // neither closing nor set aside nor given up
  [[nodiscard]] std::uint32_t capacity() const;
  [[nodiscard]] bool all_wait_for_each_other() const;
  [[nodiscard]] Call* oldest_waiting();

  EngineConfig config_;
  PlainRack rack_;
  Engine engine_;
  Effects fx_;
  Instant now_ = Instant(1h);
  Duration wake_latency_ = 20us;
  std::array<Answer, op_count> answers_{};
  std::array<std::deque<Answer>, op_count> scripted_{};
  std::deque<Conn> conns_;
  std::deque<Call> calls_;
  std::vector<Started> started_;
  std::vector<Happened> events_;
  std::size_t aborts_ = 0;
  std::uint64_t created_ = 0;  // sessions that came up
  std::uint64_t gone_ = 0;     // and were closed

  bool closed_for_lends_ = false;  // drained or lost
  bool suspended_ = false;
  std::optional<Instant> checked_at_;     // the last health check
  Instant changed_at_ = Instant::min();   // the last reload
  Instant awake_since_ = Instant::min();  // before that nobody ran
  std::uint32_t slots_max_ = 0;           // the highest max so far
  std::uint32_t waiting_max_ = 0;
  std::uint32_t quarantine_max_ = 0;
  std::uint32_t waiting_before_ = 0;
  std::uint64_t last_step_ = 0;  // of the last event
  std::uint64_t trace_ = 0;
  bool min_kept_ = false;
  std::uint32_t sessions_before_ = 0;
  std::uint32_t starts_in_step_ = 0;
  std::uint32_t looks_in_step_ = 0;
  std::uint32_t resolved_in_step_ = 0;
  std::uint32_t usable_before_ = 0;
  Instant above_min_since_ = Instant::min();
  bool late_ = false;     // time has jumped and no tick followed
  bool failing_ = false;  // connects fail
  Instant failed_at_ = Instant::min();
  Duration least_delay_{};                 // as configured then
  Instant failed_start_ = Instant::min();  // of the attempt that counts for the delay
};

}  // namespace weir::engine::test
