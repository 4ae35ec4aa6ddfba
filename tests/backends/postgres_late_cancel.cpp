// SPDX-License-Identifier: MIT
//
// Goal: a cancel that the server passes on late, or ignores because it came between two statements,
// ends what it is for and nothing else. Method: the server, or the one process that serves the
// session, is held still at the moment in question; so each order of events is the only one.
#include "tests/backends/postgres_fixture.hpp"
#include "tests/backends/stopped.hpp"

#include <utility>

namespace weir::test {
namespace {

constexpr weir_time ms = 1'000'000;

// Lasts longer than the driver waits for a cancel to show before it sends it again.
constexpr const char* long_enough_to_be_hit = "SELECT pg_sleep(0.2)";

class PostgresLateCancel : public Postgres {
 protected:
  static pid_t process_of(Session& s) {
    return static_cast<pid_t>(s.one("SELECT pg_backend_pid()").i);
  }
  // Cancels the next call at its first wait. Its process takes the cancel before it reads what to
  // do, and so ignores it.
  void cancel_unheard(Session& s, Stopped& process) {
    host.on_wait = [&s, cancelled = false]() mutable {
      if (std::exchange(cancelled, true)) return;
      const std::uint64_t running = s.op;
      const weir_call call = s.call();
      s.driver->cancel(s.canceller, running, &call, nullptr);
    };
    host.on_look = [&process] {
      if (process.is_cancelled()) process.go_on();
    };
  }
};

// S14: the statement ends by itself, and the cancel for it is still on its way.
TEST_F(PostgresLateCancel, a_result_that_ended_by_itself_leaves_no_cancel_behind) {
  Session& s = open();
  const std::string pid = std::to_string(process_of(s));
  Session other(*source, 2);
  ASSERT_EQ(WEIR_OK, other.open());
  ASSERT_EQ(WEIR_OK, other.query("SELECT pg_advisory_lock(14)"));
  // Long rows, so that the server sends the first two before it waits for the lock.
  ASSERT_EQ(WEIR_OK,
            s.start("SELECT repeat('x', 20000), CASE WHEN i = 3 THEN pg_advisory_xact_lock(14) END "
                    "FROM generate_series(1, 3) AS n(i)",
                    {}, 0, nullptr, 1));
  Stopped postmaster(server->pid());
  s.deadline = host.now + 20 * ms;
  weir_status status = WEIR_OK;
  while (status == WEIR_OK) status = s.fetch();
  ASSERT_EQ(WEIR_E_TIMEOUT, status) << s.error.what();
  s.deadline = WEIR_NO_DEADLINE;
  ASSERT_EQ(WEIR_OK, other.query("SELECT pg_advisory_unlock(14)"));
  const std::string state = "SELECT state FROM pg_stat_activity WHERE pid = " + pid;
  ASSERT_TRUE(comes_true([&] { return other.one(state) == Value::str("idle"); }));
  host.on_look = [&] { postmaster.go_on(); };  // only one that waits for the fence looks
  s.close_result();
  EXPECT_FALSE(s.is(WEIR_STATE_CANCEL_PENDING));
  EXPECT_EQ(WEIR_OK, s.query(long_enough_to_be_hit)) << s.error.what();
}

TEST_F(PostgresLateCancel, a_deadline_whose_cancel_the_server_ignored_ends_the_statement) {
  Session& s = open();
  Stopped backend(process_of(s));
  s.deadline = host.now + 2 * ms;
  EXPECT_EQ(WEIR_E_TIMEOUT, s.query("SELECT pg_sleep(3600)"));
  ASSERT_TRUE(comes_true([&] { return backend.is_cancelled(); }));
  backend.go_on();
  s.deadline = host.now + 10'000 * ms;
  EXPECT_EQ(WEIR_OK, s.query(long_enough_to_be_hit)) << s.error.what();
  EXPECT_FALSE(s.is(WEIR_STATE_CANCEL_PENDING));
}

TEST_F(PostgresLateCancel, a_cancel_that_the_server_ignored_ends_the_statement) {
  Session& s = open();
  // The long one does not fit into what a process that stands still takes.
  for (const std::size_t size : {std::size_t{1}, std::size_t{8} << 20}) {
    const Row params = {Value::str(std::string(size, 'x'))};
    Stopped backend(process_of(s));
    s.deadline = host.now + 10'000 * ms;
    cancel_unheard(s, backend);
    EXPECT_EQ(WEIR_E_CANCELLED, s.query("SELECT pg_sleep(3600), length($1)", params)) << size;
    EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate);
    host.on_look = host.on_wait = nullptr;
    EXPECT_EQ(WEIR_OK, s.query(long_enough_to_be_hit)) << s.error.what();
    s.deadline = WEIR_NO_DEADLINE;
  }
}

TEST_F(PostgresLateCancel, a_cancel_while_the_statement_is_prepared_again_keeps_it_from_running) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE t(a int)"));
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("INSERT INTO t VALUES (1)", &stmt));
  ASSERT_EQ(WEIR_OK, s.query("DEALLOCATE ALL"));
  Stopped backend(process_of(s));
  cancel_unheard(s, backend);
  EXPECT_EQ(WEIR_E_CANCELLED, s.query("", {}, 0, stmt));
  host.on_look = host.on_wait = nullptr;
  EXPECT_EQ(WEIR_OK, s.query(long_enough_to_be_hit)) << s.error.what();
  EXPECT_EQ(Value::integer(0), s.one("SELECT count(*) FROM t"));
  EXPECT_EQ(WEIR_OK, s.query("", {}, 0, stmt)) << s.error.what();
  s.stmt_close(stmt);
}

