// SPDX-License-Identifier: MIT
//
// Goal: after reset nothing of the earlier user can be observed. Method: a list of things that a
// user can do to a session, each with the look that would see it; one by one, then in random order.
#include "tests/backends/sqlite_fixture.hpp"

#include <rapidcheck/gtest.h>

namespace weir::test {
namespace {

using ::testing::HasSubstr;

struct Deed {
  const char* name;
  const char* sql;
  const char* look;  // one value, which after a reset is what it was before
  bool file_only = false;
};

const Deed deeds[] = {
    {"temp table", "CREATE TEMP TABLE secret(x)", "SELECT count(*) FROM sqlite_temp_schema"},
    {"temp view", "CREATE TEMP VIEW v AS SELECT 1", "SELECT count(*) FROM sqlite_temp_schema"},
    {"temp trigger", "CREATE TEMP TRIGGER g AFTER INSERT ON main.t BEGIN SELECT 1; END",
     "SELECT count(*) FROM sqlite_temp_schema"},
    {"temp index", "CREATE TEMP TABLE IF NOT EXISTS \"a\"\"b\"(x UNIQUE)",
     "SELECT count(*) FROM sqlite_temp_schema"},
    {"attach", "ATTACH ':memory:' AS side",
     "SELECT count(*) FROM pragma_database_list WHERE name = 'side'"},
    {"foreign keys", "PRAGMA foreign_keys=0", "PRAGMA foreign_keys"},
    {"query only", "PRAGMA query_only=1", "PRAGMA query_only"},
    {"like", "PRAGMA case_sensitive_like=1", "SELECT 'a' LIKE 'A'"},
    {"recursive", "PRAGMA recursive_triggers=1", "PRAGMA recursive_triggers"},
    {"synchronous", "PRAGMA synchronous=3", "PRAGMA synchronous"},
    {"cache", "PRAGMA cache_size=33", "PRAGMA cache_size"},
    {"checks", "PRAGMA ignore_check_constraints=1", "PRAGMA ignore_check_constraints"},
    {"auto vacuum", "PRAGMA auto_vacuum=1", "PRAGMA auto_vacuum"},
    {"page size", "PRAGMA page_size=8192", "PRAGMA page_size"},
    {"encoding", "PRAGMA encoding='UTF-16le'", "PRAGMA encoding"},
    {"version of temp", "PRAGMA temp.user_version=7", "PRAGMA temp.user_version"},
    {"id of temp", "PRAGMA temp.application_id=7", "PRAGMA temp.application_id"},
    {"last id", "INSERT INTO t DEFAULT VALUES", "SELECT last_insert_rowid()"},
    {"changes", "INSERT INTO t DEFAULT VALUES", "SELECT changes()"},
    {"total changes", "INSERT INTO t DEFAULT VALUES", "SELECT total_changes()", true},
    {"transaction", "BEGIN", "SELECT 1"},
    {"savepoint", "SAVEPOINT s", "SELECT 1"},
    {"locking", "PRAGMA locking_mode=exclusive", "PRAGMA locking_mode"},
};

class SqliteReset : public Sqlite, public ::testing::WithParamInterface<const char*> {
 protected:
  static bool is_file(const char* url) { return std::string_view(url) != ":memory:"; }
  Session& start(const char* url) {
    Session& s = open(url);
    EXPECT_EQ(WEIR_OK, s.query("CREATE TABLE IF NOT EXISTS t(k INTEGER PRIMARY KEY, x)"));
    EXPECT_EQ(WEIR_OK, s.reset());
    return s;
  }
};

INSTANTIATE_TEST_SUITE_P(Places, SqliteReset, ::testing::Values("file:a.db", ":memory:"),
                         [](const auto& one) {
                           return std::string_view(one.param) == ":memory:" ? "memory" : "file";
                         });

TEST_P(SqliteReset, takes_back_each_deed) {
  Session& s = start(GetParam());
  for (const Deed& deed : deeds) {
    if (deed.file_only && !is_file(GetParam())) continue;
    const Value before = s.one(deed.look);
    ASSERT_EQ(WEIR_OK, s.query(deed.sql)) << deed.name << s.error.what();
    ASSERT_EQ(WEIR_OK, s.reset()) << deed.name << s.error.what();
    EXPECT_EQ(0U, s.done & WEIR_RESET_NOT_PROVEN) << deed.name;
    EXPECT_EQ(before, s.one(deed.look)) << deed.name;
    EXPECT_EQ(0U, s.flags()) << deed.name;
  }
}

TEST_P(SqliteReset, marks_what_changes_the_session_and_only_that) {
  Session& s = start(GetParam());
  const char* harmless[] = {"SELECT 1",
                            "PRAGMA foreign_keys",
                            "PRAGMA table_info(t)",
                            "INSERT INTO t DEFAULT VALUES",
                            "CREATE TABLE u(x)",
                            "DROP TABLE u",
                            "PRAGMA user_version=3",
                            "SELECT * FROM pragma_table_info('t')",
                            "BEGIN",
                            "COMMIT",
                            "ANALYZE",
                            "PRAGMA optimize"};
  for (const char* sql : harmless) {
    ASSERT_EQ(WEIR_OK, s.query(sql)) << sql << s.error.what();
    EXPECT_FALSE(s.is(WEIR_STATE_DIRTY)) << sql;
  }
  const char* changing[] = {"CREATE TEMP TABLE p(x)",        "PRAGMA foreign_keys=1",
                            "PRAGMA case_sensitive_like(1)", "ATTACH ':memory:' AS m",
                            "PRAGMA unknown_pragma=1",       "CREATE VIEW temp.v AS SELECT 1"};
  for (const char* sql : changing) {
    ASSERT_EQ(WEIR_OK, s.query(sql)) << sql << s.error.what();
    EXPECT_TRUE(s.is(WEIR_STATE_DIRTY)) << sql;
    ASSERT_EQ(WEIR_OK, s.reset());
    if (std::string_view(sql).find("unknown") != std::string_view::npos) break;
    EXPECT_FALSE(s.is(WEIR_STATE_DIRTY)) << sql;
  }
}

TEST_P(SqliteReset, keeps_the_data) {
  Session& s = start(GetParam());
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t(x) VALUES ('kept')"));
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE p(x)"));
  ASSERT_EQ(WEIR_OK, s.query("BEGIN"));
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t(x) VALUES ('rolled back')"));
  ASSERT_EQ(WEIR_OK, s.reset(WEIR_RESET_FULL));
  EXPECT_EQ(Value::str("kept"), s.one("SELECT x FROM t"));
}

TEST_P(SqliteReset, ends_prepared_statements_where_it_opens_again) {
  Session& s = start(GetParam());
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("SELECT 1", &stmt));
  ASSERT_EQ(WEIR_OK, s.reset());
  EXPECT_EQ(0U, s.done);
  ASSERT_EQ(WEIR_OK, s.query("", {}, 0, stmt));  // a clean session keeps them
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE p(x)"));
  ASSERT_EQ(WEIR_OK, s.reset());
  EXPECT_EQ(WEIR_RESET_STMTS_GONE, s.done);
  EXPECT_EQ(WEIR_E_INVALID_STATE, s.query("", {}, 0, stmt));
  s.stmt_close(stmt);
}

TEST_P(SqliteReset, a_native_handle_makes_it_unknown) {
  Session& s = start(GetParam());
  void* handle = nullptr;
  ASSERT_EQ(WEIR_OK, s.driver->native(s.conn, "sqlite3*", &handle, &s.error));
  EXPECT_TRUE(s.is(WEIR_STATE_DIRTY_UNKNOWN));
  const auto seven = [](sqlite3_context* c, int, sqlite3_value**) { sqlite3_result_int(c, 7); };
  ASSERT_EQ(SQLITE_OK, sqlite3_create_function(static_cast<sqlite3*>(handle), "seven", 0,
                                               SQLITE_UTF8, nullptr, seven, nullptr, nullptr));
  EXPECT_EQ(Value::integer(7), s.one("SELECT seven()"));
  ASSERT_EQ(WEIR_OK, s.reset());
  if (is_file(GetParam())) {
    EXPECT_EQ(0U, s.done);
    EXPECT_FALSE(s.is(WEIR_STATE_DIRTY_UNKNOWN));
    EXPECT_EQ(WEIR_E_NOT_FOUND, s.query("SELECT seven()"));
  } else {
    EXPECT_EQ(WEIR_RESET_NOT_PROVEN, s.done & WEIR_RESET_NOT_PROVEN);
    EXPECT_TRUE(s.is(WEIR_STATE_DIRTY_UNKNOWN));
  }
}

// What VACUUM reads when it writes the file anew.
TEST_F(SqliteReset, leaves_no_page_size_for_the_next_vacuum) {
  Session& s = open("file:a.db", {{"journal_mode", "delete"}});
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(x)"));
  ASSERT_EQ(WEIR_OK, s.reset());
  const Value vacuum = s.one("PRAGMA auto_vacuum");
  const Value size = s.one("PRAGMA page_size");
  ASSERT_EQ(WEIR_OK, s.query("PRAGMA auto_vacuum=1"));
  ASSERT_EQ(WEIR_OK, s.query("PRAGMA page_size=8192"));
  ASSERT_EQ(WEIR_OK, s.reset());
  ASSERT_EQ(WEIR_OK, s.query("VACUUM"));
  EXPECT_EQ(vacuum, s.one("PRAGMA auto_vacuum"));
  EXPECT_EQ(size, s.one("PRAGMA page_size"));
}

TEST_F(SqliteReset, of_memory_admits_what_it_cannot_prove) {
  Session& s = start(":memory:");
  ASSERT_EQ(WEIR_OK, s.query("PRAGMA unknown_pragma=1"));
  ASSERT_EQ(WEIR_OK, s.reset());
  EXPECT_EQ(WEIR_RESET_NOT_PROVEN, s.done);
}

TEST_F(SqliteReset, does_not_take_another_file_for_its_own) {
  Session& s = start("file:a.db");
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE p(x)"));
  ASSERT_EQ(0, ::rename(file("a.db").c_str(), file("b.db").c_str()));
  EXPECT_EQ(WEIR_E_CONN_LOST, s.reset());
  EXPECT_EQ(WEIR_CONN_BROKEN, s.error.conn_fate);
  EXPECT_THAT(s.error.what(), HasSubstr(file("a.db")));
  EXPECT_TRUE(s.is(WEIR_STATE_BROKEN));
  EXPECT_EQ(WEIR_E_INVALID_STATE, s.query("SELECT 1"));
  EXPECT_NE(0, ::access(file("a.db").c_str(), F_OK));  // and makes no new one
}

TEST_F(SqliteReset, ping_sees_a_file_that_was_deleted) {
  Session& s = start("file:a.db");
  ASSERT_EQ(0, ::unlink(file("a.db").c_str()));
  ASSERT_EQ(WEIR_OK, s.ping(WEIR_PING_SESSION));
  EXPECT_EQ(WEIR_ALIVE_NO, s.alive);
  EXPECT_TRUE(s.is(WEIR_STATE_BROKEN));
}

TEST_F(SqliteReset, ping_that_meets_its_deadline_breaks_the_conn) {
  open("file:a.db", {{"journal_mode", "delete"}});
  Session& s = *session;
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(x)"));
  Stranger other(file("a.db"));
  other.run("BEGIN EXCLUSIVE");
  EXPECT_EQ(WEIR_OK, s.ping(WEIR_PING_PROTOCOL));
  EXPECT_EQ(WEIR_ALIVE_YES, s.alive);
  EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, s.ping(WEIR_PING_SESSION));
  EXPECT_FALSE(s.is(WEIR_STATE_BROKEN));
  s.deadline = host.now + 1'000'000;
  EXPECT_EQ(WEIR_E_TIMEOUT, s.ping(WEIR_PING_SESSION));
  EXPECT_EQ(WEIR_CONN_BROKEN, s.error.conn_fate);
  EXPECT_TRUE(s.is(WEIR_STATE_BROKEN));
}

