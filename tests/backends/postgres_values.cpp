// SPDX-License-Identifier: MIT
//
// Goal: values go in and come out exactly, or are refused; nothing is bent. Method: properties over
// arbitrary values, by text, prepared and through a table; tables of extremes and of types.
#include "tests/backends/postgres_fixture.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include <rapidcheck/gtest.h>

namespace weir::test {
namespace {

using ::testing::HasSubstr;

Value boolean(bool b) { return {WEIR_T_BOOL, b ? 1 : 0, 0, {}}; }
Value other(std::uint16_t type, std::string s) { return {type, 0, 0, std::move(s)}; }

// Text that PostgreSQL takes: any characters but NUL.
rc::Gen<std::string> any_text() {
  const auto character = rc::gen::weightedOneOf<std::string>(
      {{4, rc::gen::map(rc::gen::inRange(1, 128), [](int c) { return std::string(1, char(c)); })},
       {1, rc::gen::element<std::string>("\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "'", "\\",
                                         "$1", "\xef\xbf\xbf")}});
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(character),
                      [](const std::vector<std::string>& parts) {
                        std::string all;
                        for (const std::string& part : parts) all += part;
                        return all;
                      });
}

rc::Gen<Value> any_value() {
  return rc::gen::oneOf(
      rc::gen::map(rc::gen::arbitrary<std::int64_t>(), &Value::integer),
      rc::gen::map(rc::gen::arbitrary<std::uint64_t>(),
                   [](std::uint64_t bits) {
                     const auto d = std::bit_cast<double>(bits);
                     // There is one NaN in a text.
                     return Value::real(std::isnan(d) ? std::numeric_limits<double>::quiet_NaN()
                                                      : d);
                   }),
      rc::gen::map(any_text(), &Value::str),
      rc::gen::map(rc::gen::arbitrary<std::string>(), &Value::blob),
      rc::gen::map(rc::gen::arbitrary<bool>(), &boolean), rc::gen::just(Value::null()));
}

class PostgresValues : public Postgres {};

TEST_F(PostgresValues, any_value_comes_back_by_text_and_prepared) {
  Session& s = open();
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("SELECT $1, $2", &stmt)) << s.error.what();
  rc::check("what goes in comes out", [&] {
    const Row given{*any_value(), *any_value()};
    RC_ASSERT(s.query("SELECT $1, $2", given) == WEIR_OK);
    RC_ASSERT(s.rows.at(0) == given);
    RC_ASSERT(s.query("", given, 0, stmt) == WEIR_OK);
    RC_ASSERT(s.rows.at(0) == given);
  });
  s.stmt_close(stmt);
}

TEST_F(PostgresValues, any_value_comes_back_from_a_table) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TEMP TABLE v(i bigint, d float8, t text, b bytea)"));
  rc::check("what is stored is found", [&] {
    const Row given{Value::integer(*rc::gen::arbitrary<std::int64_t>()),
                    Value::real(*rc::gen::arbitrary<double>()), Value::str(*any_text()),
                    Value::blob(*rc::gen::arbitrary<std::string>())};
    RC_ASSERT(s.query("INSERT INTO v VALUES ($1, $2, $3, $4) RETURNING *", given) == WEIR_OK);
    RC_ASSERT(s.rows.at(0) == given);
    RC_ASSERT(s.out.affected == 1U);
  });
}

TEST_F(PostgresValues, extremes) {
  Session& s = open();
  const double inf = std::numeric_limits<double>::infinity();
  for (const Value& v :
       {Value::integer(INT64_MIN), Value::integer(INT64_MAX), Value::real(-0.0), Value::real(inf),
        Value::real(-inf), Value::real(std::numeric_limits<double>::denorm_min()),
        Value::real(std::numeric_limits<double>::max()), Value::str(""), Value::blob(""),
        Value::blob(std::string("\0\\\xff", 3)), Value::str(std::string(3 << 20, 'x'))}) {
    EXPECT_EQ(v, s.one("SELECT $1", {v}));
  }
  const Value big{WEIR_T_UINT64, -1, 0, {}};
  EXPECT_EQ(other(WEIR_T_DECIMAL, "18446744073709551615"), s.one("SELECT $1", {big}));
  EXPECT_EQ(Value::real(static_cast<double>(0.1F)), s.one("SELECT 0.1::real"));
  const std::string escaped = "SELECT '\\x005c27ff'::bytea";
  const Value bytes = Value::blob(std::string("\0\\'\xff", 4));
  EXPECT_EQ(bytes, s.one(escaped));
  ASSERT_EQ(WEIR_OK, s.query("SET bytea_output = escape"));
  EXPECT_EQ(bytes, s.one(escaped));
}

