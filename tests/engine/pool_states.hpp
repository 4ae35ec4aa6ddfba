// SPDX-License-Identifier: MIT
//
// PoolStates: what connections and pools were seen to do in a search, as the page
// docs/pool-states.md. It records steps of SmallPool and knows nothing else of the engine, so the
// page says what the engine does, not what somebody thinks it does.
#pragma once

#include "tests/engine/small_pool.hpp"

#include <map>
#include <set>

namespace weir::engine::test {

class PoolStates {
 public:
  void record(const SmallPool& before, const Input& input, const SmallPool& after);
  // In an order that does not depend on the order of the steps.
  [[nodiscard]] std::string markdown() const;

 private:
  struct Change {
    Place from;
    std::string when;
    Place to;
    auto operator<=>(const Change&) const = default;
  };
  struct Seen {
    std::set<std::string> effects;
    std::set<std::string> reasons;
  };
  struct PhaseSeen {
    bool lends = false;
    bool connects = false;
    std::set<std::string> outcomes;  // of an acquire, in its own step
    std::map<std::string, Engine::Phase> leads_to;
  };

  void record_slot(SlotId slot, const SmallPool& before, const Input& input,
                   const SmallPool& after);
  void record_phase(const SmallPool& before, const Input& input, const SmallPool& after);
  void write_changes(std::string& to) const;
  void write_diagram(std::string& to) const;
  void write_phases(std::string& to) const;

  std::map<Change, Seen> changes_;
  std::map<Engine::Phase, PhaseSeen> phases_;
};

}  // namespace weir::engine::test
