// SPDX-License-Identifier: MIT
#include "sim/world/schedule.hpp"

#include "core/base/assert.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <limits>
#include <tuple>

namespace weir::sim {

char letter(Question question) noexcept { return "pnws"[static_cast<std::size_t>(question)]; }

std::string to_string(const Deviation& d) {
  return std::to_string(d.thread) + "." + std::to_string(d.ordinal) + letter(d.question) +
         std::to_string(d.choice);
}

bool parse(std::string_view text, Deviation& out) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto number = [&](std::uint32_t& into) {
    const auto [stop, error] = std::from_chars(at, end, into);
    at = stop;
    return error == std::errc();
  };
  if (!number(out.thread) || at == end || *at++ != '.' || !number(out.ordinal) || at == end) {
    return false;
  }
  const std::size_t which = std::string_view("pnws").find(*at++);
  if (which == std::string_view::npos) return false;
  out.question = static_cast<Question>(which);
  return number(out.choice) && at == end;
}

namespace {

class Fifo final : public Schedule {
 public:
  std::uint64_t next_look(std::uint64_t) noexcept override { return never; }
  std::size_t choose(const Situation&) override { return 0; }
};

// Preempts at random points, and leaves any choice to chance.
class RandomWalk final : public Schedule {
 public:
  RandomWalk(const ScheduleSpec& spec, std::uint64_t seed) : spec_(spec), random_(seed) {}

  bool moves_clock() const noexcept override { return spec_.clock; }
  std::uint64_t next_look(std::uint64_t step) noexcept override {
    std::uint64_t gap = 1;  // geometric, by repeated trial: no logarithm, so no rounding to differ
    while (gap < 10'000 && random_.unit() >= spec_.rate) ++gap;
    return step + gap;
  }
  std::size_t choose(const Situation& s) override {
    switch (s.question) {
      case Question::preempt:
        return any_but_the_clock_rarely(s, 1);
      case Question::next:
        return any_but_the_clock_rarely(s, 0);
      case Question::notify:
        return below(s.options.size());
      case Question::spurious:
        return spec_.spurious && random_.unit() < 0.02 ? 1 : 0;
    }
    return 0;
  }

 private:
  std::size_t below(std::size_t count) noexcept { return random_.next() % count; }
  // The clock is taken for one thread among ten: else all that happens is that timers fire.
  std::size_t any_but_the_clock_rarely(const Situation& s, std::size_t first) noexcept {
    const bool clock = s.options.back() == the_clock;
    const std::size_t threads = s.options.size() - (clock ? 1 : 0);
    if (clock && (threads <= first || random_.unit() < 0.1)) return s.options.size() - 1;
    if (threads <= first) return 0;
    return first + below(threads - first);
  }

  ScheduleSpec spec_;
  base::Random random_;
};

// Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte: "A Randomized
// Scheduler with Probabilistic Guarantees of Finding Bugs", ASPLOS 2010): every thread has a random
// priority, the highest one runs, and at d - 1 random steps the running one falls below all others.
// A bug that needs d ordering constraints is found with a probability of at least 1 / (n * k^(d-1))
// for n threads and k steps. The clock is a thread among the others, which may go ahead of ready
// threads a few times: so timeouts take part in the guarantee.
class Pct final : public Schedule {
 public:
  Pct(const ScheduleSpec& spec, std::uint64_t seed) : spec_(spec), random_(seed) {
    const std::uint32_t steps = std::max(spec.steps, 1U);
    for (std::uint32_t i = 1; i < spec.depth; ++i) changes_.push_back(1 + random_.next() % steps);
    std::sort(changes_.begin(), changes_.end());
    clock_steps_ = spec.clock ? random_.next() % 4 : 0;
  }

  bool looks_at_wakes() const noexcept override { return true; }
  bool moves_clock() const noexcept override { return clock_steps_ > 0; }
  std::uint64_t next_look(std::uint64_t step) noexcept override {
    while (next_change_ < changes_.size() && changes_[next_change_] <= step) ++next_change_;
    return next_change_ < changes_.size() ? changes_[next_change_] : never;
  }
  std::size_t choose(const Situation& s) override {
    if (s.question == Question::notify) return highest(s.options);
    if (s.question == Question::spurious) return spec_.spurious && random_.unit() < 0.01 ? 1 : 0;
    const bool change =
        std::binary_search(changes_.begin(), changes_.end(), s.step) && s.step != changed_at_;
    if (s.question == Question::preempt && change) {
      changed_at_ = s.step;
      priority(s.thread) = --lowest_;
    }
    const std::size_t chosen = highest(s.options);
    // Ahead of a thread that could have run, and so only so often; a timer that is always ahead
    // would starve everybody.
    if (s.options[chosen] == the_clock && s.options.size() > 1) {
      --clock_steps_;
      priority(the_clock) = draw();
    }
    return chosen;
  }

