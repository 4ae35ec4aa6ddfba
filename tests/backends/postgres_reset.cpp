// SPDX-License-Identifier: MIT
//
// Goal: what a user changes in a session is seen, and after a reset nothing of it is left. Method:
// a table of changes, each with the question that would find it; the same questions before and
// after.
#include "tests/backends/postgres_fixture.hpp"

#include <libpq-fe.h>

namespace weir::test {
namespace {

struct Change {
  const char* sql;
  const char* question;  // its answer differs while the change is there
  bool certain;          // the driver knows, instead of suspecting
};
constexpr Change changes[] = {
    {"SET search_path = 'elsewhere'", "SHOW search_path", true},
    {"SET work_mem = '1MB'", "SHOW work_mem", true},
    {"SET DateStyle = 'German'", "SHOW DateStyle", true},
    {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SHOW default_transaction_read_only",
     true},
    {"SELECT set_config('work_mem', '1MB', false)", "SHOW work_mem", false},
    {"DO $$ BEGIN PERFORM set_config('work_mem', '1MB', false); END $$", "SHOW work_mem", false},
    {"SET ROLE pg_monitor", "SELECT current_user::text", true},
    {"SET SESSION AUTHORIZATION pg_monitor", "SELECT session_user::text", true},
    {"CREATE TEMP TABLE mine AS SELECT 1", "SELECT count(*) FROM pg_class WHERE relname = 'mine'",
     true},
    {"SELECT 1 AS x INTO TEMP mine", "SELECT count(*) FROM pg_class WHERE relname = 'mine'", true},
    {"CREATE TEMP VIEW mine AS SELECT 1", "SELECT count(*) FROM pg_class WHERE relname = 'mine'",
     true},
    {"PREPARE mine AS SELECT 1", "SELECT count(*) FROM pg_prepared_statements", true},
    {"DECLARE mine CURSOR WITH HOLD FOR SELECT 1", "SELECT count(*) FROM pg_cursors", true},
    {"LISTEN mine", "SELECT count(*) FROM pg_listening_channels()", true},
    {"SELECT pg_advisory_lock(7)", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
     false},
};

class PostgresReset : public Postgres {};

TEST_F(PostgresReset, every_change_is_seen_and_taken_back) {
  Session& s = open();
  for (const Change& c : changes) {
    ASSERT_EQ(WEIR_OK, s.reset());
    EXPECT_FALSE(s.is(WEIR_STATE_DIRTY | WEIR_STATE_DIRTY_UNKNOWN));
    const Value before = s.one(c.question);
    ASSERT_EQ(WEIR_OK, s.query(c.sql)) << c.sql << s.error.what();
    EXPECT_TRUE(s.is(c.certain ? WEIR_STATE_DIRTY : WEIR_STATE_DIRTY_UNKNOWN)) << c.sql;
    EXPECT_FALSE(before == s.one(c.question)) << c.sql;  // or the question finds nothing
    ASSERT_EQ(WEIR_OK, s.reset()) << s.error.what();
    EXPECT_EQ(0U, s.done & WEIR_RESET_NOT_PROVEN);
    EXPECT_EQ(before, s.one(c.question)) << c.sql;
  }
}

TEST_F(PostgresReset, what_leaves_the_session_alone_is_no_change) {
  Session& s = open();
  for (const char* sql :
       {"SELECT count(*), max(oid) FROM pg_class", "CREATE TABLE IF NOT EXISTS plain(a int)",
        "INSERT INTO plain(a) VALUES (1)", "UPDATE plain SET a = a + 1 WHERE (a) IN (1, 2)",
        "BEGIN", "SET LOCAL work_mem = '1MB'", "COMMIT", "DROP TABLE plain"}) {
    ASSERT_EQ(WEIR_OK, s.query(sql)) << sql << s.error.what();
    EXPECT_FALSE(s.is(WEIR_STATE_DIRTY | WEIR_STATE_DIRTY_UNKNOWN)) << sql;
  }
}

TEST_F(PostgresReset, a_transaction_and_an_open_result_end) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.begin());
  ASSERT_EQ(WEIR_OK, s.start("SELECT generate_series(1, 100000)", {}, 0, nullptr, 10));
  ASSERT_NE(nullptr, s.result);
  s.result = nullptr;
  ASSERT_EQ(WEIR_OK, s.reset(WEIR_RESET_TX)) << s.error.what();
  EXPECT_FALSE(s.is(WEIR_STATE_IN_TX | WEIR_STATE_RESULT_OPEN | WEIR_STATE_CANCEL_PENDING));
  EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
}

