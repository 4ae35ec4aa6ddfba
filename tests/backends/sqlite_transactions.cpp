// SPDX-License-Identifier: MIT
//
// Goal: after every failure the driver says truly what became of the transaction, and lock waits
// obey deadline, busy_timeout, cancel and abort. Method: a stranger holds the locks; time is fake;
// a disk fails where a system call under SQLite is replaced.
#include "tests/backends/sqlite_fixture.hpp"

#include <cerrno>
#include <cmath>
#include <fcntl.h>
#include <vector>

namespace weir::test {
namespace {

using ::testing::HasSubstr;

class SqliteTransactions : public Sqlite {
 protected:
  Session& start(const Options& options = {}) {
    Session& s = open("file:a.db", options);
    EXPECT_EQ(WEIR_OK, s.query("CREATE TABLE t(k INTEGER PRIMARY KEY, x UNIQUE)"));
    EXPECT_EQ(WEIR_OK, s.query("INSERT INTO t(x) VALUES (1)"));
    return s;
  }
};

// Stands in for calls of the system under SQLite, for its life.
class Replaced {
 public:
  Replaced(const char* name, sqlite3_syscall_ptr by) : name_(name) { set(by); }
  ~Replaced() { set(nullptr); }
  Replaced(const Replaced&) = delete;
  Replaced& operator=(const Replaced&) = delete;

