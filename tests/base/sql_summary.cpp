// SPDX-License-Identifier: MIT
//
// Goal: a summary says what is certain in each dialect, and nothing else.
#include "core/base/sql_summary.hpp"

#include <gtest/gtest.h>

namespace weir::base {
namespace {

std::string told(std::string_view sql) {
  const SqlSummary summary = summary_of(sql);
  return summary.operation + "|" + summary.table;
}

TEST(SqlSummary, names_the_operation_and_the_table) {
  EXPECT_EQ(told("select id, name from users where team = ?"), "SELECT|users");
  EXPECT_EQ(told("SELECT 1"), "SELECT|");
  EXPECT_EQ(told("Select * From shop.orders"), "SELECT|shop.orders");
  EXPECT_EQ(told("insert into users (id) values (1)"), "INSERT|users");
  EXPECT_EQ(told("INSERT INTO users(id) VALUES (1)"), "INSERT|users");
  EXPECT_EQ(told("replace into users values (1)"), "REPLACE|users");
  EXPECT_EQ(told("update users set name = 'from x'"), "UPDATE|users");
  EXPECT_EQ(told("delete from users"), "DELETE|users");
  EXPECT_EQ(told("begin"), "BEGIN|");
  EXPECT_EQ(told("create table t (id int)"), "CREATE|");
  EXPECT_EQ(told("with a as (select 1) select * from a"), "WITH|");
}

TEST(SqlSummary, passes_over_comments_strings_and_parentheses) {
  EXPECT_EQ(told("-- from x\n /* from y */ select /* z */ 1 from t;"), "SELECT|t");
  EXPECT_EQ(told("select 'it''s from x', extract(year from d) from t limit 1"), "SELECT|t");
  EXPECT_EQ(told("select \"from\", `from` from t order by 1"), "SELECT|t");
  EXPECT_EQ(told("select (select max(a) from u) from t for update"), "SELECT|t");
}

TEST(SqlSummary, says_no_table_where_there_may_be_another) {
  for (const char* sql :
       {"select * from a, b", "select * from a join b on 1", "select * from a as x",
        "select * from a union select * from b", "select * from (select 1) x",
        "select * from \"A\"", "select * from only a", "select * from f(1)",
        "select 'a\\' from x' from t", "select $$ from x $$ from t", "select [from] from t",
        "select 'unfinished from t", "select 1 from /* /* */ x */ t",
        "select 1 # from x\n from t"}) {
    EXPECT_EQ(told(sql), "SELECT|") << sql;
  }
  EXPECT_EQ(told("delete from only a"), "DELETE|");
  EXPECT_EQ(told("delete from a, b using c"), "DELETE|");
  EXPECT_EQ(told("update only a set b = 1"), "UPDATE|");
  EXPECT_EQ(told("insert ignore into a values (1)"), "INSERT|");
}

TEST(SqlSummary, of_what_is_no_sql_is_empty) {
  for (const char* text :
       {"", "  \n", "-- only a comment", "/* open", "?", "'text'", "42", "a.b"}) {
    EXPECT_EQ(told(text), "|") << text;
  }
}

}  // namespace
}  // namespace weir::base
