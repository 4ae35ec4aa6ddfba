// SPDX-License-Identifier: MIT
//
// Goal: one statement for many rows ends, whatever the statement is, and tells exactly how far it
// came. Method: a real server; statements and rows of which each has one thing wrong with it.
#include "tests/backends/postgres_fixture.hpp"

#include <weir/insert.h>

namespace weir::test {
namespace {

Value boolean(bool b) { return {WEIR_T_BOOL, b ? 1 : 0, 0, {}}; }

std::string all_bytes() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes;
}

using PostgresMany = Postgres;

TEST_F(PostgresMany, a_copy_that_takes_no_rows_from_here_is_refused) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE target(a int)"));
  for (const char* sql : {"COPY target TO STDOUT", "COPY target FROM STDIN WITH (FORMAT csv)",
                          "copy target from stdin binary", "COPY (SELECT 1 FROM target) TO STDOUT",
                          "COPY target FROM '/nowhere'", "COPY BINARY target FROM STDIN"}) {
    EXPECT_EQ(WEIR_E_UNSUPPORTED, many(s, sql, Row(2, Value::integer(1)))) << sql;
    EXPECT_THAT(s.error.what(), ::testing::HasSubstr("COPY")) << sql;
    EXPECT_EQ(0U, done.rows_done);
    EXPECT_EQ(Value::integer(0), s.one("SELECT count(*) FROM target")) << sql;
  }
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("COPY target FROM STDIN", &stmt)) << s.error.what();
  EXPECT_EQ(WEIR_E_UNSUPPORTED, many(s, "", Row(2, Value::integer(1)), stmt));
  EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
  s.stmt_close(stmt);
}

TEST_F(PostgresMany, a_copy_stores_every_value_as_it_is) {
  Session& s = open();
  const std::pair<const char*, std::vector<Value>> columns[] = {
      {"text",
       {Value::str(""), Value::str("\\N"), Value::str("\\."), Value::str("a\tb\nc\rd\\e\be"),
        Value::str("\u00e9\U0001F600"), Value::null(), Value::str(std::string(200'000, '\\'))}},
      {"bytea", {Value::blob(""), Value::blob(all_bytes()), Value::null()}},
      {"bigint", {Value::integer(INT64_MIN), Value::integer(INT64_MAX), Value::integer(0)}},
      {"numeric", {Value::str("18446744073709551616")}},
      {"float8",
       {Value::real(0.1), Value::real(-0.0), Value::real(5e-324), Value::real(-INFINITY)}},
      {"boolean", {boolean(true), boolean(false)}},
  };
  for (const auto& [type, values] : columns) {
    ASSERT_EQ(WEIR_OK, s.query("DROP TABLE IF EXISTS target"));
    ASSERT_EQ(WEIR_OK, s.query(std::string("CREATE TEMP TABLE target(i serial, a ") + type + ")"));
    ASSERT_EQ(WEIR_OK, many(s, "/* x */ copy target(a) from stdin;", values)) << s.error.what();
    EXPECT_EQ(values.size(), done.rows_done);
    EXPECT_EQ(values.size(), done.affected);
    ASSERT_EQ(WEIR_OK, s.query("SELECT a FROM target ORDER BY i"));
    ASSERT_EQ(values.size(), s.rows.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      Value got = s.rows[i].at(0);
      if (got.type == WEIR_T_DECIMAL) got.type = WEIR_T_TEXT;
      EXPECT_EQ(values[i], got) << type << " " << i;
    }
  }
}

TEST_F(PostgresMany, a_copy_stores_all_rows_or_none) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE target(a bigint CHECK (a <> 77777))"));
  Row rows;
  for (int i = 0; i < 100'000; ++i) rows.push_back(Value::integer(i));
  EXPECT_EQ(WEIR_E_CONSTRAINT, many(s, "COPY target FROM STDIN", rows));
  EXPECT_THAT(s.error.what(), ::testing::HasSubstr("line 77778"));
  EXPECT_EQ(WEIR_EFFECT_DEFINITE, s.error.effect);
  EXPECT_EQ(0U, done.rows_done);
  EXPECT_EQ(Value::integer(0), s.one("SELECT count(*) FROM target"));
  ASSERT_EQ(WEIR_OK, many(s, "COPY target FROM STDIN WHERE a < 10", rows)) << s.error.what();
  EXPECT_EQ(rows.size(), done.rows_done);
  EXPECT_EQ(10U, done.affected);
  ASSERT_EQ(WEIR_OK, s.begin());
  EXPECT_EQ(WEIR_E_CONSTRAINT, many(s, "COPY target FROM STDIN", rows));
  EXPECT_EQ(WEIR_TX_FAILED, s.error.tx_fate);
  ASSERT_EQ(WEIR_OK, s.rollback());
}

TEST_F(PostgresMany, a_copy_that_this_side_refuses_leaves_nothing) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE target(a text)"));
  Row rows(20'000, Value::str("fine"));
  rows.push_back(Value::str(std::string("a\0b", 3)));
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, many(s, "COPY target FROM STDIN", rows));
  EXPECT_THAT(s.error.what(), ::testing::HasSubstr("row 20001: value 1 is text with a NUL"));
  EXPECT_EQ(WEIR_EFFECT_DEFINITE, s.error.effect);
  ASSERT_EQ(WEIR_OK, s.query("ALTER TABLE target ADD b int"));
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, many(s, "COPY target FROM STDIN", rows));
  EXPECT_THAT(s.error.what(), ::testing::HasSubstr("2 columns, but 1 values"));
  EXPECT_EQ(Value::integer(0), s.one("SELECT count(*) FROM target"));
}

TEST_F(PostgresMany, a_copy_ends_at_its_deadline_and_with_a_cancel) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK,
            s.query("CREATE TEMP TABLE target(a text CHECK (pg_sleep(0.001) IS NOT NULL))"));
  const Row rows(20'000, Value::str(std::string(1'000, 'x')));
  s.deadline = host.now + 50'000'000;
  EXPECT_EQ(WEIR_E_TIMEOUT, many(s, "COPY target FROM STDIN", rows)) << s.error.what();
  EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate);
  s.deadline = WEIR_NO_DEADLINE;
  EXPECT_EQ(Value::integer(0), s.one("SELECT count(*) FROM target"));
  host.on_look = [&, looks = 0]() mutable {
    weir_call call{};
    call.struct_size = sizeof call;
    call.deadline = WEIR_NO_DEADLINE;
    if (++looks == 20) s.driver->cancel(s.canceller, s.op, &call, nullptr);
  };
  EXPECT_EQ(WEIR_E_CANCELLED, many(s, "COPY target FROM STDIN", rows)) << s.error.what();
  host.on_look = nullptr;
  EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate);
  EXPECT_EQ(Value::integer(0), s.one("SELECT count(*) FROM target"));
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

