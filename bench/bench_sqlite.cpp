// SPDX-License-Identifier: MIT
//
// A prepared SELECT 1 through Weir against the same through bare sqlite3, in the same run: the
// price of the driver boundary, of owned rows, and of borrowing a connection for each question.
#include "backends/sqlite/weir_sqlite.h"
#include "bench/measured.hpp"

#include <weir/weir.hpp>

#include <cstdlib>

#include <sqlite3.h>

namespace {

weir::Pools open_pools() {
  return weir::or_throw(weir::Pools::builder()
                            .driver(weir_sqlite_driver())
                            .string("version = 1\n[pool.main]\ndriver = \"sqlite\"\n"
                                    "url = \":memory:\"\nmax = 1\nlog = [\"error\"]\n")
                            .open());
}

void require(bool good) {
  if (!good) std::abort();
}

void bare_sqlite3(benchmark::State& state) {
  sqlite3* db = nullptr;
  sqlite3_stmt* statement = nullptr;
  require(sqlite3_open(":memory:", &db) == SQLITE_OK);
  require(sqlite3_prepare_v2(db, "SELECT 1", -1, &statement, nullptr) == SQLITE_OK);
  for (auto _ : state) {
    require(sqlite3_step(statement) == SQLITE_ROW);
    benchmark::DoNotOptimize(sqlite3_column_int64(statement, 0));
    require(sqlite3_step(statement) == SQLITE_DONE);
    sqlite3_reset(statement);
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
}
BENCHMARK(bare_sqlite3);

void weir_held(benchmark::State& state) {
  const weir::Pools pools = open_pools();
  auto lease = weir::or_throw(pools["main"].acquire());
  auto statement = weir::or_throw(lease->prepare("SELECT 1"));
  for (auto _ : state) {
    auto rows = statement.query();
    benchmark::DoNotOptimize((*rows)[0].get<std::int64_t>(0));
  }
}
BENCHMARK(weir_held);

void weir_borrowed(benchmark::State& state) {
  const weir::Pools pools = open_pools();
  weir::Pool& pool = pools["main"];
  for (auto _ : state) {
    auto value = pool.with([](weir::Connection& c) -> weir::Result<std::int64_t> {
      auto statement = c.prepare("SELECT 1");
      if (!statement) return weir::fail(statement.error());
      auto rows = statement->query();
      if (!rows) return weir::fail(rows.error());
      return (*rows)[0].get<std::int64_t>(0);
    });
    benchmark::DoNotOptimize(*value);
  }
}
BENCHMARK(weir_borrowed);

}  // namespace

int main(int argc, char** argv) {
  weir::bench::Measured measured;
  const int code = measured.run(argc, argv);
  if (code != 0) return code;
  std::printf("\n");
  measured.print_ratio("prepared SELECT 1, lease held", "weir_held", "bare_sqlite3");
  measured.print_ratio("the same, a lease for each", "weir_borrowed", "bare_sqlite3");
}
