// SPDX-License-Identifier: MIT
//
// Goal: what the driver sees in a text before it sends it is what the server will see. Method: a
// table of texts; no server.
#include "backends/postgres/scan.hpp"

#include <string>

#include <gtest/gtest.h>

namespace weir::postgres {
namespace {

TEST(PostgresScan, one_statement_or_several) {
  struct Case {
    const char* sql;
    bool several;
  };
  const Case cases[] = {
      {"SELECT 1", false},
      {"SELECT 1;", false},
      {"SELECT 1; ; -- done\n /* ; */ ;", false},
      {"SELECT 1; SELECT 2", true},
      {"; SELECT 1", false},
      {"SELECT ';'", false},
      {"SELECT ';''; '", false},
      {"SELECT E'\\'; SELECT 2'", false},
      {"SELECT E'it''s \\'; SELECT 2', 1", false},
      {"SELECT E'a'\n  '\\'; SELECT 2'", false},
      {"SELECT '\\'; SELECT 2", true},
      {"SELECT 'a'\n'\\'; SELECT 2", true},
      {"SELECT 1 -- done\r; SELECT 2", true},
      {"SELECT \"a\"\";\"", false},
      {"SELECT \"a;b\"", false},
      {"SELECT $$; $$; SELECT 2", true},
      {"SELECT $a$ ; $$ ; $a$", false},
      {"SELECT a$b$; SELECT $b$ FROM x", true},
      {"/* a /* ; */ ; */ SELECT 1", false},
      {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END", false},
      {"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", false},
  };
  for (const Case& c : cases) EXPECT_EQ(c.several, scan(c.sql, true).several) << c.sql;
  EXPECT_FALSE(scan("SELECT '\\'; SELECT 2'", false).several);  // without standard strings
}

TEST(PostgresScan, parameters_are_counted_outside_of_quotes) {
  struct Case {
    const char* sql;
    std::uint32_t params;
  };
  const Case cases[] = {
      {"SELECT 1", 0},          {"SELECT $1, $2, $1", 2},        {"SELECT '$1'", 0},
      {"SELECT \"$3\"", 0},     {"SELECT $$ $4 $$", 0},          {"SELECT a$1", 0},
      {"SELECT -- $2\n $1", 1}, {"SELECT -- $2\r $1", 1},        {"SELECT E'''\\'$1'", 0},
      {"SELECT $12", 12},       {"SELECT E'\\'$1'", 0},          {"SELECT ($1)::text", 1},
      {"SELECT x[$2:$3]", 3},   {"SELECT 1 WHERE a=$1AND b", 1}, {"SELECT $99999999999", 100'000},
  };
  for (const Case& c : cases) EXPECT_EQ(c.params, scan(c.sql, true).params) << c.sql;
}

TEST(PostgresScan, what_a_statement_may_do) {
  struct Case {
    const char* sql;
    Verb verb;
    bool temporary;
    bool calls;
  };
  const Case cases[] = {
      {"", Verb::none, false, false},
      {" -- nothing\n;", Verb::none, false, false},
      {"select count(*) FROM t WHERE (a) IN (1)", Verb::query, false, false},
      {"(SELECT 1)", Verb::query, false, false},
      {"SELECT set_config('a.b', 'c', false)", Verb::query, false, true},
      {"SELECT \"my\" (1)", Verb::query, false, true},
      {"SELECT pg_catalog.set_config ('a.b', 'c', false)", Verb::query, false, true},
      {"SELECT lower(a), pg_catalog.lower(b), \"c\"  FROM t", Verb::query, false, false},
      {"SELECT pg_catalog.lower(a), app.lower(b)", Verb::query, false, true},
      {"SELECT x.\"pg_catalog\".lower(a)", Verb::query, false, true},
      {"SELECT \"lower\"(a)", Verb::query, false, true},
      {"SELECT u&\"a\" FROM t", Verb::query, false, true},
      {"SELECT a IN (1), sum(a) OVER (ORDER BY (b)) FROM t GROUP BY (b)", Verb::query, false,
       false},
      {"SELECT over(1)", Verb::query, false, true},
      {"SELECT a FROM t WHERE NOT by (1)", Verb::query, false, true},
      {"SELECT a FROM t AS \"into\" f(1)", Verb::query, false, true},
      {"SELECT a, PG_TEMP.f", Verb::query, true, false},
      {"INSERT INTO t(a, b) VALUES (1, 2)", Verb::change, false, false},
      {"INSERT INTO app.t (a) VALUES (1) ON CONFLICT (a) DO NOTHING", Verb::change, false, false},
      {"INSERT INTO t VALUES (pg_advisory_lock(1))", Verb::change, false, true},
      {"UPDATE t SET a = 1 WHERE set(1)", Verb::change, false, true},
      {"WITH n(i) AS (SELECT 1) SELECT i FROM n FOR UPDATE", Verb::query, false, false},
      {"WITH n AS (DELETE FROM t RETURNING a) SELECT a FROM n", Verb::change, false, false},
      {"SET search_path = x", Verb::session, false, false},
      {"SET LOCAL search_path = x", Verb::other, false, false},
      {"SET TRANSACTION READ ONLY", Verb::other, false, false},
      {"SET local.search_path = x", Verb::session, false, false},
      {"SET transaction -- \r . x = y", Verb::session, false, false},
      {"SET LOCAL app.x = y", Verb::other, false, false},
      {"LISTEN x", Verb::session, false, false},
      {"CREATE TABLE t(a int)", Verb::define, false, false},
      {"CREATE TEMPORARY TABLE t(a int)", Verb::define, true, false},
      {"CREATE TABLE t AS SELECT f(1)", Verb::define, false, true},
      {"CREATE INDEX i ON t (lower(x))", Verb::define, false, false},
      {"CREATE INDEX i ON t (f(x))", Verb::define, false, true},
      {"ALTER TABLE t ADD CHECK (f(x))", Verb::define, false, true},
      {"SELECT 1 INTO TEMP t", Verb::query, true, false},
      {"DO $$ BEGIN END $$", Verb::code, false, false},
      {"COPY t(a, b) FROM STDIN", Verb::copy, false, false},
      {"COPY t FROM STDIN WHERE f(a)", Verb::copy, false, true},
      {"ROLLBACK", Verb::other, false, false},
  };
  for (const Case& c : cases) {
    const Scan found = scan(c.sql, true);
    EXPECT_EQ(c.verb, found.verb) << c.sql;
    EXPECT_EQ(c.temporary, found.temporary) << c.sql;
    EXPECT_EQ(c.calls, found.calls) << c.sql;
  }
  EXPECT_TRUE(scan("rollback to savepoint a", true).rolls_back);
  EXPECT_FALSE(scan("SELECT 1", true).rolls_back);
}

TEST(PostgresScan, a_rollback_may_begin_the_next_transaction) {
  for (const char* sql :
       {"ROLLBACK AND CHAIN", "rollback work and /* a */ chain;", "ABORT TRANSACTION AND CHAIN"}) {
    EXPECT_TRUE(scan(sql, true).chains) << sql;
  }
  for (const char* sql : {"ROLLBACK", "ROLLBACK AND NO CHAIN", "ROLLBACK TO SAVEPOINT chain",
                          "SELECT a AND chain FROM t"}) {
    EXPECT_FALSE(scan(sql, true).chains) << sql;
  }
}

TEST(PostgresScan, a_copy_takes_rows_if_its_format_is_the_default) {
  struct Case {
    const char* sql;
    bool copies_in;
  };
  const Case cases[] = {
      {"COPY t FROM STDIN", true},
      {"copy a.t (b, c) from stdin ; -- rows", true},
      {"COPY t FROM STDIN WHERE a > 1", true},
      {"COPY t FROM STDIN (FORMAT csv)", false},
      {"COPY t FROM STDIN WITH (FORMAT text)", false},
      {"COPY t FROM STDIN CSV", false},
      {"COPY t FROM 'stdin'", false},
      {"COPY t FROM PROGRAM 'x'", false},
      {"COPY t TO STDOUT", false},
      {"COPY (SELECT a FROM stdin) TO STDOUT", false},
      {"SELECT a FROM stdin", false},
  };
  for (const Case& c : cases) EXPECT_EQ(c.copies_in, scan(c.sql, true).copies_in) << c.sql;
}

TEST(PostgresScan, any_cut_of_a_text_is_read_to_its_end) {
  const std::string whole =
      "SELECT E'a\\''\n'b\\'', U&\"x\", $tag$ $1 $tag$, $2 /* /* */ */ -- end";
  for (std::size_t i = 0; i <= whole.size(); ++i) {
    scan(whole.substr(0, i), i % 2 == 0);  // the sanitizers judge
  }
}

}  // namespace
}  // namespace weir::postgres
