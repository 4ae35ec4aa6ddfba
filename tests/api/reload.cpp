// SPDX-License-Identifier: MIT
//
// Goal: a reload is taken on whole or refused whole, and says what it changed; a forked child
// leaves its parent's pools alone and can have its own. Method: real files and a real SQLite
// database.
#include "backends/sqlite/weir_sqlite.h"
#include "tests/api/forks.hpp"
#include "tests/api/support.hpp"

#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>

namespace weir::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Reload : public ApiTest {
 protected:
  void write(const std::string& main, const std::string& more = "") const {
    std::ofstream(dir / "weir.toml")
        << "version = 1\n[pool.main]\ndriver = \"sqlite\"\nlog = []\n" + main + "\n" + more;
  }
  [[nodiscard]] Result<Pools> open() const {
    return Pools::builder().driver(weir_sqlite_driver()).file((dir / "weir.toml").string()).open();
  }
};

TEST_F(Reload, takes_on_what_the_file_says_now) {
  write("url = \"a.db\"\nmax = 2");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  ASSERT_TRUE(db.execute("create table t (x)"));
  EXPECT_THAT(*pools->reload(), IsEmpty());
  write("url = \"a.db\"\nmax = 5\nacquire_timeout = \"3s\"");
  auto changes = pools->reload();
  ASSERT_TRUE(changes) << changes.error().what();
  EXPECT_THAT(*changes,
              ElementsAre("main: max: 2 -> 5", "main: acquire_timeout: \"30s\" -> \"3s\""));
  EXPECT_EQ(db.config().max, 5U);
  EXPECT_EQ(db.config().acquire_timeout, 3s);
  EXPECT_EQ(db.stats().created, 1U);
}

TEST_F(Reload, another_database_is_used_from_the_next_acquire_on) {
  write("url = \"a.db\"\nmax = 2");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  ASSERT_TRUE(db.execute("create table here (x)"));
  auto lease = db.acquire();
  ASSERT_TRUE(lease);
  write("url = \"b.db\"\nmax = 2");
  ASSERT_TRUE(pools->reload());
  EXPECT_TRUE((*lease)->query("select x from here"));  // what is lent may finish
  EXPECT_FALSE(db.query("select x from here"));
  lease->release();
  EXPECT_TRUE(std::filesystem::exists(dir / "b.db"));
}

// An older configuration may still have a connection when an even older one has lost its last.
TEST_F(Reload, the_newest_configuration_counts_whatever_the_older_ones_still_hold) {
  const auto file = [](Pool& db) {
    auto rows = db.query("select file from pragma_database_list");
    return rows ? std::filesystem::path((*rows)[0].get<std::string>(0)).filename().string()
                : rows.error().what();
  };
  write("url = \"a.db\"");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  auto first = db.acquire();
  write("url = \"b.db\"");
  ASSERT_TRUE(first && pools->reload());
  auto second = db.acquire();
  ASSERT_TRUE(second);
  first->release();
  while (db.stats().closed[static_cast<std::size_t>(CloseReason::outdated)] == 0) {
    std::this_thread::yield();
  }
  write("url = \"c.db\"");
  ASSERT_TRUE(pools->reload());
  EXPECT_EQ(file(db), "c.db");
}

TEST_F(Reload, of_another_driver_is_refused_for_that_and_not_for_its_options) {
  write("url = \"a.db\"");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  std::ofstream(dir / "weir.toml")
      << "version = 1\n[pool.main]\ndriver = \"other\"\nurl = \"a.db\"\n"
         "[pool.main.options]\nno_such = 1\n";
  const auto refused = pools->reload();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::config_conflict) << refused.error().what();
  EXPECT_NE(refused.error().message().find("keeps its driver"), std::string::npos)
      << refused.error().what();
}

