// SPDX-License-Identifier: MIT
//
// Goal: what a caller sees of lending, waiting and failing, with real threads. The decisions behind
// it are tested in tests/engine; here it is the shell that is on trial.
#include "core/runtime/classify.hpp"
#include "tests/runtime/world.hpp"

#include <atomic>

namespace weir::runtime {
namespace {

TEST_F(PoolTest, lends_a_connection_that_works_and_takes_it_back) {
  auto pool = open(small(1));
  for (int i = 0; i < 3; ++i) {
    auto lease = pool->acquire();
    ASSERT_TRUE(lease) << lease.error().what();
    auto rows = (*lease)->query("SELECT 1");
    ASSERT_TRUE(rows) << rows.error().what();
    EXPECT_EQ((*rows)[0].get<int>(0), 1);
  }
  const PoolStats stats = pool->stats();
  EXPECT_EQ(stats.created, 1U);
  EXPECT_EQ(stats.leases, 3U);
  EXPECT_EQ(stats.returned, 3U);
  EXPECT_EQ(stats.use.count, 3U);
}

TEST_F(PoolTest, a_waiter_gets_the_connection_that_comes_back) {
  for (const Fairness fairness : {Fairness::strict, Fairness::bounded}) {
    PoolConfig config = small(1);
    config.fairness = fairness;
    auto pool = open(config);
    auto first = pool->acquire();
    ASSERT_TRUE(first);
    std::atomic<bool> got{false};
    std::thread waiter([&] {
      auto second = pool->acquire();
      got = second.has_value();
    });
    eventually([&] { return pool->stats().now.waiting == 1; });
    EXPECT_FALSE(got);
    first->release();
    waiter.join();
    EXPECT_TRUE(got);
    EXPECT_EQ(pool->stats().waited, 2U) << "the first one for the connect";
  }
}

TEST_F(PoolTest, a_timeout_says_who_holds_the_connections) {
  auto pool = open(small(1));
  auto held = pool->acquire({.tag = "checkout"});
  ASSERT_TRUE(held);
  std::optional<Error> why;
  std::thread([&] {
    auto late = pool->acquire({.timeout = 5ms});
    ASSERT_FALSE(late);
    why = late.error();
  }).join();
  EXPECT_EQ(why->code(), Code::acquire_timeout);
  ASSERT_NE(why->acquire(), nullptr);
  EXPECT_EQ(why->acquire()->reason, AcquireClass::all_busy);
  EXPECT_GE(why->acquire()->waited, 5ms);
  ASSERT_EQ(why->acquire()->holders.size(), 1U);
  EXPECT_EQ(why->acquire()->holders[0].tag, "checkout");
  EXPECT_NE(why->acquire()->holders[0].site.find("lending.cpp"), std::string::npos);
  EXPECT_NE(why->what().find("P2024"), std::string::npos) << why->what();
  EXPECT_NE(why->what().find("\"checkout\""), std::string::npos) << why->what();
  EXPECT_EQ(pool->stats().timeouts, 1U);
}

TEST_F(PoolTest, a_thread_that_waits_for_its_own_lease_is_told_so) {
  auto pool = open(small(1));
  auto held = pool->acquire();
  ASSERT_TRUE(held);
  auto second = pool->acquire({.timeout = 5ms});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().acquire()->reason, AcquireClass::self_deadlock);
}

TEST_F(PoolTest, a_deadline_that_has_passed_does_not_wait) {
  auto pool = open(small(1));
  auto held = pool->acquire();
  ASSERT_TRUE(held);
  EXPECT_EQ(pool->try_acquire().error().code(), Code::none_idle);
  EXPECT_EQ(pool->acquire_until(pool->now() - 1s).error().code(), Code::none_idle);
  EXPECT_EQ(pool->acquire({.timeout = -1s}).error().code(), Code::none_idle);
  held->release();
  EXPECT_TRUE(pool->try_acquire());
}

TEST_F(PoolTest, refuses_more_waiters_than_allowed) {
  PoolConfig config = small(1);
  config.max_waiting = 1;
  auto pool = open(config);
  auto held = pool->acquire();
  std::thread waiter([&] { EXPECT_TRUE(pool->acquire()); });
  eventually([&] { return pool->stats().now.waiting == 1; });
  auto refused = pool->acquire();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::queue_full);
  held->release();
  waiter.join();
}

