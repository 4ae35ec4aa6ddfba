// SPDX-License-Identifier: MIT
//
// A prepared SELECT 1 and a thousand rows through Weir against the same through bare sqlite3, in
// the same run: the price of the driver boundary, of owned rows, and of borrowing a connection for
// each question.
#include "backends/sqlite/weir_sqlite.h"
#include "bench/insert.hpp"
#include "bench/measured.hpp"
#include "bench/pool_work.hpp"

#include <cstdlib>

#include <sqlite3.h>

namespace {

using weir::bench::Row;

weir::Pools open_pools() {
  return weir::bench::open_pools(weir_sqlite_driver(), "sqlite", ":memory:");
}

void require(bool good) { weir::bench::require(good, "sqlite3"); }

// Without SQLite's own locks, as the driver opens it: a connection has one user at a time.
sqlite3* open_bare() {
  sqlite3* db = nullptr;
  constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  require(sqlite3_open_v2(":memory:", &db, flags, nullptr) == SQLITE_OK);
  return db;
}

void bare_sqlite3(benchmark::State& state) {
  sqlite3* db = open_bare();
  sqlite3_stmt* statement = nullptr;
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
  sqlite3* db = open_bare();
  sqlite3_stmt* statement = nullptr;
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

constexpr weir::bench::Table bulk{
    "CREATE TABLE bulk(i INTEGER PRIMARY KEY, s TEXT, d REAL)", "DELETE FROM bulk",
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 2 FROM n WHERE i < 9998) "
    "INSERT INTO bulk SELECT i, 'old', 0 FROM n"};
constexpr int at_once = 50;  // rows of a statement

// The fastest that we know by hand: a statement for fifty rows, in one transaction.
void bare_insert(benchmark::State& state, weir::OnConflict conflict, const char* clause) {
  sqlite3* db = open_bare();
  const auto run = [db](const char* sql) {
    require(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  };
  run(bulk.create);
  std::string sql = "INSERT INTO bulk(i, s, d) VALUES (?, ?, ?)";
  for (int i = 1; i < at_once; ++i) sql += ", (?, ?, ?)";
  sql += clause;
  std::vector<std::string> texts(at_once);
  for (auto _ : state) {
    bulk.prepare(state, conflict, run);
    sqlite3_stmt* statement = nullptr;
    require(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
    run("BEGIN IMMEDIATE");
    for (int i = 0; i < weir::bench::bulk_rows;) {
      for (int row = 0; row < at_once; ++row, ++i) {
        std::string& text = texts[static_cast<std::size_t>(row)];
        text = "row " + std::to_string(i);
        sqlite3_bind_int64(statement, 3 * row + 1, i);
        sqlite3_bind_text(statement, 3 * row + 2, text.data(), static_cast<int>(text.size()),
                          SQLITE_STATIC);
        sqlite3_bind_double(statement, 3 * row + 3, i * 0.5);
      }
      require(sqlite3_step(statement) == SQLITE_DONE);
      sqlite3_reset(statement);
    }
    run("COMMIT");
    sqlite3_finalize(statement);
  }
  sqlite3_close(db);
}

void add_inserts() {
  const auto add = [](const char* bare, const char* ours, weir::OnConflict conflict,
                      const char* clause) {
    benchmark::RegisterBenchmark(bare,
                                 [=](benchmark::State& s) { bare_insert(s, conflict, clause); });
    benchmark::RegisterBenchmark(ours, [=](benchmark::State& s) {
      weir::bench::run_insert(s, open_pools(), bulk, conflict);
    });
  };
  add("bare_insert", "weir_insert", weir::OnConflict::fail, "");
  add("bare_skip", "weir_skip", weir::OnConflict::skip, " ON CONFLICT DO NOTHING");
  add("bare_update", "weir_update", weir::OnConflict::update,
      " ON CONFLICT (i) DO UPDATE SET s = excluded.s, d = excluded.d");
}

}  // namespace

int main(int argc, char** argv) {
  add_inserts();
  weir::bench::Measured measured;
  const int code = measured.run(argc, argv);
  if (code != 0) return code;
  std::printf("\n");
  measured.print_ratio("prepared SELECT 1, lease held", "weir_held", "bare_sqlite3");
  measured.print_ratio("the same, a lease for each", "weir_borrowed", "bare_sqlite3");
  measured.print_ratio("1000 rows of 3 columns, streamed", "weir_rows", "bare_rows");
  measured.print_ratio("10000 rows in, insert_many", "weir_insert", "bare_insert");
  measured.print_ratio("half of them skipped", "weir_skip", "bare_skip");
  measured.print_ratio("half of them updated", "weir_update", "bare_update");
}