TEST_F(Reload, other_options_of_the_driver_replace_the_connections) {
  write("url = \"a.db\"", "[pool.main.options]\nbusy_timeout = \"1s\"\n");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  ASSERT_TRUE(db.query("select 1"));
  write("url = \"a.db\"", "[pool.main.options]\nbusy_timeout = \"1000ms\"\n");
  ASSERT_TRUE(pools->reload());
  ASSERT_TRUE(db.query("select 1"));
  EXPECT_EQ(db.stats().created, 1U);  // C2: the same, written otherwise
  write("url = \"a.db\"", "[pool.main.options]\nbusy_timeout = \"2s\"\n");
  ASSERT_TRUE(pools->reload());
  ASSERT_TRUE(db.query("select 1"));
  EXPECT_EQ(db.stats().created, 2U);
}

TEST_F(Reload, is_refused_whole_if_anything_is_wrong) {
  write("url = \"a.db\"\nmax = 2", "[pool.other]\ndriver = \"sqlite\"\nurl = \"o.db\"\nlog = []\n");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  const auto refused = [&](Code code, const char* text) {
    auto changes = pools->reload();
    ASSERT_FALSE(changes);
    EXPECT_EQ(changes.error().code(), code) << changes.error().what();
    EXPECT_THAT(changes.error().what(), HasSubstr(text));
    EXPECT_EQ((*pools)["main"].config().max, 2U);  // C3
  };
  const std::string other = "[pool.other]\ndriver = \"sqlite\"\nurl = \"o.db\"\nlog = []\n";
  write("url = \"a.db\"\nmax = 9\nmaxx = 1", other);
  refused(Code::config_unknown_key, "maxx");
  write("url = \"a.db\"\nmax = 9");
  refused(Code::config_conflict, "lacks other");
  write("url = \"a.db\"\nmax = 9", other + "[pool.third]\ndriver = \"sqlite\"\nurl = \"t.db\"\n");
  refused(Code::config_conflict, "adds third");
  write("url = \"a.db\"\nmax = 9", other + "[pool.other.options]\njurnal_mode = \"wal\"\n");
  refused(Code::config_unknown_key, "journal_mode");
  write("url = \"a.db\"\nmax = 9",
        "[pool.other]\ndriver = \"sqlite\"\nurl = \":memory:\"\nlog = []\n");
  refused(Code::config_conflict, "in-memory");
  std::filesystem::remove(dir / "weir.toml");
  refused(Code::config_unreadable, "weir.toml");
}

TEST_F(Reload, says_what_only_new_pools_would_take_on) {
  write("url = \"a.db\"\nmax = 2");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  write("url = \"a.db\"\nmax = 3", "[drivers]\nallow_env = true\n[admin]\nsocket = \"a.sock\"\n");
  const auto changes = pools->reload();
  ASSERT_TRUE(changes) << changes.error().what();
  EXPECT_THAT(*changes, ElementsAre("main: max: 2 -> 3",
                                    "drivers.allow_env: false -> true (passed over: it is read "
                                    "when pools are opened)",
                                    AllOf(HasSubstr("admin.socket: not set -> "),
                                          HasSubstr("(passed over"))));
  EXPECT_FALSE(std::filesystem::exists(dir / "a.sock"));
}

// A daemon goes to "/" once it has begun.
TEST_F(Reload, relative_paths_are_those_of_the_directory_that_the_pools_were_opened_in) {
  struct Back {
    std::filesystem::path path = std::filesystem::current_path();
    ~Back() { std::filesystem::current_path(path); }
  } const back;
  write("url = \"a.db\"\nmax = 2");
  std::filesystem::current_path(dir);
  auto of_file = Pools::builder().driver(weir_sqlite_driver()).file("weir.toml").open();
  ASSERT_TRUE(of_file) << of_file.error().what();
  auto of_string = Pools::builder()
                       .driver(weir_sqlite_driver())
                       .string("version = 1\n[pool.main]\ndriver = \"sqlite\"\nurl = \"b.db\"\n")
                       .open();
  ASSERT_TRUE(of_string) << of_string.error().what();
  ASSERT_TRUE((*of_string)["main"].execute("create table here (x)"));
  std::filesystem::current_path("/");
  write("url = \"a.db\"\nmax = 3");
  const auto changes = of_file->reload();
  ASSERT_TRUE(changes) << changes.error().what();
  EXPECT_THAT(*changes, ElementsAre("main: max: 2 -> 3"));
  const auto same = of_string->reload();
  ASSERT_TRUE(same) << same.error().what();
  EXPECT_THAT(*same, IsEmpty());
  EXPECT_TRUE((*of_string)["main"].query("select x from here"));
}

