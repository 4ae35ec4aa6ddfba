// SPDX-License-Identifier: MIT
//
// Goal: values pass exactly, in both directions; what SQLite would bend is refused; counts and
// columns are true. Method: edge values by hand, random ones by rapidcheck.
#include "tests/backends/sqlite_fixture.hpp"

#include <cmath>
#include <limits>

#include <rapidcheck/gtest.h>

namespace weir::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using SqliteValues = Sqlite;

TEST_F(SqliteValues, edges_come_back_bit_by_bit) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(k INTEGER PRIMARY KEY, v)"));
  const double inf = std::numeric_limits<double>::infinity();
  const Row edges{Value::integer(INT64_MIN),
                  Value::integer(INT64_MAX),
                  Value::integer(0),
                  Value::real(-0.0),
                  Value::real(inf),
                  Value::real(-inf),
                  Value::real(std::numeric_limits<double>::denorm_min()),
                  Value::real(0.1),
                  Value::real(1.0),
                  Value::str(""),
                  Value::str(std::string("\0a\0", 3)),
                  Value::str("grüße 🌊"),
                  Value::blob(""),
                  Value::blob(std::string("\0\xff", 2)),
                  Value::blob(std::string(4 << 20, 'b')),
                  Value::null()};
  for (const Value& v : edges) {
    ASSERT_EQ(v, s.one("SELECT ?", {v}));
    ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t(v) VALUES (?)", {v}));
    ASSERT_EQ(v, s.one("SELECT v FROM t WHERE k = ?", {Value::integer(s.out.last_id)}));
  }
}

TEST_F(SqliteValues, what_sqlite_would_bend_is_refused) {
  Session& s = open();
  weir_cell cell{};
  const auto run = [&](weir_status expected, const char* part) {
    weir_exec_args args{};
    args.struct_size = sizeof args;
    args.sql = text("SELECT ?");
    args.params = &cell;
    args.param_count = 1;
    const weir_call call = s.call();
    EXPECT_EQ(expected,
              s.driver->execute(s.conn, &call, &args, &s.out, &s.result, &s.batch, &s.error));
    EXPECT_THAT(s.error.what(), HasSubstr(part));
  };
  cell.type = WEIR_T_UINT64;
  cell.v.u = static_cast<std::uint64_t>(INT64_MAX) + 1;
  run(WEIR_E_DATA, "9223372036854775807");
  cell.type = WEIR_T_DOUBLE;
  cell.v.d = std::nan("");
  run(WEIR_E_DATA, "NaN");
  cell.type = WEIR_T_BOOL;
  cell.v.i = 2;
  run(WEIR_E_INVALID_ARGUMENT, "neither 0 nor 1");
  cell = {};
  cell.type = WEIR_T_TEXT;
  cell.size = 1;
  run(WEIR_E_INVALID_ARGUMENT, "no bytes");
  EXPECT_EQ(Value::integer(INT64_MAX), s.one("SELECT ?", {{WEIR_T_UINT64, INT64_MAX, 0, ""}}));
  EXPECT_EQ(Value::integer(1), s.one("SELECT ?", {{WEIR_T_BOOL, 1, 0, ""}}));
  EXPECT_EQ(Value::str("1.50"), s.one("SELECT ?", {{WEIR_T_DECIMAL, 0, 0, "1.50"}}));
}

TEST_F(SqliteValues, parameters_of_an_open_result_are_copied) {
  Session& s = open();
  auto given = std::make_unique<std::string>("the caller's bytes");
  {
    const Row params{Value::str(*given)};
    ASSERT_EQ(WEIR_OK, s.start("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE "
                               "i<9) SELECT i, ?1 FROM n",
                               params, 0, nullptr, 2));
  }
  ASSERT_NE(nullptr, s.result);
  ASSERT_EQ(WEIR_OK, s.fetch());  // AddressSanitizer judges, too
  EXPECT_EQ(Value::str(*given), Value::of(s.batch.cells[1]));
  s.close_result();
}

