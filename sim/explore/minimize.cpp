// SPDX-License-Identifier: MIT
//
// minimize(): from a failing scenario to one that a person can read. First what happens is made
// less, under the schedule's own strategy and a few seeds: with fewer threads nobody's old steps
// fit any more. Then the schedule is made a list of deviations, and that is made shorter, with
// what is left.
#include "sim/explore/build_id.hpp"
#include "sim/explore/campaign.hpp"

#include <optional>

namespace weir::sim {
namespace {

using WallClock = std::chrono::steady_clock;

constexpr int seeds_tried = 8;

class Minimizer {
 public:
  Minimizer(Scenario scenario, const Report& report, Engine engine,
            const std::function<bool()>& interrupted, const Host& host)
      : signature_(report.signature()),
        failed_at_(report.virtual_time),
        steps_(report.ending.steps),
        engine_(engine),
        interrupted_(interrupted),
        host_(host) {
    found_.minimal = std::move(scenario);
  }

  CaseFound run(Duration budget) {
    const auto begin = WallClock::now();
    end_ = begin + budget / 2;
    cut();
    if (found_.minimal.schedule.kind != ScheduleSpec::Kind::replay) {
      descend([this](Scenario& candidate) { return fails_by_some_seed(candidate); });
    }
    end_ = begin + budget;
    replay();
    descend([this](Scenario& candidate) { return fails(candidate).has_value(); });
    describe();
    return std::move(found_);
  }

 private:
  [[nodiscard]] bool over() const {
    return WallClock::now() >= end_ || (interrupted_ && interrupted_());
  }

  // The report, if it fails as the first one did.
  std::optional<Report> fails(const Scenario& candidate) {
    ++found_.shrunk_in;
    Report report = sim::run(candidate, {.engine = engine_, .interrupted = interrupted_}, host_);
    if (report.signature() != signature_) return std::nullopt;
    steps_ = report.ending.steps;
    return report;
  }

  bool fails_by_some_seed(Scenario& candidate) {
    for (int i = 0; i < seeds_tried && !over(); ++i) {
      if (fails(candidate)) return true;
      ++candidate.seed;
    }
    return false;
  }

  // Nothing after the failure.
  void cut() {
    Scenario shorter = found_.minimal;
    if (failed_at_ + Duration(1) >= shorter.duration) return;
    cut_to(shorter, failed_at_ + Duration(1));
    if (fails(shorter)) found_.minimal = std::move(shorter);
  }

  // The schedule as the list of deviations that it took.
  void replay() {
    const auto report = fails(found_.minimal);
    if (!report) return;  // not the same twice, which is said elsewhere
    Scenario exact = found_.minimal;
    exact.schedule = {.kind = ScheduleSpec::Kind::replay, .deviations = report->deviations};
    if (fails(exact)) found_.minimal = std::move(exact);
  }

  // Down the shrink tree: the first candidate that fails in the same way, and on from there. The
  // place in the list of candidates is kept: what did not help before seldom helps now, and
  // beginning anew each time would make it quadratic.
  template <class Fails>
  void descend(Fails&& still_fails) {
    for (bool smaller = true; smaller && !over();) {
      smaller = false;
      std::vector<Scenario> list = candidates(found_.minimal);
      for (std::size_t i = 0; i < list.size() && !over(); ++i) {
        if (!still_fails(list[i])) continue;
        found_.minimal = std::move(list[i]);
        smaller = true;
        list = candidates(found_.minimal);
        if (i > 0) --i;
      }
    }
  }

  // Once more, with all that a report shows.
  void describe() {
    found_.report = sim::run(
        found_.minimal,
        {.engine = engine_, .keep_trace = steps_ <= trace_steps_max, .keep_history = true}, host_);
    found_.minimal.expected = {found_.report.signature(), found_.report.ending.trace_hash,
                               build_id(), found_.report.ending.text};
  }

  const std::string signature_;
  const Duration failed_at_;
  std::uint64_t steps_;  // of the last run that failed so, which is that of found_.minimal
  const Engine engine_;
  const std::function<bool()>& interrupted_;
  const Host& host_;
  WallClock::time_point end_;
  CaseFound found_;
};

}  // namespace

CaseFound minimize(const Scenario& scenario, const Report& report, Duration budget, Engine engine,
                   const std::function<bool()>& interrupted, const Host& host) {
  return Minimizer(scenario, report, engine, interrupted, host).run(budget);
}

}  // namespace weir::sim
