// SPDX-License-Identifier: MIT
//
// Goal: each known trap of MySQL Connector/C++ is shut, and the test says which it is. Where the
// trap can be shown on the bare library, it is, so that the test fails when it goes away.
// Method: the bare library beside the driver, on one server.
#include "backends/mysql/errors.hpp"
#include "tests/backends/mysql_fixture.hpp"

#include <csignal>
#include <cstdlib>
#include <set>
#include <thread>
#include <unistd.h>

namespace weir::test {
namespace {

using MysqlTraps = Mysql;

// Before anything of the library ran.
const auto of_sigpipe = [] {
  struct sigaction now {};
  ::sigaction(SIGPIPE, nullptr, &now);
  return now.sa_handler;
}();

std::unique_ptr<sql::Connection> bare(MysqlServer& server) {
  mysql::Config config;
  config.socket = server.socket();
  config.user = MysqlServer::user;
  config.password = MysqlServer::password;
  config.database = "mysql";
  return mysql::dial(config, std::chrono::seconds(60), std::chrono::seconds(60));
}

// The library takes any option name; the driver knows its own.
TEST_F(MysqlTraps, an_option_that_does_not_exist_is_refused) {
  Source wrong(weir_mysql_driver(), host.abi(), url, {{"OPT_RECONNECT", "true"}});
  EXPECT_EQ(WEIR_E_CONFIG, wrong.status);
  EXPECT_THAT(wrong.error.what(), ::testing::HasSubstr("OPT_RECONNECT"));
}

// An unread result makes the next statement "out of sync", and isValid() false.
TEST_F(MysqlTraps, rows_that_nobody_reads_are_no_hindrance) {
  const auto link = bare(server());
  const std::unique_ptr<sql::Statement> unread(link->createStatement());
  unread->execute("SELECT 1");
  EXPECT_FALSE(link->isValid());

  ASSERT_EQ(WEIR_OK, session->query("SELECT 1", {}, WEIR_EXEC_NO_ROWS));
  EXPECT_EQ(WEIR_OK, session->ping(WEIR_PING_PROTOCOL));
  EXPECT_EQ(WEIR_ALIVE_YES, session->alive);
  ASSERT_EQ(WEIR_OK, session->start("SELECT seq FROM seq_1_to_1000", {}, 0, nullptr, 10));
  session->close_result();
  run("SELECT 1");
}

// A procedure answers further result sets and one without columns.
TEST_F(MysqlTraps, further_result_sets_of_a_procedure_are_read_away) {
  run("CREATE PROCEDURE p(n INT) BEGIN SELECT n; SELECT 2, 3; DO 1; END");
  for (const bool prepared : {false, true}) {
    if (prepared) {
      run("CALL p(?)", {Value::integer(7)});
    } else {
      run("CALL p(7)");
    }
    ASSERT_EQ(1U, session->rows.size());
    EXPECT_EQ(Row{Value::integer(7)}, session->rows[0]);
    EXPECT_EQ(Value::integer(1), session->one("SELECT 1"));
  }
}

// They lie unread on the link while the first one is, and the server cannot be asked meanwhile.
TEST_F(MysqlTraps, all_that_a_procedure_answers_is_read_at_once) {
  run("CREATE PROCEDURE long_one(n INT) BEGIN SELECT seq FROM seq_1_to_1000; SELECT n; END");
  run("CREATE PROCEDURE wide_one() BEGIN SELECT REPEAT('x', 200000); SELECT 2; END");
  struct Case {
    const char* sql;
    Row params;
    std::size_t rows;
  };
  const Case cases[] = {
      {"CALL long_one(7)", {}, 1000},
      {"CALL long_one(?)", {Value::integer(7)}, 1000},
      {"CALL wide_one()", {}, 1},
      {"BEGIN NOT ATOMIC SELECT seq FROM seq_1_to_1000; SELECT 2; END", {}, 1000},
  };
  for (const bool in_tx : {false, true}) {
    for (const Case& c : cases) {
      ASSERT_EQ(WEIR_OK, in_tx ? session->begin() : WEIR_OK);
      ASSERT_EQ(WEIR_OK, session->query(c.sql, c.params)) << c.sql << session->error.what();
      EXPECT_EQ(c.rows, session->rows.size()) << c.sql;
      EXPECT_EQ(1, session->batches) << c.sql;
      EXPECT_EQ(in_tx, session->is(WEIR_STATE_IN_TX)) << c.sql;
      EXPECT_EQ(Value::integer(1), session->one("SELECT 1")) << c.sql;
      ASSERT_EQ(WEIR_OK, session->rollback());
    }
  }
}

TEST_F(MysqlTraps, a_write_answers_all_its_rows_at_once) {
  run("CREATE TABLE t(k INT PRIMARY KEY)");
  run("INSERT INTO t SELECT seq FROM seq_1_to_1000 RETURNING k");
  EXPECT_EQ(1000U, session->rows.size());
  EXPECT_EQ(1, session->batches);
}

// The library takes no rows of a prepared statement whose table has got other columns.
TEST_F(MysqlTraps, a_prepared_select_follows_a_table_that_changes_its_columns) {
  run("CREATE TABLE t(k INT PRIMARY KEY)");
  run("INSERT INTO t VALUES(1)");
  const auto link = bare(server());
  const std::unique_ptr<sql::PreparedStatement> its(
      link->prepareStatement(mysql::to_library("SELECT * FROM " + database() + ".t")));
  { const std::unique_ptr<sql::ResultSet> rows(its->executeQuery()); }
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, session->prepare("SELECT * FROM t WHERE k=?", &stmt));
  ASSERT_EQ(WEIR_OK, session->query("", {Value::integer(1)}, 0, stmt));
  EXPECT_EQ(Row{Value::integer(1)}, session->rows.at(0));