TEST_F(PostgresReset, prepared_statements_outlive_a_reset_of_the_session) {
  Session& s = open();
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("SELECT $1::int + 1", &stmt));
  ASSERT_EQ(WEIR_OK, s.query("SET work_mem = '1MB'"));
  ASSERT_EQ(WEIR_OK, s.reset());
  EXPECT_EQ(0U, s.done);
  EXPECT_EQ(Value::integer(0), s.one("SELECT count(*) FROM pg_prepared_statements"));
  ASSERT_EQ(WEIR_OK, s.query("", {Value::integer(1)}, 0, stmt)) << s.error.what();
  EXPECT_EQ(Value::integer(2), s.rows.at(0).at(0));
  // Also what a user throws away behind the driver's back, and a table that has changed its shape.
  ASSERT_EQ(WEIR_OK, s.query("DEALLOCATE ALL"));
  EXPECT_EQ(WEIR_OK, s.query("", {Value::integer(1)}, 0, stmt)) << s.error.what();
  ASSERT_EQ(WEIR_OK, s.query("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"));
  EXPECT_EQ(WEIR_OK, s.query("", {Value::integer(1)}, 0, stmt)) << s.error.what();
  s.stmt_close(stmt);
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE shape(a int)"));
  ASSERT_EQ(WEIR_OK, s.prepare("SELECT * FROM shape", &stmt));
  ASSERT_EQ(WEIR_OK, s.query("", {}, 0, stmt));
  ASSERT_EQ(WEIR_OK, s.query("ALTER TABLE shape ADD b int"));
  EXPECT_EQ(WEIR_OK, s.query("", {}, 0, stmt)) << s.error.what();
  EXPECT_EQ(2U, s.columns.size());
  s.stmt_close(stmt);
}

TEST_F(PostgresReset, the_native_handle_makes_a_session_doubtful) {
  Session& s = open();
  void* handle = nullptr;
  ASSERT_EQ(WEIR_OK, s.driver->native(s.conn, "PGconn*", &handle, &s.error));
  EXPECT_EQ(CONNECTION_OK, PQstatus(static_cast<PGconn*>(handle)));
  EXPECT_TRUE(s.is(WEIR_STATE_DIRTY_UNKNOWN));
  ASSERT_EQ(WEIR_OK, s.reset());
  EXPECT_EQ(WEIR_RESET_NOT_PROVEN, s.done & WEIR_RESET_NOT_PROVEN);
}

TEST_F(PostgresReset, notices_and_notifications_reach_the_host) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("LISTEN news"));
  ASSERT_EQ(WEIR_OK, s.query("NOTIFY news, 'hello'"));
  ASSERT_EQ(1U, host.heard.size());
  EXPECT_EQ(WEIR_EVENT_NOTIFICATION, host.heard[0].type);
  EXPECT_EQ("news", host.heard[0].name);
  EXPECT_EQ("hello", host.heard[0].text);
  admin("NOTIFY news, 'again'");                                   // waits in the socket
  for (int i = 0; i < 10'000'000 && host.heard.size() < 2; ++i) {  // the server sends it later
    ASSERT_EQ(WEIR_OK, s.ping(WEIR_PING_SOCKET));
    ASSERT_EQ(WEIR_ALIVE_YES, s.alive);
  }
  ASSERT_EQ(2U, host.heard.size());
  EXPECT_EQ("again", host.heard[1].text);
  ASSERT_EQ(WEIR_OK, s.query("DO $$ BEGIN RAISE WARNING 'careful'; END $$"));
  ASSERT_EQ(3U, host.heard.size());
  EXPECT_EQ(WEIR_EVENT_NOTICE, host.heard[2].type);
  EXPECT_EQ("01000", host.heard[2].name);
  EXPECT_EQ("careful", host.heard[2].text);
}

}  // namespace
}  // namespace weir::test