 private:
  void set(sqlite3_syscall_ptr by) {
    sqlite3_vfs* vfs = sqlite3_vfs_find("unix");
    EXPECT_EQ(SQLITE_OK, vfs->xSetSystemCall(vfs, name_, by)) << name_;
  }
  const char* const name_;
};

// Not the directory that was to be opened, but what no fsync is for.
int open_what_cannot_be_made_safe(const char*, int* fd) {
  *fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return *fd < 0 ? SQLITE_CANTOPEN : SQLITE_OK;
}

int open_nothing(const char*, int, int) {
  errno = EMFILE;
  return -1;
}

// SQLite has deleted the journal, and with that committed, when it fails to make that safe.
TEST_F(SqliteTransactions, a_commit_that_fails_on_the_disk_may_have_come_through) {
  Session& s = start({{"journal_mode", "delete"}, {"synchronous", "extra"}});
  std::int64_t rows = 1;
  for (const std::string sql : {"", "COMMIT", "END", "RELEASE a"}) {
    ASSERT_EQ(WEIR_OK, s.query("SAVEPOINT a")) << s.error.what();
    ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t(x) VALUES (?)", {Value::integer(++rows)}));
    {
      const Replaced call("openDirectory",
                          reinterpret_cast<sqlite3_syscall_ptr>(open_what_cannot_be_made_safe));
      EXPECT_EQ(WEIR_E_RESOURCE, sql.empty() ? s.commit() : s.query(sql)) << sql;
    }
    EXPECT_EQ(SQLITE_IOERR_DIR_FSYNC, s.error.native_code) << sql;
    EXPECT_EQ(WEIR_EFFECT_UNKNOWN, s.error.effect) << sql;
    EXPECT_EQ(WEIR_TX_NONE, s.error.tx_fate) << sql;  // GONE would be a promise
    if (!s.is(WEIR_STATE_IN_TX)) {                    // RELEASE leaves an empty one open
      EXPECT_EQ(WEIR_E_INVALID_STATE, s.commit()) << sql;
      EXPECT_EQ(WEIR_TX_NONE, s.error.tx_fate) << sql;
    }
    ASSERT_EQ(WEIR_OK, s.reset()) << s.error.what();
    EXPECT_EQ(rows, Stranger(file("a.db")).number("SELECT count(*) FROM t")) << sql;
  }
}

// A row that cannot be stored is refused, but those before it were.
TEST_F(SqliteTransactions, a_row_refused_after_others_does_not_say_that_nothing_was_sent) {
  Session& s = start();
  for (const std::size_t before : {0, 1, 60}) {
    ASSERT_EQ(WEIR_OK, s.query("DELETE FROM t"));
    std::vector<weir_cell> cells;
    for (std::size_t i = 0; i < before; ++i) {
      cells.push_back(Value::integer(static_cast<std::int64_t>(i)).cell());
    }
    cells.push_back(Value::real(std::nan("")).cell());
    weir_many_args args{};
    args.struct_size = sizeof args;
    args.sql = text("INSERT INTO t(x) VALUES (?)");
    args.cells = cells.data();
    args.row_count = cells.size();
    args.param_count = 1;
    args.row_stride = 1;
    weir_many_out done{};
    done.struct_size = sizeof done;
    const weir_call call = s.call();
    EXPECT_EQ(WEIR_E_DATA, s.driver->execute_many(s.conn, &call, &args, &done, &s.error));
    EXPECT_EQ(before == 0 ? WEIR_EFFECT_NOT_SENT : WEIR_EFFECT_DEFINITE, s.error.effect) << before;
    EXPECT_EQ(before, done.rows_done);
    EXPECT_EQ(Value::integer(static_cast<std::int64_t>(before)), s.one("SELECT count(*) FROM t"));
  }
}

TEST_F(SqliteTransactions, a_failed_statement_leaves_the_transaction_open) {
  Session& s = start();
  ASSERT_EQ(WEIR_OK, s.begin());
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t(x) VALUES (2)"));
  EXPECT_EQ(WEIR_E_CONSTRAINT, s.query("INSERT INTO t(x) VALUES (2)"));
  EXPECT_EQ(WEIR_TX_OPEN, s.error.tx_fate);
  EXPECT_EQ(WEIR_EFFECT_DEFINITE, s.error.effect);
  EXPECT_EQ(SQLITE_CONSTRAINT_UNIQUE, s.error.native_code);
  ASSERT_EQ(WEIR_OK, s.commit());
  EXPECT_EQ(Value::integer(2), s.one("SELECT count(*) FROM t"));
}

TEST_F(SqliteTransactions, an_interrupted_write_takes_the_transaction_with_it) {
  Session& s = start();
  ASSERT_EQ(WEIR_OK, s.begin());
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t(x) VALUES (2)"));
  s.deadline = host.now + 5'000'000;
  host.tick = 1'000'000;
  EXPECT_EQ(WEIR_E_TIMEOUT, s.query("INSERT INTO t(x) WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL "
                                    "SELECT i+1 FROM n) SELECT i FROM n"));
  EXPECT_EQ(WEIR_TX_GONE, s.error.tx_fate);
  EXPECT_FALSE(s.is(WEIR_STATE_IN_TX));
  host.tick = 0;
  s.deadline = WEIR_NO_DEADLINE;
  EXPECT_EQ(WEIR_E_INVALID_STATE, s.commit());  // a commit that cannot be is no success
  EXPECT_EQ(WEIR_TX_GONE, s.error.tx_fate);
  EXPECT_EQ(Value::integer(1), s.one("SELECT count(*) FROM t"));
}

TEST_F(SqliteTransactions, an_interrupted_read_leaves_it_open) {
  Session& s = start();
  ASSERT_EQ(WEIR_OK, s.begin());
  s.deadline = host.now + 5'000'000;
  host.tick = 1'000'000;
  EXPECT_EQ(WEIR_E_TIMEOUT, s.query("WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i+1 FROM n) "
                                    "SELECT sum(i) FROM n"));
  EXPECT_EQ(WEIR_TX_OPEN, s.error.tx_fate);
  EXPECT_TRUE(s.is(WEIR_STATE_IN_TX));
}

TEST_F(SqliteTransactions, a_full_disk_rolls_back_and_says_so) {
  Session& s = start();
  ASSERT_EQ(WEIR_OK, s.query("PRAGMA max_page_count=20"));
  ASSERT_EQ(WEIR_OK, s.begin());
  EXPECT_EQ(WEIR_E_RESOURCE, s.query("INSERT INTO t(x) VALUES (zeroblob(1000000))"));
  EXPECT_NE(WEIR_TX_NONE, s.error.tx_fate);
  EXPECT_EQ(s.error.tx_fate == WEIR_TX_OPEN, s.is(WEIR_STATE_IN_TX));
}

TEST_F(SqliteTransactions, a_stale_snapshot_is_a_serialization_failure) {
  Session& s = start();
  ASSERT_EQ(WEIR_OK, s.begin());
  EXPECT_EQ(Value::integer(1), s.one("SELECT count(*) FROM t"));
  Stranger(file("a.db")).run("INSERT INTO t(x) VALUES (50)");
  EXPECT_EQ(WEIR_E_SERIALIZATION, s.query("INSERT INTO t(x) VALUES (2)"));
  EXPECT_EQ(SQLITE_BUSY_SNAPSHOT, s.error.native_code);
  EXPECT_EQ(WEIR_TX_FAILED, s.error.tx_fate);
  EXPECT_TRUE(s.is(WEIR_STATE_TX_FAILED));
  EXPECT_EQ(WEIR_E_INVALID_STATE, s.query("SELECT 1"));
  EXPECT_EQ(WEIR_TX_FAILED, s.error.tx_fate);
  EXPECT_EQ(WEIR_E_SERIALIZATION, s.commit());
  EXPECT_EQ(WEIR_TX_GONE, s.error.tx_fate);
  EXPECT_FALSE(s.is(WEIR_STATE_IN_TX | WEIR_STATE_TX_FAILED));
  ASSERT_EQ(WEIR_OK, s.begin());
  EXPECT_EQ(Value::integer(2), s.one("SELECT count(*) FROM t"));
  Stranger(file("a.db")).run("INSERT INTO t(x) VALUES (51)");
  EXPECT_EQ(WEIR_E_SERIALIZATION, s.query("INSERT INTO t(x) VALUES (2)"));
  EXPECT_EQ(WEIR_OK, s.query("ROLLBACK"));
  EXPECT_FALSE(s.is(WEIR_STATE_TX_FAILED));
  EXPECT_EQ(WEIR_OK, s.query("INSERT INTO t(x) VALUES (2)"));
}

TEST_F(SqliteTransactions, two_readers_that_want_to_write_are_a_deadlock) {
  Session& s = start({{"journal_mode", "delete"}});
  Stranger other(file("a.db"));
  ASSERT_EQ(WEIR_OK, s.begin());
  EXPECT_EQ(Value::integer(1), s.one("SELECT count(*) FROM t"));
  other.run("BEGIN; SELECT * FROM t; UPDATE t SET x = 9");
  EXPECT_EQ(WEIR_E_DEADLOCK, s.query("INSERT INTO t(x) VALUES (2)"));
  EXPECT_EQ(WEIR_TX_OPEN, s.error.tx_fate);
  EXPECT_THAT(s.error.what(), HasSubstr("roll back"));
  EXPECT_EQ(WEIR_OK, s.rollback());
  other.run("COMMIT");
}

TEST_F(SqliteTransactions, a_busy_commit_can_be_repeated) {
  Session& s = start({{"journal_mode", "delete"}, {"busy_timeout", "10000000"}});
  Stranger other(file("a.db"));
  other.run("BEGIN; SELECT * FROM t");
  ASSERT_EQ(WEIR_OK, s.begin(WEIR_BEGIN_WRITE));
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t(x) VALUES (2)"));
  EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, s.commit());
  EXPECT_EQ(WEIR_STAGE_COMMIT, s.error.stage);
  EXPECT_EQ(WEIR_TX_OPEN, s.error.tx_fate);
  EXPECT_EQ(WEIR_ERROR_TRANSIENT, s.error.flags & WEIR_ERROR_TRANSIENT);
  other.run("COMMIT");
  EXPECT_EQ(WEIR_OK, s.commit());
  EXPECT_EQ(2, other.number("SELECT count(*) FROM t"));
}

TEST_F(SqliteTransactions, lock_waits_grow_and_end_at_busy_timeout) {
  Session& s = start({{"busy_timeout", "20000000"}});
  Stranger other(file("a.db"));
  other.run("BEGIN IMMEDIATE");
  const weir_time begun = host.now;
  host.waits.clear();
  EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, s.query("INSERT INTO t(x) VALUES (2)"));
  EXPECT_EQ(begun + 20'000'000, host.now);
  ASSERT_GT(host.waits.size(), 12U);
  for (const Wait& wait : host.waits) EXPECT_EQ(1U, wait.tag);
  EXPECT_EQ(200'000, host.waits[0].until - host.waits[0].from);
  EXPECT_EQ(200'000, host.waits[4].until - host.waits[4].from);
  EXPECT_EQ(1'000'000, host.waits[5].until - host.waits[5].from);
  EXPECT_EQ(2'000'000, host.waits[10].until - host.waits[10].from);
  EXPECT_EQ(begun + 20'000'000, host.waits.back().until);
}

TEST_F(SqliteTransactions, lock_waits_end_when_the_lock_is_free) {
  Session& s = start();
  Stranger other(file("a.db"));
  other.run("BEGIN IMMEDIATE");
  host.waits.clear();
  host.on_wait = [&] {
    if (host.waits.size() == 3) other.run("COMMIT");
  };
  EXPECT_EQ(WEIR_OK, s.begin(WEIR_BEGIN_WRITE));
  EXPECT_EQ(3U, host.waits.size());
}

TEST_F(SqliteTransactions, lock_waits_end_at_the_deadline_by_cancel_and_by_abort) {
  Session& s = start();
  Stranger other(file("a.db"));
  other.run("BEGIN IMMEDIATE");
  s.deadline = host.now + 9'000'000;
  EXPECT_EQ(WEIR_E_TIMEOUT, s.query("INSERT INTO t(x) VALUES (2)"));
  EXPECT_EQ(s.deadline, host.now);
  EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate);
  s.deadline = WEIR_NO_DEADLINE;
  host.waits.clear();
  host.on_wait = [&] {
    const weir_call call = {sizeof call, 0, 1, WEIR_NO_DEADLINE};
    if (host.waits.size() == 3) s.driver->cancel(s.canceller, s.op, &call, nullptr);
  };
  EXPECT_EQ(WEIR_E_CANCELLED, s.query("INSERT INTO t(x) VALUES (2)"));
  EXPECT_EQ(3U, host.waits.size());
  host.waits.clear();
  host.on_wait = [&] {
    if (host.waits.size() == 2) s.driver->abort(s.canceller);
  };
  EXPECT_EQ(WEIR_E_CONN_LOST, s.query("INSERT INTO t(x) VALUES (2)"));
  EXPECT_EQ(WEIR_CONN_BROKEN, s.error.conn_fate);
}

// Cancels the operation that runs, from inside a row of its own.
void cancel_now(sqlite3_context* context, int, sqlite3_value** args) {
  Session& s = *static_cast<Session*>(sqlite3_user_data(context));
  const weir_call call{sizeof call, 0, 1, WEIR_NO_DEADLINE};
  if (sqlite3_value_int(args[0]) != 0) s.driver->cancel(s.canceller, s.op, &call, nullptr);
  sqlite3_result_int(context, 1);
}

TEST_F(SqliteTransactions, a_cancel_at_the_end_of_a_batch_does_not_wait_for_the_next_fetch) {
  Session& s = start();
  void* handle = nullptr;
  ASSERT_EQ(WEIR_OK, s.driver->native(s.conn, "sqlite3*", &handle, &s.error));
  ASSERT_EQ(SQLITE_OK, sqlite3_create_function(static_cast<sqlite3*>(handle), "cancel_if", 1,
                                               SQLITE_UTF8, &s, cancel_now, nullptr, nullptr));
  for (const int row : {1, 2, 3}) {
    const std::string sql =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<9) "
        "SELECT cancel_if(i = " +
        std::to_string(row) + ") FROM n";
    weir_status status = s.start(sql, {}, 0, nullptr, 1);
    for (int at = 1; at < row; ++at) {
      ASSERT_EQ(WEIR_OK, status) << s.error.what();
      status = s.fetch();
    }
    EXPECT_EQ(WEIR_E_CANCELLED, status) << row;  // this operation, not the one after it
    if (row > 1) {
      EXPECT_EQ(WEIR_E_INVALID_STATE, s.fetch());
    }
    s.close_result();
    EXPECT_EQ(Value::integer(1), s.one("SELECT 1"));
  }
}

