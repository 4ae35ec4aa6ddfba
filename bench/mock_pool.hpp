// SPDX-License-Identifier: MIT
//
// A pool of so many connections, all of them open, with the mock driver, which does nothing: what
// is measured on it is the pool. As it is configured by default but for its size and its log.
//
// Used by: bench_pool, bench_load, bench_cost. Threads: any.
#pragma once

#include "backends/mock/weir_mock.h"

#include <weir/weir.hpp>

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace weir::bench {

inline PoolConfig mock_pool(std::uint32_t connections, Fairness fairness) {
  using namespace std::chrono_literals;
  PoolConfig pool;
  pool.name = "main";
  pool.driver = "mock";
  pool.url = Secret("mock:");
  pool.min = pool.max = connections;
  pool.start = Start::eager;
  pool.start_timeout = 60s;
  pool.max_connecting = 16;
  pool.fairness = fairness;
  pool.log = {.query = false, .info = false, .warn = true, .error = true};
  return pool;
}

inline Pools open_mock(std::vector<PoolConfig> pools, Hooks hooks = {}) {
  Config config;
  config.base_dir = "/";
  for (PoolConfig& pool : pools) config.pools.emplace(pool.name, std::move(pool));
  return or_throw(Pools::builder()
                      .config(std::move(config))
                      .driver(weir_mock_driver())
                      .hooks(std::move(hooks))
                      .open());
}

inline Pools open_mock(PoolConfig pool, Hooks hooks = {}) {
  return open_mock(std::vector{std::move(pool)}, std::move(hooks));
}

}  // namespace weir::bench
