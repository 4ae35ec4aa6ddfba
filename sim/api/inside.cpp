// SPDX-License-Identifier: MIT
//
// What functions of a host may ask of the run that they are in.
#include "sim/explore/run.hpp"
#include "sim/world/streams.hpp"
#include "sim/world/world.hpp"

#include <weir/sim.hpp>

#include <array>
#include <stdexcept>

namespace weir::sim {
namespace {

// One that would be mistaken for what the simulator has to say of a run.
bool taken(std::string_view property) {
  return property.empty() || property == unable_to_run || property == interrupted_run ||
         property == "nondeterminism";
}

}  // namespace

void require(bool holds, std::string_view property, std::string_view text) {
  World& world = World::current();
  if (taken(property)) {
    throw std::invalid_argument("weir::sim::require: '" + std::string(property) +
                                "' cannot be the name of a host's property");
  }
  if (!holds) world.fail(std::string(property), std::string(text.empty() ? property : text));
}

// The nth draw of a thread is a function of the thread's name and of n, so that a client draws the
// same when others are taken away. The world keeps n.
Random::result_type Random::operator()() const {
  static constexpr char draws = 0;
  World& world = World::current();
  void*& slot = world.local(&draws);
  const auto n = reinterpret_cast<std::uintptr_t>(slot);
  slot = reinterpret_cast<void*>(n + 1);
  return world.stream("host", mixed(hashed(world.name_of(world.running()))) + n).next();
}

}  // namespace weir::sim
