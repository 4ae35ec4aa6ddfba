// SPDX-License-Identifier: MIT
//
// Goal: one statement for many rows ends, whatever the statement is, and tells exactly how far it
// came. Method: a real server; statements and rows of which each has one thing wrong with it.
#include "tests/backends/postgres_fixture.hpp"

namespace weir::test {
namespace {

class PostgresMany : public Postgres {
 protected:
  // Runs `sql`, or `stmt` if there is one, for the rows of one value each.
  weir_status many(Session& s, std::string_view sql, const Row& rows, weir_stmt* stmt = nullptr) {
    std::vector<weir_cell> cells;
    for (const Value& value : rows) cells.push_back(value.cell());
    weir_many_args args{};
    args.sql = text(sql);
    args.stmt = stmt;
    args.cells = cells.data();
    args.row_count = cells.size();
    args.param_count = 1;
    args.row_stride = 1;
    return many(s, args);
  }
  weir_status many(Session& s, weir_many_args args) {
    args.struct_size = sizeof args;
    done = {};
    done.struct_size = sizeof done;
    const weir_call call = s.call();
    return s.driver->execute_many(s.conn, &call, &args, &done, &s.error);
  }

  weir_many_out done{};
};

TEST_F(PostgresMany, a_copy_is_refused) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE target(a int)"));
  for (const char* sql : {"COPY target FROM STDIN", "COPY target TO STDOUT",
                          "/* x */ copy target "
                          "from stdin"}) {
    weir_stmt* stmt = nullptr;
    ASSERT_EQ(WEIR_OK, s.prepare(sql, &stmt)) << s.error.what();
    for (weir_stmt* prepared : {static_cast<weir_stmt*>(nullptr), stmt}) {
      weir_many_args args{};
      args.sql = text(sql);
      args.stmt = prepared;
      args.row_count = 2;
      EXPECT_EQ(WEIR_E_UNSUPPORTED, many(s, args)) << sql;
      EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate);
      EXPECT_EQ(WEIR_EFFECT_NOT_SENT, s.error.effect);
      EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
    }
    s.stmt_close(stmt);
  }
}

TEST_F(PostgresMany, rows_without_values_are_refused) {
  Session& s = open();
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("SELECT $1::int", &stmt));
  for (weir_stmt* prepared : {static_cast<weir_stmt*>(nullptr), stmt}) {
    weir_many_args args{};
    args.sql = text("SELECT $1::int");
    args.stmt = prepared;
    args.row_count = 1;
    args.param_count = 1;
    args.row_stride = 1;
    EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, many(s, args));
    EXPECT_THAT(s.error.what(), ::testing::HasSubstr("no values"));
    EXPECT_EQ(WEIR_EFFECT_NOT_SENT, s.error.effect);
    args.row_count = 0;  // nothing to do is no mistake
    EXPECT_EQ(WEIR_OK, many(s, args)) << s.error.what();
  }
  s.stmt_close(stmt);
}

// A row that cannot be sent is refused, but those before it were sent.
TEST_F(PostgresMany, a_row_refused_after_others_does_not_say_that_nothing_was_sent) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE target(a text)"));
  for (const std::size_t before : {0, 1, 299}) {
    ASSERT_EQ(WEIR_OK, s.query("TRUNCATE target"));
    Row rows(before, Value::str("fine"));
    rows.push_back(Value::str(std::string("a\0b", 3)));
    EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, many(s, "INSERT INTO target VALUES ($1)", rows));
    EXPECT_EQ(before == 0 ? WEIR_EFFECT_NOT_SENT : WEIR_EFFECT_DEFINITE, s.error.effect) << before;
    EXPECT_EQ(before, done.rows_done);
    EXPECT_EQ(Value::integer(static_cast<std::int64_t>(before)),
              s.one("SELECT count(*) FROM target"));
  }
}

TEST_F(PostgresMany, a_statement_that_the_server_dropped_or_that_has_grown_stale_is_remade) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE target(a text)"));
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("INSERT INTO target VALUES ($1) RETURNING *", &stmt));
  const Row rows(600, Value::str("x"));
  ASSERT_EQ(WEIR_OK, many(s, "", rows, stmt)) << s.error.what();
  // The first is unseen by the driver, as what another session does to a table is.
  for (const char* sql : {"DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$",
                          "ALTER TABLE target ADD b int", "DEALLOCATE ALL"}) {
    ASSERT_EQ(WEIR_OK, s.query(sql)) << s.error.what();
    ASSERT_EQ(WEIR_OK, s.query("TRUNCATE target"));
    EXPECT_EQ(WEIR_OK, many(s, "", rows, stmt)) << sql << ": " << s.error.what();
    EXPECT_EQ(rows.size(), done.rows_done);
    EXPECT_EQ(rows.size(), done.affected);
    EXPECT_EQ(Value::integer(600), s.one("SELECT count(*) FROM target"));
  }
  s.stmt_close(stmt);
}

TEST_F(PostgresMany, a_stale_statement_in_a_transaction_makes_it_fail) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE target(a text)"));
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("INSERT INTO target VALUES ($1) RETURNING *", &stmt));
  ASSERT_EQ(WEIR_OK, many(s, "", {Value::str("x")}, stmt)) << s.error.what();
  ASSERT_EQ(WEIR_OK, s.query("ALTER TABLE target ADD b int"));
  ASSERT_EQ(WEIR_OK, s.begin());
  EXPECT_EQ(WEIR_E_UNSUPPORTED, many(s, "", {Value::str("x")}, stmt)) << s.error.what();
  EXPECT_EQ(WEIR_TX_FAILED, s.error.tx_fate);
  EXPECT_EQ(0U, done.rows_done);
  ASSERT_EQ(WEIR_OK, s.rollback());
  s.stmt_close(stmt);
}

// The server answers what it refuses, so the chunk is asked again no more than once.
TEST_F(PostgresMany, a_statement_that_is_stale_each_time_ends_with_its_error) {
  Session& s = open();
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.query("CREATE FUNCTION pg_temp.stale(int) RETURNS int LANGUAGE plpgsql AS "
                             "$$ BEGIN RAISE SQLSTATE '26000'; END $$"));
  ASSERT_EQ(WEIR_OK, s.prepare("SELECT pg_temp.stale($1)", &stmt)) << s.error.what();
  EXPECT_NE(WEIR_OK, many(s, "", {Value::integer(1), Value::integer(2)}, stmt));
  EXPECT_STREQ("26000", s.error.sqlstate);
  EXPECT_EQ(WEIR_EFFECT_DEFINITE, s.error.effect);
  s.stmt_close(stmt);
}

}  // namespace
}  // namespace weir::test
