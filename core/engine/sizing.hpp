// SPDX-License-Identifier: MIT
//
// Sizing: how many connects to start now. Pure arithmetic; after Boost.MySQL's
// num_connections_to_create.
#pragma once

#include "core/base/assert.hpp"

#include <algorithm>
#include <cstdint>

namespace weir::engine {

struct Sizing {
  std::uint32_t min = 0;
  std::uint32_t max = 0;
  std::uint32_t physical = 0;    // every slot that is not closed
  std::uint32_t leaving = 0;     // of those: closing or quarantined, of no more use
  std::uint32_t connecting = 0;  // of those: on their way up
  std::uint32_t validating = 0;  // of those: being looked at for waiters, and probably sound
  std::uint32_t ready = 0;       // of those: idle and offered to a waiter
  std::uint32_t waiting = 0;
  std::uint32_t allowance = 0;  // connects that the creator lets start now
};

struct Connects {
  std::uint32_t all = 0;
  std::uint32_t for_waiters = 0;  // of those; the others are for min
};

// Demand not yet on its way, as far as there is room below max and the creator allows.
[[nodiscard]] inline Connects connects_to_start(const Sizing& s) noexcept {
  WEIR_ASSERT(s.leaving + s.connecting + s.validating + s.ready <= s.physical);
  const auto minus = [](std::uint32_t a, std::uint32_t b) { return a > b ? a - b : 0; };
  const std::uint32_t required_by_waiters = minus(s.waiting, s.connecting + s.validating + s.ready);
  const std::uint32_t required_by_min = minus(s.min, s.physical - s.leaving);
  const std::uint32_t room = minus(s.max, s.physical);
  const std::uint32_t all =
      std::min({std::max(required_by_waiters, required_by_min), room, s.allowance});
  return {all, std::min(all, required_by_waiters)};
}

}  // namespace weir::engine
