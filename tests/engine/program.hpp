// SPDX-License-Identifier: MIT
//
// Programs for EngineWorld: lists of commands as plain numbers, so that a generator can draw them
// and a failing one shrinks by leaving commands out. The same program does the same in every run.
#pragma once

#include "tests/engine/world.hpp"

#include <iosfwd>

namespace weir::engine::test {

struct Command {
  enum class Kind : std::uint8_t {
    acquire,
    acquire_now,     // with a deadline that has come
    acquire_nested,  // by a task that may hold one already
    cancel,
    claim,  // as a thread that wakes early, or for nothing
    release,
    release_dirty,
    release_broken,
    release_again,    // a lease that is over
    release_foreign,  // a lease that never was
    advance,
    jump,
    tick,
    leap,
    resize,
    reload,
    evict,
    suspend,
    resume,
    drain,
    driver,  // how the driver answers from now on
    finish,  // an operation ends by itself
    late_result,
  };
  Kind kind = Kind::tick;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
};
inline constexpr std::size_t command_kinds = 23;

std::ostream& operator<<(std::ostream& out, const Command& command);

// A configuration out of so many numbers; each of them may be anything.
inline constexpr std::uint32_t config_numbers = 20;
[[nodiscard]] EngineConfig drawn_config(const std::vector<std::uint32_t>& numbers);
[[nodiscard]] std::string text_of(const EngineConfig& config);

// Carries out one command. Throws Violation.
void run(EngineWorld& world, const Command& command);

// Faults end, leases come back: whoever waits is served, min is reached, a drain completes.
void heal(EngineWorld& world);

}  // namespace weir::engine::test