TEST_F(SqliteTransactions, pragma_busy_timeout_changes_the_time_not_the_way_of_waiting) {
  Session& s = start();
  ASSERT_EQ(WEIR_OK, s.query("PRAGMA busy_timeout = 6"));
  EXPECT_TRUE(s.is(WEIR_STATE_DIRTY));
  Stranger other(file("a.db"));
  other.run("BEGIN IMMEDIATE");
  const weir_time begun = host.now;
  EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, s.query("INSERT INTO t(x) VALUES (2)"));
  EXPECT_EQ(begun + 6'000'000, host.now);
  ASSERT_EQ(WEIR_OK, s.reset());
  EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, s.query("INSERT INTO t(x) VALUES (2)"));
  EXPECT_EQ(begun + 5'006'000'000, host.now);
}

TEST_F(SqliteTransactions, read_only_is_held_and_taken_back) {
  Session& s = start();
  ASSERT_EQ(WEIR_OK, s.begin(WEIR_BEGIN_READ_ONLY));
  EXPECT_TRUE(s.is(WEIR_STATE_READ_ONLY));
  EXPECT_EQ(WEIR_E_READ_ONLY, s.query("INSERT INTO t(x) VALUES (2)"));
  EXPECT_EQ(WEIR_TX_OPEN, s.error.tx_fate);
  ASSERT_EQ(WEIR_OK, s.commit());
  EXPECT_FALSE(s.is(WEIR_STATE_READ_ONLY | WEIR_STATE_DIRTY));
  EXPECT_EQ(WEIR_OK, s.query("INSERT INTO t(x) VALUES (2)"));
  ASSERT_EQ(WEIR_OK, s.begin(WEIR_BEGIN_READ_ONLY));
  ASSERT_EQ(WEIR_OK, s.query("COMMIT"));  // ended behind begin's back
  EXPECT_EQ(WEIR_OK, s.query("INSERT INTO t(x) VALUES (3)"));
  ASSERT_EQ(WEIR_OK, s.begin(WEIR_BEGIN_READ_ONLY));
  ASSERT_EQ(WEIR_OK, s.reset(WEIR_RESET_TX));
  EXPECT_EQ(WEIR_OK, s.query("INSERT INTO t(x) VALUES (4)"));
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, s.begin(WEIR_BEGIN_READ_ONLY | WEIR_BEGIN_WRITE));
  ASSERT_EQ(WEIR_OK, s.query("PRAGMA query_only=1"));
  ASSERT_EQ(WEIR_OK, s.begin(WEIR_BEGIN_READ_ONLY));
  ASSERT_EQ(WEIR_OK, s.commit());
  EXPECT_EQ(WEIR_E_READ_ONLY, s.query("INSERT INTO t(x) VALUES (5)"));  // the user's own wish
}

