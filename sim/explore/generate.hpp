// SPDX-License-Identifier: MIT
//
// generate: scenarios as rapidcheck values. A scenario is drawn as one value, and each feature (a
// kind of fault, a limit, a kind of client) is first switched on or off for the whole run, as in
// swarm testing (Groce et al., ISSTA 2012): noise of everything at a low rate finds less.
//
// candidates() are the smaller scenarios that a shrinker tries, big steps first and few enough
// (linear in the scenario's size) that it ends. Each is valid by construction: times are relative,
// members keep their numbers, and chance is keyed by these, so that nothing has to be repaired.
//
// Pure. Threads: rapidcheck is not thread-safe.
#pragma once

#include "sim/explore/scenario.hpp"

#include <functional>

#include <rapidcheck.h>

namespace weir::sim {

struct Generator {
  // Kept as it is in every scenario, if given; else drawn.
  std::optional<PoolConfig> pool;
  std::string driver = "mock";  // of a drawn pool
  Duration longest = std::chrono::seconds(20);
  Engine engine = default_engine();        // what it draws can be run on
  std::function<void(Scenario&)> shape{};  // has the last word on what was drawn
};

// `size` as rapidcheck counts it: 0 is small, 100 the largest.
[[nodiscard]] Scenario draw(base::Random random, int size, const Generator& generator);
// Ends it at `duration`: what would happen later is left out or cut.
void cut_to(Scenario& scenario, Duration duration);
[[nodiscard]] std::vector<Scenario> candidates(const Scenario& scenario);
[[nodiscard]] rc::Gen<Scenario> scenarios(const Generator& generator);

}  // namespace weir::sim
