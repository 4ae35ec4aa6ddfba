// SPDX-License-Identifier: MIT
//
// Goal: transactions and errors of a real server arrive with the facts that a host acts on: the
// kind, what became of the session, of the request and of the transaction. Method: one server, two
// sessions on one thread, so that every interleaving is exact.
#include "backends/postgres/sqlstates.hpp"
#include "tests/backends/postgres_fixture.hpp"

#include <libpq-fe.h>

namespace weir::test {
namespace {

class PostgresTransactions : public Postgres {
 protected:
  void SetUp() override {
    Postgres::SetUp();
    if (server == nullptr) return;
    open();
    ASSERT_EQ(WEIR_OK, session->query("DROP TABLE IF EXISTS a"));
    ASSERT_EQ(WEIR_OK, session->query("CREATE TABLE a(k int PRIMARY KEY, v int CHECK (v >= 0))"));
    ASSERT_EQ(WEIR_OK, session->query("INSERT INTO a VALUES (1, 10), (2, 20)"));
    second = std::make_unique<Session>(*source, 2);
    ASSERT_EQ(WEIR_OK, second->open()) << second->error.what();
  }
  void TearDown() override { second.reset(); }
  std::unique_ptr<Session> second;
};

TEST_F(PostgresTransactions, isolation_is_what_was_asked_for) {
  const std::pair<int, const char*> levels[] = {
      {WEIR_ISOLATION_DEFAULT, "read committed"},
      {WEIR_ISOLATION_READ_UNCOMMITTED, "read uncommitted"},
      {WEIR_ISOLATION_READ_COMMITTED, "read committed"},
      {WEIR_ISOLATION_REPEATABLE_READ, "repeatable read"},
      {WEIR_ISOLATION_SERIALIZABLE, "serializable"}};
  for (const auto& [level, name] : levels) {
    ASSERT_EQ(WEIR_OK, session->begin(0, level));
    EXPECT_EQ(Value::str(name), session->one("SHOW transaction_isolation"));
    ASSERT_EQ(WEIR_OK, session->commit());
  }
}

TEST_F(PostgresTransactions, a_transaction_for_reading_refuses_writes) {
  ASSERT_EQ(WEIR_OK, session->begin(WEIR_BEGIN_READ_ONLY));
  EXPECT_EQ(WEIR_E_READ_ONLY, session->query("DELETE FROM a"));
  EXPECT_STREQ("25006", session->error.sqlstate);
  EXPECT_EQ(WEIR_TX_FAILED, session->error.tx_fate);
  ASSERT_EQ(WEIR_OK, session->rollback());
  ASSERT_EQ(WEIR_OK, session->query("SET default_transaction_read_only = on"));
  EXPECT_TRUE(session->is(WEIR_STATE_READ_ONLY));
  ASSERT_EQ(WEIR_OK, session->begin(WEIR_BEGIN_WRITE));
  EXPECT_EQ(WEIR_OK, session->query("DELETE FROM a"));
  ASSERT_EQ(WEIR_OK, session->rollback());
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, session->begin(WEIR_BEGIN_WRITE | WEIR_BEGIN_READ_ONLY));
}

TEST_F(PostgresTransactions, whether_a_session_only_reads_is_known_after_each_way_to_set_it) {
  const auto reads_only = [&] { return session->is(WEIR_STATE_READ_ONLY); };
  EXPECT_FALSE(reads_only());
  ASSERT_EQ(WEIR_OK, session->query("SELECT set_config('default_transaction_read_only', 'on', "
                                    "false)"));
  EXPECT_TRUE(reads_only());
  ASSERT_EQ(WEIR_OK, session->query("RESET default_transaction_read_only"));
  EXPECT_FALSE(reads_only());
  ASSERT_EQ(WEIR_OK, session->begin());
  ASSERT_EQ(WEIR_OK, session->query("SET LOCAL default_transaction_read_only = on"));
  EXPECT_TRUE(reads_only());
  ASSERT_EQ(WEIR_OK, session->query("SELECT 1"));
  EXPECT_TRUE(reads_only());
  ASSERT_EQ(WEIR_OK, session->rollback());
  EXPECT_FALSE(reads_only());
  // Set while rows are handed out, told when the last of them was.
  ASSERT_EQ(WEIR_OK, session->query("SELECT CASE WHEN i = 3 THEN set_config("
                                    "'default_transaction_read_only', 'on', false) END "
                                    "FROM generate_series(1, 3) i",
                                    {}, 0, nullptr, 1));
  EXPECT_TRUE(reads_only());
  ASSERT_EQ(WEIR_OK, session->reset(WEIR_RESET_SESSION));
  EXPECT_FALSE(reads_only());
  // The rows are left, and with them what would tell.
  ASSERT_EQ(WEIR_OK, session->start("SELECT CASE WHEN i = 3 THEN set_config("
                                    "'default_transaction_read_only', 'on', false) END "
                                    "FROM generate_series(1, 3) i",
                                    {}, 0, nullptr, 1));
  session->close_result();
  EXPECT_TRUE(reads_only());
  // Taken back by somebody else.
  void* handle = nullptr;
  ASSERT_EQ(WEIR_OK, session->driver->native(session->conn, "PGconn*", &handle, nullptr));
  PQclear(PQexec(static_cast<PGconn*>(handle), "RESET default_transaction_read_only"));
  ASSERT_EQ(WEIR_OK, session->query("SELECT 1"));
  EXPECT_FALSE(reads_only());
}

TEST_F(PostgresTransactions, a_savepoint_takes_back_its_part) {
  ASSERT_EQ(WEIR_OK, session->begin());
  ASSERT_EQ(WEIR_OK, session->query("UPDATE a SET v = 11 WHERE k = 1"));
  ASSERT_EQ(WEIR_OK, session->query("SAVEPOINT s"));
  EXPECT_EQ(WEIR_E_CONSTRAINT, session->query("UPDATE a SET v = -1"));
  EXPECT_TRUE(session->is(WEIR_STATE_TX_FAILED));
  EXPECT_EQ(WEIR_E_INVALID_STATE, session->query("SELECT 1"));
  EXPECT_STREQ("25P02", session->error.sqlstate);
  ASSERT_EQ(WEIR_OK, session->query("ROLLBACK TO SAVEPOINT s"));
  EXPECT_FALSE(session->is(WEIR_STATE_TX_FAILED));
  ASSERT_EQ(WEIR_OK, session->commit()) << session->error.what();
  EXPECT_EQ(Value::integer(11), second->one("SELECT v FROM a WHERE k = 1"));
}

// What a savepoint took back is not what the commit fails for.
TEST_F(PostgresTransactions, a_commit_that_is_none_says_what_had_failed_last) {
  const char* conflict = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$";
  const char* duplicate = "INSERT INTO a VALUES (1, 1)";
  struct Case {
    const char* first;
    const char* last;
    weir_status kind;
  };
  for (const Case& c : {Case{duplicate, conflict, WEIR_E_SERIALIZATION},
                        Case{conflict, duplicate, WEIR_E_INVALID_STATE}}) {
    ASSERT_EQ(WEIR_OK, session->begin());
    ASSERT_EQ(WEIR_OK, session->query("SAVEPOINT s"));
    EXPECT_NE(WEIR_OK, session->query(c.first));
    ASSERT_EQ(WEIR_OK, session->query("ROLLBACK TO SAVEPOINT s"));
    ASSERT_EQ(WEIR_OK, session->query("SELECT 1"));
    EXPECT_NE(WEIR_OK, session->query(c.last));
    EXPECT_EQ(WEIR_E_INVALID_STATE, session->query("SELECT 1")) << "changes nothing";
    EXPECT_EQ(c.kind, session->commit()) << session->error.what();
  }
}

TEST_F(PostgresTransactions, errors_have_the_kind_that_a_host_can_act_on) {
  struct Case {
    const char* sql;
    weir_status kind;
    const char* sqlstate;
  };
  const Case cases[] = {
      {"SELEKT", WEIR_E_SYNTAX, "42601"},
      {"SELECT 1 FROM nowhere", WEIR_E_NOT_FOUND, "42P01"},
      {"SELECT nothing FROM a", WEIR_E_NOT_FOUND, "42703"},
      {"SELECT nothing()", WEIR_E_NOT_FOUND, "42883"},
      {"INSERT INTO a VALUES (1, 1)", WEIR_E_CONSTRAINT, "23505"},
      {"INSERT INTO a VALUES (NULL, 1)", WEIR_E_CONSTRAINT, "23502"},
      {"INSERT INTO a VALUES (3, -1)", WEIR_E_CONSTRAINT, "23514"},
      {"SELECT 1 / 0", WEIR_E_DATA, "22012"},
      {"SELECT pg_read_file('/nowhere')", WEIR_E_RESOURCE, "58P01"},
      {"ROLLBACK TO SAVEPOINT s", WEIR_E_INVALID_STATE, "25P01"},
      {"DO $$ BEGIN RAISE EXCEPTION 'no'; END $$", WEIR_E_OTHER, "P0001"},
      {"SELECT repeat('x', 2000000000)", WEIR_E_DATA, "54000"},
      {"COPY a FROM STDIN", WEIR_E_UNSUPPORTED, ""},
      {"COPY a TO STDOUT", WEIR_E_UNSUPPORTED, ""},
  };
  for (const Case& c : cases) {
    const std::string sql = c.sql;
    EXPECT_EQ(c.kind, session->query(sql)) << sql << ": " << session->error.what();
    EXPECT_STREQ(c.sqlstate, session->error.sqlstate) << sql;
    EXPECT_EQ(WEIR_CONN_USABLE, session->error.conn_fate) << sql;
    EXPECT_EQ(WEIR_EFFECT_DEFINITE, session->error.effect) << sql;
    EXPECT_EQ(Value::integer(1), session->one("SELECT 1")) << sql;
  }
  ASSERT_EQ(WEIR_OK, session->query("CREATE ROLE reader"));
  ASSERT_EQ(WEIR_OK, session->query("SET ROLE reader"));
  EXPECT_EQ(WEIR_E_PERMISSION, session->query("SELECT * FROM a"));
  ASSERT_EQ(WEIR_OK, session->query("RESET ROLE"));
  ASSERT_EQ(WEIR_OK, session->query("DROP ROLE reader"));
}

TEST_F(PostgresTransactions, a_lock_that_is_held_too_long_is_a_lock_timeout) {
  ASSERT_EQ(WEIR_OK, second->begin());
  ASSERT_EQ(WEIR_OK, second->query("UPDATE a SET v = 1 WHERE k = 1"));
  ASSERT_EQ(WEIR_OK, session->query("SET lock_timeout = '5ms'"));
  EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, session->query("UPDATE a SET v = 2 WHERE k = 1"));
  EXPECT_STREQ("55P03", session->error.sqlstate);
  EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, session->query("SELECT * FROM a WHERE k = 1 FOR UPDATE NOWAIT"));
}

