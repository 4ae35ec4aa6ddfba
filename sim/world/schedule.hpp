// SPDX-License-Identifier: MIT
//
// Schedules: who decides what the world leaves open. The world asks; it always has a default (go on
// with the running thread; else the thread that has been ready longest; the clock if nobody is),
// and a schedule that takes it each time is `fifo`. Everything else is a list of deviations from
// the default, keyed by the thread and its own count of steps, so that an entry means the same
// after other threads were removed: that list is what a failing case keeps, what replays it, and
// what is shrunk.
//
// Called by: World, at scheduling points. Owner: the world. Threads: none.
#pragma once

#include "core/base/random.hpp"
#include "sim/world/trace.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace weir::sim {

enum class Question : std::uint8_t {
  preempt,   // at a point: who goes on? default: the running thread
  next,      // the running thread cannot go on: who does? default: first of the ready ones
  notify,    // which waiter does notify_one wake? default: the one that waits longest
  spurious,  // does this wait, weak exchange or try_lock fail for no reason? default: no
};
[[nodiscard]] char letter(Question) noexcept;  // p n w s

// The i-th alternative instead of the default, at one thread's n-th step.
struct Deviation {
  ThreadId thread = 0;
  std::uint32_t ordinal = 0;
  Question question = Question::preempt;
  ThreadId choice = 0;  // a thread, the clock, or for `spurious` 1
  friend bool operator==(const Deviation&, const Deviation&) = default;
};
// "3.17p5": at step 17 of thread 3, thread 5 goes on. Empty if the text is none.
[[nodiscard]] std::string to_string(const Deviation&);
[[nodiscard]] bool parse(std::string_view text, Deviation& out);

struct Situation {
  Question question;
  ThreadId thread;  // the running one
  std::uint32_t ordinal;
  std::uint64_t step;
  std::span<const ThreadId> options;  // the default first; never empty
};

inline constexpr std::uint64_t never = UINT64_MAX;

class Schedule {
 public:
  virtual ~Schedule() = default;
  // The step at which it wants to be asked `preempt` next; until then the default is taken unasked.
  [[nodiscard]] virtual std::uint64_t next_look(std::uint64_t step) noexcept = 0;
  // Whether it wants to be asked at the next point after a thread has become ready.
  [[nodiscard]] virtual bool looks_at_wakes() const noexcept { return false; }
  // Whether the clock may be offered while threads are ready.
  [[nodiscard]] virtual bool moves_clock() const noexcept { return false; }
  // Returns: an index into options.
  [[nodiscard]] virtual std::size_t choose(const Situation& situation) = 0;
};

// What a scenario says of its schedule.
struct ScheduleSpec {
  enum class Kind : std::uint8_t { fifo, random, pct, replay } kind = Kind::fifo;
  std::uint32_t depth = 3;            // pct: d - 1 change points
  std::uint32_t steps = 1000;         // pct: how long a run is taken to be
  double rate = 0.1;                  // random: how often a thread is preempted, at one point
  bool clock = true;                  // timers may fire early (adversarial)
  bool spurious = true;               // waits may end, weak operations may fail, without cause
  std::vector<Deviation> deviations;  // replay
  friend bool operator==(const ScheduleSpec&, const ScheduleSpec&) = default;
};

[[nodiscard]] std::unique_ptr<Schedule> make_schedule(const ScheduleSpec& spec, std::uint64_t seed);

// Every schedule of a small program, one a run: depth first, with at most `preemptions` switches
// away from a thread that could have gone on. Kept by the caller across the runs.
class Exhaustive {
 public:
  explicit Exhaustive(std::uint32_t preemptions) : preemptions_(preemptions) {}
  // The schedule of the next run. Requires: the one before has been used to its end.
  [[nodiscard]] std::unique_ptr<Schedule> next_schedule();
  // Goes to the next path. Returns: false if there is none left.
  [[nodiscard]] bool advance();
  [[nodiscard]] std::uint64_t paths() const noexcept { return paths_; }

 private:
  friend class ExhaustiveSchedule;
  struct Node {
    std::size_t taken;
    std::size_t options;
    bool costs;  // any option but the first is a preemption
  };
  std::uint32_t preemptions_;
  std::uint64_t paths_ = 0;
  std::vector<Node> path_;
};

}  // namespace weir::sim
