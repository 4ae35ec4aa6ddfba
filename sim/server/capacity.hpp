// SPDX-License-Identifier: MIT
//
// capacity.hpp: how fast a statement runs when others run beside it. Without this more connections
// would always look better, and every answer about a pool's size would be wrong.
//
//   cores         processor sharing: n statements on k cores run at k/n of full speed each
//   sigma, kappa  Gunther's universal scalability law, contention and coherency: each of n runs at
//                 1/(1 + sigma(n-1) + kappa n(n-1)), so that throughput has a peak and then falls
//
// Both may be set; they multiply. All zero: everything runs at full speed.
//
// Called by: the server. Owns nothing. Threads: any; pure. Integers only: the same on every
// machine and at every optimisation level.
#pragma once

#include <algorithm>
#include <cstdint>

namespace weir::sim {

struct Capacity {
  std::uint32_t cores = 0;      // 0: as many as there are statements
  std::uint32_t sigma_ppm = 0;  // millionths
  std::uint32_t kappa_ppm = 0;
  friend bool operator==(const Capacity&, const Capacity&) = default;

  // Work is counted in these; a statement alone does so many in a nanosecond.
  static constexpr std::int64_t full_speed = std::int64_t{1} << 20;
  // Work of more time than this would not fit.
  static constexpr std::int64_t demand_max_ns = 3'600'000'000'000;

  // Of each of n statements that run now, at least 1.
  [[nodiscard]] constexpr std::int64_t speed(std::int64_t n) const noexcept {
    constexpr std::int64_t million = 1'000'000;
    constexpr std::int64_t crowd = 100'000;  // above it the products below would not fit
    n = std::clamp<std::int64_t>(n, 1, crowd);
    const std::int64_t shared = cores == 0 || n <= cores ? full_speed : full_speed * cores / n;
    const std::int64_t pairs = n * (n - 1);
    const std::int64_t kappa = std::min<std::int64_t>(kappa_ppm, 10 * million);
    const std::int64_t slow = million + std::int64_t{sigma_ppm} * (n - 1) + kappa * pairs;
    return std::max<std::int64_t>(1, shared * million / slow);
  }
};

}  // namespace weir::sim
