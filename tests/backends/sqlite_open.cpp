// SPDX-License-Identifier: MIT
//
// Goal: urls and options mean what is documented, and an open that cannot work says what is wrong,
// where, and what to do. Method: a table of urls; real files in every bad state.
#include "tests/backends/sqlite_fixture.hpp"

namespace weir::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using SqliteOpen = Sqlite;

TEST_F(SqliteOpen, urls_lead_to_the_file_they_name) {
  struct Case {
    std::string url;
    std::string display;
  };
  const Case cases[] = {
      {"file:app.db", "sqlite:" + file("app.db")},
      {"file:./app.db?mode=rw", "sqlite:" + file("./app.db")},
      {"sqlite:sub/app.db", "sqlite:" + file("sub/app.db")},
      {"sqlite:///var/app.db", "sqlite:/var/app.db"},
      {"file:///var/app.db", "sqlite:/var/app.db"},
      {"file://localhost/var/app.db", "sqlite:/var/app.db"},
      {"sqlite:/var/app.db", "sqlite:/var/app.db"},
      {"/var/app.db", "sqlite:/var/app.db"},
      {"sqlite:////var/app.db", "sqlite://var/app.db"},
      {"app.db", "sqlite:" + file("app.db")},
      {"file:a%20b%3f.db", "sqlite:" + file("a b?.db")},
      {"a%20b.db", "sqlite:" + file("a%20b.db")},
      {":memory:", ":memory:"},
      {"file::memory:", ":memory:"},
      {"sqlite::memory:", ":memory:"},
      {"file:x?mode=memory", ":memory:"},
      {"file:app.db?cache=private&immutable=0", "sqlite:" + file("app.db")},
  };
  for (const Case& c : cases) {
    use(c.url);
    EXPECT_EQ(WEIR_OK, source->status) << c.url << ": " << source->error.what();
    EXPECT_EQ(c.display, string_of(source->traits.display)) << c.url;
    const bool memory = c.display == ":memory:";
    EXPECT_EQ(memory ? WEIR_SOURCE_PINNED : 0U, source->traits.flags) << c.url;
    EXPECT_EQ(memory ? 1U : 0U, source->traits.connections_max) << c.url;
  }
}