TEST_F(PostgresTransactions, a_time_limit_of_the_server_is_a_timeout_and_no_cancel) {
  ASSERT_EQ(WEIR_OK, session->query("SET statement_timeout = '5ms'"));
  EXPECT_EQ(WEIR_E_TIMEOUT, session->query("SELECT pg_sleep(60)"));
  EXPECT_STREQ("57014", session->error.sqlstate);
  EXPECT_EQ(WEIR_EFFECT_DEFINITE, session->error.effect);
  EXPECT_EQ(WEIR_CONN_USABLE, session->error.conn_fate);
}

TEST_F(PostgresTransactions, a_statement_that_the_session_ends_under_is_of_unknown_effect) {
  EXPECT_EQ(WEIR_E_CONN_LOST, session->query("SELECT pg_terminate_backend(pg_backend_pid())"));
  EXPECT_STREQ("57P01", session->error.sqlstate);
  EXPECT_EQ(WEIR_CONN_BROKEN, session->error.conn_fate);
  EXPECT_EQ(WEIR_EFFECT_UNKNOWN, session->error.effect);
}

// The second is of PostgreSQL 17. An older server has no way to be made to say it.
TEST(PostgresStates, a_time_limit_for_a_transaction_ends_the_session) {
  for (const char* state : {"25P03", "25P04"}) {
    const postgres::StateMeaning& meaning = postgres::meaning_of(state);
    EXPECT_EQ(WEIR_E_CONN_LOST, meaning.kind) << state;
    EXPECT_EQ(WEIR_CONN_BROKEN, meaning.conn_fate) << state;
    EXPECT_THAT(std::string(meaning.advice), ::testing::HasSubstr("_timeout"));
  }
}

