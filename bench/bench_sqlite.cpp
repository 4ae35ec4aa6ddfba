// SPDX-License-Identifier: MIT
//
// A prepared SELECT 1 and a thousand rows through Weir against the same through bare sqlite3, in
// the same run: the price of the driver boundary, of owned rows, and of borrowing a connection for
// each question.
#include "backends/sqlite/weir_sqlite.h"
#include "bench/measured.hpp"
#include "bench/pool_work.hpp"

#include <cstdlib>

#include <sqlite3.h>

namespace {

using weir::bench::Row;

weir::Pools open_pools() {
  return weir::bench::open_pools(weir_sqlite_driver(), "sqlite", ":memory:");
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

constexpr const char* rows_sql =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
    "SELECT i, 'row ' || i, i * 0.5 FROM n";

void bare_rows(benchmark::State& state) {
  sqlite3* db = nullptr;
  sqlite3_stmt* statement = nullptr;
  require(sqlite3_open(":memory:", &db) == SQLITE_OK);
  require(sqlite3_prepare_v2(db, rows_sql, -1, &statement, nullptr) == SQLITE_OK);
  Row row;
  for (auto _ : state) {
    while (sqlite3_step(statement) == SQLITE_ROW) {
      row.i = sqlite3_column_int64(statement, 0);
      row.s.assign(reinterpret_cast<const char*>(sqlite3_column_text(statement, 1)),
                   static_cast<std::size_t>(sqlite3_column_bytes(statement, 1)));
      row.d = sqlite3_column_double(statement, 2);
      benchmark::DoNotOptimize(row);
    }
    sqlite3_reset(statement);
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
}
BENCHMARK(bare_rows);

void weir_rows(benchmark::State& state) { weir::bench::run_rows(state, open_pools(), rows_sql); }
BENCHMARK(weir_rows);

void weir_held(benchmark::State& state) { weir::bench::run_one(state, open_pools(), "SELECT 1"); }
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
  measured.print_ratio("1000 rows of 3 columns, streamed", "weir_rows", "bare_rows");
}
