// SPDX-License-Identifier: MIT
//
// Goal: values come back as they went, at their extremes too, and the same by both of the server's
// protocols; what MySQL could only store as something else is refused before it is sent.
// Method: random rows through a table; literals against the same as parameters.
#include "tests/backends/mysql_fixture.hpp"

#include <weir/insert.h>

#include <cmath>
#include <limits>

#include <rapidcheck/gtest.h>

namespace weir::test {
namespace {

class MysqlValues : public Mysql {
 protected:
  // By a prepared statement, whose rows come in binary.
  Value prepared(const std::string& sql) {
    weir_stmt* stmt = nullptr;
    EXPECT_EQ(WEIR_OK, session->prepare(sql, &stmt)) << sql << ": " << session->error.what();
    EXPECT_EQ(WEIR_OK, session->query("", {}, 0, stmt)) << sql << ": " << session->error.what();
    session->stmt_close(stmt);
    return session->rows.empty() ? Value{} : session->rows[0][0];
  }
  // Rows of `width` values each; `done` tells how far it came.
  weir_status many(std::string_view sql, std::uint32_t width, const Row& values) {
    std::vector<weir_cell> cells;
    for (const Value& value : values) cells.push_back(value.cell());
    weir_many_args args{};
    args.struct_size = sizeof args;
    args.sql = text(sql);
    args.cells = cells.data();
    args.row_count = cells.size() / width;
    args.param_count = args.row_stride = width;
    done = {};
    done.struct_size = sizeof done;
    const weir_call call = session->call();
    return session->driver->execute_many(session->conn, &call, &args, &done, &session->error);
  }
  weir_many_out done{};
  static Value typed(std::uint16_t type, std::string s) { return {type, 0, 0, std::move(s)}; }
  static Value unsigned_integer(std::uint64_t u) {
    return {WEIR_T_UINT64, static_cast<std::int64_t>(u), 0, {}};
  }
};

TEST_F(MysqlValues, literals_have_one_value_by_both_protocols) {
  const std::pair<const char*, Value> cases[] = {
      {"SELECT 1", Value::integer(1)},
      {"SELECT -9223372036854775807 - 1", Value::integer(INT64_MIN)},
      {"SELECT 18446744073709551615", unsigned_integer(UINT64_MAX)},
      {"SELECT CAST(1 AS UNSIGNED)", unsigned_integer(1)},
      {"SELECT TRUE", Value::integer(1)},
      {"SELECT 0.1e0", Value::real(0.1)},
      {"SELECT 1e-300", Value::real(1e-300)},
      {"SELECT -1.7976931348623157e308", Value::real(-1.7976931348623157e308)},
      {"SELECT 0.1", typed(WEIR_T_DECIMAL, "0.1")},
      {"SELECT CAST(1 AS DECIMAL(65,30))",
       typed(WEIR_T_DECIMAL, "1.000000000000000000000000000000")},
      {"SELECT 'a\\0b'", Value::str(std::string("a\0b", 3))},
      {"SELECT ''", Value::str("")},
      {"SELECT '\xF0\x9F\x98\x80'", Value::str("\xF0\x9F\x98\x80")},
      {"SELECT X'00FF00'", Value::blob(std::string("\x00\xFF\x00", 3))},
      {"SELECT NULL", Value::null()},
      {"SELECT DATE'1000-01-01'", typed(WEIR_T_DATE, "1000-01-01")},
      {"SELECT DATE'0987-06-05'", typed(WEIR_T_DATE, "0987-06-05")},
      {"SELECT TIME'-838:59:59.999999'", typed(WEIR_T_TIME, "-838:59:59.999999")},
      {"SELECT TIME'00:00:00.50'", typed(WEIR_T_TIME, "00:00:00.50")},
      {"SELECT TIMESTAMP'9999-12-31 23:59:59.999999'",
       typed(WEIR_T_TIMESTAMP, "9999-12-31 23:59:59.999999")},
      {"SELECT TIMESTAMP'2001-02-03 04:05:06.0'", typed(WEIR_T_TIMESTAMP, "2001-02-03 04:05:06.0")},
      {"SELECT TIMESTAMP'2001-02-03 04:05:06'", typed(WEIR_T_TIMESTAMP, "2001-02-03 04:05:06")},
      {"SELECT CAST(JSON_OBJECT('a', 1) AS CHAR)", Value::str("{\"a\": 1}")},
  };
  for (const auto& [sql, expected] : cases) {
    EXPECT_EQ(expected, session->one(sql)) << sql;
    EXPECT_EQ(expected, prepared(sql)) << sql;
  }
}

TEST_F(MysqlValues, columns_of_every_kind_have_one_value_by_both_protocols) {
  run("CREATE TABLE v(a TINYINT, b BIGINT UNSIGNED, c DOUBLE, d DECIMAL(30,10), e YEAR, "
      "f BIT(10), g ENUM('x','y'), h SET('p','q'), i VARBINARY(9), j LONGBLOB, k LONGTEXT, "
      "l BOOLEAN, m CHAR(5), n BINARY(3), o UUID, p DATETIME(3), q FLOAT)");
  run("INSERT INTO v VALUES(-128, 18446744073709551615, 1e-12, -0.0000000001, 2155, b'1000000001',"
      "'y', 'p,q', X'61', X'', 'long', TRUE, 'ab', X'61', '123e4567-e89b-12d3-a456-426655440000',"
      "'2001-02-03 04:05:06.7', 0.5)");
  const Row expected{Value::integer(-128),
                     unsigned_integer(UINT64_MAX),
                     Value::real(1e-12),
                     typed(WEIR_T_DECIMAL, "-0.0000000001"),
                     Value::integer(2155),
                     unsigned_integer(513),
                     Value::str("y"),
                     Value::str("p,q"),
                     Value::blob("a"),
                     Value::blob(""),
                     Value::str("long"),
                     Value::integer(1),
                     Value::str("ab"),
                     Value::blob(std::string("a\0\0", 3)),
                     Value::str("123e4567-e89b-12d3-a456-426655440000"),
                     typed(WEIR_T_TIMESTAMP, "2001-02-03 04:05:06.700"),
                     Value::real(0.5)};
  run("SELECT * FROM v");
  EXPECT_EQ(expected, session->rows[0]);
  EXPECT_EQ("a", session->columns[0]);
  EXPECT_EQ(WEIR_T_UINT64, session->column_types[1]);
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, session->prepare("SELECT * FROM v", &stmt));
  ASSERT_EQ(WEIR_OK, session->query("", {}, 0, stmt)) << session->error.what();
  EXPECT_EQ(expected, session->rows[0]);
  session->stmt_close(stmt);
}

TEST_F(MysqlValues, rows_come_back_as_they_went) {
  run("CREATE TABLE r(id INT PRIMARY KEY, i BIGINT, u BIGINT UNSIGNED, d DOUBLE, t LONGTEXT, "
      "b LONGBLOB)");
  int id = 0;
  const bool holds = rc::check("round trip", [&] {
    const auto i = *rc::gen::arbitrary<std::int64_t>();
    const auto u = *rc::gen::arbitrary<std::uint64_t>();
    const auto d = *rc::gen::suchThat(rc::gen::arbitrary<double>(), [](double x) {
      return std::isfinite(x) && (x != 0 || !std::signbit(x));
    });
    // Code points of every length, surrogates left out.
    std::string t;
    for (const std::uint32_t c : *rc::gen::container<std::vector<std::uint32_t>>(
             rc::gen::inRange<std::uint32_t>(0, 0x110000))) {
      if (c >= 0xD800 && c < 0xE000) continue;
      if (c < 0x80) {
        t += static_cast<char>(c);
      } else if (c < 0x800) {
        t += {static_cast<char>(0xC0U | c >> 6U), static_cast<char>(0x80U | (c & 63U))};
      } else if (c < 0x10000) {
        t += {static_cast<char>(0xE0U | c >> 12U), static_cast<char>(0x80U | (c >> 6U & 63U)),
              static_cast<char>(0x80U | (c & 63U))};
      } else {
        t += {static_cast<char>(0xF0U | c >> 18U), static_cast<char>(0x80U | (c >> 12U & 63U)),
              static_cast<char>(0x80U | (c >> 6U & 63U)), static_cast<char>(0x80U | (c & 63U))};
      }
    }
    const auto b = *rc::gen::string<std::string>();
    const bool null = *rc::gen::inRange(0, 8) == 0;
    const Row given{Value::integer(++id), null ? Value::null() : Value::integer(i),
                    unsigned_integer(u),  Value::real(d),
                    Value::str(t),        Value::blob(b)};
    RC_ASSERT(session->query("INSERT INTO r VALUES(?,?,?,?,?,?)", given) == WEIR_OK);
    RC_ASSERT(session->out.affected == 1U);
    const std::string text = "SELECT * FROM r WHERE id=" + std::to_string(id);
    RC_ASSERT(session->query(text) == WEIR_OK);
    RC_ASSERT(session->rows.at(0) == given);
    RC_ASSERT(session->query("SELECT * FROM r WHERE id=?", {Value::integer(id)}) == WEIR_OK);
    RC_ASSERT(session->rows.at(0) == given);
  });
  EXPECT_TRUE(holds);
}

// The library keeps a parameter unsigned that was so once.
TEST_F(MysqlValues, a_parameter_that_was_unsigned_takes_what_is_not) {
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, session->prepare("SELECT CAST(? AS CHAR)", &stmt));
  const std::pair<Value, Value> cases[] = {
      {unsigned_integer(UINT64_MAX), Value::str("18446744073709551615")},
      {Value::integer(-1), Value::str("-1")},
      {unsigned_integer(UINT64_MAX), Value::str("18446744073709551615")},
      {Value::integer(1), Value::str("1")},
      {Value::real(-1.5), Value::str("-1.5")},
      {unsigned_integer(std::uint64_t{INT64_MAX} + 1), Value::str("9223372036854775808")},
      {Value::str("-5"), Value::str("-5")},
      {unsigned_integer(INT64_MAX), Value::str("9223372036854775807")},
      {Value::integer(INT64_MIN), Value::str("-9223372036854775808")},
      {unsigned_integer(UINT64_MAX), Value::str("18446744073709551615")},
      {Value::null(), Value::null()},
      {Value::integer(-2), Value::str("-2")},
  };
  for (const auto& [given, expected] : cases) {
    ASSERT_EQ(WEIR_OK, session->query("", {given}, 0, stmt)) << session->error.what();
    EXPECT_EQ(expected, session->rows.at(0).at(0));
  }
  session->stmt_close(stmt);
}