  interfere("ALTER TABLE t ADD v INT DEFAULT 7");
  EXPECT_THROW(std::unique_ptr<sql::ResultSet>(its->executeQuery()), sql::SQLException);
  const Row wider{Value::integer(1), Value::integer(7)};
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(WEIR_OK, session->query("", {Value::integer(1)}, 0, stmt)) << session->error.what();
    EXPECT_EQ(wider, session->rows.at(0));
  }

  ASSERT_EQ(WEIR_OK, session->begin());
  interfere("ALTER TABLE t DROP v");
  ASSERT_EQ(WEIR_OK, session->query("", {Value::integer(1)}, 0, stmt)) << session->error.what();
  EXPECT_EQ(Row{Value::integer(1)}, session->rows.at(0));
  EXPECT_TRUE(session->is(WEIR_STATE_IN_TX));
  ASSERT_EQ(WEIR_OK, session->commit());
  session->stmt_close(stmt);
}

// The same of a write, which has been carried out then, and must not be again.
TEST_F(MysqlTraps, a_prepared_write_is_not_repeated_though_its_table_has_changed) {
  run("CREATE TABLE t(k INT)");
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, session->prepare("INSERT INTO t(k) VALUES(?) RETURNING *", &stmt));
  ASSERT_EQ(WEIR_OK, session->query("", {Value::integer(1)}, 0, stmt)) << session->error.what();
  interfere("ALTER TABLE t ADD v INT DEFAULT 7");
  EXPECT_EQ(WEIR_E_OTHER, session->query("", {Value::integer(2)}, 0, stmt));
  EXPECT_EQ(mysql::other_columns, session->error.native_code) << session->error.what();
  EXPECT_EQ(WEIR_EFFECT_UNKNOWN, session->error.effect);
  EXPECT_EQ(WEIR_CONN_USABLE, session->error.conn_fate);
  EXPECT_EQ("1", observe("SELECT COUNT(*) FROM t WHERE k=2"));
  EXPECT_EQ(Value::integer(1), session->one("SELECT 1"));
  ASSERT_EQ(WEIR_OK, session->query("", {Value::integer(3)}, 0, stmt)) << session->error.what();
  EXPECT_EQ(Value::integer(3), session->rows.at(0).at(0));
  session->stmt_close(stmt);
}

// isClosed() says false of a session that the server ended.
TEST_F(MysqlTraps, a_session_that_the_server_ended_is_found_dead) {
  const auto link = bare(server());
  const std::string id = mysql::ask(*link, "SELECT CONNECTION_ID()");
  interfere("KILL " + id);
  EXPECT_FALSE(link->isClosed());

  for (const int depth : {WEIR_PING_PROTOCOL, WEIR_PING_SESSION}) {
    Session its(*source, 5);
    ASSERT_EQ(WEIR_OK, its.open());
    weir_conn_state state{};
    state.struct_size = sizeof state;
    its.driver->state(its.conn, &state);
    interfere("KILL " + std::to_string(state.backend_id));
    EXPECT_EQ(WEIR_OK, its.ping(depth));
    EXPECT_EQ(WEIR_ALIVE_NO, its.alive);
    EXPECT_TRUE(its.is(WEIR_STATE_BROKEN));
  }
}