TEST_F(SqliteTransactions, isolation_is_serializable_or_refused) {
  Session& s = start();
  ASSERT_EQ(WEIR_OK, s.begin(0, WEIR_ISOLATION_SERIALIZABLE));
  ASSERT_EQ(WEIR_OK, s.rollback());
  for (const int weaker : {WEIR_ISOLATION_READ_UNCOMMITTED, WEIR_ISOLATION_READ_COMMITTED,
                           WEIR_ISOLATION_REPEATABLE_READ}) {
    EXPECT_EQ(WEIR_E_UNSUPPORTED, s.begin(0, weaker));
    EXPECT_FALSE(s.is(WEIR_STATE_IN_TX));
  }
}

TEST_F(SqliteTransactions, savepoints_are_transactions_too) {
  Session& s = start();
  ASSERT_EQ(WEIR_OK, s.query("SAVEPOINT a"));
  EXPECT_TRUE(s.is(WEIR_STATE_IN_TX));
  EXPECT_FALSE(s.is(WEIR_STATE_DIRTY));
  ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t(x) VALUES (2)"));
  ASSERT_EQ(WEIR_OK, s.query("ROLLBACK TO a"));
  ASSERT_EQ(WEIR_OK, s.query("RELEASE a"));
  EXPECT_FALSE(s.is(WEIR_STATE_IN_TX));
  EXPECT_EQ(WEIR_E_NOT_FOUND, s.query("RELEASE a"));
  EXPECT_EQ(Value::integer(1), s.one("SELECT count(*) FROM t"));
}