TEST_F(MysqlValues, rows_may_mix_signed_and_unsigned_numbers) {
  run("CREATE TABLE n(id INT PRIMARY KEY, v DECIMAL(20))");
  ASSERT_EQ(WEIR_OK, many("INSERT INTO n VALUES(?, ?)", 2,
                          {Value::integer(1), unsigned_integer(UINT64_MAX), Value::integer(2),
                           Value::integer(-2), Value::integer(3), unsigned_integer(3)}))
      << session->error.what();
  EXPECT_EQ(3U, done.rows_done);
  EXPECT_EQ("18446744073709551615,-2,3", observe("SELECT GROUP_CONCAT(v ORDER BY id) FROM n"));
}

// A hundred of them are one statement, which is then run again.
TEST_F(MysqlValues, inserted_rows_may_mix_signed_and_unsigned_numbers) {
  run("CREATE TABLE n(id INT PRIMARY KEY, v DECIMAL(20))");
  std::vector<weir_cell> cells;
  for (std::int64_t id = 0; id < 200; ++id) {
    cells.push_back(Value::integer(id).cell());
    cells.push_back((id == 0 ? unsigned_integer(UINT64_MAX) : Value::integer(-id)).cell());
  }
  constexpr weir_text table{"n", 1};
  constexpr weir_text columns[] = {{"id", 2}, {"v", 1}};
  weir_insert_args args{};
  args.struct_size = sizeof args;
  args.table = &table;
  args.columns = columns;
  args.cells = cells.data();
  args.row_count = 200;
  args.table_parts = 1;
  args.column_count = args.row_stride = 2;
  weir_insert_out stored{};
  stored.struct_size = sizeof stored;
  const auto* insert = static_cast<const weir_insert*>(session->driver->extension(WEIR_INSERT_ID));
  ASSERT_EQ(WEIR_OK, session->begin());
  const weir_call call = session->call();
  ASSERT_EQ(WEIR_OK, insert->rows(session->conn, &call, &args, &stored, &session->error))
      << session->error.what();
  ASSERT_EQ(WEIR_OK, session->commit());
  EXPECT_EQ(200U, stored.stored);
  EXPECT_EQ("-199 199 18446744073709551615",
            observe("SELECT CONCAT(MIN(v), ' ', SUM(v < 0), ' ', MAX(v)) FROM n"));
}