// With OPT_RECONNECT the library would go on with a new session without a word.
TEST_F(MysqlTraps, a_lost_session_is_never_replaced_in_silence) {
  run("SET @mine = 1");
  interfere("KILL " + std::to_string(backend_id()));
  EXPECT_EQ(WEIR_E_CONN_LOST, session->query("SELECT @mine"));
  EXPECT_EQ(WEIR_CONN_BROKEN, session->error.conn_fate);
  EXPECT_EQ(WEIR_E_INVALID_STATE, session->query("SELECT @mine"));
}

// A read timeout is 2013, as a lost connection is: the statement may have been carried out.
TEST_F(MysqlTraps, a_read_timeout_is_of_unknown_effect) {
  Source hasty(weir_mysql_driver(), host.abi(), url, {{"read_timeout", "1000000000"}});
  Session its(hasty, 6);
  ASSERT_EQ(WEIR_OK, its.open());
  EXPECT_EQ(WEIR_E_CONN_LOST, its.query("SELECT SLEEP(30)"));
  EXPECT_EQ(WEIR_EFFECT_UNKNOWN, its.error.effect);
  EXPECT_EQ(WEIR_CONN_BROKEN, its.error.conn_fate);
}

// Prepared results print doubles with six digits.
TEST_F(MysqlTraps, doubles_of_prepared_results_are_whole) {
  const auto link = bare(server());
  const std::unique_ptr<sql::PreparedStatement> statement(link->prepareStatement("SELECT 1e-12"));
  const std::unique_ptr<sql::ResultSet> rows(statement->executeQuery());
  ASSERT_TRUE(rows->next());
  EXPECT_EQ("0.000000", mysql::bytes_of(rows->getString(1)));

  EXPECT_EQ(Value::real(1e-12), session->one("SELECT ?", {Value::real(1e-12)}));
}

// Rows that are streamed end where an error was, as if they were all.
TEST_F(MysqlTraps, an_error_in_the_midst_of_the_rows_is_seen) {
  constexpr const char* fails =
      "SELECT seq, IF(seq = 5000, (SELECT 1 UNION SELECT 2), 1) FROM seq_1_to_10000";
  const auto link = bare(server());
  const std::unique_ptr<sql::Statement> statement(link->createStatement());
  statement->setResultSetType(sql::ResultSet::TYPE_FORWARD_ONLY);
  const std::unique_ptr<sql::ResultSet> rows(statement->executeQuery(fails));
  int count = 0;
  while (rows->next()) ++count;
  EXPECT_EQ(4999, count) << "the library tells of errors now: its rows could be streamed";

  EXPECT_EQ(WEIR_E_DATA, session->query(fails));
}

// sslEnforce connects in the clear where the server has no TLS; "required" needs more.
TEST_F(MysqlTraps, required_tls_is_not_left_to_the_library) {
  sql::ConnectOptionsMap options;
  options["hostName"] = sql::SQLString("localhost");
  options["userName"] = sql::SQLString(MysqlServer::user);
  options["password"] = sql::SQLString(MysqlServer::password);
  options["socket"] = sql::SQLString(server().socket());
  options["sslEnforce"] = true;
  const std::unique_ptr<sql::Connection> link(mysql::library().connect(options));
  EXPECT_TRUE(link->isValid()) << "the library keeps the promise now";

  Source safe(weir_mysql_driver(), host.abi(), url,
              {{"tls", "require"}, {"tls_ca", "/etc/ssl/certs/ca-certificates.crt"}});
  Session its(safe, 7);
  EXPECT_EQ(WEIR_E_TLS, its.open());
}

// The library sets REPEATABLE READ at every connect, whatever the server's default.
TEST_F(MysqlTraps, the_servers_isolation_level_is_left_alone) {
  interfere("SET GLOBAL tx_isolation = 'SERIALIZABLE'");
  EXPECT_EQ("REPEATABLE-READ", mysql::ask(*bare(server()), "SELECT @@tx_isolation"));
  Session its(*source, 8);
  ASSERT_EQ(WEIR_OK, its.open());
  EXPECT_EQ(Value::str("SERIALIZABLE"), its.one("SELECT @@tx_isolation"));
  interfere("SET GLOBAL tx_isolation = 'REPEATABLE-READ'");
}