TEST_F(PostgresTransactions, of_two_that_cannot_both_be_true_one_fails) {
  const auto start = [](Session& s) {
    ASSERT_EQ(WEIR_OK, s.begin(0, WEIR_ISOLATION_SERIALIZABLE));
    ASSERT_EQ(WEIR_OK, s.query("SELECT sum(v) FROM a"));
  };
  start(*session);
  start(*second);
  ASSERT_EQ(WEIR_OK, second->query("UPDATE a SET v = 0 WHERE k = 2"));
  ASSERT_EQ(WEIR_OK, second->commit());
  const weir_status status = session->query("UPDATE a SET v = 0 WHERE k = 1") == WEIR_OK
                                 ? session->commit()
                                 : session->status;
  EXPECT_EQ(WEIR_E_SERIALIZATION, status) << session->error.what();
  EXPECT_STREQ("40001", session->error.sqlstate);
  EXPECT_EQ(WEIR_ERROR_TRANSIENT, session->error.flags & WEIR_ERROR_TRANSIENT);
}

TEST_F(PostgresTransactions, a_commit_that_was_a_rollback_is_an_error) {
  ASSERT_EQ(WEIR_OK, session->begin());
  ASSERT_EQ(WEIR_OK, session->query("UPDATE a SET v = 7 WHERE k = 1"));
  EXPECT_EQ(WEIR_E_CONSTRAINT, session->query("UPDATE a SET v = -7 WHERE k = 2"));
  EXPECT_EQ(WEIR_E_INVALID_STATE, session->commit());
  EXPECT_EQ(WEIR_TX_GONE, session->error.tx_fate);
  EXPECT_EQ(WEIR_STAGE_COMMIT, session->error.stage);
  EXPECT_EQ(Value::integer(10), session->one("SELECT v FROM a WHERE k = 1"));
}

