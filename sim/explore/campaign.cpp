// SPDX-License-Identifier: MIT
#include "sim/explore/campaign.hpp"

#include "core/observe/texts.hpp"

#include <algorithm>
#include <malloc.h>

namespace weir::sim {
namespace {

using WallClock = std::chrono::steady_clock;

template <class Map>
void add(Map& to, const Map& from) {
  for (const auto& [key, count] : from) to[key] += count;
}

void add(Judgement& to, const Judgement& from) {
  add(to.checked, from.checked);
  add(to.seen, from.seen);
  add(to.marks, from.marks);
}

std::string describe(const Step& step, const Report& report) {
  const std::string thread = step.thread == the_clock ? "clock"
                             : step.thread <= report.thread_names.size()
                                 ? report.thread_names[step.thread - 1]
                                 : "thread " + std::to_string(step.thread);
  return "  " + thread + "." + std::to_string(step.ordinal) + " " +
         std::string(to_string(step.op)) + " object " + std::to_string(step.object) + " value " +
         std::to_string(step.value) + " at " +
         std::to_string((step.at - World::beginning).count()) + " ns\n";
}

bool same(const Step& a, const Step& b) {
  return a.thread == b.thread && a.ordinal == b.ordinal && a.op == b.op && a.object == b.object &&
         a.value == b.value && a.at == b.at;
}

std::string context_of(const Report& report, std::size_t at) {
  std::string text;
  for (std::size_t i = at < 10 ? 0 : at - 10; i <= at && i < report.trace.size(); ++i) {
    text += describe(report.trace[i], report);
  }
  return text;
}

// Heap memory that is filled, and lies elsewhere, while it exists.
class OtherHeap {
 public:
  OtherHeap() {
    ::mallopt(M_PERTURB, 0xa5);
    for (std::size_t size = 16; size < 4096; size += 48) {
      held_.push_back(std::make_unique<char[]>(size));
    }
    for (std::size_t i = 0; i < held_.size(); i += 2) held_[i].reset();
  }
  ~OtherHeap() { ::mallopt(M_PERTURB, 0); }
  OtherHeap(const OtherHeap&) = delete;
  OtherHeap& operator=(const OtherHeap&) = delete;

 private:
  std::vector<std::unique_ptr<char[]>> held_;
};

}  // namespace

std::string compare_runs(const Scenario& scenario, const Report& first, Engine engine,
                         const Host& host) {
  {
    const OtherHeap other;
    const Report again = run(scenario, {.engine = engine}, host);
    if (again.ending.trace_hash == first.ending.trace_hash) return {};
    if (std::max(again.ending.steps, first.ending.steps) > trace_steps_max) {
      return "two runs differ, somewhere in more steps than can be kept to show where";
    }
  }
  // Once more, both, to see where. The first of the pair may agree by now; then there is no more to
  // say than that they differed.
  const Report one = run(scenario, {.engine = engine, .keep_trace = true}, host);
  const OtherHeap other;
  const Report two = run(scenario, {.engine = engine, .keep_trace = true}, host);
  std::size_t at = 0;
  const std::size_t both = std::min(one.trace.size(), two.trace.size());
  while (at < both && same(one.trace[at], two.trace[at])) ++at;
  if (at == both && one.trace.size() == two.trace.size()) {
    return "two runs differed, and two more did not: something outside the world has a say";
  }
  return "two runs differ first at step " + std::to_string(at) + "\none run:\n" +
         context_of(one, at) + "the other:\n" + context_of(two, at);
}

CampaignState explore(const CampaignOptions& options) {
  CampaignState state;
  const auto begin = WallClock::now();
  const auto generator = scenarios(options.generator);
  rc::Random seeds(options.seed);
  auto told = begin;
  const auto stop = [&] {
    return state.wall >= options.budget || state.runs >= options.runs_max ||
           state.found.size() >= options.findings_max || !state.nondeterministic.empty() ||
           (options.interrupted && options.interrupted());
  };
  while (!stop()) {
    const int size = static_cast<int>(state.runs % 101);
    const Scenario scenario = generator(seeds.split(), size).value();
    const Report report =
        run(scenario, {.engine = options.engine, .interrupted = options.interrupted}, options.host);
    if (report.signature() == interrupted_run) break;
    ++state.runs;
    state.steps += report.ending.steps;
    state.virtual_time += report.virtual_time;
    state.wall = std::chrono::duration_cast<Duration>(WallClock::now() - begin);
    add(state.judgement, report.judgement);
    if (options.twice && report.ok()) {
      if (auto differs = compare_runs(scenario, report, options.engine, options.host);
          !differs.empty()) {
        state.nondeterministic.push_back(std::move(differs));
      }
    }
    const bool known = std::any_of(state.found.begin(), state.found.end(), [&](const auto& f) {
      return f.minimal.expected.property == report.signature();
    });
    if (!report.ok() && !known) {
      CaseFound found = minimize(scenario, report, options.shrink_budget, options.engine,
                                 options.interrupted, options.host);
      found.run = state.runs;
      found.found_after = state.wall;
      state.found.push_back(std::move(found));
    }
    if (options.progress && WallClock::now() - told > std::chrono::milliseconds(200)) {
      told = WallClock::now();
      options.progress(state);
    }
  }
  state.wall = std::chrono::duration_cast<Duration>(WallClock::now() - begin);
  return state;
}

}  // namespace weir::sim