// The server drops it all the same.
TEST_F(PostgresLateCancel, a_statement_whose_end_was_given_up_is_made_anew) {
  Session& s = open();
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("SELECT $1", &stmt));
  {
    Stopped backend(process_of(s));
    s.deadline = host.now + 2 * ms;
    EXPECT_EQ(WEIR_E_TIMEOUT, s.query("", {Value::integer(1)}, 0, stmt));  // for another type
    EXPECT_EQ(WEIR_STAGE_PREPARE, s.error.stage);
    ASSERT_TRUE(comes_true([&] { return backend.is_cancelled(); }));
  }
  s.deadline = WEIR_NO_DEADLINE;
  ASSERT_EQ(WEIR_OK, s.begin()) << s.error.what();
  EXPECT_EQ(WEIR_OK, s.query("", {Value::str("x")}, 0, stmt)) << s.error.what();
  EXPECT_EQ(WEIR_OK, s.commit()) << s.error.what();
  s.stmt_close(stmt);
}

TEST_F(PostgresLateCancel, a_cancel_among_many_rows_is_not_forgotten_with_the_next_of_them) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE t(a bigint)"));
  const Row rows(2'000, Value::integer(1));
  Stopped backend(process_of(s));
  cancel_unheard(s, backend);
  EXPECT_EQ(WEIR_E_CANCELLED, many(s, "INSERT INTO t VALUES ($1)", rows));
  host.on_look = host.on_wait = nullptr;
  EXPECT_EQ(WEIR_EFFECT_DEFINITE, s.error.effect);
  EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate);
  EXPECT_LT(done.rows_done, rows.size());
  EXPECT_EQ(Value::integer(static_cast<std::int64_t>(done.rows_done)),
            s.one("SELECT count(*) FROM t"));
}

// The rows that were sent before it are not all of them.
TEST_F(PostgresLateCancel, a_copy_whose_cancel_the_server_ignored_stores_nothing) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE t(a text)"));
  for (const std::size_t rows : {std::size_t{1}, std::size_t{1'000}}) {
    Stopped backend(process_of(s));
    cancel_unheard(s, backend);
    EXPECT_EQ(WEIR_E_CANCELLED,
              many(s, "COPY t FROM STDIN", Row(rows, Value::str(std::string(1'000, 'x')))));
    host.on_look = host.on_wait = nullptr;
    EXPECT_EQ(WEIR_EFFECT_DEFINITE, s.error.effect);
    EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate);
    EXPECT_EQ(0U, done.rows_done);
    EXPECT_EQ(Value::integer(0), s.one("SELECT count(*) FROM t"));
  }
}

// The server commits what was to be called off, because the cancel came too early.
TEST_F(PostgresLateCancel, of_a_commit_that_was_given_up_nobody_knows) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("DROP TABLE IF EXISTS late"));
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE late(a int)"));
  ASSERT_EQ(WEIR_OK, s.begin());
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO late VALUES (1)"));
  {
    Stopped backend(process_of(s));
    s.deadline = host.now + 2 * ms;
    EXPECT_EQ(WEIR_E_TIMEOUT, s.query("COMMIT"));
    EXPECT_EQ(WEIR_TX_NONE, s.error.tx_fate);
    s.deadline = host.now + 2 * ms;
    EXPECT_EQ(WEIR_E_TIMEOUT, s.rollback());
    EXPECT_EQ(WEIR_TX_NONE, s.error.tx_fate);
    ASSERT_TRUE(comes_true([&] { return backend.is_cancelled(); }));
  }
  s.deadline = WEIR_NO_DEADLINE;
  ASSERT_EQ(WEIR_OK, s.begin());  // and of the next nothing was given up
  EXPECT_EQ(Value::integer(1), s.one("SELECT count(*) FROM late"));
  Stopped backend(process_of(s));
  s.deadline = host.now + 2 * ms;
  EXPECT_EQ(WEIR_E_TIMEOUT, s.commit());
  EXPECT_EQ(WEIR_TX_NONE, s.error.tx_fate);
  EXPECT_EQ(WEIR_E_INVALID_STATE, s.rollback());
  EXPECT_EQ(WEIR_TX_NONE, s.error.tx_fate);
}

// Rows that the server had not sent yet come before its answer to the cancel.
TEST_F(PostgresLateCancel, a_cancel_is_told_to_the_call_that_it_ends_and_not_to_the_next) {
  Session& s = open();
  const std::string sleeping =
      "SELECT count(*) FROM pg_stat_activity "
      "WHERE wait_event = 'PgSleep' AND pid = " +
      std::to_string(process_of(s));
  Session other(*source, 2);
  ASSERT_EQ(WEIR_OK, other.open());
  for (const bool in_tx : {false, true}) {
    if (in_tx) {
      ASSERT_EQ(WEIR_OK, s.begin());
    }
    const std::uint64_t running = s.op + 1;
    host.on_wait = [&, cancelled = false]() mutable {
      if (std::exchange(cancelled, true)) return;
      EXPECT_TRUE(comes_true([&] { return other.one(sleeping) == Value::integer(1); }));
      const weir_call call = s.call();
      s.driver->cancel(s.canceller, running, &call, nullptr);
    };
    EXPECT_EQ(WEIR_E_CANCELLED, s.start("SELECT i, CASE WHEN i > 20 THEN pg_sleep(3600) END "
                                        "FROM generate_series(1, 30) AS n(i)",
                                        {}, 0, nullptr, 10));
    host.on_wait = nullptr;
    s.close_result();
    EXPECT_EQ(WEIR_EFFECT_DEFINITE, s.error.effect);
    EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate);
    EXPECT_EQ(in_tx ? WEIR_TX_FAILED : WEIR_TX_NONE, s.error.tx_fate);
    ASSERT_EQ(WEIR_OK, s.rollback());
    EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
  }
}

}  // namespace
}  // namespace weir::test
