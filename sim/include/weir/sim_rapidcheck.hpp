// SPDX-License-Identifier: MIT
//
// Scenarios as values of rapidcheck, for a host that tests with it: they are drawn and shrunk like
// any others.
//
//   RC_GTEST_PROP(Orders, none_is_lost, ()) {
//     weir::sim::Search search;
//     search.scenario = "format = 1\npool_file = \"weir.toml\"";
//     search.statements = false;  // the work is ours
//     const auto scenario = *weir::sim::scenarios(search).as("scenario");
//     const auto outcome = weir::or_throw(weir::sim::simulate(scenario.text, {.work = order}));
//     if (!outcome.ok()) RC_FAIL(outcome.text());
//   }
//
// All of it is in this header: libweir-sim itself needs no rapidcheck of the host's.
// Threads: rapidcheck is not thread-safe.
#pragma once

#include <weir/sim.hpp>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <rapidcheck.h>

namespace weir::sim {

// What simulate() takes; a type of its own, so that it shrinks as a scenario and not as text.
struct ScenarioText {
  std::string text;
  friend bool operator==(const ScenarioText&, const ScenarioText&) = default;
};

// How rapidcheck shows it.
inline void showValue(const ScenarioText& scenario, std::ostream& out) {
  out << '\n' << scenario.text;
}

// The scenarios of a search, of which only its scenario and what it says of drawing counts.
// Throws: weir::Exception while drawing, if that scenario is wrong.
[[nodiscard]] inline rc::Gen<ScenarioText> scenarios(Search search) {
  return [search = std::move(search)](const rc::Random& random, int size) {
    rc::Random copy = random;
    return rc::shrinkable::shrinkRecur(
        ScenarioText{or_throw(draw(search, copy.next(), size))}, [](const ScenarioText& scenario) {
          std::vector<ScenarioText> all;
          for (std::string& text : or_throw(smaller(scenario.text))) {
            all.push_back({std::move(text)});
          }
          return rc::seq::fromContainer(std::move(all));
        });
  };
}

}  // namespace weir::sim
