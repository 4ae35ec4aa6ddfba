// SPDX-License-Identifier: MIT
//
// Goal: a statement that is called off, by its deadline or by a cancel, ends then, and nothing of
// that ever reaches the next statement. Method: deadlines and cancels swept over the end of short
// statements, on a real server; the fake host strikes at an exact look at the clock.
#include "tests/backends/fake_server.hpp"
#include "tests/backends/postgres_fixture.hpp"

#include <sys/wait.h>

namespace weir::test {
namespace {

constexpr weir_time ms = 1'000'000;

class PostgresCancel : public Postgres {};

// S14
TEST_F(PostgresCancel, a_deadline_swept_over_the_end_never_hits_the_next) {
  Session& s = open();
  int late = 0;
  for (int i = 0; i < scaled(1'000, 100); ++i) {
    s.deadline = host.now + (1 + i % 6) * ms;
    const weir_status status = s.query("SELECT pg_sleep(0.003)");
    ASSERT_TRUE(status == WEIR_OK || status == WEIR_E_TIMEOUT) << s.error.what();
    if (status == WEIR_E_TIMEOUT) {
      ++late;
      EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate);
      EXPECT_EQ(WEIR_EFFECT_UNKNOWN, s.error.effect);
      EXPECT_TRUE(s.is(WEIR_STATE_CANCEL_PENDING));
    }
    s.deadline = WEIR_NO_DEADLINE;
    ASSERT_EQ(WEIR_OK, s.query("SELECT pg_sleep(0.001)")) << s.error.what();
    EXPECT_FALSE(s.is(WEIR_STATE_CANCEL_PENDING));
  }
  EXPECT_GT(late, 0) << "the sweep missed its mark";
}

TEST_F(PostgresCancel, a_cancel_swept_over_the_end_never_hits_the_next) {
  Session& s = open();
  int hits = 0;
  const int rounds = scaled(1'000, 100);
  for (int i = 0; i < rounds; ++i) {
    const weir_call call = s.call();
    host.looks = 0;
    host.on_look = [&] {
      if (host.looks == 1 + i % 8) s.driver->cancel(s.canceller, s.op, &call, nullptr);
    };
    const weir_status status = s.query("SELECT pg_sleep(0.003)");
    host.on_look = nullptr;
    ASSERT_TRUE(status == WEIR_OK || status == WEIR_E_CANCELLED) << s.error.what();
    if (status == WEIR_E_CANCELLED) ++hits;
    ASSERT_EQ(WEIR_OK, s.query("SELECT pg_sleep(0.001)")) << s.error.what();
  }
  EXPECT_GT(hits, 0) << "the sweep missed its mark";
}

TEST_F(PostgresCancel, the_statement_ends_on_the_server_too) {
  Session& s = open();
  const std::string pid = std::to_string(s.one("SELECT pg_backend_pid()").i);
  s.deadline = host.now + 5 * ms;
  EXPECT_EQ(WEIR_E_TIMEOUT, s.query("SELECT pg_sleep(3600)"));
  s.deadline = WEIR_NO_DEADLINE;
  ASSERT_EQ(WEIR_OK, s.ping(WEIR_PING_PROTOCOL));
  Session other(*source, 2);
  ASSERT_EQ(WEIR_OK, other.open());
  EXPECT_EQ(Value::str("idle"), other.one("SELECT state FROM pg_stat_activity WHERE pid = " + pid));
}

TEST_F(PostgresCancel, a_transaction_with_a_statement_given_up_accepts_only_a_rollback) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.begin());
  s.deadline = host.now + 5 * ms;
  EXPECT_EQ(WEIR_E_TIMEOUT, s.query("SELECT pg_sleep(3600)"));
  EXPECT_EQ(WEIR_TX_FAILED, s.error.tx_fate);
  s.deadline = WEIR_NO_DEADLINE;
  EXPECT_TRUE(s.is(WEIR_STATE_TX_FAILED));
  EXPECT_EQ(WEIR_E_INVALID_STATE, s.query("SELECT 1"));
  EXPECT_EQ(WEIR_E_INVALID_STATE, s.commit());
  EXPECT_EQ(WEIR_TX_GONE, s.error.tx_fate);
  EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
}

TEST_F(PostgresCancel, a_rollback_that_chains_begins_a_transaction_without_a_past) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.begin());
  for (const char* sql : {"ROLLBACK AND CHAIN", "ABORT WORK AND CHAIN"}) {
    s.deadline = host.now + 5 * ms;
    EXPECT_EQ(WEIR_E_TIMEOUT, s.query("SELECT pg_sleep(3600)"));
    s.deadline = WEIR_NO_DEADLINE;
    ASSERT_EQ(WEIR_OK, s.query(sql)) << s.error.what();
    EXPECT_TRUE(s.is(WEIR_STATE_IN_TX)) << sql;
    EXPECT_FALSE(s.is(WEIR_STATE_TX_FAILED)) << sql;
    EXPECT_EQ(Value::integer(1), s.one("SELECT 1")) << sql;
  }
  s.deadline = host.now + 5 * ms;
  EXPECT_EQ(WEIR_E_TIMEOUT, s.query("SELECT pg_sleep(3600)"));
  s.deadline = WEIR_NO_DEADLINE;
  weir_many_args once{};
  once.sql = text("ROLLBACK AND CHAIN");
  once.row_count = 1;
  ASSERT_EQ(WEIR_OK, many(s, once)) << s.error.what();
  EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
  EXPECT_EQ(WEIR_OK, s.commit()) << s.error.what();
}

