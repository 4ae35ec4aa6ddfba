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
    // Functions of a user, with a name that is harmless elsewhere.
    {"SELECT app.lower('1MB')", "SHOW work_mem", false},
    {"SELECT \"app\" . /* */ lower /* */ ('1MB')", "SHOW work_mem", false},
    {"SELECT * FROM app.lower('1MB') AS l(a)", "SHOW work_mem", false},
    {"SELECT log('1MB')", "SHOW work_mem", false},
    {"SELECT set('1MB')", "SHOW work_mem", false},
    {"SELECT filter('1MB'), 1", "SHOW work_mem", false},
    // Comments, where the server sees a blank.
    {"SELECT set_config/**/('work_mem', '1MB', false)", "SHOW work_mem", false},
    {"SELECT set_config -- (\n ('work_mem', '1MB', false)", "SHOW work_mem", false},
    {"SELECT 1 -- to the end of the line\r, set_config('work_mem', '1MB', false)", "SHOW work_mem",
     false},
    // Strings that end where the server says.
    {"SELECT E'''\\'', set_config('work_mem', '1MB', false)", "SHOW work_mem", false},
    {"SELECT E'a' -- b\n '\\'', set_config('work_mem', '1MB', false)", "SHOW work_mem", false},
    {"SELECT E'a'\r'\\'', set_config('work_mem', '1MB', false)", "SHOW work_mem", false},
    // Definitions that call.
    {"ALTER TABLE app.t ADD b text DEFAULT set_config('work_mem', '1MB', false)", "SHOW work_mem",
     false},
    {"ALTER TABLE app.t ALTER a TYPE text USING set_config('work_mem', '1MB', false)",
     "SHOW work_mem", false},
    {"CREATE TABLE app.made AS VALUES (set_config('work_mem', '1MB', false))", "SHOW work_mem",
     false},
    {"CREATE TABLE app.joined AS TABLE app.t UNION VALUES (set_config('work_mem', '1MB', false), "
     "'')",
     "SHOW work_mem", false},
    {"SELECT 1 AS recursive, set_config('work_mem', '1MB', false)", "SHOW work_mem", false},
    {"SELECT 1 AS view, set_config('work_mem', '1MB', false)", "SHOW work_mem", false},
    // Names of the schema of what is temporary.
    {"CREATE TABLE \"pg_temp\".mine(a int)", "SELECT count(*) FROM pg_class WHERE relname = 'mine'",
     true},
    {"CREATE TABLE U&\"pg\\005ftemp\".mine(a int)",
     "SELECT count(*) FROM pg_class WHERE relname = 'mine'", false},
    // Settings whose first name is a word of SET.
    {"SET local.x = 'y'", "SELECT coalesce(current_setting('local.x', true), '')", true},
    {"SET /* */ transaction /* */ . x = 'y'",
     "SELECT coalesce(current_setting('transaction.x', true), '')", true},
};

class PostgresReset : public Postgres {};