TEST_F(PostgresMany, a_stale_statement_makes_one_transaction_fail_and_no_later_one) {
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
  ASSERT_EQ(WEIR_OK, s.begin());
  EXPECT_EQ(WEIR_OK, many(s, "", {Value::str("x")}, stmt)) << s.error.what();
  EXPECT_EQ(WEIR_OK, s.commit()) << s.error.what();
  EXPECT_EQ(Value::integer(2), s.one("SELECT count(*) FROM target"));
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

TEST_F(PostgresMany, what_a_procedure_has_committed_is_not_done_again) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE target(a int)"));
  ASSERT_EQ(WEIR_OK, s.query("CREATE PROCEDURE pg_temp.keep(a int) LANGUAGE plpgsql AS $$ BEGIN "
                             "INSERT INTO target VALUES (1 / (3 - a)); COMMIT; END $$"));
  const Row rows = {Value::integer(0), Value::integer(1), Value::integer(2), Value::integer(3)};
  EXPECT_EQ(WEIR_E_DATA, many(s, "CALL pg_temp.keep($1::int)", rows)) << s.error.what();
  EXPECT_EQ(3U, done.rows_done);
  EXPECT_EQ(Value::integer(3), s.one("SELECT count(*) FROM target"));
}

TEST_F(PostgresMany, a_commit_on_which_the_server_goes_away_is_unknown) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE target(a int)"));
  ASSERT_EQ(WEIR_OK, s.query("CREATE FUNCTION pg_temp.last_words() RETURNS trigger AS "
                             "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); "
                             "PERFORM pg_sleep(60); RETURN NULL; END' LANGUAGE plpgsql"));
  ASSERT_EQ(WEIR_OK, s.query("CREATE CONSTRAINT TRIGGER bye AFTER INSERT ON target DEFERRABLE "
                             "INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "
                             "pg_temp.last_words()"));
  ASSERT_EQ(WEIR_OK, s.begin());
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO target VALUES (1)"));
  weir_many_args args{};
  args.sql = text("COMMIT");
  args.row_count = 1;
  EXPECT_EQ(WEIR_E_CONN_LOST, many(s, args)) << s.error.what();
  EXPECT_EQ(WEIR_TX_NONE, s.error.tx_fate);
}

