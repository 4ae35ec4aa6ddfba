// SPDX-License-Identifier: MIT
//
// Goal: whatever a host, a file or a database does wrong is answered with an error of the right
// class that says what happened, where, and what to do; nothing crashes, hangs or leaks.
#include "tests/api/support.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace weir::test {
namespace {

void expect_text(const Error& error, std::initializer_list<const char*> parts) {
  for (const char* part : parts) {
    EXPECT_NE(error.what().find(part), std::string::npos)
        << "missing \"" << part << "\" in: " << error.what();
  }
}

TEST_F(ApiTest, a_missing_or_broken_file_is_named) {
  auto missing = Pools::from_file((dir / "nope.toml").string());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::config_unreadable);
  EXPECT_EQ(missing.error().exit_code(), 65);
  expect_text(missing.error(), {"nope.toml", "W101"});
  std::ofstream(dir / "bad.toml") << "version = 1\n[pool.main\n";
  auto broken = Pools::from_file((dir / "bad.toml").string());
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code(), Code::config_syntax);
  expect_text(broken.error(), {"bad.toml:2"});
}

TEST_F(ApiTest, an_unknown_pool_is_answered_with_the_nearest) {
  auto pools = open_file();
  ASSERT_TRUE(pools) << pools.error().what();
  EXPECT_EQ(pools->find("mian"), nullptr);
  try {
    static_cast<void>((*pools)["mian"]);
    FAIL();
  } catch (const Exception& e) {
    EXPECT_EQ(e.error().code(), Code::unknown_pool);
    expect_text(e.error(), {"mian", "did you mean \"main\""});
  }
}

TEST_F(ApiTest, an_unknown_driver_lists_every_place_that_was_tried) {
  auto pools = Pools::from_string("version = 1\n[drivers]\nsearch = [\"" + dir.string() +
                                  "\"]\n[pool.main]\ndriver = \"oracle\"\nurl = \"x\"\n");
  ASSERT_FALSE(pools);
  EXPECT_EQ(pools.error().code(), Code::driver_not_found) << pools.error().what();
  EXPECT_EQ(pools.error().exit_code(), 69);
  expect_text(pools.error(), {"oracle", dir.c_str()});
}

TEST_F(ApiTest, an_unknown_driver_option_is_answered_with_the_nearest) {
  auto pools = open("url = \"x.db\"", "[pool.main.options]\njurnal_mode = \"wal\"\n");
  ASSERT_FALSE(pools);
  EXPECT_EQ(pools.error().code(), Code::config_unknown_key) << pools.error().what();
  expect_text(pools.error(), {"jurnal_mode", "journal_mode"});
}

TEST_F(ApiTest, a_database_that_cannot_be_opened_is_reported_at_once_and_by_name) {
  auto pools = open("url = \"no/such/dir/x.db\"\nacquire_timeout = \"1h\"");
  ASSERT_TRUE(pools) << pools.error().what();
  auto lease = (*pools)["main"].acquire();
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code(), Code::create_failed) << lease.error().what();
  EXPECT_EQ(lease.error().exit_code(), 69);
  expect_text(lease.error(), {"no/such/dir/x.db"});

  auto eager =
      open("url = \"no/such/dir/x.db\"\nstart = \"eager\"\nmin = 1\nstart_timeout = \"1h\"");
  ASSERT_FALSE(eager);
  expect_text(eager.error(), {"no/such/dir/x.db"});
}

TEST_F(ApiTest, a_file_that_is_no_database_is_not_lent) {
  std::ofstream(dir / "letter.db") << std::string(4096, 'x');
  auto pools = open("url = \"letter.db\"\nacquire_timeout = \"1h\"");
  ASSERT_TRUE(pools);
  auto lease = (*pools)["main"].acquire();
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code(), Code::create_failed) << lease.error().what();
  expect_text(lease.error(), {"letter.db"});
}

TEST_F(ApiTest, a_lock_of_somebody_else_is_waited_for_and_then_named) {
  auto first = open_file();
  ASSERT_TRUE(first);
  ASSERT_TRUE((*first)["main"].execute("create table t (x)"));
  auto holder = (*first)["main"].acquire();
  ASSERT_TRUE((*holder)->begin());
  auto second = open_file("[pool.main.options]\nbusy_timeout = \"5ms\"");
  ASSERT_TRUE(second) << second.error().what();
  auto blocked = (*second)["main"].execute("insert into t values (1)");
  ASSERT_FALSE(blocked);
  EXPECT_EQ(blocked.error().code(), Code::conflict) << blocked.error().what();
  ASSERT_TRUE((*holder)->rollback());
  EXPECT_TRUE((*second)["main"].execute("insert into t values (1)"));
}