TEST_F(PostgresReset, every_change_is_seen_and_taken_back) {
  admin("DROP SCHEMA IF EXISTS app CASCADE");
  admin("CREATE SCHEMA app");
  admin("CREATE TABLE app.t AS SELECT 'x' AS a");
  for (const char* name : {"app.lower", "log", "set", "filter"}) {
    admin("CREATE OR REPLACE FUNCTION " + std::string(name) +
          "(text) RETURNS text LANGUAGE sql AS $$ SELECT set_config('work_mem', $1, false) $$");
  }
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

// The schema of what is temporary is known by two more ways; each takes several statements.
TEST_F(PostgresReset, what_a_search_path_makes_temporary_is_seen) {
  Session& s = open();
  for (const char* sql :
       {"BEGIN", "SET LOCAL search_path = 'pg_temp'", "CREATE TABLE mine(a int)", "COMMIT"}) {
    ASSERT_EQ(WEIR_OK, s.query(sql)) << sql << s.error.what();
  }
  ASSERT_EQ(WEIR_OK, s.query("SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname "
                             "= 'mine'"));
  const std::string schema = s.rows.at(0).at(0).s;  // pg_temp_3
  EXPECT_TRUE(s.is(WEIR_STATE_DIRTY));
  ASSERT_EQ(WEIR_OK, s.reset());
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE " + schema + ".mine(a int)")) << s.error.what();
  EXPECT_TRUE(s.is(WEIR_STATE_DIRTY)) << schema;
}

TEST_F(PostgresReset, what_leaves_the_session_alone_is_no_change) {
  admin("DROP TABLE IF EXISTS plain, part");
  Session& s = open();
  for (const char* sql :
       {"SELECT count(*), max(oid) FROM pg_class",
        "CREATE TABLE IF NOT EXISTS plain(a int PRIMARY KEY, b varchar(20) UNIQUE, c numeric(10, "
        "2) "
        "DEFAULT (1), d character varying(5) CHECK (d <> lower('X')), UNIQUE (b, c))",
        "CREATE TABLE part(a int REFERENCES plain(a), FOREIGN KEY (a) REFERENCES public.plain (a), "
        "PRIMARY KEY (a))",
        "CREATE INDEX by_b ON plain (lower(b))",
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS by_c ON ONLY public.plain USING btree (a)",
        "ALTER TABLE plain ADD e text DEFAULT now()",
        "INSERT INTO plain(a, b) VALUES (1, 'x')",
        "INSERT INTO public.plain AS p (a) VALUES (2) ON CONFLICT (a) DO UPDATE SET (b, c) = ('y', "
        "2)",
        "INSERT INTO \"public\".\"plain\" (\"a\") VALUES (3)",
        "UPDATE plain SET c = a + 1 WHERE (a) IN (1, 2) AND (b = 'x' OR NOT (a = 2))",
        "DELETE FROM plain USING (VALUES (9)) AS v(a) WHERE plain.a = v.a",
        "SELECT lower(b), now(), pg_catalog.lower(b), pg_catalog . upper (b), a::numeric(10, 2) "
        "FROM plain WHERE plain.a IN (SELECT 1) AND plain.a = ANY (ARRAY[1]) AND EXISTS (SELECT 1)",
        "SELECT sum(a) FILTER (WHERE a > 1) OVER (PARTITION BY (b) ORDER BY (a)) FROM plain",
        "SELECT b, count(*) FROM plain GROUP BY (b) HAVING (count(*) > 1) ORDER BY (b) LIMIT (1)",
        "SELECT count(*) FROM plain GROUP BY GROUPING SETS ((a), ())",
        "SELECT count(*) FROM plain GROUP BY ROLLUP (a, b)",
        "WITH n(i) AS MATERIALIZED (VALUES (1)), m AS NOT MATERIALIZED (SELECT 1) TABLE n",
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL (SELECT i + 1 FROM n WHERE i < 3)) TABLE n",
        "SELECT * FROM plain JOIN part USING (a) JOIN LATERAL (SELECT 1) AS l(x) ON (x = 1)",
        "SELECT i FROM unnest(ARRAY[1]) AS u(i) -- set_config(\n",
        "SELECT 'set_config(', \"b\", E'it''s \\' set_config(', $$ set_config( $$ FROM plain",
        "BEGIN",
        "SET LOCAL work_mem = '1MB'",
        "SET /* */ LOCAL /* */ app.x = '1MB'",
        "COMMIT",
        "CREATE FUNCTION harmless(a int) RETURNS TABLE (b int) LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION IF EXISTS harmless(int)",
        "DROP TABLE part, plain"}) {
    ASSERT_EQ(WEIR_OK, s.query(sql)) << sql << s.error.what();
    ASSERT_FALSE(s.is(WEIR_STATE_DIRTY | WEIR_STATE_DIRTY_UNKNOWN)) << sql;
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

// A cancel would undo what the function did.
TEST_F(PostgresReset, a_call_that_may_change_something_is_not_called_off) {
  admin("DROP TABLE IF EXISTS kept");
  admin("CREATE TABLE kept(a int)");
  admin(
      "CREATE OR REPLACE FUNCTION keep(int) RETURNS int LANGUAGE sql AS "
      "'INSERT INTO kept VALUES ($1) RETURNING a'");
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.start("SELECT keep(i) FROM generate_series(1, 20000) AS n(i)"));
  ASSERT_NE(nullptr, s.result);
  s.close_result();
  EXPECT_EQ(Value::integer(20'000), s.one("SELECT count(*) FROM kept"));
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