TEST_F(SqliteValues, batches_end_at_their_bytes) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE "
                             "i<40) SELECT zeroblob(10000) FROM n"));
  EXPECT_EQ(40U, s.rows.size());
  EXPECT_EQ(6, s.batches);  // 64 KiB hold 6.5 of them, so 7 rows each
}

TEST_F(SqliteValues, affected_rows_are_those_of_the_statement) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(x)"));
  EXPECT_EQ(0U, s.out.flags);
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE log(x)"));
  ASSERT_EQ(WEIR_OK,
            s.query("CREATE TRIGGER a AFTER UPDATE ON t BEGIN INSERT INTO log VALUES(1); END"));
  EXPECT_EQ(0U, s.out.flags);
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t VALUES (1),(2),(3)"));
  EXPECT_EQ(WEIR_EXEC_HAS_AFFECTED | WEIR_EXEC_HAS_LAST_ID, s.out.flags);
  EXPECT_EQ(3U, s.out.affected);
  EXPECT_EQ(3, s.out.last_id);
  ASSERT_EQ(WEIR_OK, s.query("UPDATE t SET x = x + 1"));
  EXPECT_EQ(WEIR_EXEC_HAS_AFFECTED, s.out.flags);
  EXPECT_EQ(3U, s.out.affected);  // the trigger's rows are not the caller's
  ASSERT_EQ(WEIR_OK, s.query("UPDATE t SET x = 0 WHERE 0"));
  EXPECT_EQ(WEIR_EXEC_HAS_AFFECTED, s.out.flags);
  EXPECT_EQ(0U, s.out.affected);
  ASSERT_EQ(WEIR_OK, s.query("SELECT * FROM t"));
  EXPECT_EQ(0U, s.out.flags);
  ASSERT_EQ(WEIR_OK, s.query("EXPLAIN DELETE FROM t"));
  EXPECT_EQ(0U, s.out.flags);
  ASSERT_EQ(WEIR_OK,
            s.query("WITH a AS (SELECT 2 AS v) DELETE FROM t WHERE x = (SELECT v FROM a)"));
  EXPECT_EQ(1U, s.out.affected);
  ASSERT_EQ(WEIR_OK, s.query("ALTER TABLE t ADD COLUMN y"));
  EXPECT_EQ(0U, s.out.flags);
}

TEST_F(SqliteValues, last_id_is_told_only_where_one_was_made) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(x UNIQUE)"));
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE w(x PRIMARY KEY) WITHOUT ROWID"));
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t VALUES (1)"));
  EXPECT_EQ(WEIR_EXEC_HAS_AFFECTED | WEIR_EXEC_HAS_LAST_ID, s.out.flags);
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO w VALUES (1)"));
  EXPECT_EQ(WEIR_EXEC_HAS_AFFECTED, s.out.flags);
  ASSERT_EQ(WEIR_OK, s.query("INSERT OR IGNORE INTO t VALUES (1)"));
  EXPECT_EQ(WEIR_EXEC_HAS_AFFECTED, s.out.flags);
  EXPECT_EQ(0U, s.out.affected);
}

TEST_F(SqliteValues, last_id_is_not_told_of_a_row_that_was_there) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(id INTEGER PRIMARY KEY, x)"));
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE w(rowid PRIMARY KEY, oid) WITHOUT ROWID"));
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE named(rowid, oid)"));
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t VALUES (1, 'a')"));
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t VALUES (77, 'b')"));
  EXPECT_EQ(77, s.out.last_id);
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t VALUES (1, 'c') ON CONFLICT(id) DO UPDATE "
                             "SET x = excluded.x"));
  EXPECT_EQ(WEIR_EXEC_HAS_AFFECTED, s.out.flags);
  EXPECT_EQ(1U, s.out.affected);
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO w VALUES ('k', 2)"));
  EXPECT_EQ(WEIR_EXEC_HAS_AFFECTED, s.out.flags);
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO named VALUES (5, 6)"));
  EXPECT_EQ(WEIR_EXEC_HAS_AFFECTED | WEIR_EXEC_HAS_LAST_ID, s.out.flags);
  EXPECT_EQ(1, s.out.last_id);
}

