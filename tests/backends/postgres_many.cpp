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

}  // namespace
}  // namespace weir::test