TEST_F(PoolTest, a_configuration_error_reaches_every_waiter_at_once) {
  auto pool = open(small(2), {{"fail_open", "auth"}});
  std::vector<std::thread> threads;
  std::atomic<int> told{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      auto lease = pool->acquire({.timeout = 1h});
      ASSERT_FALSE(lease);
      EXPECT_EQ(lease.error().code(), Code::create_failed) << lease.error().what();
      ++told;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(told, 4);
}

TEST_F(PoolTest, an_unreachable_database_is_the_cause_of_the_timeout) {
  auto pool = open(small(1), {{"fail_open", "conn_lost"}});
  auto lease = times_out_for(*pool, AcquireClass::endpoint_down);
  ASSERT_FALSE(lease);
  ASSERT_EQ(lease.error().code(), Code::acquire_timeout) << lease.error().what();
  EXPECT_EQ(lease.error().acquire()->reason, AcquireClass::endpoint_down) << lease.error().what();
  EXPECT_FALSE(lease.error().acquire()->create_error.empty());
}

// The drivers of servers say of such a failure that it may pass, and of others too.
TEST(CreateErrors, a_full_server_is_no_server_that_is_down) {
  weir_error error{};
  error.struct_size = sizeof error;
  error.kind = WEIR_E_TOO_MANY_CONNECTIONS;
  for (const std::uint32_t flags : {0U, WEIR_ERROR_TRANSIENT}) {
    error.flags = flags;
    EXPECT_EQ(classify_create_error(Error::from_driver(error, "connecting"), false),
              engine::OpResult::server_full);
  }
  error.kind = WEIR_E_SERVER_NOT_READY;
  EXPECT_EQ(classify_create_error(Error::from_driver(error, "connecting"), false),
            engine::OpResult::failed);
}

// O2, M21
TEST_F(PoolTest, an_error_from_before_is_not_the_cause) {
  PoolConfig config = small(1);
  config.create_retry_interval = 1ms;
  auto pool = open(config, {{"fail_open", "conn_lost"}, {"fail_open_count", "1"}});
  auto held = pool->acquire({.timeout = 1h});  // the second attempt succeeds
  ASSERT_TRUE(held) << held.error().what();
  ASSERT_EQ(pool->stats().create_failures, 1U);
  auto late = pool->acquire({.timeout = 1ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().acquire()->create_error, "");
}

TEST_F(PoolTest, recovers_when_the_database_does) {
  PoolConfig config = small(2);
  config.create_retry_interval = 1ms;
  config.create_retry_max = 4ms;
  auto pool = open(config, {{"fail_open", "conn_lost"}, {"fail_open_count", "3"}});
  auto lease = pool->acquire({.timeout = 1h});
  EXPECT_TRUE(lease) << lease.error().what();
  EXPECT_GE(pool->stats().create_failures, 1U);
}

TEST_F(PoolTest, gives_up_a_connect_that_hangs) {
  PoolConfig config = small(1);
  config.create_timeout = 5ms;
  auto pool = open(config, {{"hang_open", "true"}});
  auto lease = pool->acquire({.timeout = 30ms});
  ASSERT_FALSE(lease);
  eventually([&] { return pool->stats().create_failures > 0; });
}

TEST_F(PoolTest, never_has_more_sessions_than_max_with_32_threads) {
  for (const Fairness fairness : {Fairness::strict, Fairness::bounded}) {
    PoolConfig config = small(2);
    config.fairness = fairness;
    config.max_lifetime = 3ms;  // churn: connections retire all the time
    config.reap_interval = 1ms;
    auto pool = open(config, {{"max_sessions", "2"}});
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    std::atomic<int> served{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 32; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 40; ++i) {
          auto lease = pool->acquire({.timeout = t % 4 == 3 ? Duration(200us) : Duration(1h)});
          if (!lease) continue;
          const int now = ++inside;
          for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
          }
          if (i % 8 == 0) {
            EXPECT_TRUE((*lease)->execute("DIRTY"));
          }
          --inside;
          ++served;
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_LE(most, 2);
    const PoolStats stats = pool->stats();
    EXPECT_EQ(stats.create_failures, 0U) << "the server saw a third session";
    EXPECT_EQ(stats.leases, static_cast<std::uint64_t>(served));
    EXPECT_EQ(stats.returned, stats.leases);
    EXPECT_EQ(stats.acquires, 32U * 40U);
    EXPECT_EQ(stats.acquires, stats.leases + stats.timeouts + stats.rejected + stats.failed);
    EXPECT_EQ(stats.now.lent, 0U);
  }
}

TEST_F(PoolTest, a_sink_that_throws_harms_nobody) {
  PoolConfig config = small(1);
  config.log.query = true;
  auto loaded = std::make_shared<loader::LoadedDriver>(
      loader::LoadedDriver{*loader::DriverTable::create(weir_mock_driver(), "linked in"),
                           "(linked in)",
                           {},
                           {},
                           {},
                           {}});
  auto pool = OsPool::create(
      {config, {}, ".", loaded, executor, [](LogLevel, std::string_view, std::string_view) {
         throw 1;
       }});
  ASSERT_TRUE(pool);
  EXPECT_TRUE((*pool)->query("SELECT 1"));
  EXPECT_TRUE((*pool)->drain(5s));
}

TEST_F(PoolTest, an_exception_of_the_callback_passes_through_and_the_lease_goes_back) {
  auto pool = open(small(1));
  EXPECT_THROW(static_cast<void>(pool->with([](Connection&) { throw std::runtime_error("x"); })),
               std::runtime_error);
  EXPECT_EQ(pool->stats().now.lent, 0U);
  EXPECT_THROW(
      static_cast<void>(pool->transaction([](Connection&) { throw std::runtime_error("x"); })),
      std::runtime_error);
  EXPECT_EQ(pool->stats().now.lent, 0U);
  EXPECT_TRUE(pool->query("SELECT 1"));
}

TEST_F(PoolTest, a_long_lease_is_reported_with_its_tag_and_place) {
  PoolConfig config = small(1);
  config.hold_warn = 1ms;
  config.reap_interval = 1ms;
  auto pool = open(config);
  auto lease = pool->acquire({.tag = "monthly report"});
  ASSERT_TRUE(lease);
  eventually([&] { return logged("\"monthly report\""); });
  EXPECT_TRUE(logged("lending.cpp"));
  EXPECT_EQ(pool->stats().long_holds, 1U);
}

TEST_F(PoolTest, writes_queries_to_the_log_when_asked) {
  PoolConfig config = small(1);
  config.log.query = true;
  auto pool = open(config);
  ASSERT_TRUE(pool->query("SELECT 1"));
  EXPECT_TRUE(logged("SELECT 1"));
  eventually([&] { return logged("opened in"); });
}

}  // namespace
}  // namespace weir::runtime
