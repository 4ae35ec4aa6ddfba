// SPDX-License-Identifier: MIT
//
// The two words for time: Duration and Instant. An Instant is a point on the clock of a pool's
// runtime (Pool::now()), which is the machine's monotonic clock in a host and a virtual one in the
// simulator. There is deliberately no static now(): code that asks the pool for the time runs
// unchanged under both. The wall clock is never used.
#pragma once

#include <chrono>
#include <cstdint>

namespace weir {

using Duration = std::chrono::nanoseconds;

// A clock type without now(): it only makes instants a type of their own.
struct PoolClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<PoolClock, Duration>;
  static constexpr bool is_steady = true;
};

using Instant = PoolClock::time_point;

// "none" of the configuration: a timeout that never fires.
inline constexpr Duration no_timeout = Duration::max();
inline constexpr Instant no_deadline = Instant::max();

// from + by, where no_deadline and no_timeout absorb. Requires: by >= 0.
[[nodiscard]] constexpr Instant after(Instant from, Duration by) noexcept {
  return by >= no_deadline - from ? no_deadline : from + by;
}

}  // namespace weir