// By weir.insert/1, into the columns k and v.
weir_status insert(Session& s, std::string_view table, const std::vector<Row>& rows,
                   std::int32_t on_conflict, std::uint64_t& stored) {
  const auto* extension = static_cast<const weir_insert*>(s.driver->extension(WEIR_INSERT_ID));
  const weir_text name = text(table);
  const weir_text columns[] = {text("k"), text("v")};
  std::vector<weir_cell> cells;
  for (const Row& row : rows) {
    for (const Value& value : row) cells.push_back(value.cell());
  }
  weir_insert_args args{};
  args.struct_size = sizeof args;
  args.table = &name;
  args.table_parts = 1;
  args.columns = columns;
  args.column_count = 2;
  args.key = columns;
  args.key_count = on_conflict == WEIR_CONFLICT_UPDATE ? 1 : 0;
  args.on_conflict = on_conflict;
  args.cells = cells.data();
  args.row_count = rows.size();
  args.row_stride = 2;
  weir_insert_out out{};
  out.struct_size = sizeof out;
  EXPECT_EQ(WEIR_OK, s.begin());
  const weir_call call = s.call();
  const weir_status status = extension->rows(s.conn, &call, &args, &out, &s.error);
  EXPECT_EQ(WEIR_OK, status == WEIR_OK ? s.commit() : s.rollback());
  stored = out.stored;
  return status;
}

constexpr std::int32_t each_conflict[] = {WEIR_CONFLICT_FAIL, WEIR_CONFLICT_SKIP,
                                          WEIR_CONFLICT_UPDATE};

TEST_F(PostgresMany, a_value_too_long_for_a_domain_is_not_cut) {
  Session& s = open();
  for (const char* sql :
       {"DROP TABLE IF EXISTS coded", "DROP DOMAIN IF EXISTS code_of_three CASCADE",
        "CREATE DOMAIN code_of_three AS varchar(3)", "DROP DOMAIN IF EXISTS small_code CASCADE",
        "CREATE DOMAIN small_code AS code_of_three CHECK (VALUE <> 'no')",
        "CREATE TABLE coded(k int PRIMARY KEY, v small_code)"}) {
    ASSERT_EQ(WEIR_OK, s.query(sql)) << s.error.what();
  }
  std::uint64_t stored = 0;
  for (const std::int32_t on_conflict : each_conflict) {
    EXPECT_EQ(WEIR_E_DATA,
              insert(s, "coded", {{Value::integer(1), Value::str("abcdef")}}, on_conflict, stored));
    EXPECT_EQ(WEIR_E_CONSTRAINT,
              insert(s, "coded", {{Value::integer(1), Value::str("no")}}, on_conflict, stored));
    EXPECT_EQ(Value::integer(0), s.one("SELECT count(*) FROM coded"));
    EXPECT_EQ(WEIR_OK,
              insert(s, "coded", {{Value::integer(1), Value::str("abc")}}, on_conflict, stored))
        << s.error.what();
    EXPECT_EQ(Value::str("abc"), s.one("DELETE FROM coded RETURNING v"));
  }
}

TEST_F(PostgresMany, a_row_that_a_trigger_drops_is_not_stored) {
  Session& s = open();
  for (const char* sql :
       {"DROP TABLE IF EXISTS picky", "CREATE TABLE picky(k int PRIMARY KEY, v text)",
        "CREATE OR REPLACE FUNCTION only_even() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.k % 2 = 0 THEN RETURN NEW; END IF; RETURN NULL; END $$",
        "CREATE TRIGGER even BEFORE INSERT ON picky FOR EACH ROW EXECUTE FUNCTION "
        "only_even()"}) {
    ASSERT_EQ(WEIR_OK, s.query(sql)) << s.error.what();
  }
  std::vector<Row> rows;
  for (int i = 1; i <= 3; ++i) rows.push_back({Value::integer(i), Value::str("x")});
  for (const std::int32_t on_conflict : each_conflict) {
    std::uint64_t stored = 0;
    EXPECT_EQ(WEIR_OK, insert(s, "picky", rows, on_conflict, stored)) << s.error.what();
    EXPECT_EQ(1U, stored);
    EXPECT_EQ(Value::integer(2), s.one("DELETE FROM picky RETURNING k"));
  }
}

// What takes prepared statements away is noticed here, too.
TEST_F(PostgresMany, statements_that_were_dropped_harm_no_transaction) {
  Session& s = open();
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("SELECT 1", &stmt));
  weir_many_args args{};
  const std::string sql = "DEALLOCATE ALL";
  args.sql = text(sql);
  args.row_count = 1;
  ASSERT_EQ(WEIR_OK, many(s, args)) << s.error.what();
  ASSERT_EQ(WEIR_OK, s.begin());
  EXPECT_EQ(WEIR_OK, s.query("", {}, 0, stmt)) << s.error.what();
  ASSERT_EQ(WEIR_OK, many(s, args)) << s.error.what();
  s.stmt_close(stmt);
  EXPECT_FALSE(s.is(WEIR_STATE_TX_FAILED));
  EXPECT_EQ(WEIR_OK, s.commit());
}

}  // namespace
}  // namespace weir::test
