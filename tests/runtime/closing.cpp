// SPDX-License-Identifier: MIT
//
// Goal: a pool closes promptly, loses nothing, and outlives nobody's lease by surprise.
#include "tests/runtime/world.hpp"

#include <atomic>

namespace weir::runtime {
namespace {

TEST_F(PoolTest, drain_fails_the_waiters_at_once_and_lets_the_lease_finish) {
  auto pool = open(small(1));
  auto held = pool->acquire();
  ASSERT_TRUE(held);
  std::atomic<bool> told{false};
  std::thread waiter([&] {
    auto lease = pool->acquire({.timeout = 1h});
    ASSERT_FALSE(lease);
    EXPECT_EQ(lease.error().code(), Code::pool_closed);
    told = true;
  });
  eventually([&] { return pool->stats().now.waiting == 1; });
  std::thread closer([&] { EXPECT_TRUE(pool->drain(1h)); });
  waiter.join();
  EXPECT_TRUE(told);
  EXPECT_TRUE((*held)->query("SELECT 1")) << "a lease may finish while the pool drains";
  held->release();
  closer.join();
  EXPECT_EQ(pool->stats().state, "closed");
  EXPECT_EQ(pool->acquire().error().code(), Code::pool_closed);
  EXPECT_EQ(pool->try_acquire().error().code(), Code::pool_closed);
}

// L5, T10
TEST_F(PoolTest, drain_aborts_what_does_not_come_back_and_says_who_it_was) {
  auto pool = open(small(1), {{"hang_exec", "true"}});
  std::thread stuck([&] {
    auto lease = pool->acquire({.tag = "report"});
    ASSERT_TRUE(lease);
    auto rows = (*lease)->query("SELECT 1");  // hangs until it is aborted
    EXPECT_FALSE(rows);
  });
  eventually([&] { return pool->stats().now.lent == 1; });
  auto drained = pool->drain(5ms);
  stuck.join();
  if (!drained) {  // it may also have come back within the grace that follows the abort
    EXPECT_EQ(drained.error().code(), Code::drain_timeout);
    EXPECT_NE(drained.error().message().find("report"), std::string::npos);
  }
  eventually([&] { return pool->stats().state == "closed"; });
}

TEST_F(PoolTest, a_thread_that_drains_within_its_own_lease_does_not_wait_for_itself) {
  auto pool = open(small(1));
  const auto drained = pool->with([&](Connection&) { return pool->drain(1h); });
  ASSERT_FALSE(drained);
  EXPECT_EQ(drained.error().code(), Code::drain_timeout);
  eventually([&] { return pool->stats().state == "closed"; });
}

TEST_F(PoolTest, a_lease_that_was_handed_to_another_thread_is_waited_for) {
  auto pool = open(small(1));
  auto taken = pool->acquire();
  ASSERT_TRUE(taken);
  std::thread other([&, held = *std::move(taken)]() mutable {
    eventually([&] { return pool->stats().state == "draining"; });
    for (int i = 0; i < 50; ++i) std::this_thread::yield();
    EXPECT_TRUE(held->query("SELECT 1")) << "it has until the timeout";
    held.release();
  });
  EXPECT_TRUE(pool->drain(1h));
  other.join();
}

TEST_F(PoolTest, a_lease_outlives_the_owner_of_its_pool) {
  PoolConfig config = small(1);
  config.drain_timeout = 0s;
  auto pool = open(config);
  auto held = pool->acquire();
  ASSERT_TRUE(held);
  static_cast<void>(pool->drain(0s));
  const std::weak_ptr<OsPool> watch = pool->weak_from_this();
  pool.reset();
  ASSERT_FALSE(watch.expired());
  EXPECT_FALSE((*held)->query("SELECT 1")) << "it was aborted";
  held->release();
  eventually([&] { return watch.expired(); });
}

TEST_F(PoolTest, drain_ends_a_connect_that_hangs) {
  PoolConfig config = small(1);
  config.min = 1;
  config.create_timeout = 1h;
  auto pool = open(config, {{"hang_open", "true"}});
  pool->start();
  eventually([&] { return pool->stats().now.connecting == 1; });
  EXPECT_TRUE(pool->drain(1h));
}

// The waiter may be the last one to hold the pool: it must not end under its own lock.
TEST_F(PoolTest, a_waiter_may_outlive_the_owner) {
  for (int i = 0; i < 20; ++i) {
    auto pool = open(small(1), {{"hang_open", "true"}});
    std::thread waiter([raw = pool.get()] {
      auto lease = raw->acquire({.timeout = 1h});
      ASSERT_FALSE(lease);
      EXPECT_EQ(lease.error().code(), Code::pool_closed);
    });
    eventually([&] { return pool->stats().now.waiting == 1; });
    pool.reset();
    waiter.join();
  }
}

TEST_F(PoolTest, resize_stays_within_what_the_driver_can_give) {
  auto pool = open(small(9), {{"connections_max", "3"}});
  EXPECT_EQ(pool->config().max, 3U);
  EXPECT_EQ(pool->resize(0, 4).error().code(), Code::config_conflict);
  EXPECT_TRUE(pool->resize(0, 2));
  EXPECT_TRUE(pool->resize(0, max_auto));
  EXPECT_EQ(pool->config().max, 3U);
}

TEST_F(PoolTest, what_the_driver_can_give_is_asked_anew_at_a_reload) {
  auto pool = open(small(9), {{"connections_max", "2"}});
  for (const std::uint32_t can_give : {6U, 1U}) {
    auto change =
        pool->prepare(small(9), {{"connections_max", Secret(std::to_string(can_give))}}, ".");
    ASSERT_TRUE(change) << change.error().what();
    pool->take_on(*std::move(change));
    EXPECT_EQ(pool->config().max, can_give);
    EXPECT_EQ(pool->resize(0, can_give + 1).error().code(), Code::config_conflict);
    EXPECT_TRUE(pool->resize(0, can_give));
  }
}

TEST_F(PoolTest, resize_may_leave_nothing_of_what_an_eager_start_waited_for) {
  PoolConfig config = small(2);
  config.min = 1;
  config.start = Start::eager;
  auto pool = open(config);
  const auto resized = pool->resize(0, 2);
  EXPECT_TRUE(resized) << resized.error().what();
  EXPECT_EQ(pool->config().start, Start::eager);
}

TEST_F(PoolTest, drain_twice_is_once) {
  auto pool = open(small(2));
  ASSERT_TRUE(pool->query("SELECT 1"));
  EXPECT_TRUE(pool->drain(1h));
  EXPECT_TRUE(pool->drain(1h));
}

TEST_F(PoolTest, wait_ready_waits_for_min_and_names_the_cause_of_failure) {
  PoolConfig config = small(3);
  config.min = 2;
  auto good = open(config);
  EXPECT_TRUE(good->wait_ready(1h));
  EXPECT_GE(good->stats().now.idle, 2U);

  auto bad = open(config, {{"fail_open", "auth"}});
  auto ready = bad->wait_ready(1h);
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code(), Code::create_failed);

  auto down = open(config, {{"fail_open", "conn_lost"}});
  ready = down->wait_ready(5ms);
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code(), Code::not_ready) << ready.error().what();
}

TEST_F(PoolTest, resize_is_checked_and_takes_effect) {
  auto pool = open(small(1));
  EXPECT_EQ(pool->resize(0, 0).error().code(), Code::config_value);
  EXPECT_FALSE(pool->resize(3, 2));
  auto first = pool->acquire();
  ASSERT_TRUE(pool->resize(0, 2));
  auto second = pool->acquire({.timeout = 1h});
  ASSERT_TRUE(second);
  ASSERT_TRUE(pool->resize(0, 1));
  first->release();
  second->release();
  eventually([&] { return pool->stats().now.idle == 1 && pool->stats().now.other == 0; });
  EXPECT_EQ(pool->stats().closed[static_cast<std::size_t>(CloseReason::surplus)], 1U);
}

TEST_F(PoolTest, an_unknown_driver_option_or_url_is_refused_before_any_connect) {
  EXPECT_FALSE(try_open(small(1), {{"no_such_option", "1"}}));
}

}  // namespace
}  // namespace weir::runtime
