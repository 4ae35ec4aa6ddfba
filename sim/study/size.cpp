// SPDX-License-Identifier: MIT
#include "sim/study/size.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace weir::sim {
namespace {

// How many connections can be in use at once; a lease more finds nobody to take it.
std::uint32_t demand(const Scenario& scenario) {
  std::uint64_t all = 0;
  for (const ClientGroup& g : scenario.clients) {
    all += std::uint64_t{g.count} * (g.together + g.nested);
  }
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(std::max<std::uint64_t>(all, 1), 10'000));
}

// What arrives per second; nothing where clients come back only when they were served.
std::optional<double> offered(const Scenario& scenario) {
  double rate = 0;
  for (const ClientGroup& g : scenario.clients) {
    if (g.loop != ClientGroup::Loop::open || g.rounds > 0 || g.every.mean_ns() <= 0) return {};
    rate += 1e9 / g.every.mean_ns();
  }
  return rate;
}

class SizeSearch {
 public:
  SizeSearch(const Scenario& scenario, const Slo& slo, std::uint32_t most,
             const StudyOptions& options)
      : scenario_(scenario), slo_(slo), options_(options) {
    bound_ = {most, Limit::bound};
    const std::uint32_t room = scenario.server.max_connections;
    if (room > 0 && room <= bound_.max) bound_ = {room, Limit::server};
    if (const std::uint32_t n = demand(scenario); n < bound_.max) bound_ = {n, Limit::clients};
  }

  Studied<SizeAnswer> find() {
    for (std::uint32_t max = 1;; max = std::min(2 * max, bound_.max)) {
      if (!look(max)) return tl::unexpected(stopped_);
      if (probes_.back().kept == Kept::kept || max == bound_.max) break;
    }
    if (probes_.back().kept != Kept::kept && !look_around_the_best()) {
      return tl::unexpected(stopped_);
    }
    if (!halve_the_gap()) return tl::unexpected(stopped_);
    return answer();
  }

 private:
  // Returns: whether it could.
  bool look(std::uint32_t max) {
    const auto at = std::lower_bound(probes_.begin(), probes_.end(), max,
                                     [](const Probe& p, std::uint32_t m) { return p.max < m; });
    if (at != probes_.end() && at->max == max) return true;
    auto runs = run_seeds(with_max(scenario_, max), options_, fmt::format("max = {}", max));
    if (!runs) {
      stopped_ = runs.error();
      return false;
    }
    Probe probe{max,
                Kept::kept,
                {},
                estimate({Gauge::What::wait, Gauge::mean}, *runs),
                estimate({Gauge::What::round, Gauge::mean}, *runs),
                estimate({Gauge::What::throughput, Gauge::mean}, *runs),
                0,
                queue_of(with_max(scenario_, max))};
    for (const Slo::Term& term : slo_.terms) {
      const Estimate e = estimate(term.gauge, *runs);
      probe.kept = std::max(probe.kept, judge(term, e));
      probe.load = std::max(probe.load, term.load(e.mean));
      probe.terms.push_back(e);
    }
    probes_.insert(at, std::move(probe));
    return true;
  }

  std::size_t first_kept() const {
    const auto at = std::find_if(probes_.begin(), probes_.end(),
                                 [](const Probe& p) { return p.kept == Kept::kept; });
    return static_cast<std::size_t>(at - probes_.begin());
  }
  bool any_kept() const { return first_kept() < probes_.size(); }

  // The nearest to the promise; of those that are infinitely far, the one that gets most done.
  std::size_t best() const {
    const auto better = [](const Probe& a, const Probe& b) {
      if (a.load != b.load) return a.load < b.load;
      return a.throughput.mean > b.throughput.mean;
    };
    return static_cast<std::size_t>(std::min_element(probes_.begin(), probes_.end(), better) -
                                    probes_.begin());
  }

  bool look_around_the_best() {
    for (bool closer = true; closer && !any_kept();) {
      const std::size_t at = best();
      const std::uint32_t here = probes_[at].max;
      const std::uint32_t below = at > 0 ? probes_[at - 1].max : here;
      const std::uint32_t above = at + 1 < probes_.size() ? probes_[at + 1].max : here;
      closer = here - below > 1 || above - here > 1;
      if (!look(here - (here - below) / 2) || !look(here + (above - here) / 2)) return false;
    }
    return true;
  }

  bool halve_the_gap() {
    while (any_kept()) {
      const std::size_t at = first_kept();
      const std::uint32_t below = at > 0 ? probes_[at - 1].max : 0;
      const std::uint32_t here = probes_[at].max;
      if (here - below <= 1) break;
      if (!look(below + (here - below) / 2)) return false;
    }
    return true;
  }

  // ---- what it means

  SizeAnswer answer() const {
    SizeAnswer a;
    a.name = scenario_.name;
    a.runs = options_.runs;
    a.seed = scenario_.seed;
    a.most = bound_.max;
    a.probes = probes_;
    if (any_kept()) {
      explain_kept(a);
    } else {
      explain_broken(a);
    }
    return a;
  }

  void explain_kept(SizeAnswer& a) const {
    const std::size_t at = first_kept();
    a.max = probes_[at].max;
    if (at == 0) {
      a.limit = Limit::smallest;
      a.why = "one connection is enough";
      return;
    }
    const Probe& less = probes_[at - 1];
    a.limit = Limit::slo;
    a.why = fmt::format("with max = {}, {}", less.max, heaviest(less));
    if (less.kept == Kept::unclear) {
      a.why += fmt::format(", which {} runs are too few to rely on; --runs may show that it does",
                           options_.runs);
    }
  }

  // "p99 wait is 31.0ms ± 2.00ms"
  std::string heaviest(const Probe& probe) const {
    std::size_t worst = 0;
    for (std::size_t i = 1; i < slo_.terms.size(); ++i) {
      if (slo_.terms[i].load(probe.terms[i].mean) > slo_.terms[worst].load(probe.terms[worst].mean))
        worst = i;
    }
    const Gauge& gauge = slo_.terms[worst].gauge;
    return fmt::format("{} is {}", to_string(gauge), estimate_text(gauge, probe.terms[worst]));
  }

  void explain_broken(SizeAnswer& a) const {
    const Probe& nearest = probes_[best()];
    const std::string there = fmt::format("with max = {}, {}", nearest.max, heaviest(nearest));
    if (std::string why = database_limit(nearest); !why.empty()) {
      a.limit = Limit::database;
      a.why = fmt::format("{}, and {}", there, why);
      return;
    }
    a.limit = bound_.limit;
    switch (bound_.limit) {
      case Limit::server:
        a.why = fmt::format("{}, and the server has no more connections than max_connections = {}",
                            there, bound_.max);
        return;
      case Limit::clients:
        a.why = fmt::format("{}, and the clients never have more than {} connections at once",
                            there, bound_.max);
        return;
      default:
        a.why = fmt::format("{}, and larger ones were not looked for; --most looks further", there);
    }
  }

  // Why more connections do not help; empty where they may.
  std::string database_limit(const Probe& nearest) const {
    if (nearest.wait_mean.mean < 0.02 * nearest.round_mean.mean) {
      return fmt::format(
          "hardly any of it is waiting for a connection ({} of {} on average): the "
          "rest is the database's own time",
          value_text({Gauge::What::wait, Gauge::mean}, nearest.wait_mean.mean),
          value_text({Gauge::What::round, Gauge::mean}, nearest.round_mean.mean));
    }
    if (nearest.max < bound_.max) return beyond(nearest, probes_.back());
    const Probe* less = half_of(nearest.max);
    if (less == nullptr) return {};
    // Half as many got as much done, and it was not all that there was to do.
    const bool flat = nearest.throughput.mean < 1.01 * less->throughput.mean;
    const auto wanted = offered(scenario_);
    const bool behind = !wanted || nearest.throughput.mean < 0.98 * *wanted;
    if (!flat || !behind) return {};
    return fmt::format("the database does no more than {}, with max = {} as with {}",
                       throughput(nearest), less->max, nearest.max);
  }
  static std::string beyond(const Probe& nearest, const Probe& last) {
    const bool slower = last.throughput.high() < nearest.throughput.low() ||
                        last.round_mean.low() > nearest.round_mean.high();
    if (!slower) return fmt::format("more connections, up to {}, do not change that", last.max);
    const Gauge round{Gauge::What::round, Gauge::mean};
    return fmt::format(
        "more connections slow the database down: {} and {} for a round with max = {}, {} and {} "
        "with max = {}",
        throughput(nearest), value_text(round, nearest.round_mean.mean), nearest.max,
        throughput(last), value_text(round, last.round_mean.mean), last.max);
  }
  const Probe* half_of(std::uint32_t max) const {
    const Probe* found = nullptr;
    for (const Probe& probe : probes_) found = probe.max <= max / 2 ? &probe : found;
    return found;
  }
  static std::string throughput(const Probe& probe) {
    return value_text({Gauge::What::throughput, Gauge::mean}, probe.throughput.mean);
  }

  struct Bound {
    std::uint32_t max = 1;
    Limit limit = Limit::bound;
  };

  const Scenario& scenario_;
  const Slo& slo_;
  const StudyOptions& options_;
  Bound bound_;
  std::vector<Probe> probes_;  // by max
  Stopped stopped_;
};

}  // namespace

std::string_view to_string(Limit limit) noexcept {
  constexpr std::string_view names[] = {"slo",     "smallest", "server",
                                        "clients", "bound",    "database"};
  return names[static_cast<std::size_t>(limit)];
}

Kept judge(const Slo::Term& term, const Estimate& measured) {
  const double worst = term.gauge.more_is_better() ? measured.low() : measured.high();
  if (!(term.load(measured.mean) < 1)) return Kept::broken;
  return term.load(worst) < 1 ? Kept::kept : Kept::unclear;
}

Scenario with_max(Scenario scenario, std::uint32_t max) {
  scenario.pool.max = max;
  scenario.pool.min = std::min(scenario.pool.min, max);
  return scenario;
}

Studied<SizeAnswer> find_size(const Scenario& scenario, const Slo& slo, std::uint32_t most,
                              const StudyOptions& options) {
  return SizeSearch(scenario, slo, most, options).find();
}

}  // namespace weir::sim
