// SPDX-License-Identifier: MIT
#include "sim/study/compare.hpp"

#include "sim/study/json.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace weir::sim {
namespace {

constexpr Gauge compared[] = {{Gauge::What::wait, Gauge::mean},
                              {Gauge::What::wait, 0.5},
                              {Gauge::What::wait, 0.99},
                              {Gauge::What::round, Gauge::mean},
                              {Gauge::What::round, 0.99},
                              {Gauge::What::throughput, Gauge::mean},
                              {Gauge::What::timeouts, Gauge::mean},
                              {Gauge::What::errors, Gauge::mean}};

Difference judge(const std::vector<double>& differences, const Estimate& e) {
  const auto is_zero = [](double d) { return d == 0; };
  if (std::all_of(differences.begin(), differences.end(), is_zero)) return Difference::none;
  if (!std::isfinite(e.mean)) return Difference::unknown;
  if (e.high() < 0) return Difference::lower;
  return e.low() > 0 ? Difference::higher : Difference::unclear;
}

Compared compare(const Gauge& gauge, const std::vector<Seen>& a, const std::vector<Seen>& b) {
  Compared row{gauge, estimate(gauge, a), estimate(gauge, b), {}, {}, {}, {}};
  for (const Seen& run : a) row.a_runs.push_back(value(gauge, run));
  for (const Seen& run : b) row.b_runs.push_back(value(gauge, run));
  const std::vector<double> differences = differences_of(row);
  row.difference = estimate(differences);
  row.verdict = judge(differences, row.difference);
  return row;
}

}  // namespace

std::string_view to_string(Difference verdict) noexcept {
  constexpr std::string_view words[] = {"the same in each run", "no difference seen", "B is lower",
                                        "B is higher", "one has no end"};
  return words[static_cast<std::size_t>(verdict)];
}

std::vector<double> differences_of(const Compared& row) {
  std::vector<double> all;
  for (std::size_t i = 0; i < row.a_runs.size(); ++i) {
    const double a = row.a_runs[i];
    const double b = row.b_runs[i];
    all.push_back(a == b ? 0 : b - a);  // two infinite ones are the same
  }
  return all;
}

std::string difference_text(const Compared& row) {
  return row.verdict == Difference::unknown ? "-" : estimate_text(row.gauge, row.difference);
}

std::string summary(const Comparison& c) {
  const auto has = [&](auto&& test) { return std::any_of(c.rows.begin(), c.rows.end(), test); };
  if (!has([](const Compared& r) { return r.verdict != Difference::none; })) {
    return "A and B are the same in each run";
  }
  std::string differ;
  for (const Compared& r : c.rows) {
    if (r.verdict == Difference::none || r.verdict == Difference::unclear) continue;
    differ += (differ.empty() ? "" : ", ") + to_string(r.gauge);
  }
  if (!differ.empty()) return "A and B differ in " + differ;
  return fmt::format("no difference seen between A and B in {} runs; more may show one", c.runs);
}

std::string work_text(const Comparison& c) {
  return fmt::format("seeds {} to {}, {}", c.seed, c.seed + c.runs - 1,
                     c.same_work
                         ? "with the same arrivals, think and service times in both"
                         : "but [[client]], duration, driver, setup, statement, commit or the "
                           "disk's times differ, so not all of the work is the same in both");
}

namespace {

// Whether the nth piece of work comes at the same time and needs the same of the database.
bool same_work(const Scenario& a, const Scenario& b) {
  return a.clients == b.clients && a.duration == b.duration && a.pool.driver == b.pool.driver &&
         a.plugin == b.plugin && a.setup == b.setup && a.server.statement == b.server.statement &&
         a.server.commit == b.server.commit && a.disk.latency == b.disk.latency &&
         a.disk.sync == b.disk.sync;
}

}  // namespace

Studied<Comparison> compare(const Scenario& a, const Scenario& b, const StudyOptions& options) {
  Scenario other = b;
  other.seed = a.seed;
  auto first = run_seeds(a, options, "A");
  if (!first) return tl::unexpected(first.error());
  auto second = run_seeds(other, options, "B");
  if (!second) return tl::unexpected(second.error());
  Comparison c{options.runs, a.seed, same_work(a, b), {}, a.name, b.name};
  for (const Gauge& gauge : compared) c.rows.push_back(compare(gauge, *first, *second));
  return c;
}

std::string to_text(const Comparison& c) {
  std::string out = summary(c) + "\n" + work_text(c) + "\n\n";
  out += fmt::format("{:<12}{:<22}{:<22}{:<22}{}\n", "", "A", "B", "B - A (95 %)", "");
  for (const Compared& r : c.rows) {
    out +=
        fmt::format("{:<12}{:<22}{:<22}{:<22}{}\n", to_string(r.gauge), estimate_text(r.gauge, r.a),
                    estimate_text(r.gauge, r.b), difference_text(r), to_string(r.verdict));
  }
  return out;
}

std::string to_json(const Comparison& c) {
  constexpr std::string_view verdicts[] = {"none", "unclear", "lower", "higher", "unknown"};
  Json out = {{"runs", c.runs},
              {"seed", c.seed},
              {"same_work", c.same_work},
              {"summary", summary(c)},
              {"rows", Json::array()}};
  for (const Compared& r : c.rows) {
    out["rows"].push_back({{"measure", to_string(r.gauge)},
                           {"a", json_of(r.a)},
                           {"b", json_of(r.b)},
                           {"difference", json_of(r.difference)},
                           {"verdict", verdicts[static_cast<std::size_t>(r.verdict)]}});
  }
  return dumped(out);
}

}  // namespace weir::sim