TEST_F(MysqlValues, a_row_that_is_refused_does_not_deny_those_before_it) {
  run("CREATE TABLE n(id INT PRIMARY KEY, v DOUBLE)");
  const Value wrong = Value::real(std::nan(""));
  EXPECT_EQ(WEIR_E_DATA, many("INSERT INTO n VALUES(?, ?)", 2,
                              {Value::integer(1), Value::real(1), Value::integer(2), wrong}));
  EXPECT_EQ(1U, done.rows_done);
  EXPECT_EQ(WEIR_EFFECT_DEFINITE, session->error.effect);
  EXPECT_EQ("1", observe("SELECT COUNT(*) FROM n"));
  EXPECT_EQ(WEIR_E_DATA, many("INSERT INTO n VALUES(?, ?)", 2, {Value::integer(3), wrong}));
  EXPECT_EQ(WEIR_EFFECT_NOT_SENT, session->error.effect);
}

// The text tells how many there are, while it is known how the server reads it; then the server.
TEST_F(MysqlValues, rows_with_too_few_values_are_refused_whatever_ran_before) {
  run("CREATE TABLE n(id INT PRIMARY KEY, v INT)");
  run("CREATE PROCEDURE p() BEGIN SELECT 1; END");
  ASSERT_EQ(WEIR_OK, session->reset());
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, many("INSERT INTO n VALUES(?, ?)", 1, {Value::integer(1)}));
  EXPECT_EQ(WEIR_EFFECT_NOT_SENT, session->error.effect);
  run("SET sql_mode = @@sql_mode");
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, many("INSERT INTO n VALUES(?, ?)", 1, {Value::integer(1)}));
  EXPECT_EQ(WEIR_EFFECT_DEFINITE, session->error.effect);
  EXPECT_EQ(WEIR_CONN_USABLE, session->error.conn_fate);
  EXPECT_EQ("0", observe("SELECT COUNT(*) FROM n"));
}