 private:
  std::int64_t draw() noexcept { return static_cast<std::int64_t>(random_.next() >> 2); }
  std::int64_t& priority(ThreadId thread) {
    if (thread >= priorities_.size()) priorities_.resize(thread + 1, not_drawn);
    std::int64_t& its = priorities_[thread];
    if (its == not_drawn) its = draw();
    return its;
  }
  std::size_t highest(std::span<const ThreadId> options) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < options.size(); ++i) {
      const std::int64_t next = priority(options[i]);  // a copy, because the other may move it
      if (next > priority(options[best])) best = i;
    }
    return best;
  }

  ScheduleSpec spec_;
  base::Random random_;
  std::vector<std::uint64_t> changes_;
  std::size_t next_change_ = 0;
  std::uint64_t changed_at_ = 0;
  std::int64_t lowest_ = 0;  // below every priority that draw() gives
  std::uint64_t clock_steps_ = 0;
  static constexpr std::int64_t not_drawn = std::numeric_limits<std::int64_t>::max();
  std::vector<std::int64_t> priorities_;  // by thread; the clock's is the first
};

// Follows a list. An entry that does not fit any more, because the program or the scenario was
// changed, is passed over: a replay goes as far as it can.
class Replay final : public Schedule {
 public:
  explicit Replay(const std::vector<Deviation>& list) {
    for (const Deviation& d : list) {
      entries_[{d.thread, d.ordinal, d.question}].push_back(d.choice);
      if (d.choice == the_clock && d.question != Question::spurious) clock_ = true;
    }
  }
  bool moves_clock() const noexcept override { return clock_; }
  // By a thread's own steps, which the world cannot foresee: it is asked at each, if there is any.
  std::uint64_t next_look(std::uint64_t step) noexcept override {
    return entries_.empty() ? never : step + 1;
  }
  std::size_t choose(const Situation& s) override {
    const auto it = entries_.find({s.thread, s.ordinal, s.question});
    if (it == entries_.end() || it->second.empty()) return 0;
    const ThreadId choice = it->second.front();
    it->second.pop_front();
    const auto wanted = std::find(s.options.begin(), s.options.end(), choice);
    return wanted == s.options.end() ? 0 : static_cast<std::size_t>(wanted - s.options.begin());
  }

 private:
  // In order: who goes on next is asked again after each step of the clock.
  std::map<std::tuple<ThreadId, std::uint32_t, Question>, std::deque<ThreadId>> entries_;
  bool clock_ = false;
};

}  // namespace

std::unique_ptr<Schedule> make_schedule(const ScheduleSpec& spec, std::uint64_t seed) {
  switch (spec.kind) {
    case ScheduleSpec::Kind::random:
      return std::make_unique<RandomWalk>(spec, seed);
    case ScheduleSpec::Kind::pct:
      return std::make_unique<Pct>(spec, seed);
    case ScheduleSpec::Kind::replay:
      return std::make_unique<Replay>(spec.deviations);
    case ScheduleSpec::Kind::fifo:
      break;
  }
  return std::make_unique<Fifo>();
}

// ---------------------------------------------------------------- every schedule

class ExhaustiveSchedule final : public Schedule {
 public:
  explicit ExhaustiveSchedule(Exhaustive& owner) : owner_(owner) {}
  bool moves_clock() const noexcept override { return true; }
  std::uint64_t next_look(std::uint64_t step) noexcept override { return step + 1; }

  std::size_t choose(const Situation& s) override {
    if (s.question == Question::spurious) return 0;  // else no path would end
    if (s.options.size() == 1) return 0;
    const bool costs = s.question == Question::preempt;
    const std::size_t options = costs && spent_ >= owner_.preemptions_ ? 1 : s.options.size();
    if (depth_ == owner_.path_.size()) owner_.path_.push_back({0, options, costs});
    const Exhaustive::Node& node = owner_.path_[depth_++];
    // The program must do the same on the same path; if not, it is not deterministic.
    WEIR_ASSERT(node.options == options);
    if (node.costs && node.taken > 0) ++spent_;
    return node.taken;
  }

 private:
  Exhaustive& owner_;
  std::size_t depth_ = 0;
  std::uint32_t spent_ = 0;
};

std::unique_ptr<Schedule> Exhaustive::next_schedule() {
  return std::make_unique<ExhaustiveSchedule>(*this);
}

bool Exhaustive::advance() {
  ++paths_;
  while (!path_.empty()) {
    if (++path_.back().taken < path_.back().options) return true;
    path_.pop_back();
  }
  return false;
}

}  // namespace weir::sim
