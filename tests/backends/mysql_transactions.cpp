// SPDX-License-Identifier: MIT
//
// Goal: what the driver says of transactions is what the server does: states, isolation, read only,
// savepoints, and what becomes of a transaction when a statement in it fails.
// Method: the driver's state against @@in_transaction after each step; two sessions for conflicts.
#include "tests/backends/mysql_fixture.hpp"

#include <chrono>
#include <thread>

namespace weir::test {
namespace {

class MysqlTransactions : public Mysql {
 protected:
  void SetUp() override {
    Mysql::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    run("CREATE TABLE a(k INT PRIMARY KEY, v INT)");
    run("INSERT INTO a VALUES(1, 0), (2, 0)");
  }
  bool server_in_tx() { return session->one("SELECT @@in_transaction").i == 1; }
  // Empty: no transaction. What the server shows there is a copy, which it renews only when nobody
  // has looked at it for 0.1 s of its own clock; so this waits in reality, before each look.
  std::string isolation() {
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    return observe(
        "SELECT trx_isolation_level FROM information_schema.innodb_trx WHERE "
        "trx_mysql_thread_id=" +
        std::to_string(backend_id()));
  }
};

TEST_F(MysqlTransactions, the_state_follows_every_kind_of_statement) {
  const std::pair<const char*, bool> steps[] = {
      {"SELECT 1", false},
      {"BEGIN", true},
      {"UPDATE a SET v=1", true},
      {"SAVEPOINT s", true},
      {"ROLLBACK TO s", true},
      {"RELEASE SAVEPOINT s", true},
      {"COMMIT", false},
      {"START TRANSACTION", true},
      {"ROLLBACK AND CHAIN", true},
      {"ROLLBACK", false},
      {"BEGIN", true},
      {"CREATE TABLE b(x INT)", false},  // commits
      {"BEGIN", true},
      {"CREATE TEMPORARY TABLE c(x INT)", true},
      {"DROP TEMPORARY TABLE c", true},
      {"TRUNCATE b", false},
      {"CREATE PROCEDURE p() BEGIN START TRANSACTION; INSERT INTO b VALUES(1); END", false},
      {"CALL p()", true},
      {"COMMIT", false},
      {"BEGIN", true},
      {"LOCK TABLES a WRITE", false},
      {"UNLOCK TABLES", false},
      {"BEGIN NOT ATOMIC START TRANSACTION; END", true},
      {"rollback", false},
      {"BEGIN", true},
      {"SET PASSWORD = PASSWORD('open-sesame')", false},
      {"BEGIN", true},
      {"SET DEFAULT ROLE NONE", false},
  };
  for (const auto& [sql, expected] : steps) {
    run(sql);
    EXPECT_EQ(expected, session->is(WEIR_STATE_IN_TX)) << sql;
    EXPECT_EQ(expected, server_in_tx()) << sql;
  }
}

TEST_F(MysqlTransactions, with_autocommit_off_a_transaction_counts_as_open) {
  run("SET autocommit = 0");
  run("UPDATE a SET v=7 WHERE k=1");
  EXPECT_TRUE(session->is(WEIR_STATE_IN_TX));
  ASSERT_EQ(WEIR_OK, session->reset());
  EXPECT_FALSE(session->is(WEIR_STATE_IN_TX));
  EXPECT_EQ("0", observe("SELECT v FROM a WHERE k=1"));
  EXPECT_EQ(Value::integer(1), session->one("SELECT @@autocommit"));
}

TEST_F(MysqlTransactions, autocommit_is_seen_off_however_that_was_written) {
  for (const char* sql : {"SET `autocommit` = 0", "/*!40000 SET autocommit = 0 */",
                          "EXECUTE IMMEDIATE 'SET autocommit = 0'"}) {
    run(sql);
    run("UPDATE a SET v=v+1 WHERE k=1");
    EXPECT_TRUE(session->is(WEIR_STATE_IN_TX)) << sql;
    EXPECT_EQ(WEIR_OK, session->commit()) << sql;
    ASSERT_EQ(WEIR_OK, session->reset());
  }
  EXPECT_EQ("3", observe("SELECT v FROM a WHERE k=1"));
}

TEST_F(MysqlTransactions, one_that_a_procedure_left_open_as_it_failed_is_seen) {
  run("CREATE PROCEDURE p() BEGIN START TRANSACTION; UPDATE a SET v=9; SIGNAL SQLSTATE '45000'; "
      "END");
  EXPECT_EQ(WEIR_E_OTHER, session->query("CALL p()"));
  EXPECT_TRUE(session->is(WEIR_STATE_IN_TX));
  ASSERT_EQ(WEIR_OK, session->reset(WEIR_RESET_TX));
  EXPECT_FALSE(server_in_tx());
  EXPECT_EQ("0", observe("SELECT v FROM a WHERE k=1"));
}

TEST_F(MysqlTransactions, completion_type_of_the_server_chains_none_of_ours) {
  interfere("SET GLOBAL completion_type = 'CHAIN'");
  Session its(*source, 2);
  EXPECT_EQ(WEIR_OK, its.open());
  interfere("SET GLOBAL completion_type = 'NO_CHAIN'");
  for (const bool commit : {true, false}) {
    ASSERT_EQ(WEIR_OK, its.begin());
    ASSERT_EQ(WEIR_OK, commit ? its.commit() : its.rollback());
    EXPECT_EQ(0, its.one("SELECT @@in_transaction").i);
  }
}

TEST_F(MysqlTransactions, one_that_completion_type_of_the_server_chains_is_seen) {
  interfere("SET GLOBAL completion_type = 'CHAIN'");
  Session its(*source, 2);
  EXPECT_EQ(WEIR_OK, its.open());
  interfere("SET GLOBAL completion_type = 'NO_CHAIN'");
  int v = 0;
  for (const char* sql : {"COMMIT", "ROLLBACK"}) {
    ASSERT_EQ(WEIR_OK, its.query("BEGIN"));
    ASSERT_EQ(WEIR_OK, its.query(sql));
    EXPECT_TRUE(its.is(WEIR_STATE_IN_TX)) << sql;
    ASSERT_EQ(WEIR_OK, its.query("COMMIT AND NO CHAIN"));
    EXPECT_FALSE(its.is(WEIR_STATE_IN_TX)) << sql;
    ASSERT_EQ(WEIR_OK, its.query(sql));
    ASSERT_EQ(WEIR_OK, its.reset());
    EXPECT_FALSE(its.is(WEIR_STATE_IN_TX)) << sql;
    EXPECT_EQ(0, its.one("SELECT @@in_transaction").i) << sql;
    ASSERT_EQ(WEIR_OK, its.query("UPDATE a SET v=" + std::to_string(++v) + " WHERE k=1"));
    EXPECT_EQ(std::to_string(v), observe("SELECT v FROM a WHERE k=1")) << sql;
  }
}

TEST_F(MysqlTransactions, one_that_completion_type_of_the_session_chains_is_seen) {
  run("SET completion_type = 'CHAIN'");
  for (const char* sql : {"COMMIT", "ROLLBACK", "COMMIT AND NO CHAIN"}) {
    run(sql);
    EXPECT_EQ(server_in_tx(), session->is(WEIR_STATE_IN_TX)) << sql;
  }
  EXPECT_FALSE(server_in_tx());
}

// The answer to the commit was heard.
TEST_F(MysqlTransactions, a_commit_that_ends_the_session_is_no_error) {
  run("SET completion_type = 'RELEASE'");
  ASSERT_EQ(WEIR_OK, session->begin());
  run("UPDATE a SET v=1 WHERE k=1");
  run("COMMIT");
  EXPECT_FALSE(session->is(WEIR_STATE_IN_TX));
  EXPECT_TRUE(session->is(WEIR_STATE_BROKEN));
  EXPECT_EQ("1", observe("SELECT v FROM a WHERE k=1"));
}

TEST_F(MysqlTransactions, isolation_is_the_servers_default_or_as_asked_for) {
  interfere("SET GLOBAL tx_isolation = 'READ-COMMITTED'");
  Session its(*source, 2);
  ASSERT_EQ(WEIR_OK, its.open());
  EXPECT_EQ(Value::str("READ-COMMITTED"), its.one("SELECT @@tx_isolation"));
  interfere("SET GLOBAL tx_isolation = 'REPEATABLE-READ'");
  const std::pair<int, const char*> levels[] = {
      {WEIR_ISOLATION_READ_UNCOMMITTED, "READ UNCOMMITTED"},
      {WEIR_ISOLATION_READ_COMMITTED, "READ COMMITTED"},
      {WEIR_ISOLATION_REPEATABLE_READ, "REPEATABLE READ"},
      {WEIR_ISOLATION_SERIALIZABLE, "SERIALIZABLE"},
      {WEIR_ISOLATION_DEFAULT, "REPEATABLE READ"},
  };
  for (const auto& [level, name] : levels) {
    ASSERT_EQ(WEIR_OK, session->begin(0, level)) << session->error.what();
    run("UPDATE a SET v=v+1 WHERE k=1");
    EXPECT_EQ(name, isolation());
    ASSERT_EQ(WEIR_OK, session->rollback());
    EXPECT_EQ("", isolation());
  }
}

// It is no transaction yet, which a host would set a savepoint in.
TEST_F(MysqlTransactions, a_level_set_for_the_next_one_is_that_of_begin) {
  run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
  EXPECT_FALSE(session->is(WEIR_STATE_IN_TX));
  EXPECT_TRUE(session->is(WEIR_STATE_DIRTY));
  ASSERT_EQ(WEIR_OK, session->begin()) << session->error.what();
  EXPECT_TRUE(session->is(WEIR_STATE_IN_TX));
  EXPECT_FALSE(session->is(WEIR_STATE_DIRTY));
  run("UPDATE a SET v=v+1 WHERE k=1");
  EXPECT_EQ("SERIALIZABLE", isolation());
  ASSERT_EQ(WEIR_OK, session->rollback());
  EXPECT_FALSE(session->is(WEIR_STATE_IN_TX | WEIR_STATE_DIRTY));
}

TEST_F(MysqlTransactions, a_level_set_for_the_next_one_ends_with_a_reset_and_costs_a_rollback) {
  const std::uint64_t id = backend_id();
  run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
  ASSERT_EQ(WEIR_OK, session->reset());
  EXPECT_FALSE(session->is(WEIR_STATE_IN_TX | WEIR_STATE_DIRTY));
  EXPECT_EQ(id, backend_id());
  ASSERT_EQ(WEIR_OK, session->begin());
  run("UPDATE a SET v=v+1 WHERE k=1");
  EXPECT_EQ("REPEATABLE READ", isolation());
  ASSERT_EQ(WEIR_OK, session->rollback());
}

TEST_F(MysqlTransactions, one_that_begin_opened_is_over_when_a_statement_commits) {
  ASSERT_EQ(WEIR_OK, session->begin());
  run("UPDATE a SET v=2 WHERE k=1");
  run("CREATE TABLE b(x INT)");
  EXPECT_FALSE(server_in_tx());
  EXPECT_FALSE(session->is(WEIR_STATE_IN_TX | WEIR_STATE_DIRTY));
  EXPECT_EQ("2", observe("SELECT v FROM a WHERE k=1"));
}

TEST_F(MysqlTransactions, read_only_is_held_and_ends_with_the_transaction) {
  ASSERT_EQ(WEIR_OK, session->begin(WEIR_BEGIN_READ_ONLY));
  EXPECT_TRUE(session->is(WEIR_STATE_READ_ONLY));
  EXPECT_EQ(WEIR_E_READ_ONLY, session->query("UPDATE a SET v=1"));
  EXPECT_EQ(WEIR_TX_OPEN, session->error.tx_fate);
  ASSERT_EQ(WEIR_OK, session->commit());
  EXPECT_FALSE(session->is(WEIR_STATE_READ_ONLY));
  run("UPDATE a SET v=1");
  ASSERT_EQ(WEIR_OK, session->begin(WEIR_BEGIN_READ_ONLY));
  run("START TRANSACTION READ WRITE");
  EXPECT_FALSE(session->is(WEIR_STATE_READ_ONLY));
  run("UPDATE a SET v=2");
  ASSERT_EQ(WEIR_OK, session->commit());
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, session->begin(WEIR_BEGIN_READ_ONLY | WEIR_BEGIN_WRITE));
}

TEST_F(MysqlTransactions, a_deadlock_ends_the_transaction_and_commit_says_so) {
  for (const bool autocommit_off : {false, true}) {
    if (autocommit_off) run("SET autocommit = 0");
    Session rival(*source, 2);
    ASSERT_EQ(WEIR_OK, rival.open());
    ASSERT_EQ(WEIR_OK, rival.begin());
    // The one that has changed less is the victim.
    ASSERT_EQ(WEIR_OK, rival.query("INSERT INTO a SELECT seq, 0 FROM seq_10_to_200"));
    ASSERT_EQ(WEIR_OK, rival.query("UPDATE a SET v=1 WHERE k=2"));
    if (!autocommit_off) run("BEGIN");
    run("UPDATE a SET v=1 WHERE k=1");
    weir_conn_state state{};
    state.struct_size = sizeof state;
    rival.driver->state(rival.conn, &state);
    std::thread other([&] {
      EXPECT_EQ(WEIR_OK, rival.query("UPDATE a SET v=2 WHERE k=1")) << rival.error.what();
    });
    await_running(state.backend_id, "v=2");
    EXPECT_EQ(WEIR_E_DEADLOCK, session->query("UPDATE a SET v=2 WHERE k=2"));
    EXPECT_EQ(WEIR_TX_GONE, session->error.tx_fate);
    EXPECT_TRUE((session->error.flags & WEIR_ERROR_TRANSIENT) != 0);
    other.join();
    EXPECT_FALSE(session->is(WEIR_STATE_IN_TX));
    EXPECT_EQ(WEIR_E_INVALID_STATE, session->commit());
    EXPECT_EQ(WEIR_TX_GONE, session->error.tx_fate);
    EXPECT_EQ(WEIR_OK, session->rollback());
    EXPECT_EQ(WEIR_OK, rival.rollback());
    if (autocommit_off) run("SET autocommit = 1");
    // Left to itself the server would begin another one here, which nobody commits.
    run("UPDATE a SET v=9 WHERE k=1");
    EXPECT_EQ("9", observe("SELECT v FROM a WHERE k=1"));
  }
}

TEST_F(MysqlTransactions, a_lock_timeout_leaves_the_transaction_open) {
  Session rival(*source, 2);
  ASSERT_EQ(WEIR_OK, rival.open());
  ASSERT_EQ(WEIR_OK, rival.begin());
  ASSERT_EQ(WEIR_OK, rival.query("UPDATE a SET v=1 WHERE k=2"));
  run("SET innodb_lock_wait_timeout = 0");
  ASSERT_EQ(WEIR_OK, session->begin());
  run("UPDATE a SET v=5 WHERE k=1");
  EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, session->query("UPDATE a SET v=2 WHERE k=2"));
  EXPECT_EQ(WEIR_TX_OPEN, session->error.tx_fate);
  ASSERT_EQ(WEIR_OK, session->commit());
  EXPECT_EQ("5", observe("SELECT v FROM a WHERE k=1"));
}