// What the server said of the old one is no word on the new one.
TEST_F(PostgresCancel, a_statement_made_anew_that_meets_its_deadline_leaves_the_conn_usable) {
  Session& s = open();
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("SELECT $1, pg_sleep(3600)", &stmt)) << s.error.what();
  ASSERT_EQ(WEIR_OK, s.query("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"));
  s.deadline = host.now + 100 * ms;
  EXPECT_EQ(WEIR_E_TIMEOUT, s.query("", {Value::integer(1)}, 0, stmt)) << s.error.what();
  EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate);
  s.deadline = WEIR_NO_DEADLINE;
  EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
  s.stmt_close(stmt);
}

TEST_F(PostgresCancel, a_next_call_without_time_to_settle_is_refused_unsent) {
  Session& s = open();
  // A statement that says when it sleeps, and answers a cancel with another sleep. Twice, since
  // PostgreSQL signals the process, then its group: one cancel may strike two times.
  s.deadline = host.now + 3'600'000 * ms;
  host.on_look = [&] {
    if (!host.heard.empty()) host.now = s.deadline;
  };
  EXPECT_EQ(WEIR_E_TIMEOUT,
            s.query("DO $$ BEGIN BEGIN RAISE WARNING 'now'; PERFORM pg_sleep(3600); "
                    "EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep(3600); END; "
                    "EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep(3600); END $$"));
  host.on_look = nullptr;
  s.deadline = host.now + 5 * ms;
  EXPECT_EQ(WEIR_E_TIMEOUT, s.query("SELECT 1"));
  EXPECT_EQ(WEIR_EFFECT_NOT_SENT, s.error.effect);
  EXPECT_TRUE(s.is(WEIR_STATE_CANCEL_PENDING));
  s.deadline = WEIR_NO_DEADLINE;
  EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
}

TEST_F(PostgresCancel, a_deadline_that_strikes_between_the_rows_leaves_the_conn_usable) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.start("SELECT i, pg_sleep(0.002) FROM generate_series(1, 100000) AS n(i)",
                             {}, 0, nullptr, 3));
  s.deadline = host.now + 20 * ms;
  weir_status status = WEIR_OK;
  while (status == WEIR_OK) status = s.fetch();
  EXPECT_EQ(WEIR_E_TIMEOUT, status);
  EXPECT_EQ(WEIR_STAGE_FETCH, s.error.stage);
  EXPECT_EQ(WEIR_E_INVALID_STATE, s.fetch());
  s.deadline = WEIR_NO_DEADLINE;
  s.close_result();
  EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
}

TEST_F(PostgresCancel, many_rows_that_meet_their_deadline_leave_the_conn_usable) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE slow(a bigint)"));
  const std::string sql = "INSERT INTO slow SELECT $1 FROM pg_sleep(0.01)";
  const Row rows(100, Value::integer(1));
  s.deadline = host.now + 30 * ms;
  EXPECT_EQ(WEIR_E_TIMEOUT, many(s, sql, rows));
  EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate);
  EXPECT_EQ(0U, done.rows_done);
  s.deadline = WEIR_NO_DEADLINE;
  EXPECT_EQ(Value::integer(0), s.one("SELECT count(*) FROM slow"));
  EXPECT_EQ(WEIR_OK, many(s, sql, rows));
  EXPECT_EQ(100U, done.rows_done);
}

TEST_F(PostgresCancel, a_clean_up_that_meets_its_deadline_breaks_the_conn) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE big AS SELECT 1"));
  host.tick = 1 * ms;  // the deadline comes at the first look
  s.deadline = host.now + 2 * ms;
  EXPECT_EQ(WEIR_E_TIMEOUT, s.reset());
  EXPECT_EQ(WEIR_CONN_BROKEN, s.error.conn_fate);
  EXPECT_TRUE(s.is(WEIR_STATE_BROKEN));
}

TEST_F(PostgresCancel, a_forked_child_leaves_the_parent_its_session) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE mine AS SELECT 42::bigint AS x"));
  const pid_t child = ::fork();
  if (child == 0) {
    s.driver->abandon(s.conn);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(child, ::waitpid(child, &status, 0));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(Value::integer(42), s.one("SELECT x FROM mine"));
}

}  // namespace
}  // namespace weir::test