TEST_F(MysqlValues, large_values_go_through_and_larger_ones_are_refused_unsent) {
  const std::string large(4 << 20, 'x');
  run("SELECT ?, ?", {Value::str(large), Value::blob(large)});
  EXPECT_EQ(large, session->rows[0][0].s);
  EXPECT_EQ(large, session->rows[0][1].s);
  const std::string too_large(17 << 20, 'x');
  for (const auto& [sql, params] :
       {std::pair{std::string("SELECT LENGTH(?)"), Row{Value::blob(too_large)}},
        std::pair{"SELECT LENGTH('" + too_large + "')", Row{}}}) {
    EXPECT_EQ(WEIR_E_DATA, session->query(sql, params));
    EXPECT_EQ(WEIR_EFFECT_NOT_SENT, session->error.effect);
    EXPECT_THAT(session->error.what(), ::testing::HasSubstr("max_allowed_packet"));
    EXPECT_EQ(Value::integer(1), session->one("SELECT 1"));
  }
}

TEST_F(MysqlValues, what_has_no_exact_value_is_refused_unsent) {
  const double inf = std::numeric_limits<double>::infinity();
  const std::pair<Value, weir_status> cases[] = {
      {Value::real(std::nan("")), WEIR_E_DATA},
      {Value::real(inf), WEIR_E_DATA},
      {Value::real(-inf), WEIR_E_DATA},
      {Value::str("\xFF"), WEIR_E_DATA},
      {Value::real(-0.0), WEIR_E_DATA},
      {Value::str("\xED\xA0\x80"), WEIR_E_DATA},
      {{WEIR_T_BOOL, 2, 0, {}}, WEIR_E_INVALID_ARGUMENT},
      {{99, 0, 0, {}}, WEIR_E_INVALID_ARGUMENT},
  };
  for (const auto& [value, kind] : cases) {
    EXPECT_EQ(kind, session->query("SELECT ?", {value}));
    EXPECT_EQ(WEIR_EFFECT_NOT_SENT, session->error.effect);
    EXPECT_EQ(WEIR_CONN_USABLE, session->error.conn_fate);
  }
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, session->query("SELECT '\xFF'"));
  run("SELECT 1");
}

TEST_F(MysqlValues, values_out_of_range_are_data_errors_of_the_server) {
  run("CREATE TABLE s(i TINYINT, t VARCHAR(3), d DATE)");
  const std::pair<const char*, Value> cases[] = {
      {"INSERT INTO s(i) VALUES(?)", Value::integer(128)},
      {"INSERT INTO s(t) VALUES(?)", Value::str("four")},
      {"INSERT INTO s(d) VALUES(?)", Value::str("2001-02-30")},
  };
  for (const auto& [sql, value] : cases) {
    EXPECT_EQ(WEIR_E_DATA, session->query(sql, {value})) << sql;
    EXPECT_EQ(WEIR_EFFECT_DEFINITE, session->error.effect);
    EXPECT_EQ(WEIR_CONN_USABLE, session->error.conn_fate);
  }
}

}  // namespace
}  // namespace weir::test