TEST_F(MysqlTransactions, a_lock_timeout_ends_the_transaction_where_the_server_is_set_so) {
  server().restart(false, {"--innodb-rollback-on-timeout"});
  {
    Session rival(*source, 2);
    Session its(*source, 3);
    ASSERT_EQ(WEIR_OK, rival.open());
    ASSERT_EQ(WEIR_OK, its.open());
    ASSERT_EQ(WEIR_OK, its.query("CREATE PROCEDURE p() BEGIN START TRANSACTION; "
                                 "UPDATE a SET v=5 WHERE k=1; UPDATE a SET v=2 WHERE k=2; END"));
    ASSERT_EQ(WEIR_OK, its.query("SET innodb_lock_wait_timeout = 0"));
    ASSERT_EQ(WEIR_OK, rival.begin());
    ASSERT_EQ(WEIR_OK, rival.query("UPDATE a SET v=1 WHERE k=2"));
    ASSERT_EQ(WEIR_OK, its.begin());
    ASSERT_EQ(WEIR_OK, its.query("UPDATE a SET v=5 WHERE k=1"));
    EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, its.query("UPDATE a SET v=2 WHERE k=2"));
    EXPECT_EQ(WEIR_TX_GONE, its.error.tx_fate);
    EXPECT_EQ(WEIR_E_INVALID_STATE, its.commit());
    EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, its.query("CALL p()"));
    EXPECT_FALSE(its.is(WEIR_STATE_IN_TX));
    // Left to itself the server would begin another one here, which nobody commits.
    ASSERT_EQ(WEIR_OK, its.query("UPDATE a SET v=9 WHERE k=1"));
    EXPECT_EQ(WEIR_OK, rival.rollback());
    EXPECT_EQ(WEIR_OK, rival.query("SELECT v FROM a WHERE k=1"));
    EXPECT_EQ(Value::integer(9), rival.rows.at(0).at(0));
  }
  server().restart(false);
}