TEST_F(PostgresTransactions, a_commit_on_which_the_server_went_away_is_unknown) {
  ASSERT_EQ(WEIR_OK, session->query("CREATE OR REPLACE FUNCTION last_words() RETURNS trigger AS "
                                    "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); "
                                    "PERFORM pg_sleep(60); RETURN NULL; END' LANGUAGE plpgsql"));
  ASSERT_EQ(WEIR_OK, session->query("CREATE CONSTRAINT TRIGGER bye AFTER UPDATE ON a DEFERRABLE "
                                    "INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "
                                    "last_words()"));
  second.reset();  // before the source that open() replaces
  for (const bool as_text : {false, true}) {
    open();
    ASSERT_EQ(WEIR_OK, session->begin());
    ASSERT_EQ(WEIR_OK, session->query("UPDATE a SET v = 7 WHERE k = 1"));
    EXPECT_EQ(WEIR_E_CONN_LOST, as_text ? session->query("COMMIT") : session->commit());
    EXPECT_EQ(WEIR_EFFECT_UNKNOWN, session->error.effect);
    EXPECT_EQ(WEIR_TX_NONE, session->error.tx_fate);  // GONE would be a promise
    EXPECT_EQ(as_text ? WEIR_STAGE_EXECUTE : WEIR_STAGE_COMMIT, session->error.stage);
    EXPECT_EQ(WEIR_CONN_BROKEN, session->error.conn_fate);
    EXPECT_TRUE(session->is(WEIR_STATE_BROKEN));
  }
}

