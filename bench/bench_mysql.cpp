// SPDX-License-Identifier: MIT
//
// The same work on one MariaDB server, on a unix socket, in one run: bare MySQL Connector/C++,
// Weir, and SOCI (on the C library) where it is installed. Every side reads each column into the
// same C++ type. A server is started for the occasion and ends with the program.
#include "backends/mysql/config.hpp"
#include "backends/mysql/link.hpp"
#include "backends/mysql/weir_mysql.h"
#include "bench/insert.hpp"
#include "bench/measured.hpp"
#include "bench/pool_work.hpp"
#include "tests/backends/mysql_server.hpp"

#include <charconv>
#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <memory>
#include <string_view>
#ifdef WEIR_BENCH_SOCI
#include <soci/soci.h>
#endif

namespace {

using weir::bench::bulk_rows;
using weir::bench::Row;
using weir::test::MysqlServer;

constexpr const char* rows_sql = "SELECT seq, CONCAT('row ', seq), seq * 0.5e0 FROM seq_1_to_1000";
constexpr const char* bulk_table =
    "CREATE TEMPORARY TABLE bulk(i BIGINT, s TEXT, d DOUBLE) ENGINE=InnoDB";
constexpr const char* bulk_sql = "INSERT INTO bulk VALUES (?, ?, ?)";

// ---------------------------------------------------------------- bare Connector/C++

std::unique_ptr<sql::Connection> bare() {
  weir::mysql::Config config;
  config.user = MysqlServer::user;
  config.password = MysqlServer::password;
  config.database = "mysql";
  config.socket = MysqlServer::instance().socket();
  return weir::mysql::dial(config, std::chrono::seconds(10), std::chrono::seconds(60));
}

void bare_one(benchmark::State& state) {
  const auto link = bare();
  const std::unique_ptr<sql::PreparedStatement> statement(link->prepareStatement("SELECT 1"));
  for (auto _ : state) {
    const std::unique_ptr<sql::ResultSet> rows(statement->executeQuery());
    rows->next();
    benchmark::DoNotOptimize(rows->getInt64(1));
  }
}

void bare_rows(benchmark::State& state) {
  const auto link = bare();
  const std::unique_ptr<sql::PreparedStatement> statement(link->prepareStatement(rows_sql));
  Row row;
  for (auto _ : state) {
    const std::unique_ptr<sql::ResultSet> rows(statement->executeQuery());
    while (rows->next()) {
      row.i = rows->getInt64(1);
      row.s = rows->getString(2).asStdString();
      row.d = static_cast<double>(rows->getDouble(3));
      benchmark::DoNotOptimize(row);
    }
  }
}

void bare_bulk(benchmark::State& state) {
  const auto link = bare();
  weir::mysql::tell(*link, bulk_table);
  const std::unique_ptr<sql::PreparedStatement> statement(link->prepareStatement(bulk_sql));
  for (auto _ : state) {
    weir::mysql::tell(*link, "DELETE FROM bulk");
    weir::mysql::tell(*link, "BEGIN");
    for (int i = 0; i < bulk_rows; ++i) {
      statement->setInt64(1, i);
      statement->setString(2, "row " + std::to_string(i));
      statement->setDouble(3, i * 0.5);
      statement->executeUpdate();
    }
    weir::mysql::tell(*link, "COMMIT");
  }
}

constexpr weir::bench::Table keyed{
    "CREATE TEMPORARY TABLE bulk(i BIGINT PRIMARY KEY, s TEXT, d DOUBLE) ENGINE=InnoDB",
    "DELETE FROM bulk", "INSERT INTO bulk SELECT 2 * (seq - 1), 'old', 0 FROM seq_1_to_5000"};
constexpr const char* skip_clause = " ON DUPLICATE KEY UPDATE i = i";
constexpr const char* update_clause = " ON DUPLICATE KEY UPDATE s = VALUES(s), d = VALUES(d)";

std::string insert_of(int rows, const char* clause) {
  std::string sql = "INSERT INTO bulk(i, s, d) VALUES (?, ?, ?)";
  for (int i = 1; i < rows; ++i) sql += ", (?, ?, ?)";
  return sql + clause;
}

// INSERTs of many rows: prepared, and with the values in the text.
void bare_insert(benchmark::State& state, weir::OnConflict conflict, const char* clause) {
  constexpr int at_once = 100;
  const auto link = bare();
  weir::mysql::tell(*link, keyed.create);
  for (auto _ : state) {
    keyed.prepare(state, conflict, [&](const char* sql) { weir::mysql::tell(*link, sql); });
    weir::mysql::tell(*link, "BEGIN");
    const std::unique_ptr<sql::PreparedStatement> statement(
        link->prepareStatement(insert_of(at_once, clause)));
    for (int i = 0; i < bulk_rows;) {
      for (unsigned row = 0; row < at_once; ++row, ++i) {
        statement->setInt64(3 * row + 1, i);
        statement->setString(3 * row + 2, "row " + std::to_string(i));
        statement->setDouble(3 * row + 3, i * 0.5);
      }
      statement->executeUpdate();
    }
    weir::mysql::tell(*link, "COMMIT");
  }
}

void bare_text(benchmark::State& state, weir::OnConflict conflict, const char* clause) {
  constexpr int at_once = 1000;
  const auto link = bare();
  weir::mysql::tell(*link, keyed.create);
  std::string sql;
  for (auto _ : state) {
    keyed.prepare(state, conflict, [&](const char* text) { weir::mysql::tell(*link, text); });
    weir::mysql::tell(*link, "BEGIN");
    for (int i = 0; i < bulk_rows;) {
      sql = "INSERT INTO bulk(i, s, d) VALUES ";
      for (int row = 0; row < at_once; ++row, ++i) {
        char digits[64];
        const auto add = [&](auto number) {
          sql.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
        };
        sql += row > 0 ? ",(" : "(";
        add(i);
        sql += ",'row ";
        add(i);
        sql += "',";
        add(i * 0.5);
        sql += "e0)";
      }
      weir::mysql::tell(*link, sql.append(clause).c_str());
    }
    weir::mysql::tell(*link, "COMMIT");
  }
}

void bare_connect(benchmark::State& state) {
  for (auto _ : state) bare();
}

// ---------------------------------------------------------------- Weir

weir::Pools open_pools() {
  return weir::bench::open_pools(weir_mysql_driver(), "mysql",
                                 MysqlServer::instance().url("mysql"));
}

void weir_one(benchmark::State& state) { weir::bench::run_one(state, open_pools(), "SELECT 1"); }
void weir_rows(benchmark::State& state) { weir::bench::run_rows(state, open_pools(), rows_sql); }
void weir_acquire(benchmark::State& state) { weir::bench::run_acquire(state, open_pools()); }

void weir_bulk(benchmark::State& state) {
  weir::bench::DriverConn conn(weir_mysql_driver(), MysqlServer::instance().url("mysql"));
  conn.run(bulk_table);
  weir::bench::run_bulk(state, conn, "DELETE FROM bulk", bulk_sql);
}

void weir_insert(benchmark::State& state, weir::OnConflict conflict) {
  weir::bench::run_insert(state, open_pools(), keyed, conflict);
}

// ---------------------------------------------------------------- SOCI

#ifdef WEIR_BENCH_SOCI
std::string soci_url() {
  return std::string("db=mysql user=") + MysqlServer::user + " password=" + MysqlServer::password +
         " unix_socket=" + MysqlServer::instance().socket();
}

void soci_one(benchmark::State& state) {
  soci::session session("mysql", soci_url());
  long long value = 0;
  soci::statement statement = (session.prepare << "SELECT 1", soci::into(value));
  for (auto _ : state) {
    statement.execute(true);
    benchmark::DoNotOptimize(value);
  }
}

void soci_rows(benchmark::State& state) {
  soci::session session("mysql", soci_url());
  Row row;
  long long i = 0;
  soci::statement statement =
      (session.prepare << rows_sql, soci::into(i), soci::into(row.s), soci::into(row.d));
  for (auto _ : state) {
    statement.execute();
    while (statement.fetch()) {
      row.i = i;
      benchmark::DoNotOptimize(row);
    }
  }
}
#endif

}  // namespace