TEST_F(SqliteTransactions, errors_have_the_kind_that_a_host_can_act_on) {
  Session& s = start();
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE c(a NOT NULL, b CHECK (b > 0), "
                             "p REFERENCES t(k), n INTEGER PRIMARY KEY)"));
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE strictly(n INTEGER) STRICT"));
  struct Case {
    const char* sql;
    weir_status kind;
    int code;
  };
  const Case cases[] = {
      {"INSERT INTO c(a) VALUES (NULL)", WEIR_E_CONSTRAINT, SQLITE_CONSTRAINT_NOTNULL},
      {"INSERT INTO c(a,b) VALUES (1, 0)", WEIR_E_CONSTRAINT, SQLITE_CONSTRAINT_CHECK},
      {"INSERT INTO c(a,p) VALUES (1, 99)", WEIR_E_CONSTRAINT, SQLITE_CONSTRAINT_FOREIGNKEY},
      {"INSERT INTO t(k) VALUES (1)", WEIR_E_CONSTRAINT, SQLITE_CONSTRAINT_PRIMARYKEY},
      {"INSERT INTO c(a,n) VALUES (1,'x')", WEIR_E_DATA, SQLITE_MISMATCH},
      {"INSERT INTO strictly VALUES ('x')", WEIR_E_DATA, SQLITE_CONSTRAINT_DATATYPE},
      {"SELECT abs(-9223372036854775808)", WEIR_E_DATA, SQLITE_ERROR},
      {"SELECT zeroblob(2000000000)", WEIR_E_DATA, SQLITE_TOOBIG},
      {"SELECT * FROM nowhere", WEIR_E_NOT_FOUND, SQLITE_ERROR},
      {"SELECT missing FROM t", WEIR_E_NOT_FOUND, SQLITE_ERROR},
      {"SELECT nofunction()", WEIR_E_NOT_FOUND, SQLITE_ERROR},
      {"SELECT FROM", WEIR_E_SYNTAX, SQLITE_ERROR},
      {"SELECT (", WEIR_E_SYNTAX, SQLITE_ERROR},
      {"INSERT INTO t VALUES (1,2,3)", WEIR_E_SYNTAX, SQLITE_ERROR},
      {"COMMIT", WEIR_E_INVALID_STATE, SQLITE_ERROR},
      {"PRAGMA soft_heap_limit=1000", WEIR_E_PERMISSION, SQLITE_AUTH},
      {"ATTACH 'file:b.db?vfs=unix' AS b", WEIR_E_PERMISSION, SQLITE_AUTH},
      {"ATTACH 'file:b.db?cache=shared' AS b", WEIR_E_PERMISSION, SQLITE_AUTH},
      {"VACUUM INTO 'file:b.db?%76fs=unix'", WEIR_E_PERMISSION, SQLITE_AUTH},
      {"ATTACH 'file:b.db?vfs%00z=unix' AS b", WEIR_E_PERMISSION, SQLITE_AUTH},
      {"ATTACH 'file:b.db?cache%00=shared' AS b", WEIR_E_PERMISSION, SQLITE_AUTH},
      {"ATTACH 'file:b.db?cache=shared%00z' AS b", WEIR_E_PERMISSION, SQLITE_AUTH},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(c.kind, s.query(c.sql)) << c.sql << ": " << s.error.what();
    EXPECT_EQ(c.code, s.error.native_code) << c.sql;
    EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate) << c.sql;
    EXPECT_EQ(WEIR_EFFECT_DEFINITE, s.error.effect) << c.sql;
    EXPECT_NE("", s.error.what());
  }
  EXPECT_EQ(WEIR_E_PERMISSION, s.query("ATTACH ? AS b", {Value::str("file:b.db?vfs=unix")}));
  EXPECT_EQ(WEIR_OK, s.query("VACUUM"));
  EXPECT_NE(0, ::access(file("b.db").c_str(), F_OK));
}