TEST_F(PostgresTransactions, a_session_that_was_ended_is_noticed_before_a_byte_is_sent) {
  const std::string pid = std::to_string(session->one("SELECT pg_backend_pid()").i);
  ASSERT_EQ(Value({WEIR_T_BOOL, 1, 0, {}}),
            second->one("SELECT pg_terminate_backend(" + pid + ", 9999)"));
  EXPECT_EQ(WEIR_E_CONN_LOST, session->query("SELECT 1"));
  EXPECT_EQ(WEIR_EFFECT_NOT_SENT, session->error.effect);
  EXPECT_EQ(WEIR_CONN_BROKEN, session->error.conn_fate);
  ASSERT_FALSE(host.heard.empty());
  EXPECT_EQ(WEIR_EVENT_SERVER_GOING_AWAY, host.heard.back().type);
  EXPECT_EQ("57P01", host.heard.back().name);
}

// As of a foreign table whose server is down.
TEST_F(PostgresTransactions, an_error_in_the_words_of_a_lost_connection_ends_no_session) {
  for (const char* state : {"08000", "53300", "57P01", "25P03"}) {
    const std::string raise =
        std::string("DO $$ BEGIN RAISE EXCEPTION 'far away' USING ERRCODE = '") + state +
        "'; END $$";
    EXPECT_EQ(WEIR_E_OTHER, session->query(raise));
    EXPECT_STREQ(state, session->error.sqlstate);
    EXPECT_EQ(WEIR_CONN_USABLE, session->error.conn_fate);
    EXPECT_EQ(WEIR_EFFECT_DEFINITE, session->error.effect);
    EXPECT_EQ("far away", session->error.what());
    ASSERT_EQ(WEIR_OK, session->begin());
    EXPECT_EQ(WEIR_E_OTHER, session->query(raise));
    EXPECT_EQ(WEIR_TX_FAILED, session->error.tx_fate);
    EXPECT_EQ(WEIR_OK, session->rollback());
  }
}

TEST_F(PostgresTransactions, a_commit_that_was_not_sent_has_committed_nothing) {
  const std::string pid = std::to_string(session->one("SELECT pg_backend_pid()").i);
  ASSERT_EQ(WEIR_OK, session->begin());
  ASSERT_EQ(WEIR_OK, session->query("UPDATE a SET v = 7 WHERE k = 1"));
  ASSERT_EQ(WEIR_OK, second->query("SELECT pg_terminate_backend(" + pid + ", 9999)"));
  EXPECT_EQ(WEIR_E_CONN_LOST, session->commit());
  EXPECT_EQ(WEIR_EFFECT_NOT_SENT, session->error.effect);
  EXPECT_EQ(WEIR_TX_GONE, session->error.tx_fate);
}

TEST_F(PostgresTransactions, a_stale_statement_makes_one_transaction_fail_and_no_later_one) {
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, session->prepare("SELECT * FROM a WHERE k = $1", &stmt));
  const Row one = {Value::integer(1)};
  ASSERT_EQ(WEIR_OK, session->query("", one, 0, stmt)) << session->error.what();
  // The second is unseen by the driver, as what another session does to a table is.
  const std::pair<const char*, const char*> causes[] = {
      {"ALTER TABLE a ADD w int", "0A000"},
      {"DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$", "26000"}};
  for (const auto& [cause, state] : causes) {
    ASSERT_EQ(WEIR_OK, session->query(cause)) << session->error.what();
    ASSERT_EQ(WEIR_OK, session->begin());
    EXPECT_NE(WEIR_OK, session->query("", one, 0, stmt)) << cause;
    EXPECT_STREQ(state, session->error.sqlstate);
    EXPECT_EQ(WEIR_TX_FAILED, session->error.tx_fate) << cause;
    ASSERT_EQ(WEIR_OK, session->rollback());
    ASSERT_EQ(WEIR_OK, session->begin());
    EXPECT_EQ(WEIR_OK, session->query("", one, 0, stmt)) << cause << session->error.what();
    EXPECT_EQ(WEIR_OK, session->commit()) << cause << session->error.what();
  }
  session->stmt_close(stmt);
}

