// SPDX-License-Identifier: MIT
//
// Supply: judges what is on its way to those who wait: connects and looks, when they start, and
// whether there are as many as there may be. It keeps its own books of the backoff and of the slow
// start, from what the pool did, and compares.
//
// Called by: Judge, after each step of the engine. Owner: Judge. Threads: as Judge.
#pragma once

#include "core/engine/types.hpp"

#include <cstdint>
#include <vector>

namespace weir::engine {
class Engine;
class PlainRack;
struct Effects;
}  // namespace weir::engine

namespace weir::sim {

class Judge;

class Supply {
 public:
  void stepped(Judge& judge, const engine::Engine& engine, const engine::PlainRack& rack,
               const engine::Effects& fx, Instant now);

 private:
  struct Slot {
    Instant connect_started;
    bool in_doubt = false;   // a sibling had died when the look at it began
    bool keepalive = false;  // nobody waited when it began
    bool checked = false;    // it is a health check
  };
  Slot& at(std::uint32_t slot);
  void learn(Judge& judge, const engine::Engine& engine, const engine::Effects& fx, Instant now);
  void check_connects(Judge& judge, const engine::Engine& engine, const engine::Effects& fx,
                      Instant now);
  void check_looks(Judge& judge, const engine::Engine& engine, const engine::PlainRack& rack,
                   const engine::Effects& fx);
  void check_demand(Judge& judge, const engine::Engine& engine, const engine::PlainRack& rack,
                    Instant now);

  std::vector<Slot> slots_;
  bool failing_ = false;
  std::uint32_t window_ = UINT32_MAX;  // of the slow start
  Instant round_start_ = Instant::min();
  Instant failed_start_ = Instant::min();  // of the attempt that the backoff counts from
  Instant planned_ = Instant::min();       // when the pool said that it would try again
};

}  // namespace weir::sim