// In memory a connection that is given up takes the database with it.
TEST_F(SqliteTransactions, a_file_that_cannot_be_opened_beside_the_database_costs_no_connection) {
  write_file("text.txt", std::string(5000, 'x'));
  for (const char* url : {":memory:", "file:a.db"}) {
    Session& s = open(url);
    ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE u AS SELECT 1 AS x"));
    weir_stmt* stmt = nullptr;
    ASSERT_EQ(WEIR_OK, s.prepare("ATTACH '/nonexistent/x.db' AS x", &stmt));
    EXPECT_EQ(WEIR_E_CONNECT, s.query("", {}, 0, stmt));
    EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate) << url;
    s.stmt_close(stmt);
    for (const std::string& sql : {std::string("ATTACH '/nonexistent/x.db' AS x"),
                                   std::string("VACUUM INTO '/nonexistent/b.db'"),
                                   "ATTACH '" + file("text.txt") + "' AS x"}) {
      EXPECT_NE(WEIR_OK, s.query(sql)) << sql;
      EXPECT_EQ(WEIR_CONN_USABLE, s.error.conn_fate) << url << ": " << sql;
    }
    EXPECT_EQ(Value::integer(1), s.one("SELECT x FROM u")) << url;
  }
}

TEST_F(SqliteTransactions, a_database_that_turns_bad_makes_its_connection_unsure) {
  Session& s = start({{"journal_mode", "delete"}});
  ASSERT_EQ(WEIR_OK, s.query("ATTACH ':memory:' AS side"));  // an earlier ATTACH excuses nothing
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("INSERT INTO t(x) VALUES (2)", &stmt));
  {
    const Replaced call("open", reinterpret_cast<sqlite3_syscall_ptr>(open_nothing));
    EXPECT_EQ(WEIR_E_CONNECT, s.query("", {}, 0, stmt));
  }
  EXPECT_EQ(WEIR_CONN_UNKNOWN, s.error.conn_fate);
  s.stmt_close(stmt);
}

