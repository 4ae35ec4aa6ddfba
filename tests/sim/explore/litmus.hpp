// SPDX-License-Identifier: MIT
//
// litmus(): small programs under PCT (Burckhardt et al., ASPLOS 2010). One run of n threads and k
// steps meets a bug of depth d with a chance of 1 / (n k^(d-1)) at least, so that n k^(d-1)
// ln(1000) runs meet it with 99.9 %. n and k are measured, the number of runs is computed and
// printed.
//
// Used by: the litmus tests. Threads: virtual ones.
#pragma once

#include "sim/world/world.hpp"
#include "tests/sim/explore/scale.hpp"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

namespace weir::sim {

inline constexpr std::uint32_t depth = 3;

// What a run took; its text is not empty if it failed.
struct Sight {
  std::size_t threads;
  std::uint64_t steps;
  std::string failure;
};

// Runs `once(seed, spec)` until a bug of this depth would have been met with 99.9 %, or until the
// time is over. Returns: whether it came so far.
template <class Once>
bool litmus(const char* name, Duration time, Once&& once) {
  ScheduleSpec spec;
  spec.kind = ScheduleSpec::Kind::pct;
  spec.depth = depth;
  spec.steps = 1;
  const Sight first = once(1, spec);
  EXPECT_EQ(first.failure, "") << name;
  spec.steps = static_cast<std::uint32_t>(first.steps);
  const double chance = 1 / (static_cast<double>(first.threads) *
                             std::pow(static_cast<double>(first.steps), depth - 1));
  const auto needed = static_cast<std::uint64_t>(std::ceil(std::log(1000) / chance));
  using WallClock = std::chrono::steady_clock;
  const auto end = WallClock::now() + time;
  std::uint64_t runs = 0;
  while (runs < needed && WallClock::now() < end) {
    const Sight seen = once(++runs, spec);
    if (seen.failure.empty()) continue;
    ADD_FAILURE() << name << ", seed " << runs << ": " << seen.failure;
    return false;
  }
  std::printf("%-34s %zu threads, %4llu steps: %9llu runs for 99.9 %%, made %9llu: %.2f %%\n", name,
              first.threads, static_cast<unsigned long long>(first.steps),
              static_cast<unsigned long long>(needed), static_cast<unsigned long long>(runs),
              100 * (1 - std::pow(1 - chance, static_cast<double>(runs))));
  return runs >= needed;
}

// The same of a program of virtual threads that fails by itself: expect().
template <class Program>
bool program_litmus(const char* name, Program&& program) {
  using namespace std::chrono_literals;
  return litmus(name, 60s, [&](std::uint64_t seed, const ScheduleSpec& spec) {
    WorldOptions options;
    options.seed = seed;
    options.mode = Mode::adversarial;
    options.steps_max = 10'000;
    World world(options, spec);
    const Ending ending = world.run(program);
    return Sight{world.threads(), ending.steps, ending.ok() ? "" : ending.text};
  });
}

inline void expect(bool held, const char* what) {
  if (!held) World::current().fail("litmus", what);
}

}  // namespace weir::sim