// SQLite compiles SQL of its own where a virtual table is met for the first time.
TEST_F(SqliteValues, reading_a_virtual_table_changes_no_rows) {
  Session& first = open();
  ASSERT_EQ(WEIR_OK, first.query("CREATE TABLE t(x)"));
  const std::string twelve = "json_each('[1,2,3,4,5,6,7,8,9,10,11,12]')";
  std::vector<std::string> tables = {twelve, "pragma_table_info('t'), " + twelve};
  for (const std::string module : {"rtree", "fts5", "fts4"}) {
    const std::string columns = module == "rtree" ? "(id, a, b)" : "(a, b)";
    if (first.query("CREATE VIRTUAL TABLE " + module + "_t USING " + module + columns) != WEIR_OK) {
      continue;  // not compiled in
    }
    tables.push_back(module + "_t");
    ASSERT_EQ(WEIR_OK, first.query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
                                   "WHERE i<12) INSERT INTO " +
                                   module + "_t(a, b) SELECT i, i FROM n"));
    EXPECT_EQ(12U, first.out.affected) << module;
  }
  for (const std::string& table : tables) {
    const std::string sql = "SELECT * FROM " + table;
    for (const bool prepared : {false, true}) {
      Session& s = open();
      ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t VALUES (1),(2),(3)"));
      weir_stmt* stmt = nullptr;
      if (prepared) {
        ASSERT_EQ(WEIR_OK, s.prepare(sql, &stmt));
      }
      ASSERT_EQ(WEIR_OK, s.start(sql, {}, 0, stmt, 10)) << s.error.what();
      EXPECT_EQ(0U, s.out.flags) << table;
      EXPECT_EQ(10U, s.batch.rows) << table;
      EXPECT_NE(nullptr, s.result) << table;
      s.close_result();
      ASSERT_EQ(WEIR_OK, s.query(sql, {}, 0, stmt));
      EXPECT_EQ(0U, s.out.flags) << table;
      if (prepared) s.stmt_close(stmt);
    }
    Session& s = open();
    ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t SELECT 1 FROM " + table));
    EXPECT_EQ(WEIR_EXEC_HAS_AFFECTED | WEIR_EXEC_HAS_LAST_ID, s.out.flags) << table;
    EXPECT_EQ(12U, s.out.affected) << table;
  }
}

TEST_F(SqliteValues, returning_is_read_at_once_and_counted) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(x)"));
  ASSERT_EQ(WEIR_OK, s.start("INSERT INTO t VALUES (1),(2),(3) RETURNING x", {}, 0, nullptr, 1));
  EXPECT_EQ(nullptr, s.result);
  EXPECT_EQ(3U, s.batch.rows);
  EXPECT_EQ(3U, s.out.affected);
  EXPECT_EQ(3, Stranger(file("a.db")).number("SELECT count(*) FROM t"));
}

TEST_F(SqliteValues, columns_have_names_and_declared_types) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(a BIGINT, b VARCHAR(9), c BLOB, d DOUBLE PRECISION, "
                             "e BOOLEAN, f DECIMAL(9,2), g DATETIME, h)"));
  ASSERT_EQ(WEIR_OK, s.query("SELECT *, 1 AS \"the one\" FROM t"));
  EXPECT_THAT(s.columns, ElementsAre("a", "b", "c", "d", "e", "f", "g", "h", "the one"));
  EXPECT_THAT(s.column_types,
              ElementsAre(WEIR_T_INT64, WEIR_T_TEXT, WEIR_T_BLOB, WEIR_T_DOUBLE, WEIR_T_BOOL,
                          WEIR_T_DECIMAL, WEIR_T_TIMESTAMP, WEIR_T_OTHER, WEIR_T_OTHER));
}

