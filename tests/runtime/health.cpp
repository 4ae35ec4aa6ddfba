// SPDX-License-Identifier: MIT
//
// The pool's own query, and what pool.health() says, on real threads with the mock driver.
#include "tests/runtime/world.hpp"

namespace weir::runtime {
namespace {

PoolConfig checked(PoolConfig config, std::string sql = "SELECT 1") {
  config.reap_interval = 1ms;
  config.health = {5ms, std::move(sql)};
  return config;
}

HealthCause only_cause(const PoolHealth& health) {
  EXPECT_EQ(health.reasons.size(), 1U) << health.to_json();
  return health.reasons.empty() ? HealthCause{} : health.reasons[0].cause;
}

TEST_F(PoolTest, a_check_runs_on_an_idle_connection_and_is_reported) {
  auto pool = open(checked(small(2)));
  EXPECT_FALSE(pool->health().last_check);
  EXPECT_EQ(pool->health().status, HealthStatus::ready);  // the first caller makes a connection
  ASSERT_TRUE(pool->query("SELECT 2"));
  eventually([&] { return pool->stats().checks >= 3; });
  eventually([&] { return pool->health().last_check.has_value(); });
  EXPECT_EQ(pool->health().last_check->error, "");
  EXPECT_EQ(pool->health().status, HealthStatus::ready);
  EXPECT_EQ(pool->stats().check_failures, 0U);
  EXPECT_EQ(pool->stats().created, 1U);
}

TEST_F(PoolTest, without_an_interval_nothing_is_checked) {
  auto pool = open(small(2));
  ASSERT_TRUE(pool->query("SELECT 2"));
  EXPECT_EQ(pool->stats().checks, 0U);
  EXPECT_FALSE(pool->health().last_check);
}

TEST_F(PoolTest, a_check_that_fails_while_queries_work_degrades_the_pool_and_costs_nothing) {
  auto pool = open(checked(small(2), "FAIL permission"));
  ASSERT_TRUE(pool->query("SELECT 2"));
  eventually([&] { return pool->stats().check_failures >= 2; });
  const PoolHealth health = pool->health();
  EXPECT_EQ(health.status, HealthStatus::degraded);
  EXPECT_EQ(only_cause(health), HealthCause::check_failed);
  ASSERT_TRUE(health.last_check);
  EXPECT_NE(health.last_check->error, "");
  EXPECT_NE(health.reasons[0].text.find(health.last_check->error), std::string::npos);
  EXPECT_TRUE(pool->query("SELECT 2"));
  EXPECT_EQ(pool->stats().created, 1U);
  EXPECT_TRUE(logged("the health check failed after"));
}

TEST_F(PoolTest, a_check_that_passes_again_makes_the_pool_ready_again) {
  auto pool = open(checked(small(1)), {{"fail_exec", "permission"}, {"fail_exec_count", "2"}});
  ASSERT_TRUE(pool->acquire());
  eventually([&] { return pool->stats().check_failures == 2; });
  eventually([&] { return pool->health().status == HealthStatus::ready; });
  EXPECT_EQ(pool->stats().created, 1U);
  eventually([&] { return logged("the health check passes again"); });
}

TEST_F(PoolTest, a_check_that_finds_its_connection_lost_closes_it) {
  auto pool = open(checked(small(1), "BREAK"));
  ASSERT_TRUE(pool->query("SELECT 2"));
  eventually(
      [&] { return pool->stats().closed[static_cast<std::size_t>(CloseReason::broken)] >= 1; });
  EXPECT_EQ(only_cause(pool->health()), HealthCause::check_failed);
  EXPECT_TRUE(pool->query("SELECT 2"));
}

TEST_F(PoolTest, what_a_check_leaves_behind_is_cleaned_up) {
  auto pool = open(checked(small(1), "BEGIN"));
  ASSERT_TRUE(pool->query("SELECT 2"));
  eventually([&] { return pool->stats().checks >= 3; });
  auto begun = pool->transaction([](Connection& c) { return c.query("SELECT 1"); });
  EXPECT_TRUE(begun) << begun.error().what();
  EXPECT_EQ(pool->stats().created, 1U);
}

TEST_F(PoolTest, a_reload_turns_checks_on_and_off) {
  auto pool = open(small(1));
  ASSERT_TRUE(pool->query("SELECT 2"));
  auto on = pool->prepare(checked(pool->config(), "FAIL permission"), {}, ".");
  ASSERT_TRUE(on) << on.error().what();
  pool->take_on(*std::move(on));
  eventually([&] { return pool->health().status == HealthStatus::degraded; });
  auto off = pool->prepare(small(1), {}, ".");
  ASSERT_TRUE(off);
  pool->take_on(*std::move(off));
  EXPECT_EQ(pool->health().status, HealthStatus::ready);  // what nobody looks after is not told
  EXPECT_FALSE(pool->health().last_check);
  EXPECT_EQ(pool->stats().created, 1U);
}

TEST_F(PoolTest, health_says_why_nobody_is_served) {
  PoolConfig config = small(1);
  config.min = 1;
  config.start = Start::background;
  EXPECT_EQ(only_cause(open(config, {{"hang_open", "true"}})->health()), HealthCause::starting);
  auto down = open(config, {{"fail_open", "connect"}});
  EXPECT_FALSE(down->wait_ready(5ms));
  eventually([&] { return only_cause(down->health()) == HealthCause::unreachable; });
  EXPECT_EQ(down->health().status, HealthStatus::not_ready);

  auto pool = open(small(1));
  ASSERT_TRUE(pool->suspend(1h));
  EXPECT_EQ(only_cause(pool->health()), HealthCause::suspended);
  pool->resume();
  EXPECT_EQ(pool->health().status, HealthStatus::ready);
  ASSERT_TRUE(pool->drain(1h));
  EXPECT_EQ(only_cause(pool->health()), HealthCause::closed);
  EXPECT_EQ(pool->health().status, HealthStatus::not_ready);
}

TEST_F(PoolTest, health_says_that_callers_have_waited_for_long) {
  PoolConfig config = small(1);
  config.acquire_timeout = 2ms;
  auto pool = open(config);
  auto busy = pool->acquire({.timeout = 1h});
  ASSERT_TRUE(busy);
  std::thread waiter([&] { EXPECT_TRUE(pool->acquire({.timeout = 1h})); });
  eventually([&] { return pool->health().status == HealthStatus::degraded; });
  EXPECT_EQ(only_cause(pool->health()), HealthCause::exhausted);
  busy->release();
  waiter.join();
  EXPECT_EQ(pool->health().status, HealthStatus::ready);
}

}  // namespace
}  // namespace weir::runtime
