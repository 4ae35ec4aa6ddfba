// SPDX-License-Identifier: MIT
//
// World: one simulation. It runs a program of virtual threads on one OS thread, one at a time, in
// an order that a Schedule decides, and owns the time and the chance that the program sees. The
// virtual primitives of sync.hpp are its only clients; a program under test meets it through
// SimRuntime.
//
// The clock is one more thread. Its step is to go to the earliest timer and wake whoever waits for
// it. In `ideal` mode it steps only when nobody else can; in `adversarial` mode a schedule may let
// it step at any point, which equals all ready threads having been stalled that long: what such a
// step costs whom is in the stall ledger, and a property about deadlines has to read it. In
// `cpu_model` mode every step of a thread takes `op_cost` on one of `cores` processors, for which
// ready threads compete.
//
// By the wall clock, for drivers that block in the real world, virtual time is real time: nobody
// goes to a timer before it is due, and what a step takes in reality is in the stall ledger. No two
// such runs are the same.
//
// Invariants: 1. exactly one virtual thread runs; a point is the only place where that changes.
//             2. nothing in here depends on an address, a hash order or the machine: one scenario
//                has one trace hash.
//             3. a run ends: when every thread has ended, when nobody can go on, at a limit, or at
//                the first failure. What then still has a stack is left behind, not unwound.
// Threads:    used by the OS thread that calls run(); several worlds may run on several.
#pragma once

#include "core/base/deadline_heap.hpp"
#include "core/base/random.hpp"
#include "sim/world/context.hpp"
#include "sim/world/schedule.hpp"
#include "sim/world/trace.hpp"

#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace weir::sim {

class StepWatcher;  // sim_runtime.hpp

enum class Mode : std::uint8_t { ideal, adversarial, cpu_model };

struct WorldOptions {
  std::uint64_t seed = 1;
  Mode mode = Mode::ideal;
  Engine engine = default_engine();
  std::uint64_t steps_max = 50'000'000;
  Duration time_max = std::chrono::hours(24 * 366);  // less what early steps of the clock skip
  Duration lead{};  // so long before `beginning` it starts; calm until begin() is called
  Duration op_cost = std::chrono::nanoseconds(50);  // cpu_model
  std::uint32_t cores = 2;                          // cpu_model
  bool keep_trace = false;
  bool guard = true;        // real clocks, chance, sleep and threads end the process (tripwire.cpp)
  bool wall_clock = false;  // mode ideal and a fifo schedule only; nothing is guarded or watched
  // A thread that takes this long in reality from one point to the next ends the process
  // (watchdog.hpp). 0: never.
  Duration stuck_after = std::chrono::seconds(30);
};

// How a run ended.
struct Ending {
  enum class Kind : std::uint8_t {
    done,    // every thread has ended
    failed,  // fail() was called, or a thread let an exception escape
    hang,    // nobody can go on, or a limit was met
  } kind = Kind::done;
  std::string property;  // failed: what was broken; hang: "hang"
  std::string text;      // a sentence; of a hang: who waits for what
  Instant at;            // virtual
  std::uint64_t steps = 0;
  std::uint64_t trace_hash = 0;
  [[nodiscard]] bool ok() const noexcept { return kind == Kind::done; }
};

class World {
 public:
  // The zero of a scenario's time: not 0, so that a forgotten Instant stands out.
  static constexpr Instant beginning = Instant(std::chrono::hours(1));

  World(const WorldOptions& options, std::unique_ptr<Schedule> schedule);
  World(const WorldOptions& options, const ScheduleSpec& schedule)
      : World(options, make_schedule(schedule, options.seed)) {}
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Runs `main` as thread 1 until every thread has ended, or until it cannot or must not go on.
  // Once per world.
  Ending run(std::function<void()> main);

  // The world whose thread calls. Aborts the process outside of any: a primitive of the simulator
  // that is used there is a mistake in a test.
  [[nodiscard]] static World& current() noexcept;
  [[nodiscard]] static World* find() noexcept { return here; }

  // ---- for programs and judges

  [[nodiscard]] Instant now() const noexcept { return now_; }
  // The same for the program under test: by the wall clock this is where time goes on, so that who
  // judges a step sees the time at which it was made.
  [[nodiscard]] Instant look_at_clock() {
    if (options_.wall_clock) follow_wall_clock();
    return now_;
  }
  // As they are now: the mode is ideal before begin() and after calm().
  [[nodiscard]] const WorldOptions& options() const noexcept { return options_; }
  // The mode between the two.
  [[nodiscard]] Mode mode() const noexcept { return mode_; }
  // A stream of its own for each (name, number): taking one client away changes nobody's draws.
  [[nodiscard]] base::Random stream(std::string_view purpose, std::uint64_t number = 0) const;
  // Ends the run as failed, at once. The first one counts. Does not return when called by a virtual
  // thread.
  void fail(std::string property, std::string text);
  // Ends the lead: from now on the schedule decides, in its mode. Requires options().lead > 0.
  void begin();
  // From now on the schedule is fifo and the clock waits for everybody: the time after all faults.
  void calm();
  // Puts a value into the trace: what must not differ between two runs.
  void note(std::uint64_t value) noexcept;
  // How long ready threads have been kept from running by early steps of the clock, in all.
  [[nodiscard]] Duration stalled() const noexcept { return stalled_; }
  [[nodiscard]] std::uint64_t steps() const noexcept { return step_; }
  [[nodiscard]] ThreadId running() const noexcept { return running_ == nullptr ? 0 : running_->id; }
  [[nodiscard]] std::uint32_t& locks_held() noexcept { return running_->locks; }
  [[nodiscard]] const std::string& name_of(ThreadId thread) const;
  void name_thread(std::string name) { running_->name = std::move(name); }
  [[nodiscard]] std::vector<Step> take_trace() noexcept { return std::move(trace_); }
  // What the schedule chose otherwise than by default: replays this run.
  [[nodiscard]] const std::vector<Deviation>& deviations() const noexcept { return deviations_; }
  [[nodiscard]] std::size_t threads() const noexcept { return threads_.size(); }
  [[nodiscard]] bool guarded() const noexcept { return options_.guard && !options_.wall_clock; }
  void disarm() noexcept { options_.guard = false; }
  void watch(StepWatcher* watcher) noexcept { watcher_ = watcher; }
  [[nodiscard]] StepWatcher* watcher() const noexcept { return watcher_; }

