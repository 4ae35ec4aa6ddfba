// SPDX-License-Identifier: MIT
//
// Goal: what the MySQL driver reads out of texts: urls and options, statements, error numbers.
// Method: tables; no server.
#include "backends/mysql/config.hpp"
#include "backends/mysql/errors.hpp"
#include "backends/mysql/sql.hpp"
#include "tests/backends/client.hpp"

#include <gmock/gmock.h>

namespace weir::test {
namespace {

using mysql::Config;
using mysql::scan;
using mysql::SqlMode;
using mysql::Verb;
using ::testing::HasSubstr;
using ::testing::Not;

struct Parsed {
  weir_status status = WEIR_OK;
  Config config;
  Error error;
};

void parse(Parsed& parsed, const std::string& url, const Options& options = {}) {
  std::vector<weir_option> list;
  for (const auto& [key, value] : options) list.push_back({text(key), text(value)});
  weir_source_args args{};
  args.struct_size = sizeof args;
  args.url = text(url);
  args.base_dir = text("/srv/app");
  args.options = list.data();
  args.option_count = list.size();
  parsed.status = mysql::parse_config(args, parsed.config, &parsed.error);
}

TEST(MysqlConfig, urls_say_where_and_as_whom) {
  struct Case {
    std::string url;
    std::string host;
    int port;
    std::string user;
    std::string password;
    std::string database;
    std::string display;
  };
  const Case cases[] = {
      {"mysql://app:s%40cret@db.example.org:3307/shop", "db.example.org", 3307, "app", "s@cret",
       "shop", "mysql://app@db.example.org:3307/shop"},
      {"mariadb://db/", "db", 3306, "", "", "", "mysql://db:3306/"},
      {"mysql://app@[::1]:3310/shop", "::1", 3310, "app", "", "shop",
       "mysql://app@[::1]:3310/shop"},
      {"mysql://app:p@ss@db/shop", "db", 3306, "app", "p@ss", "shop", "mysql://app@db:3306/shop"},
  };
  for (const Case& c : cases) {
    Parsed parsed;
    parse(parsed, c.url);
    ASSERT_EQ(WEIR_OK, parsed.status) << c.url << ": " << parsed.error.what();
    EXPECT_EQ(c.host, parsed.config.host) << c.url;
    EXPECT_EQ(c.port, parsed.config.port) << c.url;
    EXPECT_EQ(c.user, parsed.config.user) << c.url;
    EXPECT_EQ(c.password, parsed.config.password) << c.url;
    EXPECT_EQ(c.database, parsed.config.database) << c.url;
    EXPECT_EQ(c.display, parsed.config.display) << c.url;
  }
  Parsed socket;
  parse(socket, "mysql://app@localhost/shop?socket=run%2Fmysql.sock");
  EXPECT_EQ("/srv/app/run/mysql.sock", socket.config.socket);
}

TEST(MysqlConfig, what_is_wrong_is_named_and_no_secret_shown) {
  struct Case {
    std::string url;
    Options options;
    std::string part;
  };
  const Case cases[] = {
      {"postgres://app:hunter2@db/shop", {}, "mysql://"},
      {"hunter2", {}, "mysql://"},
      {"mysql://app:hunter2@/shop", {}, "host"},
      {"mysql://app:hunter2@db:port/shop", {}, "port"},
      {"mysql://app:hunter2@db:70000/shop", {}, "port"},
      {"mysql://app:hunter2%zz@db/shop", {}, "password"},
      {"mysql://app:hunter2%00@db/shop", {}, "password"},
      {"mysql://app:hunter2@[::1/shop", {}, "]"},
      {"mysql://app:/hunter2@db/shop", {}, "%2F"},
      {"mysql://app:12/hunter2@db/shop", {}, "%2F"},
      {"mysql://app:12#hunter2@db/shop", {}, "%23"},
      {"mysql://app:hunter2@db/shop?password=hunter2", {}, "parameter"},
      {"mysql://app:hunter2@db/shop?socket=/s", {}, "socket"},
      {"mysql://app:hunter2@db/shop", {{"password", "hunter3"}}, "password"},
      {"mysql://app:hunter2@db/shop", {{"user", "other"}}, "user"},
      {"mysql://app@db/shop", {{"password", std::string("hunter2\0x", 9)}}, "password"},
      {"mysql://db/shop", {{"tls", "prefer"}}, "tls"},
      {"mysql://db/shop", {{"tls", "require"}}, "tls_ca"},
      {"mysql://db/shop", {{"tls_ca", "ca.pem"}}, "tls"},
      {"mysql://db/shop", {{"tls", "require"}, {"tls_ca", "a"}, {"tls_key", "k"}}, "tls_cert"},
      {"mysql://db/shop", {{"connect_timeout", "0"}}, "connect_timeout"},
      {"mysql://db/shop", {{"timeout", "1"}}, "timeout"},
  };
  for (const Case& c : cases) {
    Parsed parsed;
    parse(parsed, c.url, c.options);
    EXPECT_EQ(WEIR_E_CONFIG, parsed.status) << c.url;
    EXPECT_THAT(parsed.error.what(), HasSubstr(c.part)) << c.url;
    EXPECT_THAT(parsed.error.what(), Not(HasSubstr("hunter"))) << c.url;
  }
}

TEST(MysqlText, statements_are_told_by_how_they_begin) {
  struct Case {
    const char* sql;
    Verb verb;
    bool changes_session;
  };
  const Case cases[] = {
      {"", Verb::none, false},
      {" ;; -- x\n # y\n /* z */", Verb::none, false},
      {"select 1", Verb::read, false},
      {"(SELECT 1) UNION (SELECT 2)", Verb::read, false},
      {"/* why */ WITH a AS (SELECT 1) SELECT * FROM a", Verb::read, false},
      {"WITH a AS (SELECT 1) SELECT a.update FROM a WHERE (1) FOR UPDATE", Verb::read, false},
      {"WITH a AS (SELECT 1 FROM t FOR UPDATE) DELETE FROM t", Verb::write, false},
      {"WITH a AS (SELECT 1), b(x) AS (SELECT 2) UPDATE t SET v=1", Verb::write, false},
      {"SELECT @@sql_mode", Verb::read, false},
      {"SELECT '@x := 1, GET_LOCK(1)'", Verb::read, false},
      {"SELECT @x", Verb::read, true},
      {"SELECT 1 INTO @x", Verb::read, true},
      {"SELECT get_lock('a', 1)", Verb::read, true},
      {"INSERT INTO t VALUES (1)", Verb::write, false},
      {"CREATE TABLE t(x INT)", Verb::define, false},
      {"CREATE TEMPORARY TABLE t(x INT)", Verb::define, true},
      {"DROP DATABASE app", Verb::define, true},
      {"drop schema if exists app", Verb::define, true},
      {"CREATE OR REPLACE DATABASE app", Verb::define, true},
      {"CREATE DATABASE app", Verb::define, false},
      {"BEGIN", Verb::begin, false},
      {"begin work", Verb::begin, false},
      {"START TRANSACTION READ ONLY", Verb::begin, false},
      {"START SLAVE", Verb::other, true},
      {"EXECUTE IMMEDIATE 'SELECT 1'", Verb::call, true},
      {"SELECT NEXT VALUE FOR s", Verb::read, true},
      {"SELECT `get_lock`('a', 1)", Verb::read, true},
      {"BEGIN NOT ATOMIC SELECT 1; END", Verb::other, true},
      {"COMMIT", Verb::commit, false},
      {"ROLLBACK", Verb::rollback, false},
      {"ROLLBACK TO SAVEPOINT a", Verb::savepoint, false},
      {"ROLLBACK WORK TO a", Verb::savepoint, false},
      {"RELEASE SAVEPOINT a", Verb::savepoint, false},
      {"SET x = 1", Verb::set, true},
      {"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", Verb::set, false},
      {"SET SESSION TRANSACTION READ ONLY", Verb::set, true},
      {"SET STATEMENT max_statement_time=1 FOR SELECT 1", Verb::other, true},
      {"CALL p()", Verb::call, true},
      {"USE other", Verb::other, true},
      {"LOCK TABLES t WRITE", Verb::other, true},
      {"PREPARE s FROM 'SELECT 1'", Verb::other, true},
      {"XA START 'x'", Verb::other, true},
      {"/*!40101 SET NAMES latin1 */", Verb::other, true},
      {"SELECT /*!40001 SQL_NO_CACHE */ 1", Verb::read, true},
  };
  for (const Case& c : cases) {
    const auto traits = scan(c.sql, {});
    EXPECT_EQ(c.verb, traits.verb) << c.sql;
    EXPECT_EQ(c.changes_session, traits.changes_session) << c.sql;
  }
  EXPECT_TRUE(scan("COMMIT AND CHAIN", {}).chain);
  EXPECT_FALSE(scan("COMMIT AND NO CHAIN", {}).chain);
  for (const char* sql : {"COMMIT AND CHAIN", "ROLLBACK AND NO CHAIN", "COMMIT RELEASE"}) {
    EXPECT_TRUE(scan(sql, {}).says_chain) << sql;
  }
  for (const char* sql : {"COMMIT", "ROLLBACK WORK", "COMMIT NO RELEASE"}) {
    EXPECT_FALSE(scan(sql, {}).says_chain) << sql;
  }
  EXPECT_TRUE(scan("SET autocommit = 0", {}).autocommit);
  EXPECT_TRUE(scan("SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", {}).changes_session);
  EXPECT_TRUE(scan("SET TRANSACTION READ ONLY", {}).one_shot);
  EXPECT_TRUE(scan("SET /*! SESSION */ TRANSACTION READ ONLY", {}).changes_session);
  EXPECT_TRUE(scan("SET `autocommit` = 0", {}).autocommit);
  EXPECT_TRUE(scan("INSERT INTO t VALUES (1) RETURNING x", {}).returning);
  EXPECT_TRUE(scan("(SELECT 'INTO')", {}).answers);
  EXPECT_FALSE(scan("SELECT 1 INTO @x", {}).answers);
  EXPECT_FALSE(scan("DO 1", {}).answers);
  EXPECT_TRUE(scan("SET @@session.sql_mode = ''", {}).sql_mode);
}

TEST(MysqlText, what_commits_is_told_from_what_only_looks_like_it) {
  for (const char* sql :
       {"CREATE TEMPORARY TABLE t(x INT)", "create or replace temporary table t(x INT)",
        "DROP TEMPORARY TABLE t", "CREATE /*!32302 TEMPORARY */ TABLE t(x INT)"}) {
    EXPECT_TRUE(scan(sql, {}).temporary) << sql;
  }
  for (const char* sql :
       {"GRANT SELECT ON t TO 'a'@'%'", "DROP USER a@h",
        "CREATE DEFINER=`r`@`h` VIEW v AS SELECT 1", "ALTER TABLE t ADD temporary INT",
        "CREATE TABLE t(temporary INT)", "DROP DATABASE app"}) {
    EXPECT_FALSE(scan(sql, {}).temporary) << sql;
  }
  for (const char* sql :
       {"SET PASSWORD = 'x'", "set password for a@h = 'x'", "SET DEFAULT ROLE NONE TO a"}) {
    EXPECT_TRUE(scan(sql, {}).commits) << sql;
  }
  for (const char* sql : {"SET sql_mode = DEFAULT", "SET `sql_mode` = DEFAULT",
                          "SET @'x' = PASSWORD('y')", "SET ROLE NONE", "CREATE TABLE t(x INT)"}) {
    EXPECT_FALSE(scan(sql, {}).commits) << sql;
  }
}

TEST(MysqlText, question_marks_and_semicolons_count_outside_of_literals_and_comments) {
  struct Case {
    const char* sql;
    unsigned params;
    bool many;
  };
  const Case cases[] = {
      {"SELECT ?, ?", 2, false},
      {"SELECT '?;', \"?;\", `?;` -- ?;\n, ? # ?;\n /* ?; */;", 1, false},
      {"SELECT 'it''s ?', ?", 1, false},
      {"SELECT '\\'?', ?", 1, false},
      {"SELECT `\\`, ?", 1, false},
      {"SELECT 1--1, ?", 1, false},
      {"SELECT 1; SELECT 2", 0, true},
      {"SELECT 1; -- the end", 0, false},
      {"SELECT 'unfinished ?", 0, false},
      {"SELECT '\\", 0, false},
  };
  for (const Case& c : cases) {
    const auto traits = scan(c.sql, {});
    EXPECT_EQ(c.params, traits.params) << c.sql;
    EXPECT_EQ(c.many, traits.many) << c.sql;
  }
  const SqlMode plain = mysql::parse_sql_mode("STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES");
  EXPECT_EQ(1U, scan("SELECT '\\', ?", plain).params);
  const SqlMode ansi = mysql::parse_sql_mode("ANSI_QUOTES");
  EXPECT_EQ(1U, scan("SELECT \"a\\\", ?", ansi).params);
  EXPECT_TRUE(scan("CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END", {}).opaque);
}

TEST(MysqlText, utf8_is_told_from_what_only_looks_like_it) {
  for (const char* good :
       {"", "a", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(mysql::is_utf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xFF", "a\xE2\x82"}) {
    EXPECT_FALSE(mysql::is_utf8(bad)) << bad;
  }
}

TEST(MysqlErrors, numbers_have_kinds_and_unknown_ones_go_by_their_sqlstate) {
  EXPECT_EQ(WEIR_E_CONSTRAINT, mysql::meaning_of(1062, "23000").kind);
  EXPECT_EQ(WEIR_E_DEADLOCK, mysql::meaning_of(1213, "40001").kind);
  EXPECT_EQ(WEIR_E_DATA, mysql::meaning_of(9999, "22003").kind);
  EXPECT_EQ(WEIR_E_OTHER, mysql::meaning_of(9999, "HY000").kind);
  EXPECT_EQ(WEIR_CONN_USABLE, mysql::meaning_of(9999, "HY000").conn_fate);
  EXPECT_EQ(WEIR_E_SERVER_NOT_READY, mysql::meaning_of(1047, "08S01").kind);
  EXPECT_EQ(WEIR_CONN_USABLE, mysql::meaning_of(1047, "08S01").conn_fate);
  const auto gone = mysql::meaning_of(2006, "HY000");
  EXPECT_EQ(WEIR_CONN_BROKEN, gone.conn_fate);
  EXPECT_EQ(WEIR_EFFECT_UNKNOWN, gone.effect);
  EXPECT_EQ(WEIR_CONN_BROKEN, mysql::meaning_of(2999, "HY000").conn_fate);
  EXPECT_EQ(WEIR_E_CONN_LOST, mysql::meaning_of(9999, "08S01").kind);
}

TEST(MysqlErrors, what_ends_a_transaction_is_told_from_what_only_fails) {
  for (const int code : {1206, 1213, 3101}) EXPECT_TRUE(mysql::rolls_back(code)) << code;
  // The last two: of GET_LOCK, whose locks no transaction holds; and of an XA transaction, which
  // stays until it is rolled back.
  for (const int code : {1205, 1062, 3058, 1614}) EXPECT_FALSE(mysql::rolls_back(code)) << code;
  EXPECT_EQ(WEIR_E_DEADLOCK, mysql::meaning_of(3058, "HY000").kind);
  const auto conflict = mysql::meaning_of(3101, "40000");
  EXPECT_EQ(WEIR_E_SERIALIZATION, conflict.kind);
  EXPECT_EQ(WEIR_EFFECT_DEFINITE, conflict.effect);
  EXPECT_EQ(WEIR_ERROR_TRANSIENT, conflict.flags);
}

TEST(MysqlErrors, other_columns_than_prepared_break_no_connection) {
  const auto changed = mysql::meaning_of(mysql::other_columns, "HY000");
  EXPECT_EQ(WEIR_CONN_USABLE, changed.conn_fate);
  EXPECT_EQ(WEIR_EFFECT_UNKNOWN, changed.effect);
}

}  // namespace
}  // namespace weir::test