int main(int argc, char** argv) {
  if (const std::string missing = MysqlServer::instance().missing(); !missing.empty()) {
    std::printf("skipped: %s\n", missing.c_str());
    return 0;
  }
  const auto add = [](const char* name, auto function) {
    return benchmark::RegisterBenchmark(name, function)->UseRealTime();
  };
  add("bare_one", bare_one);
  add("weir_one", weir_one);
  add("bare_rows", bare_rows);
  add("weir_rows", weir_rows);
  add("bare_bulk", bare_bulk);
  add("weir_bulk", weir_bulk);
  using benchmark::State;
  using weir::OnConflict;
  add("bare_insert", [](State& s) { bare_insert(s, OnConflict::fail, ""); });
  add("bare_insert_text", [](State& s) { bare_text(s, OnConflict::fail, ""); });
  add("weir_insert", [](State& s) { weir_insert(s, OnConflict::fail); });
  add("bare_skip", [](State& s) { bare_insert(s, OnConflict::skip, skip_clause); });
  add("bare_skip_text", [](State& s) { bare_text(s, OnConflict::skip, skip_clause); });
  add("weir_skip", [](State& s) { weir_insert(s, OnConflict::skip); });
  add("bare_update", [](State& s) { bare_insert(s, OnConflict::update, update_clause); });
  add("weir_update", [](State& s) { weir_insert(s, OnConflict::update); });
  add("bare_connect", bare_connect);
  add("weir_acquire", weir_acquire);
#ifdef WEIR_BENCH_SOCI
  add("soci_one", soci_one);
  add("soci_rows", soci_rows);
#endif
  weir::bench::Measured measured;
  const int code = measured.run(argc, argv);
  if (code != 0) return code;
  std::printf("\n");
  measured.print_ratio("prepared SELECT 1", "weir_one/real_time", "bare_one/real_time");
  measured.print_ratio("1000 rows of 3 columns, streamed", "weir_rows/real_time",
                       "bare_rows/real_time");
  measured.print_ratio("10000 rows in, one by one", "weir_bulk/real_time", "bare_bulk/real_time");
  measured.print_ratio("10000 rows in, insert_many", "weir_insert/real_time",
                       "bare_insert/real_time");
  measured.print_ratio("against values in the text", "weir_insert/real_time",
                       "bare_insert_text/real_time");
  measured.print_ratio("half of them skipped", "weir_skip/real_time", "bare_skip/real_time");
  measured.print_ratio("against values in the text", "weir_skip/real_time",
                       "bare_skip_text/real_time");
  measured.print_ratio("half of them updated", "weir_update/real_time", "bare_update/real_time");
  measured.print_ratio("connecting, instead of borrowing", "bare_connect/real_time",
                       "weir_acquire/real_time");
#ifdef WEIR_BENCH_SOCI
  measured.print_ratio("SOCI: prepared SELECT 1", "soci_one/real_time", "weir_one/real_time");
  measured.print_ratio("SOCI: 1000 rows", "soci_rows/real_time", "weir_rows/real_time");
#else
  std::printf("SOCI is not installed, so it is not beside them: apt-get install libsoci-dev\n");
#endif
}