// R10
TEST_F(ApiTest, an_eager_start_fails_with_its_cause_and_a_lazy_one_does_nothing) {
  const std::string url = "url = \"missing/x.db\"\nmin = 1\n";
  auto eager = open(url + "start = \"eager\"");
  ASSERT_FALSE(eager);
  EXPECT_EQ(eager.error().code(), Code::create_failed) << eager.error().what();
  expect_text(eager.error(), {"missing"});
  auto lazy = open("url = \"lazy.db\"\nmin = 1\nstart = \"lazy\"");
  ASSERT_TRUE(lazy) << lazy.error().what();
  EXPECT_FALSE(std::filesystem::exists(dir / "lazy.db"));
  EXPECT_TRUE((*lazy)["main"].query("select 1"));
  EXPECT_TRUE(std::filesystem::exists(dir / "lazy.db"));
}

// R9
TEST_F(ApiTest, bad_sql_costs_no_connection) {
  auto pools = open_file("max = 1");
  ASSERT_TRUE(pools);
  Pool& db = (*pools)["main"];
  EXPECT_EQ(db.query("selekt 1").error().code(), Code::sql_error);
  EXPECT_EQ(db.query("select * from nowhere").error().code(), Code::sql_error);
  EXPECT_EQ(db.query(std::string("select 1\0, 2", 11)).error().code(), Code::invalid_argument);
  EXPECT_EQ(db.query("select ?, ?", 1).error().code(), Code::invalid_argument);
  EXPECT_EQ(db.query("select 1", 1).error().code(), Code::invalid_argument);
  EXPECT_EQ(db.query("select 1; select 2").error().code(), Code::invalid_argument);
  EXPECT_EQ(db.query("").error().code(), Code::invalid_argument);
  EXPECT_FALSE(db.query("select ?", std::numeric_limits<std::uint64_t>::max()));
  EXPECT_TRUE(db.query("select 1"));
  EXPECT_EQ(db.stats().created, 1U);
}

TEST_F(ApiTest, a_read_only_file_is_readable_and_says_so_on_writing) {
  {
    auto pools = open_file("[pool.main.options]\njournal_mode = \"delete\"");
    ASSERT_TRUE(pools) << pools.error().what();
    ASSERT_TRUE((*pools)["main"].execute("create table t (x)"));
  }
  auto pools = open("url = \"test.db\"", "[pool.main.options]\nmode = \"ro\"\n");
  ASSERT_TRUE(pools) << pools.error().what();
  EXPECT_TRUE((*pools)["main"].query("select * from t"));
  auto written = (*pools)["main"].execute("insert into t values (1)");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), Code::read_only) << written.error().what();
}

TEST_F(ApiTest, sizes_out_of_range_are_refused) {
  for (const char* pool : {"min = 5\nmax = 2", "max = 0", "max = 1000000000", "max = -1"}) {
    auto pools = open_file(pool);
    ASSERT_FALSE(pools) << pool;
    EXPECT_EQ(pools.error().exit_code(), 65) << pools.error().what();
  }
}

TEST_F(ApiTest, a_pool_with_leases_out_can_be_destroyed) {
  std::optional<Lease> left;
  {
    auto pools = open_file();
    ASSERT_TRUE(pools);
    left = *(*pools)["main"].acquire();
  }
  EXPECT_FALSE((*left)->query("select 1")) << "aborted: the pool is gone";
  left->release();
}

TEST_F(ApiTest, a_configuration_made_by_hand_is_checked_too) {
  Config config;
  PoolConfig pool;
  pool.name = "main";
  pool.driver = "sqlite";
  pool.url = Secret("x.db");
  pool.min = 9;
  pool.max = 3;
  config.pools["main"] = pool;
  auto pools = Pools::builder().config(config).open();
  ASSERT_FALSE(pools);
  EXPECT_EQ(pools.error().exit_code(), 65) << pools.error().what();
}

TEST_F(ApiTest, or_throw_carries_the_error) {
  try {
    static_cast<void>(or_throw(Pools::from_file((dir / "nope.toml").string())));
    FAIL();
  } catch (const Exception& e) {
    EXPECT_EQ(e.error().code(), Code::config_unreadable);
    EXPECT_EQ(std::string(e.what()), e.error().what());
  }
}

}  // namespace
}  // namespace weir::test