// It may be the procedure that says so, after a commit of its own: so it is not run a second time.
TEST_F(PostgresTransactions, a_call_that_the_server_dropped_works_when_it_is_next_used) {
  ASSERT_EQ(WEIR_OK, session->query("CREATE PROCEDURE pg_temp.nothing(a int) LANGUAGE plpgsql AS "
                                    "$$ BEGIN END $$"));
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, session->prepare("CALL pg_temp.nothing($1::int)", &stmt))
      << session->error.what();
  ASSERT_EQ(WEIR_OK, session->query("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"));
  EXPECT_EQ(WEIR_E_INVALID_STATE, session->query("", {Value::integer(1)}, 0, stmt));
  EXPECT_STREQ("26000", session->error.sqlstate);
  EXPECT_EQ(WEIR_OK, session->query("", {Value::integer(1)}, 0, stmt)) << session->error.what();
  session->stmt_close(stmt);
}

// The server then has neither the statement that was, nor the one that it refused.
TEST_F(PostgresTransactions, a_statement_that_takes_no_such_value_harms_no_transaction) {
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, session->prepare("UPDATE a SET v = $1 WHERE k = 1", &stmt));
  const Row wrong = {Value::blob("x")};
  for (const Value& right : {Value::integer(3), Value::null()}) {
    EXPECT_EQ(WEIR_E_SYNTAX, session->query("", wrong, 0, stmt)) << session->error.what();
    EXPECT_STREQ("42804", session->error.sqlstate);
    ASSERT_EQ(WEIR_OK, session->begin());
    EXPECT_EQ(WEIR_OK, session->query("", {right}, 0, stmt)) << session->error.what();
    EXPECT_EQ(WEIR_OK, session->commit()) << session->error.what();
    EXPECT_EQ(right, second->one("SELECT v FROM a WHERE k = 1"));
  }
  EXPECT_EQ(WEIR_E_SYNTAX, session->query("", wrong, 0, stmt)) << session->error.what();
  ASSERT_EQ(WEIR_OK, session->begin());
  ASSERT_EQ(WEIR_OK, session->query("UPDATE a SET v = 7 WHERE k = 2"));
  session->stmt_close(stmt);
  EXPECT_EQ(WEIR_OK, session->commit()) << session->error.what();
  EXPECT_EQ(Value::integer(7), second->one("SELECT v FROM a WHERE k = 2"));
}

TEST_F(PostgresTransactions, many_rows_stay_up_to_the_one_that_fails) {
  for (const bool in_tx : {false, true}) {
    ASSERT_EQ(WEIR_OK, session->query("TRUNCATE a"));
    if (in_tx) {
      ASSERT_EQ(WEIR_OK, session->begin());
    }
    Row rows;
    for (int i = 0; i < 1000; ++i) rows.push_back(Value::integer(i == 700 ? 3 : i));
    EXPECT_EQ(WEIR_E_CONSTRAINT, many(*session, "INSERT INTO a VALUES ($1, 1)", rows));
    EXPECT_EQ(700U, done.rows_done);
    EXPECT_EQ(700U, done.affected);
    EXPECT_EQ(in_tx ? WEIR_TX_FAILED : WEIR_TX_NONE, session->error.tx_fate);
    if (in_tx) {
      ASSERT_EQ(WEIR_OK, session->rollback());
    }
    EXPECT_EQ(Value::integer(in_tx ? 0 : 700), second->one("SELECT count(*) FROM a"));
  }
}

}  // namespace
}  // namespace weir::test
