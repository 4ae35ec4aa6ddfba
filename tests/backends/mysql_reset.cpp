// SPDX-License-Identifier: MIT
//
// Goal: after a reset nothing of the earlier user can be observed, whatever was done to the session
// and in whatever order; what was not changed costs no new connection.
// Method: what a session can show is read before and after; random sequences of what dirties it.
#include "tests/backends/mysql_fixture.hpp"

#include <rapidcheck/gtest.h>

namespace weir::test {
namespace {

// Each changes the session in a way of its own. All can be run in any order.
constexpr const char* changes[] = {
    "SET @x = 1",
    "SELECT 5 INTO @y",
    "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
    "SET time_zone = '+05:00'",
    "SET NAMES latin1",
    "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET SESSION TRANSACTION READ ONLY",
    "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
    "SET autocommit = 0",
    "SET foreign_key_checks = 0",
    "SET lock_wait_timeout = 7",
    "USE mysql",
    "CREATE OR REPLACE TEMPORARY TABLE test.own(x INT)",
    "PREPARE p FROM 'SELECT 1'",
    "SELECT GET_LOCK('weir', 0)",
    "BEGIN",
    "/*!40101 SET @z = 1 */",
    "SET ROLE NONE",
    "SET max_statement_time = 50",
    "INSERT INTO test.keys_of(v) VALUES(1)",
    "SELECT SQL_CALC_FOUND_ROWS * FROM test.keys_of LIMIT 1",
    "SET /*!50000 SESSION */ TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SELECT `GET_LOCK`('weir', 0)",
    "SELECT 1 + 'a word'",  // leaves a warning
};

// What an ordinary user can see of the session.
constexpr const char* view =
    "SELECT CONCAT_WS('|', IFNULL(@x, ''), IFNULL(@y, ''), IFNULL(@z, ''), @@sql_mode, "
    "@@time_zone, @@character_set_client, @@character_set_results, @@tx_isolation, @@tx_read_only, "
    "@@autocommit, @@foreign_key_checks, @@lock_wait_timeout, DATABASE(), IFNULL(CURRENT_ROLE(), "
    "''), @@max_statement_time, @@in_transaction, LAST_INSERT_ID(), "
    "IFNULL(IS_USED_LOCK('weir') = CONNECTION_ID(), 0), FOUND_ROWS(), @@warning_count)";

class MysqlReset : public Mysql {
 protected:
  void SetUp() override {
    Mysql::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    interfere("CREATE DATABASE IF NOT EXISTS test");
    interfere("CREATE OR REPLACE TABLE test.keys_of(id INT AUTO_INCREMENT PRIMARY KEY, v INT)");
    Session fresh(*source, 9);
    ASSERT_EQ(WEIR_OK, fresh.open());
    ASSERT_EQ(WEIR_OK, fresh.query("SELECT LAST_INSERT_ID(0)"));
    as_opened = fresh.one(view);
  }
  void expect_as_opened(const std::string& after) {
    EXPECT_EQ(as_opened, session->one(view)) << after;
    EXPECT_EQ(WEIR_E_NOT_FOUND, session->query("SELECT * FROM test.own")) << after;
    EXPECT_EQ(WEIR_E_NOT_FOUND, session->query("EXECUTE p")) << after;
  }
  Value as_opened;
};

TEST_F(MysqlReset, takes_back_each_change) {
  for (const char* change : changes) {
    run(change);
    ASSERT_EQ(WEIR_OK, session->reset()) << change << ": " << session->error.what();
    EXPECT_EQ(0U, session->done & WEIR_RESET_NOT_PROVEN);
    EXPECT_FALSE(session->is(WEIR_STATE_DIRTY | WEIR_STATE_IN_TX)) << change;
    expect_as_opened(change);
    ASSERT_EQ(WEIR_OK, session->reset());
  }
}

// A session whose database is dropped has none from then on, though one of that name comes back.
TEST_F(MysqlReset, takes_back_that_its_database_was_dropped) {
  for (const char* drop : {"DROP DATABASE ", "drop schema if exists ",
                           "CREATE OR REPLACE DATABASE ", "/*! DROP DATABASE */ "}) {
    run(drop + database());
    run("CREATE DATABASE IF NOT EXISTS " + database());
    ASSERT_EQ(WEIR_OK, session->reset()) << drop << ": " << session->error.what();
    expect_as_opened(drop);
    ASSERT_EQ(WEIR_OK, session->reset());
  }
}

TEST_F(MysqlReset, takes_back_what_many_changes_leave) {
  const bool holds = rc::check("nothing is left", [&] {
    const auto picks = *rc::gen::container<std::vector<std::size_t>>(
        rc::gen::inRange<std::size_t>(0, std::size(changes)));
    std::string done;
    for (const std::size_t pick : picks) {
      session->query(changes[pick]);  // one may forbid the next: a read-only session, a BEGIN
      done += std::string(changes[pick]) + "; ";
    }
    RC_ASSERT(session->reset() == WEIR_OK);
    RC_ASSERT(session->one(view) == as_opened);
    RC_ASSERT(session->query("SELECT * FROM test.own") == WEIR_E_NOT_FOUND);
    RC_ASSERT(session->reset() == WEIR_OK);
  });
  EXPECT_TRUE(holds);
}

TEST_F(MysqlReset, takes_back_what_a_statement_that_failed_had_changed) {
  run("CREATE PROCEDURE p() BEGIN SET @x = 'mine'; EXECUTE IMMEDIATE 'SELEKT'; END");
  for (const char* sql :
       {"CALL p()", "BEGIN NOT ATOMIC SET @x = 'mine'; EXECUTE IMMEDIATE 'SELEKT'; END"}) {
    ASSERT_EQ(WEIR_OK, session->reset());
    EXPECT_EQ(WEIR_E_SYNTAX, session->query(sql));
    ASSERT_EQ(WEIR_OK, session->reset());
    EXPECT_EQ(Value::null(), session->one("SELECT @x")) << sql;
  }
}

// What does not parse changes nothing, and takes nothing back.
TEST_F(MysqlReset, takes_back_a_change_though_a_statement_could_not_be_prepared_after_it) {
  run("SET @x = 'mine'");
  weir_stmt* stmt = nullptr;
  EXPECT_EQ(WEIR_E_SYNTAX, session->prepare("SELEKT", &stmt));
  EXPECT_TRUE(session->is(WEIR_STATE_DIRTY));
  ASSERT_EQ(WEIR_OK, session->reset());
  EXPECT_EQ(Value::null(), session->one("SELECT @x"));
}

TEST_F(MysqlReset, leaves_no_message_that_names_a_value) {
  run("CREATE TABLE t(k VARCHAR(9) PRIMARY KEY)");
  run("INSERT INTO t VALUES('mine')");
  EXPECT_EQ(WEIR_E_CONSTRAINT, session->query("INSERT INTO t VALUES('mine')"));
  ASSERT_EQ(WEIR_OK, session->reset());
  run("SHOW WARNINGS");
  EXPECT_TRUE(session->rows.empty());
  weir_stmt* stmt = nullptr;
  EXPECT_EQ(WEIR_E_NOT_FOUND, session->prepare("SELECT mine FROM t", &stmt));
  ASSERT_EQ(WEIR_OK, session->reset());
  run("SHOW WARNINGS");
  EXPECT_TRUE(session->rows.empty());
}

TEST_F(MysqlReset, forgets_the_last_value_of_a_sequence) {
  run("CREATE SEQUENCE s");
  for (const char* sql : {"SELECT NEXTVAL(s)", "SELECT NEXT VALUE FOR s"}) {
    run(sql);
    ASSERT_EQ(WEIR_OK, session->reset());
    EXPECT_EQ(Value::null(), session->one("SELECT LASTVAL(s)")) << sql;
  }
}

TEST_F(MysqlReset, a_session_that_was_only_used_keeps_its_connection) {
  const std::uint64_t id = backend_id();
  for (const char* sql : {"SELECT 1", "INSERT INTO test.keys_of(v) VALUES(2)", "BEGIN", "COMMIT",
                          "CREATE OR REPLACE TABLE plain(x INT)", "SELEKT"}) {
    session->query(sql);
    EXPECT_FALSE(session->is(WEIR_STATE_DIRTY)) << sql;
    ASSERT_EQ(WEIR_OK, session->reset());
    EXPECT_EQ(id, backend_id()) << sql;
  }
  EXPECT_EQ(Value::integer(0), session->one("SELECT CAST(LAST_INSERT_ID() AS SIGNED)"));
  run("SET @x = 1");
  ASSERT_EQ(WEIR_OK, session->reset());
  EXPECT_NE(id, backend_id());
  EXPECT_FALSE(session_lives(id));
}

TEST_F(MysqlReset, prepared_statements_stay_or_are_said_to_be_gone) {
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, session->prepare("SELECT ?", &stmt));
  ASSERT_EQ(WEIR_OK, session->query("", {Value::integer(1)}, 0, stmt));
  ASSERT_EQ(WEIR_OK, session->reset());
  EXPECT_EQ(0U, session->done);
  EXPECT_EQ(WEIR_OK, session->query("", {Value::integer(1)}, 0, stmt));
  run("SET @x = 1");
  ASSERT_EQ(WEIR_OK, session->reset());
  EXPECT_EQ(WEIR_RESET_STMTS_GONE, session->done);
  EXPECT_EQ(WEIR_E_INVALID_STATE, session->query("", {Value::integer(1)}, 0, stmt));
  session->stmt_close(stmt);
}

TEST_F(MysqlReset, of_the_transaction_alone_keeps_the_session) {
  run("SET @x = 1");
  run("BEGIN");
  ASSERT_EQ(WEIR_OK, session->reset(WEIR_RESET_TX));
  EXPECT_FALSE(session->is(WEIR_STATE_IN_TX));
  EXPECT_TRUE(session->is(WEIR_STATE_DIRTY));
  EXPECT_EQ(Value::integer(1), session->one("SELECT CAST(@x AS SIGNED)"));
}

TEST_F(MysqlReset, that_fails_leaves_the_conn_broken) {
  run("BEGIN");
  interfere("KILL " + std::to_string(backend_id()));
  EXPECT_EQ(WEIR_E_CONN_LOST, session->reset());
  EXPECT_EQ(WEIR_CONN_BROKEN, session->error.conn_fate);
  EXPECT_TRUE(session->is(WEIR_STATE_BROKEN));
}

}  // namespace
}  // namespace weir::test
