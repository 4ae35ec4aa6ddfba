// SPDX-License-Identifier: MIT
//
// mysql.cpp: the work on MariaDB with InnoDB: bare MySQL Connector/C++, which Weir's driver is made
// of, Weir, and SOCI, which is on the C library and puts the values into the text. The server is
// that of the tests, and is told to leave the disk alone, for all pools alike.
#include "backends/mysql/config.hpp"
#include "backends/mysql/link.hpp"
#include "backends/mysql/weir_mysql.h"
#include "bench/query/on_weir.hpp"
#include "tests/backends/mysql_server.hpp"
#ifdef WEIR_BENCH_SOCI
#include "bench/query/on_soci.hpp"
#endif

#include <memory>

namespace weir::bench::query {
namespace {

using test::MysqlServer;

constexpr const char* database = "bench";

std::unique_ptr<sql::Connection> dial(const char* schema) {
  mysql::Config config;
  config.user = MysqlServer::user;
  config.password = MysqlServer::password;
  config.database = schema;
  config.socket = MysqlServer::instance().socket();
  return mysql::dial(config, std::chrono::seconds(10), std::chrono::seconds(60));
}

// A connection by hand, with everything prepared when it is opened.
class Connector {
 public:
  Connector() : link_(dial(database)), statement_(link_->createStatement()) {
    const Texts sql = texts(question_mark);
    for (std::size_t i = 0; i < steps; ++i) prepared_[i].reset(link_->prepareStatement(sql[i]));
  }

  void begin() { statement_->execute("BEGIN"); }
  void commit() { statement_->execute("COMMIT"); }
  template <class... Numbers>
  void change(Step step, Numbers... numbers) {
    fill(step, numbers...).executeUpdate();
  }
  int select(int account) {
    const std::unique_ptr<sql::ResultSet> rows(fill(Step::select, account).executeQuery());
    rows->next();
    return rows->getInt(1);
  }

 private:
  template <class... Numbers>
  sql::PreparedStatement& fill(Step step, Numbers... numbers) {
    sql::PreparedStatement& statement = *prepared_[static_cast<std::size_t>(step)];
    unsigned at = 0;
    (statement.setInt(++at, numbers), ...);
    return statement;
  }

  std::unique_ptr<sql::Connection> link_;
  std::unique_ptr<sql::Statement> statement_;
  std::array<std::unique_ptr<sql::PreparedStatement>, steps> prepared_;
};

void fill(sql::Connection& link) {
  const auto tell = [&](const std::string& sql) { mysql::tell(link, sql.c_str()); };
  const auto rows = [](int n) { return " FROM seq_1_to_" + std::to_string(n); };
  const std::string engine = ") ENGINE=InnoDB";
  tell("CREATE TABLE branches (bid INT PRIMARY KEY, bbalance INT, filler CHAR(88)" + engine);
  tell("CREATE TABLE tellers (tid INT PRIMARY KEY, bid INT, tbalance INT, filler CHAR(84)" +
       engine);
  tell("CREATE TABLE accounts (aid INT PRIMARY KEY, bid INT, abalance INT, filler CHAR(84)" +
       engine);
  tell(
      "CREATE TABLE history (tid INT, bid INT, aid INT, delta INT, mtime TIMESTAMP, "
      "filler CHAR(22)" +
      engine);
  tell("INSERT INTO branches SELECT seq, 0, ''" + rows(branches));
  tell("INSERT INTO tellers SELECT seq, (seq + 9) DIV 10, 0, ''" + rows(tellers));
  tell("INSERT INTO accounts SELECT seq, 1 + seq % " + std::to_string(branches) + ", 0, ''" +
       rows(accounts));
}

// As the tests have it, it writes out its small cache all the time, and the log at each commit.
void leave_disk_alone(sql::Connection& link) {
  mysql::tell(link, "SET GLOBAL innodb_buffer_pool_size = 128 * 1024 * 1024");
  mysql::tell(link, "SET GLOBAL innodb_flush_log_at_trx_commit = 0");
}

// A server with the tables in it.
void prepare() {
  if (!MysqlServer::not_installed().empty()) {
    throw CannotRun("MariaDB is not installed: apt-get install mariadb-server");
  }
  if (const std::string& missing = MysqlServer::instance().missing(); !missing.empty()) {
    throw std::runtime_error(missing);
  }
  static const bool filled = [] {
    mysql::tell(*dial(""), (std::string("CREATE DATABASE ") + database).c_str());
    leave_disk_alone(*dial(""));
    fill(*dial(database));
    return true;
  }();
  static_cast<void>(filled);
  mysql::tell(*dial(database), "TRUNCATE history");
}

Outcome run_bare(const Load& load, std::chrono::duration<double> time, bool transactions) {
  prepare();
  return run_owned(load, time, transactions, [] { return std::make_unique<Connector>(); });
}

Outcome run_pool(const Load& load, std::chrono::duration<double> time, bool transactions) {
  prepare();
  return run_weir(load, time, transactions,
                  open_pools(weir_mysql_driver(), "mysql", MysqlServer::instance().url(database),
                             load.connections));
}

#ifdef WEIR_BENCH_SOCI
Outcome run_session(const Load& load, std::chrono::duration<double> time, bool transactions) {
  prepare();
  return run_soci(load, time, transactions, "mysql",
                  std::string("db=") + database + " user=" + MysqlServer::user + " password=" +
                      MysqlServer::password + " unix_socket=" + MysqlServer::instance().socket());
}
#endif

}  // namespace

std::vector<Cell> mysql_cells() {
  std::vector<Cell> cells;
  const auto add = [&](const char* pool, auto run) {
    cells.push_back({pool, "my-select", [=](auto& load, auto t) { return run(load, t, false); }});
    cells.push_back({pool, "my-tpcb", [=](auto& load, auto t) { return run(load, t, true); }});
  };
  add("bare", run_bare);
  add("weir", run_pool);
#ifdef WEIR_BENCH_SOCI
  add("soci", run_session);
#endif
  return cells;
}

}  // namespace weir::bench::query