TEST_F(PostgresValues, each_type_has_its_cell) {
  Session& s = open();
  struct Case {
    const char* sql;
    Value value;
  };
  const Case cases[] = {
      {"7::smallint", Value::integer(7)},
      {"7::integer", Value::integer(7)},
      {"4294967295::oid", Value::integer(4294967295)},
      {"true", boolean(true)},
      {"1.50::numeric", other(WEIR_T_DECIMAL, "1.50")},
      {"'NaN'::numeric", other(WEIR_T_OTHER, "NaN")},
      {"'x'", Value::str("x")},
      {"'x'::varchar(3)", Value::str("x")},
      {"'x'::char(3)", Value::str("x  ")},
      {"DATE '2024-02-29'", other(WEIR_T_DATE, "2024-02-29")},
      {"DATE 'infinity'", other(WEIR_T_OTHER, "infinity")},
      {"DATE '0044-03-15 BC'", other(WEIR_T_OTHER, "0044-03-15 BC")},
      {"TIME '23:59:60'", other(WEIR_T_TIME, "24:00:00")},
      {"TIMESTAMP '2024-02-29 12:00:00.5'", other(WEIR_T_TIMESTAMP, "2024-02-29 12:00:00.5")},
      {"TIMESTAMPTZ '2024-02-29 12:00+00' AT TIME ZONE 'UTC'",
       other(WEIR_T_TIMESTAMP, "2024-02-29 12:00:00")},
      {"'{1,2}'::int[]", other(WEIR_T_OTHER, "{1,2}")},
      {"'{\"a\": 1}'::jsonb", other(WEIR_T_OTHER, "{\"a\": 1}")},
      {"'00000000-0000-0000-0000-000000000001'::uuid",
       other(WEIR_T_OTHER, "00000000-0000-0000-0000-000000000001")},
      {"NULL::int", Value::null()},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(c.value, s.one(std::string("SELECT ") + c.sql)) << c.sql;
  }
  ASSERT_EQ(WEIR_OK, s.query("SET TimeZone = 'UTC'"));
  EXPECT_EQ(other(WEIR_T_TIMESTAMP_TZ, "2024-02-29 12:00:00+00"),
            s.one("SELECT TIMESTAMPTZ '2024-02-29 12:00+00'"));
  // What is no ISO date must not be called one.
  ASSERT_EQ(WEIR_OK, s.query("SET DateStyle = 'German'"));
  EXPECT_EQ(other(WEIR_T_OTHER, "29.02.2024"), s.one("SELECT DATE '2024-02-29'"));
}

// A result that has the columns of the last one is not described again.
TEST_F(PostgresValues, columns_are_those_of_their_own_statement) {
  Session& s = open();
  using Names = std::vector<std::string>;
  EXPECT_EQ(Value::integer(1), s.one("SELECT 1 AS a"));
  EXPECT_EQ(Value::str("1"), s.one("SELECT '1' AS a"));  // another type
  EXPECT_EQ((Names{"a"}), s.columns);
  EXPECT_EQ(Value::str("1"), s.one("SELECT '1' AS b"));  // another name
  EXPECT_EQ((Names{"b"}), s.columns);
  ASSERT_EQ(WEIR_OK, s.query("SELECT '1' AS b, 2 AS c"));  // another one behind it
  EXPECT_EQ((Names{"b", "c"}), s.columns);
  ASSERT_EQ(WEIR_OK, s.query("SET application_name = 'b'"));  // none
  EXPECT_EQ(Names{}, s.columns);
  ASSERT_EQ(WEIR_OK, s.query("SELECT '1' AS b, 2 AS c"));
  EXPECT_EQ((Names{"b", "c"}), s.columns);
  EXPECT_EQ(WEIR_E_DATA, s.query("SELECT 1/0"));
  ASSERT_EQ(WEIR_OK, s.query("SELECT '1' AS b, 2 AS c"));
  EXPECT_EQ((Names{"b", "c"}), s.columns);
}

