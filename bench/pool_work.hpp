// SPDX-License-Identifier: MIT
//
// What each bench of a driver asks of a pool of one connection: a prepared statement of one row, a
// stream of rows (a number, a text, a number with a fraction), a lease.
//
// Used by: the benches of drivers. Threads: one.
#pragma once

#include <weir/weir.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

namespace weir::bench {

// A row as every side reads it.
struct Row {
  std::int64_t i = 0;
  std::string s;
  double d = 0;
};

inline Pools open_pools(const weir_driver* driver, const std::string& name,
                        const std::string& url) {
  return or_throw(Pools::builder()
                      .driver(driver)
                      .string("version = 1\n[pool.main]\ndriver = \"" + name + "\"\nurl = \"" +
                              url + "\"\nmax = 1\nlog = [\"error\"]\n")
                      .open());
}

inline void run_one(benchmark::State& state, const Pools& pools, std::string_view sql) {
  auto lease = or_throw(pools["main"].acquire());
  auto statement = or_throw(lease->prepare(sql));
  for (auto _ : state) {
    auto rows = or_throw(statement.query());
    benchmark::DoNotOptimize(rows[0].get<std::int64_t>(0));
  }
}

inline void run_rows(benchmark::State& state, const Pools& pools, std::string_view sql) {
  auto lease = or_throw(pools["main"].acquire());
  auto statement = or_throw(lease->prepare(sql));
  Row row;
  for (auto _ : state) {
    auto stream = or_throw(statement.stream());
    while (const auto next = or_throw(stream.next())) {
      row.i = next->get<std::int64_t>(0);
      row.s.assign(next->get<std::string_view>(1));
      row.d = next->get<double>(2);
      benchmark::DoNotOptimize(row);
    }
  }
}

inline void run_acquire(benchmark::State& state, const Pools& pools) {
  Pool& pool = pools["main"];
  for (auto _ : state) benchmark::DoNotOptimize(or_throw(pool.acquire()));
}

}  // namespace weir::bench