TEST_F(MysqlTransactions, errors_have_the_kind_that_a_host_can_act_on) {
  run("CREATE TABLE child(k INT REFERENCES a(k), n INT NOT NULL, c INT CHECK (c > 0))");
  const std::pair<const char*, weir_status> cases[] = {
      {"INSERT INTO a VALUES(1, 1)", WEIR_E_CONSTRAINT},
      {"INSERT INTO child VALUES(99, 1, 1)", WEIR_E_CONSTRAINT},
      {"INSERT INTO child VALUES(1, NULL, 1)", WEIR_E_CONSTRAINT},
      {"INSERT INTO child VALUES(1, 1, 0)", WEIR_E_CONSTRAINT},
      {"SELECT * FROM nowhere", WEIR_E_NOT_FOUND},
      {"SELECT nothing FROM a", WEIR_E_NOT_FOUND},
      {"SELECT nofunction(1)", WEIR_E_NOT_FOUND},
      {"SELECT FROM", WEIR_E_SYNTAX},
      {"SELECT 9223372036854775807 + 1", WEIR_E_DATA},
      {"SELECT (SELECT k FROM a)", WEIR_E_DATA},
      {"SET max_statement_time = 0.01", WEIR_OK},
      {"SELECT COUNT(*) FROM seq_1_to_99999 a, seq_1_to_99999 b WHERE a.seq + b.seq = 7",
       WEIR_E_TIMEOUT},
      {"SET max_statement_time = 0", WEIR_OK},
      {"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'own'", WEIR_E_OTHER},
  };
  for (const auto& [sql, kind] : cases) {
    EXPECT_EQ(kind, session->query(sql)) << sql << ": " << session->error.what();
    if (kind == WEIR_OK) continue;
    EXPECT_EQ(WEIR_CONN_USABLE, session->error.conn_fate) << sql;
    EXPECT_EQ(WEIR_EFFECT_DEFINITE, session->error.effect) << sql;
    EXPECT_NE(0, session->error.native_code) << sql;
    EXPECT_NE('\0', session->error.sqlstate[0]) << sql;
  }
}