TEST_F(SqliteOpen, urls_that_would_mislead_are_refused_with_the_reason) {
  struct Case {
    std::string url;
    std::string part;
  };
  const Case cases[] = {
      {"", "names no file"},
      {"file:", "names no file"},
      {"sqlite://", "names no file"},
      {"sqlite://db.example.com/app.db", "names a host"},
      {"postgres://localhost/app", "'postgres'"},
      {"app.db?mode=ro", "write file: before it"},
      {"file:app.db?vfs=unix-none", "vfs="},
      {"file:app.db?%76fs=unix", "vfs="},
      {"file:app.db?cache=shared", "wal"},
      {"file:app.db?mode=fast", "'mode'"},
      {"file:app.db?nolock=1", "nolock"},
      {"file:app.db?immutable=1&mode=rwc", "immutable"},
      {"file:a%00b", "NUL"},
      {std::string("a\0b", 3), "NUL"},
      {std::string(":memory:\0", 9), "NUL"},
      {std::string("file:a?mode=memory\0", 19), "NUL"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(WEIR_E_CONFIG, try_open(c.url)) << c.url;
    EXPECT_THAT(said, HasSubstr(c.part)) << c.url;
  }
  EXPECT_EQ(WEIR_E_CONFIG, try_open("file:app.db?mode=ro", {{"mode", "rw"}}));
  EXPECT_THAT(said, AllOf(HasSubstr("mode=ro"), HasSubstr("'rw'")));
  EXPECT_EQ(WEIR_E_CONFIG, try_open("file:app.db", {{"journal_mode", "fast"}}));
  EXPECT_THAT(said, AllOf(HasSubstr("journal_mode"), HasSubstr("wal|delete")));
}

// A url may be meant for another database, or for a SQLite that takes a key.
TEST_F(SqliteOpen, refusals_do_not_repeat_what_may_be_a_secret) {
  for (const char* url : {"file:app.db?key=s3cret", "file:app.db?s3cret", "app.db?password=s3cret",
                          "sqlite://app:s3cret@db/shop", "file:app.db?mode=s3cret"}) {
    EXPECT_EQ(WEIR_E_CONFIG, try_open(url)) << url;
    EXPECT_THAT(said, Not(HasSubstr("s3cret"))) << url;
  }
  EXPECT_EQ(WEIR_E_CONFIG, try_open("file:app.db?key=s3cret"));
  EXPECT_THAT(said, HasSubstr("'key'"));
}

TEST_F(SqliteOpen, options_reach_the_session) {
  Session& s = open();
  EXPECT_EQ(Value::str("wal"), s.one("PRAGMA journal_mode"));
  EXPECT_EQ(Value::integer(1), s.one("PRAGMA synchronous"));
  EXPECT_EQ(Value::integer(1), s.one("PRAGMA foreign_keys"));
  Session& t =
      open("file:b.db",
           {{"journal_mode", "delete"}, {"synchronous", "extra"}, {"foreign_keys", "false"}});
  EXPECT_EQ(Value::str("delete"), t.one("PRAGMA journal_mode"));
  EXPECT_EQ(Value::integer(3), t.one("PRAGMA synchronous"));
  EXPECT_EQ(Value::integer(0), t.one("PRAGMA foreign_keys"));
  EXPECT_EQ(Value::str("memory"), open(":memory:").one("PRAGMA journal_mode"));
}

TEST_F(SqliteOpen, mode_decides_what_may_be_created_and_written) {
  EXPECT_EQ(WEIR_E_CONNECT, try_open("file:a.db?mode=rw"));
  EXPECT_THAT(said, AllOf(HasSubstr(file("a.db")), HasSubstr("does not exist"), HasSubstr("rwc")));
  EXPECT_EQ(WEIR_E_CONNECT, try_open("file:a.db", {{"mode", "ro"}}));
  EXPECT_NE(0, ::access(file("a.db").c_str(), F_OK));
  ASSERT_EQ(WEIR_OK, open("file:a.db").query("CREATE TABLE t(x)"));
  Session& reader = open("file:a.db?mode=ro");
  EXPECT_TRUE(reader.is(WEIR_STATE_READ_ONLY));
  EXPECT_EQ(WEIR_E_READ_ONLY, reader.query("INSERT INTO t VALUES (1)"));
  EXPECT_EQ(WEIR_E_READ_ONLY, reader.begin(WEIR_BEGIN_WRITE));
  EXPECT_EQ(Value::integer(0), reader.one("SELECT count(*) FROM t"));
  EXPECT_FALSE(open("file:a.db?mode=rw").is(WEIR_STATE_READ_ONLY));
}

TEST_F(SqliteOpen, bad_files_are_told_apart) {
  struct Case {
    std::string url;
    weir_status kind;
    std::uint8_t stage;
    std::string part;
  };
  write_file("text.db", std::string(5000, 'x'));
  write_file("short.db", "hello");
  write_file("empty.db", "");
  ASSERT_EQ(0, ::mkdir(file("folder.db").c_str(), 0700));
  const Case cases[] = {
      {"file:missing/a.db", WEIR_E_CONNECT, WEIR_STAGE_CONNECT, "the directory"},
      {"file:text.db/a.db", WEIR_E_CONNECT, WEIR_STAGE_CONNECT, "is not a directory"},
      {"file:folder.db", WEIR_E_CONNECT, WEIR_STAGE_CONNECT, "is a directory"},
      {"file:text.db", WEIR_E_PROTOCOL, WEIR_STAGE_SETUP, "not a SQLite database"},
      {"file:short.db", WEIR_E_PROTOCOL, WEIR_STAGE_SETUP, "not a SQLite database"},
      {"file:text.db?mode=ro", WEIR_E_PROTOCOL, WEIR_STAGE_SETUP, "not a SQLite database"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(c.kind, try_open(c.url)) << c.url << ": " << said;
    EXPECT_EQ(c.stage, session->error.stage) << c.url;
    EXPECT_EQ(nullptr, session->conn);
    EXPECT_THAT(said, AllOf(HasSubstr(dir.path), HasSubstr(c.part))) << c.url;
  }
  EXPECT_EQ(WEIR_OK, try_open("file:empty.db")) << said;
}

TEST_F(SqliteOpen, permissions_are_told_apart) {
  ASSERT_EQ(WEIR_OK, open("file:a.db", {{"journal_mode", "delete"}}).query("CREATE TABLE t(x)"));
  session.reset();
  ASSERT_EQ(0, ::mkdir(file("closed").c_str(), 0755));
  ASSERT_EQ(0, ::chmod(dir.path.c_str(), 0755));
  const Options plain{{"journal_mode", "delete"}};
  {
    ASSERT_EQ(0, ::chmod(file("a.db").c_str(), 0444));
    const Nobody nobody;
    EXPECT_EQ(WEIR_E_PERMISSION, try_open("file:a.db", plain));
    EXPECT_THAT(said, AllOf(HasSubstr(file("a.db")), HasSubstr("mode = \"ro\"")));
    EXPECT_EQ(WEIR_OK, try_open("file:a.db?mode=ro", plain)) << said;
    EXPECT_EQ(WEIR_E_PERMISSION, try_open("file:closed/new.db", plain));
    EXPECT_THAT(said, AllOf(HasSubstr("cannot be created"), HasSubstr(file("closed"))));
  }
  ASSERT_EQ(0, ::chmod(file("a.db").c_str(), 0000));
  {
    const Nobody nobody;
    EXPECT_EQ(WEIR_E_PERMISSION, try_open("file:a.db", plain));
    EXPECT_THAT(said, HasSubstr("may not read"));
  }
  session.reset();
}

TEST_F(SqliteOpen, wal_in_a_directory_without_write_permission_needs_immutable) {
  ASSERT_EQ(WEIR_OK, open().query("CREATE TABLE t(x)"));
  session.reset();
  ASSERT_EQ(0, ::chmod(dir.path.c_str(), 0755));
  const Nobody nobody;
  EXPECT_NE(WEIR_OK, try_open("file:a.db?mode=ro"));
  EXPECT_THAT(said, HasSubstr("immutable=1"));
  ASSERT_EQ(WEIR_OK, try_open("file:a.db?immutable=1")) << said;
  EXPECT_EQ(Value::integer(0), session->one("SELECT count(*) FROM t"));
  EXPECT_TRUE(session->is(WEIR_STATE_READ_ONLY));
  session.reset();
}

TEST_F(SqliteOpen, immutable_takes_each_path_for_what_it_is) {
  for (const char* url : {"file:a.db", "file:a%2520%3f%23b.db"}) {
    ASSERT_EQ(WEIR_OK, open(url).query("CREATE TABLE t(x)")) << url;
    session.reset();
  }
  for (const std::string& path : {file("a.db"), "/" + file("a.db"), file("a%2520%3f%23b.db")}) {
    ASSERT_EQ(WEIR_OK, try_open("sqlite://" + path + "?immutable=1")) << path << ": " << said;
    EXPECT_EQ(Value::integer(0), session->one("SELECT count(*) FROM t")) << path;
  }
}

TEST_F(SqliteOpen, a_locked_file_is_waited_for_and_then_named) {
  ASSERT_EQ(WEIR_OK, open("file:a.db", {{"journal_mode", "delete"}}).query("CREATE TABLE t(x)"));
  session.reset();
  Stranger other(file("a.db"));
  other.run("BEGIN EXCLUSIVE");
  const weir_time start = host.now;
  EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, try_open("file:a.db", {{"busy_timeout", "30000000"}}));
  EXPECT_EQ(start + 30'000'000, host.now);
  EXPECT_THAT(said, HasSubstr(file("a.db")));
  EXPECT_EQ(WEIR_STAGE_SETUP, session->error.stage);
  use("file:a.db");
  session->deadline = host.now + 7'000'000;
  EXPECT_EQ(WEIR_E_TIMEOUT, session->open());
  EXPECT_EQ(session->deadline, host.now);
  use("file:a.db");
  host.on_wait = [&] {
    if (host.waits.size() > 50) linked_sqlite()->abort(session->canceller);
  };
  EXPECT_EQ(WEIR_E_CANCELLED, session->open());
  host.waits.clear();
  use("file:a.db");
  host.on_wait = [&] {
    if (host.waits.size() == 3) other.run("COMMIT");
  };
  EXPECT_EQ(WEIR_OK, session->open()) << session->error.what();
}

TEST_F(SqliteOpen, switching_to_wal_waits_for_those_who_use_the_file) {
  ASSERT_EQ(WEIR_OK, open("file:a.db", {{"journal_mode", "delete"}}).query("CREATE TABLE t(x)"));
  session.reset();
  Stranger other(file("a.db"));
  other.run("BEGIN; SELECT * FROM t");
  use("file:a.db");
  host.on_wait = [&] {
    if (host.waits.size() == 3) other.run("COMMIT");
  };
  EXPECT_EQ(WEIR_OK, session->open()) << session->error.what();
  EXPECT_EQ(3U, host.waits.size());
}

TEST_F(SqliteOpen, many_sessions_open_one_new_file_at_once) {
  use("file:a.db");
  std::vector<std::unique_ptr<Session>> sessions;
  for (std::uint64_t tag = 1; tag <= 8; ++tag) {
    sessions.push_back(std::make_unique<Session>(*source, tag));
    EXPECT_EQ(WEIR_OK, sessions.back()->open()) << sessions.back()->error.what();
  }
}

}  // namespace
}  // namespace weir::test
