// SPDX-License-Identifier: MIT
//
// The same work on one MariaDB server, on a unix socket, in one run: bare MySQL Connector/C++,
// Weir, and SOCI (on the C library) where it is installed. Every side reads each column into the
// same C++ type. A server is started for the occasion and ends with the program.
#include "backends/mysql/config.hpp"
#include "backends/mysql/link.hpp"
#include "backends/mysql/weir_mysql.h"
#include "bench/bulk.hpp"
#include "bench/measured.hpp"
#include "bench/pool_work.hpp"
#include "tests/backends/mysql_server.hpp"

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
  measured.print_ratio("connecting, instead of borrowing", "bare_connect/real_time",
                       "weir_acquire/real_time");
#ifdef WEIR_BENCH_SOCI
  measured.print_ratio("SOCI: prepared SELECT 1", "soci_one/real_time", "weir_one/real_time");
  measured.print_ratio("SOCI: 1000 rows", "soci_rows/real_time", "weir_rows/real_time");
#else
  std::printf("SOCI is not installed, so it is not beside them: apt-get install libsoci-dev\n");
#endif
}
