// SPDX-License-Identifier: MIT
//
// sqlite.cpp: the select on SQLite: bare sqlite3, Weir and SOCI, each on the same file, which
// nobody writes while they read. Every side opens it for writing too and reads a write-ahead log,
// as Weir's driver does unless told otherwise.
#include "backends/sqlite/weir_sqlite.h"
#include "bench/query/directory.hpp"
#include "bench/query/on_weir.hpp"
#ifdef WEIR_BENCH_SOCI
#include "bench/query/on_soci.hpp"
#endif

#include <memory>

#include <sqlite3.h>

namespace weir::bench::query {
namespace {

// A connection by hand, with its statement prepared when it is opened. Without SQLite's own locks,
// as the driver opens it: a connection has one user at a time.
class Sqlite {
 public:
  explicit Sqlite(const std::string& file) {
    constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    check(sqlite3_open_v2(file.c_str(), &db_, flags, nullptr), SQLITE_OK);
    run("PRAGMA journal_mode=wal");
    run("PRAGMA synchronous=normal");
  }
  ~Sqlite() {
    sqlite3_finalize(select_);
    sqlite3_close(db_);
  }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  void run(const std::string& sql) {
    check(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  }
  void prepare() {
    const Texts sql = texts(question_mark);
    check(sqlite3_prepare_v3(db_, text_of(sql, Step::select).c_str(), -1, SQLITE_PREPARE_PERSISTENT,
                             &select_, nullptr),
          SQLITE_OK);
  }
  // Reads to the end, where there might be another row.
  int select(int account) {
    sqlite3_bind_int(select_, 1, account);
    check(sqlite3_step(select_), SQLITE_ROW);
    const int balance = sqlite3_column_int(select_, 0);
    check(sqlite3_step(select_), SQLITE_DONE);
    sqlite3_reset(select_);
    return balance;
  }

 private:
  void check(int code, int wanted) {
    if (code != wanted) throw std::runtime_error(sqlite3_errmsg(db_));
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* select_ = nullptr;
};

const std::string& file() {
  static const Directory directory("sqlite");
  static const std::string path = [] {
    const std::string made = directory.path() + "/bench.db";
    Sqlite db(made);
    db.run("CREATE TABLE accounts (aid INTEGER PRIMARY KEY, bid INT, abalance INT, filler TEXT)");
    db.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
           std::to_string(accounts) + ") INSERT INTO accounts SELECT i, 1, 0, printf('%84s', '') " +
           "FROM n");
    return made;
  }();
  return path;
}

Outcome run_bare(const Load& load, std::chrono::duration<double> time) {
  file();
  return run_each(load, time, [](unsigned thread) {
    auto db = std::make_unique<Sqlite>(file());
    db->prepare();
    return [db = std::move(db), draw = Draw(thread)](auto&&) mutable {
      keep(db->select(draw.account()));
    };
  });
}

Outcome run_pool(const Load& load, std::chrono::duration<double> time) {
  return run_weir(load, time, false,
                  open_pools(weir_sqlite_driver(), "sqlite", file(), load.connections));
}

#ifdef WEIR_BENCH_SOCI
Outcome run_session(const Load& load, std::chrono::duration<double> time) {
  return run_soci(load, time, false, "sqlite3", "dbname=" + file());
}
#endif

}  // namespace

std::vector<Cell> sqlite_cells() {
  return {{"bare", "lite-select", run_bare},
          {"weir", "lite-select", run_pool},
#ifdef WEIR_BENCH_SOCI
          {"soci", "lite-select", run_session}
#endif
  };
}

}  // namespace weir::bench::query