// Some pragmas act when they are compiled.
TEST_F(SqliteTransactions, a_text_that_is_refused_has_set_no_pragma) {
  Session& s = start();
  for (const char* sql : {"PRAGMA foreign_keys=0; INSERT INTO t(x) VALUES (9)",
                          "; PRAGMA foreign_keys(0); SELECT 1"}) {
    EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, s.query(sql)) << sql;
    EXPECT_EQ(WEIR_EFFECT_NOT_SENT, s.error.effect) << sql;
    EXPECT_EQ(Value::integer(1), s.one("PRAGMA foreign_keys")) << sql;
    EXPECT_FALSE(s.is(WEIR_STATE_DIRTY)) << sql;
  }
  ASSERT_EQ(WEIR_OK, s.begin());
  EXPECT_EQ(Value::integer(1), s.one("SELECT count(*) FROM t"));
  Stranger(file("a.db")).run("INSERT INTO t(x) VALUES (50)");
  EXPECT_EQ(WEIR_E_SERIALIZATION, s.query("INSERT INTO t(x) VALUES (2)"));
  EXPECT_EQ(WEIR_E_INVALID_STATE, s.query("PRAGMA recursive_triggers=1"));
  ASSERT_EQ(WEIR_OK, s.rollback());
  EXPECT_EQ(Value::integer(0), s.one("PRAGMA recursive_triggers"));
  ASSERT_EQ(WEIR_OK, s.query("PRAGMA foreign_keys=0; -- the end"));
  EXPECT_EQ(Value::integer(0), s.one("PRAGMA foreign_keys"));
}

// Asked for the order of a column, while a statement is compiled.
void cancel_and_define(void* context, sqlite3* db, int, const char* name) {
  Session& s = *static_cast<Session*>(context);
  const weir_call call{sizeof call, 0, 1, WEIR_NO_DEADLINE};
  s.driver->cancel(s.canceller, s.op, &call, nullptr);
  const auto same = [](void*, int, const void*, int, const void*) { return 0; };
  sqlite3_create_collation(db, name, SQLITE_UTF8, nullptr, same);
}

TEST_F(SqliteTransactions, a_cancel_of_prepare_does_not_end_the_result_that_is_open) {
  Session& s = start();
  void* handle = nullptr;
  ASSERT_EQ(WEIR_OK, s.driver->native(s.conn, "sqlite3*", &handle, &s.error));
  ASSERT_EQ(SQLITE_OK,
            sqlite3_collation_needed(static_cast<sqlite3*>(handle), &s, cancel_and_define));
  ASSERT_EQ(WEIR_OK, s.start("SELECT 1 UNION ALL SELECT 2", {}, 0, nullptr, 1));
  weir_stmt* stmt = nullptr;
  const weir_status status = s.prepare("SELECT x FROM t ORDER BY x COLLATE odd", &stmt);
  EXPECT_EQ(WEIR_OK, s.fetch()) << s.error.what();
  s.close_result();
  if (status == WEIR_OK) s.stmt_close(stmt);
  // Beside no result a cancel is heard as ever.
  const weir_call call{sizeof call, 0, 1, WEIR_NO_DEADLINE};
  Stranger other(file("a.db"));
  other.run("BEGIN IMMEDIATE");
  host.on_wait = [&] { s.driver->cancel(s.canceller, s.op, &call, nullptr); };
  EXPECT_EQ(WEIR_E_CANCELLED, s.query("INSERT INTO t(x) VALUES (2)"));
}

}  // namespace
}  // namespace weir::test
