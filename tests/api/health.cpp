// SPDX-License-Identifier: MIT
//
// Goal: a health check with real SQLite: a table that is missing is told, and told no more once it
// is there, while the pool serves all along.
#include "tests/api/support.hpp"

#include <thread>

namespace weir::test {
namespace {

template <class F>
void eventually(F&& done) {
  while (!done()) std::this_thread::sleep_for(1ms);
}

constexpr const char* checked =
    "reap_interval = \"1ms\"\n"
    "[pool.main.health]\ninterval = \"5ms\"\nsql = \"select id from users limit 1\"\n";

TEST_F(ApiTest, a_missing_table_degrades_a_pool_that_works) {
  auto pools = open_file(checked);
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  ASSERT_TRUE(db.query("select 1"));
  eventually([&] { return db.health().status == HealthStatus::degraded; });
  const PoolHealth health = db.health();
  ASSERT_EQ(health.reasons.size(), 1U) << health.to_json();
  EXPECT_EQ(health.reasons[0].cause, HealthCause::check_failed);
  EXPECT_NE(health.reasons[0].text.find("users"), std::string::npos) << health.reasons[0].text;
  EXPECT_NE(health.to_json().find("\"status\":\"degraded\""), std::string::npos);

  ASSERT_TRUE(db.execute("create table users (id integer primary key)"));
  eventually([&] { return db.health().status == HealthStatus::ready; });
  ASSERT_TRUE(db.health().last_check);
  EXPECT_EQ(db.health().last_check->error, "");
  EXPECT_EQ(db.stats().created, 1U);
  EXPECT_GE(db.stats().check_failures, 1U);
}

// In memory the connection is the data: a failing check must not cost it.
TEST_F(ApiTest, a_check_that_fails_does_not_cost_an_in_memory_database) {
  auto pools = open(std::string("url = \":memory:\"\n") + checked);
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  ASSERT_TRUE(db.execute("create table kept (id integer)"));
  eventually([&] { return db.stats().check_failures >= 2; });
  EXPECT_TRUE(db.query("select * from kept"));
}

TEST_F(ApiTest, all_pools_say_how_they_are) {
  auto pools = open_file("[pool.other]\ndriver = \"sqlite\"\nurl = \":memory:\"\n");
  ASSERT_TRUE(pools) << pools.error().what();
  ASSERT_TRUE((*pools)["other"].drain(1min));
  const auto all = pools->health();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "main");
  EXPECT_EQ(all[0].status, HealthStatus::ready);
  EXPECT_EQ(all[1].name, "other");
  EXPECT_EQ(all[1].status, HealthStatus::not_ready);
}

}  // namespace
}  // namespace weir::test
