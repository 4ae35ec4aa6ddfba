// SPDX-License-Identifier: MIT
//
// The answer of size(), for people and for programs.
#include "sim/study/json.hpp"
#include "sim/study/size.hpp"

#include <fmt/format.h>

namespace weir::sim {
namespace {

constexpr Gauge round_mean{Gauge::What::round, Gauge::mean};
constexpr Gauge throughput{Gauge::What::throughput, Gauge::mean};

}  // namespace

std::string_view to_string(Kept kept) noexcept {
  constexpr std::string_view words[] = {"kept", "too close to call", "broken"};
  return words[static_cast<std::size_t>(kept)];
}

std::string headline(const SizeAnswer& a, const Slo& slo) {
  const std::string promise = to_string(slo);
  if (a.max) return fmt::format("max = {} keeps {}", *a.max, promise);
  return fmt::format("no max up to {} keeps {}", a.most, promise);
}

std::string to_text(const SizeAnswer& a, const Slo& slo) {
  std::string out = headline(a, slo) + "\n";
  out += fmt::format("limit: {}: {}\n\n", to_string(a.limit), a.why);
  out += fmt::format("{:>6}  ", "max");
  for (const Slo::Term& term : slo.terms) out += fmt::format("{:<20}", to_string(term.gauge));
  out += fmt::format("{:<20}{:<20}{}\n", "mean round", "throughput", "promise");
  for (const Probe& probe : a.probes) {
    out += fmt::format("{:>6}  ", probe.max);
    for (std::size_t i = 0; i < slo.terms.size(); ++i) {
      out += fmt::format("{:<20}", estimate_text(slo.terms[i].gauge, probe.terms[i]));
    }
    out += fmt::format("{:<20}{:<20}{}\n", estimate_text(round_mean, probe.round_mean),
                       estimate_text(throughput, probe.throughput), to_string(probe.kept));
  }
  return out;
}

std::string to_json(const SizeAnswer& a, const Slo& slo) {
  Json out = {{"max", a.max ? Json(*a.max) : Json(nullptr)},
              {"slo", to_string(slo)},
              {"limit", to_string(a.limit)},
              {"why", a.why},
              {"most", a.most},
              {"tried", Json::array()}};
  for (const Probe& probe : a.probes) {
    Json row = {{"max", probe.max}, {"promise", to_string(probe.kept)}};
    for (std::size_t i = 0; i < slo.terms.size(); ++i) {
      row[to_string(slo.terms[i].gauge)] = json_of(probe.terms[i]);
    }
    row["mean round"] = json_of(probe.round_mean);
    row["throughput"] = json_of(probe.throughput);
    out["tried"].push_back(std::move(row));
  }
  return dumped(out);
}

}  // namespace weir::sim
