// SPDX-License-Identifier: MIT
//
// insert_many of ten thousand rows (a number, which is the key, a text, a number with a fraction)
// that are made while they are inserted. On skip and update every second one is there already.
//
// Used by: the benches of drivers, beside the same by hand. Threads: one.
#pragma once

#include "bench/bulk.hpp"
#include "tests/api/made.hpp"

#include <weir/weir.hpp>

#include <string>
#include <tuple>

namespace weir::bench {

// How a bench empties the table `bulk`, and how it puts the even rows there.
struct Table {
  const char* create;
  const char* empty;
  const char* half;

  // Outside of what is measured. `run` takes SQL.
  template <class F>
  void prepare(benchmark::State& state, OnConflict conflict, F&& run) const {
    state.PauseTiming();
    run(empty);
    if (conflict != OnConflict::fail) run(half);
    state.ResumeTiming();
  }
};

inline void run_insert(benchmark::State& state, const Pools& pools, const Table& table,
                       OnConflict conflict) {
  auto lease = or_throw(pools["main"].acquire());
  or_throw(lease->execute(table.create));
  InsertOptions options;
  options.on_conflict = conflict;
  if (conflict == OnConflict::update) options.key = {"i"};
  const auto row = [](long long i) {
    return std::tuple(i, "row " + std::to_string(i), static_cast<double>(i) * 0.5);
  };
  for (auto _ : state) {
    table.prepare(state, conflict, [&](const char* sql) { or_throw(lease->execute(sql)); });
    const auto done = or_throw(
        lease->insert_many("bulk", {"i", "s", "d"}, test::Made(0, bulk_rows, row), options));
    require(done.stored + done.skipped == bulk_rows, "insert_many");
  }
}

}  // namespace weir::bench
