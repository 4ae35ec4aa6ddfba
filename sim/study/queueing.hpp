// SPDX-License-Identifier: MIT
//
// Queueing theory beside a simulation: M/M/c, that is Poisson arrivals, exponential service, c
// connections, served in turn, nobody gives up (A. K. Erlang, 1917). A scenario that is such a
// queue has this curve beside its own; of another one it is said why it has none.
//
//   busy        the chance that all c are busy when work comes (Erlang C), a = arrivals / service
//   P(W > t)    busy * e^-(c service - arrivals) t
//
// Called by: sim/study, tests. Owns nothing. Threads: any; pure functions.
#pragma once

#include "sim/explore/scenario.hpp"
#include "sim/study/gauge.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace weir::sim {

struct Queue {
  double arrivals = 0;  // per second
  double service = 0;   // per second and connection
  std::uint32_t connections = 1;

  [[nodiscard]] bool stable() const noexcept { return arrivals < connections * service; }
};

// All three require: stable().
[[nodiscard]] double erlang_c(const Queue& queue);
[[nodiscard]] double mean_wait(const Queue& queue);                       // seconds
[[nodiscard]] double wait_quantile(const Queue& queue, double quantile);  // seconds

// The queue that the scenario is, with a steady state; or why it is none, as one sentence.
using Theory = std::variant<Queue, std::string>;
[[nodiscard]] Theory queue_of(const Scenario& scenario);

// What M/M/c says of a gauge; nothing where it does not.
[[nodiscard]] std::optional<double> expected(const Gauge& gauge, const Theory& theory);

// Why no variant of a study, or not each of them, has a curve; empty if all have. One line for each
// reason.
struct Variant {
  std::string name;  // "pool.max=4"
  const Theory* theory;
};
[[nodiscard]] std::vector<std::string> theory_gaps(const std::vector<Variant>& variants);

}  // namespace weir::sim