// "Gone" would promise that nothing of it is there.
TEST_F(MysqlTransactions, one_that_a_failing_statement_committed_is_not_said_to_be_gone) {
  run("CREATE PROCEDURE p() BEGIN COMMIT; SIGNAL SQLSTATE '45000'; END");
  int v = 2;
  for (const char* sql : {"CREATE TABLE a(x INT)", "CALL p()"}) {
    ASSERT_EQ(WEIR_OK, session->begin());
    run("UPDATE a SET v=" + std::to_string(++v) + " WHERE k=1");
    EXPECT_NE(WEIR_OK, session->query(sql)) << sql;
    EXPECT_EQ(WEIR_CONN_USABLE, session->error.conn_fate) << sql;
    EXPECT_EQ(WEIR_TX_NONE, session->error.tx_fate) << sql;
    EXPECT_FALSE(session->is(WEIR_STATE_IN_TX)) << sql;
    EXPECT_FALSE(server_in_tx()) << sql;
    EXPECT_EQ(std::to_string(v), observe("SELECT v FROM a WHERE k=1")) << sql;
    EXPECT_EQ(WEIR_E_INVALID_STATE, session->commit()) << sql;
    EXPECT_EQ(WEIR_TX_NONE, session->error.tx_fate) << sql;
  }
}