// A killed SLEEP or BENCHMARK answers like one that went well.
TEST_F(MysqlTraps, a_killed_query_is_cancelled_though_it_looks_like_success) {
  const std::uint64_t id = backend_id();
  const std::uint64_t op = session->op + 1;
  std::thread other([&] {
    await_running(id, "SLEEP");
    const weir_call call{sizeof call, 0, 1, WEIR_NO_DEADLINE};
    session->driver->cancel(session->canceller, op, &call, nullptr);
  });
  EXPECT_EQ(WEIR_E_CANCELLED, session->query("SELECT SLEEP(3600), 1"));
  other.join();
}

// A prepared statement takes its open result with it, and what is left of that is no result.
TEST_F(MysqlTraps, a_statement_may_be_closed_before_its_result) {
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, session->prepare("SELECT seq FROM seq_1_to_30", &stmt));
  ASSERT_EQ(WEIR_OK, session->start("", {}, 0, stmt, 10));
  session->stmt_close(stmt);
  ASSERT_EQ(WEIR_OK, session->fetch());
  EXPECT_EQ(11, Value::of(session->batch.cells[0]).i);
  session->close_result();
  EXPECT_EQ(Value::integer(1), session->one("SELECT 1"));
}

// MariaDB's client has the process ignore SIGPIPE.
TEST_F(MysqlTraps, signals_are_left_to_the_host) {
  struct sigaction now {};
  ASSERT_EQ(0, ::sigaction(SIGPIPE, nullptr, &now));
  EXPECT_EQ(of_sigpipe, now.sa_handler);
}

// The first calls for the driver object race, and make more than one.
TEST_F(MysqlTraps, the_library_is_asked_for_its_driver_once) {
  std::vector<std::thread> threads;
  std::vector<sql::Driver*> seen(8);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    threads.emplace_back([&seen, i] { seen[i] = &mysql::library(); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(1U, std::set<sql::Driver*>(seen.begin(), seen.end()).size());
}

// The library tells how many rows a prepared statement changed, or that it answers rows, and
// throws "not implemented" or falls out of step where it is asked for the other.
TEST_F(MysqlTraps, counts_and_rows_of_prepared_writes_are_told_apart) {
  run("CREATE TABLE t(k INT PRIMARY KEY, v INT)");
  run("INSERT INTO t VALUES(?, ?), (2, 2)", {Value::integer(1), Value::integer(1)});
  EXPECT_EQ(2U, session->out.affected);
  run("UPDATE t SET v=?", {Value::integer(1)});
  EXPECT_EQ(1U, session->out.affected) << "the one that changed";
  run("INSERT INTO t VALUES(?, 3) RETURNING k", {Value::integer(3)});
  EXPECT_EQ(Row{Value::integer(3)}, session->rows.at(0));
  run("SET @x = ?", {Value::integer(3)});
  EXPECT_EQ(0U, session->out.flags & WEIR_EXEC_HAS_AFFECTED);
  run("DO ?", {Value::integer(3)});
  EXPECT_EQ(Value::integer(1), session->one("SELECT 1"));
}

// Geometry in a prepared result: the library gives up, after the statement was carried out.
TEST_F(MysqlTraps, what_the_library_cannot_read_breaks_nothing) {
  EXPECT_EQ(WEIR_T_BLOB, session->one("SELECT POINT(1, 2)").type);
  EXPECT_EQ(WEIR_E_UNSUPPORTED, session->query("SELECT POINT(?, 2)", {Value::real(1)}));
  EXPECT_EQ(Value::integer(1), session->one("SELECT 1"));
}

// They need no threadInit; they end as they like.
TEST_F(MysqlTraps, any_thread_of_the_host_may_call) {
  for (int i = 0; i < 50; ++i) {
    std::thread([&] { run("SELECT 1"); }).join();
  }
}

// The library destroys its driver object in an exit handler, while other threads still start, and
// before a host's older static objects close their sessions.
TEST(MysqlTrapsDeathTest, the_library_can_be_used_while_the_process_ends) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // in a process that has not used it yet
  static RealHost host;
  static const auto open = [] {
    Source nowhere(weir_mysql_driver(), host.abi(), "mysql://root@localhost/?socket=/nowhere");
    return Session(nowhere, 1).open();
  };
  EXPECT_EXIT(
      {
        std::atexit([] { ::_exit(open() == WEIR_E_CONNECT ? 0 : 2); });
        if (open() != WEIR_E_CONNECT) ::_exit(3);
        std::exit(1);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace weir::test