TEST_F(Reload, says_that_relative_paths_begin_elsewhere) {
  write("url = \"a.db\"");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  auto config = Config::from_file((dir / "weir.toml").string());
  ASSERT_TRUE(config) << config.error().what();
  EXPECT_THAT(*pools->reload(*config), IsEmpty());
  config->base_dir = (dir / "other").string();
  EXPECT_THAT(*pools->reload(*config),
              ElementsAre("main: relative paths now begin at " + config->base_dir));
}

TEST_F(Reload, an_in_memory_database_keeps_its_connection) {
  write("url = \":memory:\"");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  ASSERT_TRUE(db.execute("create table t (x)"));
  write("url = \":memory:\"\nacquire_timeout = \"3s\"");
  ASSERT_TRUE(pools->reload());
  EXPECT_TRUE(db.query("select x from t"));
  EXPECT_EQ(db.evict().error().code(), Code::unsupported);
  write("url = \":memory:\"\ninit_sql = [\"select 1\"]");
  EXPECT_EQ(pools->reload().error().code(), Code::config_conflict);
  EXPECT_TRUE(db.query("select x from t"));
}

// S16
TEST_F(Reload, a_forked_child_has_pools_of_its_own) {
  if (!can_fork) GTEST_SKIP() << cannot_fork;
  write("url = \"a.db\"\nmin = 1");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  ASSERT_TRUE((*pools)["main"].execute("create table t (x)"));
  const pid_t child = fork_when_quiet();
  if (child == 0) {
    bool good = (*pools)["main"].query("select 1").error().code() == Code::forked;
    good = good && pools->drain(30s).error().code() == Code::forked;
    {
      const Pools inherited = *std::move(pools);  // ends here, without a word to anybody
    }
    auto own = open();
    good = good && own && (*own)["main"].execute("insert into t values (1)").has_value();
    good = good && own->drain(30s).has_value();
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  auto rows = (*pools)["main"].query("select count(*) from t");
  ASSERT_TRUE(rows) << rows.error().what();
  EXPECT_EQ((*rows)[0].get<int>(0), 1);
}

// S16: while the parent is in the midst of a reload, whose lock the child has as it was.
TEST_F(Reload, a_forked_child_waits_for_no_reload_of_its_parent) {
  if (!can_fork) GTEST_SKIP() << cannot_fork;
  int told[2];
  int go_on[2];
  ASSERT_EQ(::pipe(told), 0);
  ASSERT_EQ(::pipe(go_on), 0);
  const std::string first = "version = 1\n[pool.main]\ndriver = \"sqlite\"\nurl = \"a.db\"\n";
  std::ofstream(dir / "weir.toml") << first;
  auto pools = Pools::builder()
                   .driver(weir_sqlite_driver())
                   .file((dir / "weir.toml").string())
                   .log([&](LogLevel, std::string_view, std::string_view line) {
                     char one = 0;
                     if (line.find("was reloaded") == std::string_view::npos) return;
                     EXPECT_EQ(::write(told[1], &one, 1), 1);
                     EXPECT_EQ(::read(go_on[0], &one, 1), 1);
                   })
                   .open();
  ASSERT_TRUE(pools) << pools.error().what();
  std::ofstream(dir / "weir.toml") << first + "max = 5\n";
  std::thread reload([&] { EXPECT_TRUE(pools->reload()); });
  char one = 0;
  ASSERT_EQ(::read(told[0], &one, 1), 1);
  const pid_t child = fork_when_quiet();
  if (child == 0) {
    ::alarm(10);
    ::_exit(pools->reload().error().code() == Code::forked ? 0 : 1);
  }
  ASSERT_EQ(::write(go_on[1], &one, 1), 1);
  reload.join();
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  for (const int fd : {told[0], told[1], go_on[0], go_on[1]}) ::close(fd);
}

}  // namespace
}  // namespace weir::test