TEST_F(MysqlTransactions, one_whose_commit_by_sql_was_lost_is_not_said_to_be_gone) {
  ASSERT_EQ(WEIR_OK, session->begin());
  run("UPDATE a SET v=1");
  interfere("KILL " + std::to_string(backend_id()));
  EXPECT_EQ(WEIR_E_CONN_LOST, session->query("COMMIT"));
  EXPECT_EQ(WEIR_EFFECT_UNKNOWN, session->error.effect);
  EXPECT_EQ(WEIR_TX_NONE, session->error.tx_fate);
  EXPECT_EQ(WEIR_E_INVALID_STATE, session->query("SELECT 1"));
  EXPECT_EQ(WEIR_TX_NONE, session->error.tx_fate) << "nor by the calls after it";
}

TEST_F(MysqlTransactions, a_connection_lost_in_commit_is_of_unknown_effect) {
  ASSERT_EQ(WEIR_OK, session->begin());
  run("UPDATE a SET v=1");
  interfere("KILL " + std::to_string(backend_id()));
  EXPECT_EQ(WEIR_E_CONN_LOST, session->commit());
  EXPECT_EQ(WEIR_STAGE_COMMIT, session->error.stage);
  EXPECT_EQ(WEIR_EFFECT_UNKNOWN, session->error.effect);
  EXPECT_EQ(WEIR_TX_NONE, session->error.tx_fate) << "it may be there, so it is not gone";
  EXPECT_EQ(WEIR_CONN_BROKEN, session->error.conn_fate);
  EXPECT_TRUE(session->is(WEIR_STATE_BROKEN));
}

}  // namespace
}  // namespace weir::test