  // ---- for sync.hpp

  struct Thread;
  // Blocked threads; each is in one such list at most.
  class WaitList {
   public:
    [[nodiscard]] bool empty() const noexcept { return threads_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return threads_.size(); }

   private:
    friend class World;
    std::vector<Thread*> threads_;  // longest first; short
  };

  enum class State : std::uint8_t { ready, running, blocked, ended };
  struct Thread {
    ThreadId id = 0;
    std::uint32_t ordinal = 0;  // of its points so far
    State state = State::ready;
    bool timed_out = false;   // of the last wait
    bool has_core = false;    // cpu_model
    std::uint32_t locks = 0;  // mutexes that it holds
    Op waits_in{};
    ObjectId waits_for = 0;
    Instant wait_until = no_deadline;
    WaitList* list = nullptr;
    World* world = nullptr;
    std::function<void()> body;
    std::unique_ptr<Context> context;
    WaitList joiners;
    std::string name;
  };

  // A scheduling point, before the operation. May switch to another thread.
  void point(Op op, ObjectId object) {
    Thread& me = *running_;
    ++me.ordinal;
    hash_.mix((std::uint64_t{me.id} << 40) ^ (std::uint64_t{object} << 8) ^
              static_cast<std::uint64_t>(op));
    if (options_.keep_trace) keep(op, object, 0);
    if (++step_ >= look_at_) look();
  }
  // Blocks the running thread on `list` until it is woken or `until` has come.
  // Returns: false if the time came first.
  bool block(WaitList& list, Instant until, Op what, ObjectId object) {
    return block(&list, until, what, object);
  }
  void wake_first(WaitList& list, bool choose);  // no effect on an empty list
  void wake_all(WaitList& list);
  // A weak operation may fail without cause, a wait may end.
  [[nodiscard]] bool spurious();
  [[nodiscard]] ObjectId next_object() noexcept { return ++last_object_; }

  [[nodiscard]] ThreadId spawn(std::function<void()> body);
  void join(ThreadId thread);
  void sleep_until(Instant until);

  // Thread-local values, by key.
  [[nodiscard]] void*& local(const void* key) { return locals_[{running(), key}]; }

 private:
  bool block(WaitList* list, Instant until, Op what, ObjectId object);
  void look();
  void preempt();
  void charge();
  void keep(Op op, ObjectId object, std::uint64_t value);
  void event(ThreadId thread, Op op, ObjectId object, std::uint64_t value);
  void make_ready(Thread& thread, bool first = false);
  void unblock(Thread& thread, bool timed_out);
  void go_on_elsewhere(bool ends);
  [[nodiscard]] Thread* pick_next();
  void switch_to(Thread& next, bool ends);
  void step_clock(bool early);
  void wake_due();
  [[nodiscard]] Instant wall_now() const;
  void follow_wall_clock();
  void wait_for_wall_clock(Instant then);
  [[nodiscard]] std::size_t ask(Question question);
  [[nodiscard]] bool may_run(const Thread& thread) const noexcept;
  void release_core(Thread& thread) noexcept;
  void plan_look() noexcept;
  void stop(Ending::Kind kind, std::string property, std::string text);
  [[nodiscard]] std::string who_waits() const;
  void bury();
  static void run_thread(void* thread);
  [[nodiscard]] Thread& at(ThreadId id) noexcept { return *threads_[id - 1]; }

  WorldOptions options_;
  std::unique_ptr<Schedule> schedule_;
  std::unique_ptr<Schedule> after_lead_;
  const Mode mode_;
  std::unique_ptr<Contexts> contexts_;
  std::vector<std::unique_ptr<Thread>> threads_;  // by id - 1
  std::deque<Thread*> ready_;                     // longest first
  base::DeadlineHeap timers_;                     // by thread
  Thread* running_ = nullptr;
  Instant now_;
  Duration wall_ahead_{};  // of now_; by the wall clock
  std::uint64_t step_ = 0;
  std::uint64_t begun_at_ = 0;  // the step from which the schedule counts
  std::uint64_t look_at_ = never;
  std::uint64_t schedule_looks_at_ = never;
  TraceHash hash_;
  Duration stalled_{};
  ObjectId last_object_ = 0;
  std::size_t alive_ = 0;
  std::uint32_t busy_cores_ = 0;
  Ending ending_;
  std::vector<Step> trace_;
  std::vector<Deviation> deviations_;
  StepWatcher* watcher_ = nullptr;
  std::vector<ThreadId> asked_;  // the options of the question that is being asked
  Thread* ended_ = nullptr;      // whose context can go once it is no longer stood on
  std::map<std::pair<ThreadId, const void*>, void*> locals_;

  static thread_local World* here;
};

}  // namespace weir::sim