TEST_F(SqliteValues, a_statement_follows_a_changed_schema) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(a)"));
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("SELECT * FROM t", &stmt));
  ASSERT_EQ(WEIR_OK, s.query("ALTER TABLE t ADD COLUMN b"));
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t VALUES (1, 2)"));
  ASSERT_EQ(WEIR_OK, s.query("", {}, 0, stmt));
  EXPECT_THAT(s.columns, ElementsAre("a", "b"));
  EXPECT_EQ((Row{Value::integer(1), Value::integer(2)}), s.rows.at(0));
  s.stmt_close(stmt);
}

// They are kept from one execution of a statement to its next, and must not outlive their truth.
TEST_F(SqliteValues, columns_are_of_the_statement_that_ran_as_it_is_now) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(a)"));
  const auto prepared = [&](std::string_view sql) {
    weir_stmt* stmt = nullptr;
    EXPECT_EQ(WEIR_OK, s.prepare(sql, &stmt));
    return stmt;
  };
  const auto columns_of = [&](weir_stmt* stmt) {
    EXPECT_EQ(WEIR_OK, s.query("", {}, 0, stmt));
    return s.columns;
  };
  weir_stmt* const all = prepared("SELECT * FROM t");
  weir_stmt* const one = prepared("SELECT 1 AS one");
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(columns_of(all), ElementsAre("a"));
    EXPECT_THAT(columns_of(all), ElementsAre("a"));
    EXPECT_THAT(columns_of(one), ElementsAre("one"));
    ASSERT_EQ(WEIR_OK, s.query("SELECT 2 AS two"));
    EXPECT_THAT(s.columns, ElementsAre("two"));
  }
  EXPECT_THAT(columns_of(all), ElementsAre("a"));
  Stranger(file("a.db"))
      .run("ALTER TABLE t RENAME COLUMN a TO b");  // s itself runs nothing between
  EXPECT_THAT(columns_of(all), ElementsAre("b"));
  s.stmt_close(all);
  weir_stmt* const next = prepared("SELECT 3 AS three");  // perhaps where the other one was
  EXPECT_THAT(columns_of(next), ElementsAre("three"));
  s.stmt_close(next);
  s.stmt_close(one);
}

TEST_F(SqliteValues, sql_may_be_surrounded_by_comments) {
  Session& s = open();
  EXPECT_EQ(Value::integer(1), s.one("/* a; b */ ; SELECT 1 -- ; SELECT 2\n /* open"));
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, s.query("SELECT 1; /* */ SELECT"));
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, s.query("-- nothing"));
}

Value arbitrary_value() {
  const int type = *rc::gen::inRange(0, 5);
  if (type == 0) return Value::null();
  if (type == 1) return Value::integer(*rc::gen::arbitrary<std::int64_t>());
  if (type == 2) return Value::real(*rc::gen::arbitrary<double>());
  const auto bytes = *rc::gen::arbitrary<std::string>();
  return type == 3 ? Value::str(bytes) : Value::blob(bytes);
}

RC_GTEST_FIXTURE_PROP(SqliteValues, rows_round_trip, ()) {
  Session& s = open(":memory:");
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(k INTEGER PRIMARY KEY, a, b, c)"));
  std::vector<Row> given(static_cast<std::size_t>(*rc::gen::inRange(0, 20)));
  for (Row& row : given) {
    row = {arbitrary_value(), arbitrary_value(), arbitrary_value()};
    RC_ASSERT(s.query("INSERT INTO t(a,b,c) VALUES (?,?,?)", row) == WEIR_OK);
  }
  const auto batch_rows = *rc::gen::inRange<std::uint32_t>(1, 6);
  RC_ASSERT(s.query("SELECT a,b,c FROM t ORDER BY k", {}, 0, nullptr, batch_rows) == WEIR_OK);
  RC_ASSERT(s.rows == given);
}

}  // namespace
}  // namespace weir::test
