// SPDX-License-Identifier: MIT
//
// Bounds: how much the engine may hold and ask for, derived from its configuration line by line
// (S19, S20, L7). check() holds the engine to them after every step of every test.
#pragma once

#include "core/engine/types.hpp"

namespace weir::engine {

struct Bounds {
  std::uint64_t slots;     // records; they are reused
  std::uint64_t waiters;   // in the queue
  std::uint64_t starts;    // driver operations that one step starts
  std::uint64_t resolved;  // callers that one step resolves
};

// `slots_max` and `waiting_max` are the highest max and max_waiting that the pool has had.
[[nodiscard]] constexpr Bounds bounds(std::uint64_t slots_max, std::uint64_t waiting_max,
                                      std::uint64_t quarantine_max) noexcept {
  Bounds b{};
  // Every slot that is not closed counts against max; each hung one may have one replacement.
  b.slots = slots_max + quarantine_max;
  // A caller that must not wait is in the queue for the length of its own step.
  b.waiters = waiting_max + 1;
  // In one step a slot's operation ends, its slot is freed and used again for a connect; or it is
  // put on the rack and looked at, or sent away: two at the most.
  b.starts = 2 * b.slots;
  // Each waiter once, and the caller of the step that was turned away.
  b.resolved = b.waiters + 1;
  return b;
}

}  // namespace weir::engine