// Everything that can be looked at, in one row of values.
std::vector<Value> everything(Session& s, bool is_file) {
  std::vector<Value> seen;
  for (const Deed& deed : deeds) {
    if (!deed.file_only || is_file) seen.push_back(s.one(deed.look));
  }
  return seen;
}

void check_random_deeds(Session& s, bool is_file) {
  const std::vector<Value> before = everything(s, is_file);
  const auto picks = *rc::gen::container<std::vector<std::size_t>>(
      rc::gen::inRange<std::size_t>(0, std::size(deeds)));
  for (const std::size_t pick : picks) s.query(deeds[pick].sql);  // some fail after others: fine
  const bool leave_open = *rc::gen::arbitrary<bool>();
  if (leave_open) {
    s.start("SELECT 1 UNION ALL SELECT 2", {}, 0, nullptr, 1);
    s.result = nullptr;
  }
  RC_ASSERT(s.reset() == WEIR_OK);
  RC_ASSERT((s.done & WEIR_RESET_NOT_PROVEN) == 0U);
  RC_ASSERT(s.flags() == 0U);
  RC_ASSERT(everything(s, is_file) == before);
}

RC_GTEST_FIXTURE_PROP(SqliteReset, random_deeds_in_a_file, ()) {
  check_random_deeds(start("file:a.db"), true);
}

RC_GTEST_FIXTURE_PROP(SqliteReset, random_deeds_in_memory, ()) {
  check_random_deeds(start(":memory:"), false);
}

}  // namespace
}  // namespace weir::test