TEST_F(PostgresValues, text_is_taken_for_what_stands_there) {
  Session& s = open();
  EXPECT_EQ(boolean(true), s.one("SELECT '00000000-0000-0000-0000-000000000001'::uuid = $1",
                                 {Value::str("00000000-0000-0000-0000-000000000001")}));
  EXPECT_EQ(Value::integer(2), s.one("SELECT jsonb_array_length($1)", {Value::str("[1, 2]")}));
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("SELECT repeat('x', $1)", &stmt));  // the server wants an integer
  ASSERT_EQ(WEIR_OK, s.query("", {Value::integer(3)}, 0, stmt)) << s.error.what();
  EXPECT_EQ(Value::str("xxx"), s.rows.at(0).at(0));
}

TEST_F(PostgresValues, what_cannot_be_sent_is_refused_unsent) {
  Session& s = open();
  Value huge = Value::str("short");
  struct Case {
    weir_cell cell;
    weir_status kind;
    const char* part;
  };
  Case cases[] = {
      {huge.cell(), WEIR_E_DATA, "1 GiB"},
      {Value::str(std::string("a\0b", 3)).cell(), WEIR_E_INVALID_ARGUMENT, "NUL"},
      {boolean(true).cell(), WEIR_E_INVALID_ARGUMENT, "boolean"},
      {boolean(true).cell(), WEIR_E_INVALID_ARGUMENT, "type"},
      {Value::str("x").cell(), WEIR_E_INVALID_ARGUMENT, "no bytes"},
  };
  const std::string nul("a\0b", 3);
  cases[0].cell.size = 1U << 30U;  // refused before a byte of it is looked at
  cases[1].cell.v.p = nul.data();
  cases[2].cell.v.i = 2;
  cases[3].cell.type = 99;
  cases[4].cell.v.p = nullptr;
  for (const Case& c : cases) {
    weir_exec_args args{};
    args.struct_size = sizeof args;
    args.sql = text("SELECT $1");
    args.params = &c.cell;
    args.param_count = 1;
    const weir_call call = s.call();
    EXPECT_EQ(c.kind,
              s.driver->execute(s.conn, &call, &args, &s.out, &s.result, &s.batch, &s.error));
    EXPECT_EQ(WEIR_EFFECT_NOT_SENT, s.error.effect);
    EXPECT_THAT(s.error.what(), HasSubstr(c.part));
  }
  EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
}

TEST_F(PostgresValues, text_in_another_encoding_is_refused) {
  Session& s = open();
  ASSERT_EQ(WEIR_OK, s.query("SET client_encoding TO 'LATIN1'"));
  EXPECT_EQ(WEIR_E_INVALID_STATE, s.query("SELECT 'x'"));
  EXPECT_THAT(s.error.what(), ::testing::HasSubstr("LATIN1"));
  EXPECT_EQ(WEIR_EFFECT_NOT_SENT, s.error.effect);
  weir_stmt* stmt = nullptr;
  EXPECT_EQ(WEIR_E_INVALID_STATE, s.prepare("SELECT 'x'", &stmt));
  EXPECT_EQ(WEIR_EFFECT_NOT_SENT, s.error.effect);
  EXPECT_EQ(WEIR_OK, s.query("ROLLBACK")) << s.error.what();
  ASSERT_EQ(WEIR_OK, s.query("RESET client_encoding")) << s.error.what();
  EXPECT_EQ(Value::str("\u00e9"), s.one("SELECT chr(233)"));
  ASSERT_EQ(WEIR_OK, s.query("SET client_encoding TO 'LATIN1'"));
  ASSERT_EQ(WEIR_OK, s.reset(WEIR_RESET_SESSION));
  EXPECT_EQ(Value::str("\u00e9"), s.one("SELECT chr(233)"));
}

TEST_F(PostgresValues, what_the_server_refuses_is_an_error_of_the_data) {
  Session& s = open();
  struct Case {
    const char* sql;
    Value value;
    const char* sqlstate;
  };
  const Case cases[] = {
      {"SELECT $1::text", Value::str("\xff\xfe"), "22021"},
      {"SELECT $1::smallint", Value::integer(70'000), "22003"},
      {"SELECT $1::date", Value::str("2023-02-29"), "22008"},
      {"SELECT $1::int", Value::str("seven"), "22P02"},
      {"SELECT 1 / $1::int", Value::integer(0), "22012"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(WEIR_E_DATA, s.query(c.sql, {c.value})) << c.sql << s.error.what();
    EXPECT_STREQ(c.sqlstate, s.error.sqlstate) << c.sql;
    EXPECT_EQ(WEIR_EFFECT_DEFINITE, s.error.effect);
    EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate);
  }
  EXPECT_EQ(WEIR_E_DATA, s.query("SELECT '\xff'"));  // in the statement itself
  EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
}

}  // namespace
}  // namespace weir::test
