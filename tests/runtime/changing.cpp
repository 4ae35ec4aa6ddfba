// SPDX-License-Identifier: MIT
//
// Goal: what a host sees of a reload, an eviction, a suspension, of callers that wait for each
// other, and of a fork. The decisions are tested in tests/engine; here it is the shell.
#include "core/runtime/process.hpp"
#include "tests/api/forks.hpp"
#include "tests/runtime/world.hpp"

#include <weir/retry.hpp>

#include <atomic>
#include <filesystem>
#include <iterator>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace weir::runtime {
namespace {

using Changing = PoolTest;

Result<void> reload(OsPool& pool, const PoolConfig& config,
                    const std::vector<std::pair<std::string, std::string>>& options = {}) {
  std::vector<DriverOption> driver_options;
  for (const auto& [key, value] : options) driver_options.push_back({key, Secret(value)});
  auto change = pool.prepare(config, std::move(driver_options), ".");
  if (!change) return fail(std::move(change).error());
  pool.take_on(*std::move(change));
  return {};
}

TEST_F(Changing, limits_change_without_touching_a_connection) {
  auto pool = open(small(1));
  ASSERT_TRUE(pool->query("SELECT 1"));
  PoolConfig wanted = pool->config();
  wanted.max = 3;
  wanted.acquire_timeout = 7s;
  wanted.log.query = true;
  ASSERT_TRUE(reload(*pool, wanted));
  ASSERT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(pool->stats().created, 1U);  // C2
  EXPECT_EQ(pool->stats().now.max, 3U);
  EXPECT_EQ(pool->config(), wanted);
  EXPECT_TRUE(logged("SELECT 1"));
}

TEST_F(Changing, the_same_configuration_again_changes_nothing) {
  auto pool = open(small(2));
  ASSERT_TRUE(pool->query("SELECT 1"));
  ASSERT_TRUE(reload(*pool, pool->config()));
  ASSERT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(pool->stats().created, 1U);
}

// The mock, but that it tells what a PostgreSQL server is asked for.
weir_status execute_as_a_server(weir_conn* conn, const weir_call* call, const weir_exec_args* args,
                                weir_exec_out* out, weir_result** result, weir_batch* batch,
                                weir_error* error) noexcept {
  constexpr std::string_view answer = "SELECT 'max_connections', '100'";
  weir_exec_args asked = *args;
  if (std::string_view(args->sql.data, args->sql.size).starts_with("SELECT name, setting")) {
    asked.sql = {answer.data(), answer.size()};
  }
  return weir_mock_driver()->execute(conn, call, &asked, out, result, batch, error);
}

TEST_F(Changing, a_size_that_the_server_tells_during_a_reload_is_not_lost) {
  static weir_driver server = *weir_mock_driver();
  server.execute = execute_as_a_server;
  driver = &server;
  PoolConfig config = small(max_auto);
  config.driver = "postgres";
  auto pool = open(config);
  config.acquire_timeout = 7s;
  auto change = pool->prepare(config, {}, ".");
  ASSERT_TRUE(change) << change.error().what();
  ASSERT_TRUE(pool->query("SELECT 1"));
  ASSERT_EQ(pool->config().max, 95U);  // of 100, less the reserve
  pool->take_on(*std::move(change));
  EXPECT_EQ(pool->config().acquire_timeout, 7s);
  EXPECT_EQ(pool->config().max, 95U);
  EXPECT_EQ(pool->stats().now.max, 95U);
}

TEST_F(Changing, other_init_sql_replaces_the_connections_as_they_come_back) {
  auto pool = open(small(2));
  auto lease = pool->acquire();
  ASSERT_TRUE(lease);
  ASSERT_TRUE(pool->query("SELECT 1"));  // a second connection, idle
  PoolConfig wanted = pool->config();
  wanted.init_sql = {"DIRTY"};
  ASSERT_TRUE(reload(*pool, wanted));
  EXPECT_TRUE((*lease)->query("SELECT 1"));  // what is lent may finish
  lease->release();
  ASSERT_TRUE(pool->query("SELECT 1"));
  eventually(
      [&] { return pool->stats().closed[static_cast<std::size_t>(CloseReason::outdated)] == 2; });
  EXPECT_TRUE(logged("all connections are replaced"));
}

TEST_F(Changing, a_reload_is_refused_whole) {
  auto pool = open(small(2));
  PoolConfig wanted = pool->config();
  wanted.min = 9;
  EXPECT_EQ(reload(*pool, wanted).error().code(), Code::config_conflict);
  wanted = pool->config();
  wanted.driver = "sqlite";
  EXPECT_EQ(reload(*pool, wanted).error().code(), Code::config_conflict);
  EXPECT_EQ(pool->config(), small(2));  // C3
  ASSERT_TRUE(pool->drain(5s));
  EXPECT_EQ(reload(*pool, small(3)).error().code(), Code::pool_closed);
}

TEST_F(Changing, an_evicted_pool_has_new_connections) {
  auto pool = open(small(1));
  ASSERT_TRUE(pool->query("SELECT 1"));
  ASSERT_TRUE(pool->evict());
  ASSERT_TRUE(pool->query("SELECT 1"));
  const PoolStats stats = pool->stats();
  EXPECT_EQ(stats.created, 2U);
  EXPECT_EQ(stats.closed[static_cast<std::size_t>(CloseReason::evicted)], 1U);
}

TEST_F(Changing, a_suspended_pool_lends_nothing_until_it_is_resumed) {
  auto pool = open(small(1));
  auto lease = pool->acquire();
  ASSERT_TRUE(lease);
  auto early =
      std::thread([&] { EXPECT_EQ(pool->suspend(1ms).error().code(), Code::drain_timeout); });
  early.join();  // this thread holds the lease
  lease->release();
  EXPECT_TRUE(pool->suspend(5s));
  EXPECT_EQ(pool->stats().state, "suspended");
  EXPECT_EQ(pool->try_acquire().error().code(), Code::pool_suspended);
  auto late = pool->acquire({.timeout = 5ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().acquire()->reason, AcquireClass::suspended);  // M22: the wait is counted
  EXPECT_GE(late.error().acquire()->phases[static_cast<std::size_t>(AcquirePhase::suspended)], 5ms);
  EXPECT_NE(late.error().what().find("suspended"), std::string::npos);
  auto waiter = std::thread([&] { EXPECT_TRUE(pool->acquire({.timeout = 1h})); });
  eventually([&] { return pool->stats().now.waiting == 1; });
  pool->resume();
  waiter.join();
  pool->resume();  // the second has no effect
}

TEST_F(Changing, a_suspend_succeeds_only_if_nothing_is_lent) {
  auto pool = open(small(1));
  {
    // Taken by this thread; it may be anybody's by now.
    const auto lease = pool->acquire();
    ASSERT_TRUE(lease);
    EXPECT_EQ(pool->suspend(1ms).error().code(), Code::drain_timeout);
  }
  pool->resume();
  const auto within = pool->with([&](Connection&) { return pool->suspend(1h); });
  ASSERT_FALSE(within) << "it cannot be waited for, and is there all the same";
  EXPECT_EQ(within.error().code(), Code::drain_timeout);
}

TEST_F(Changing, the_phases_of_a_wait_add_up_to_it) {
  auto pool = open(small(1));
  auto lease = pool->acquire();
  ASSERT_TRUE(lease);
  auto late = pool->acquire({.timeout = 3ms});
  ASSERT_FALSE(late);
  const AcquireReport& why = *late.error().acquire();
  Duration sum{};
  for (const Duration phase : why.phases) sum += phase;
  EXPECT_GE(sum, why.waited);
  EXPECT_LT(sum, why.waited + 1s);
  EXPECT_EQ(why.phases[static_cast<std::size_t>(AcquirePhase::busy)], sum);
}

// A lambda inside a lambda: the outer connection cannot come back before the inner call returns.
TEST_F(Changing, a_thread_that_waits_for_itself_is_told_at_once) {
  auto pool = open(small(1));
  auto outer = pool->with([&](Connection&) -> Result<Rows> { return pool->query("SELECT 1"); });
  ASSERT_FALSE(outer);
  EXPECT_EQ(outer.error().code(), Code::self_deadlock);
  EXPECT_EQ(outer.error().acquire()->reason, AcquireClass::self_deadlock);
  EXPECT_EQ(outer.error().acquire()->holders.size(), 1U);  // with its call site
  EXPECT_TRUE(pool->query("SELECT 1"));
}

TEST_F(Changing, threads_that_wait_for_each_other_are_told_at_once) {
  auto pool = open(small(2));
  std::atomic<int> inside{0};
  std::atomic<int> deadlocks{0};
  const auto nest = [&] {
    auto outer = pool->with([&](Connection&) -> Result<Rows> {
      ++inside;
      eventually([&] { return inside == 2; });
      return pool->query("SELECT 1");
    });
    if (!outer && outer.error().code() == Code::self_deadlock) ++deadlocks;
  };
  std::thread a(nest);
  std::thread b(nest);
  a.join();
  b.join();
  EXPECT_EQ(deadlocks, 1);  // the other one got the connection that came free
}

TEST_F(Changing, a_lease_that_another_thread_may_give_back_is_no_deadlock) {
  auto pool = open(small(1));
  auto lease = pool->acquire();
  ASSERT_TRUE(lease);
  std::thread waiter([&] { EXPECT_TRUE(pool->query("SELECT 1")); });
  eventually([&] { return pool->stats().now.waiting == 1; });
  lease->release();
  waiter.join();
}

TEST_F(Changing, tasks_of_the_host_are_told_apart_from_threads) {
  auto pool = open(small(1));
  auto lease = pool->acquire({.task = 7});
  ASSERT_TRUE(lease);
  auto same = pool->acquire({.timeout = 1h, .task = 7});
  ASSERT_FALSE(same);
  EXPECT_EQ(same.error().code(), Code::self_deadlock);
  auto other = pool->acquire({.timeout = 1ms, .task = 8});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), Code::acquire_timeout);
}

// T9: its abort comes before there is anything to abort.
TEST_F(Changing, evict_reaches_a_connect_that_waits_for_a_thread) {
  static std::atomic<int> aborts{0};
  static weir_driver counts = *weir_mock_driver();
  counts.abort = [](weir_canceller* canceller) noexcept {
    ++aborts;
    weir_mock_driver()->abort(canceller);
  };
  driver = &counts;
  auto pool = open(small(1));
  constexpr int threads_max = 256;
  std::atomic<bool> go{false};
  std::atomic<int> busy{0};
  for (int i = 0; i < threads_max; ++i) {
    executor->post([&] {
      ++busy;
      go.wait(false);
      --busy;
    });
  }
  eventually([&] { return busy == threads_max; });
  std::thread caller([&] { EXPECT_TRUE(pool->acquire({.timeout = 1h})); });
  eventually([&] { return pool->stats().now.connecting == 1; });
  EXPECT_TRUE(pool->evict());
  go = true;
  go.notify_all();
  caller.join();
  eventually([&] { return busy == 0; });
  EXPECT_EQ(aborts, 1);
}

// S16: in the child everything answers `forked`, nothing is sent or ended, and pools of its own
// work.
TEST_F(Changing, a_forked_child_can_neither_use_nor_harm_its_parents_pool) {
  if (!test::can_fork) GTEST_SKIP() << test::cannot_fork;
  auto pool = open(small(8));
  std::optional<Lease> lease = or_throw(pool->acquire());
  {
    std::vector<Lease> idle;  // more than there are threads to close them
    for (int i = 0; i < 7; ++i) idle.push_back(or_throw(pool->acquire()));
  }
  ASSERT_TRUE(pool->query("SELECT 1"));
  const pid_t child = test::fork_when_quiet();
  if (child == 0) {
    int asked = 0;
    int wrong = 0;  // the first of them that does not hold
    const auto expect = [&](bool holds) {
      ++asked;
      if (!holds && wrong == 0) wrong = asked;
    };
    const auto is_forked = [](const auto& result) {
      return !result && result.error().code() == Code::forked;
    };
    expect(is_forked((*lease)->query("SELECT 1")));
    expect(is_forked(pool->acquire()));
    expect(is_forked(pool->drain(1s)));
    pool->begin_drain();  // as for several pools at once
    const std::filesystem::directory_iterator threads("/proc/self/task");
    expect(std::distance(threads, {}) == 1);
    expect(pool->config().max == 8);
    expect(is_forked(pool->suspend(1s)));
    expect(is_forked(pool->resize(1, 2)));
    expect(is_forked(pool->evict()));
    expect(is_forked(pool->wait_ready(1s)));
    expect(is_forked(retry(*pool, [](Pool& p) { return p.query("SELECT 1"); })));
    lease->release();
    ::_exit(wrong);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE((*lease)->query("SELECT 1"));  // the parent noticed nothing
  lease->release();
  EXPECT_EQ(pool->stats().created, 8U);
}

// A log line about a close is written while the pool works; the sink may use the pool.
TEST_F(Changing, a_sink_may_call_back_into_the_pool) {
  std::shared_ptr<OsPool> pool;
  std::atomic<int> nested{0};
  auto loaded = std::make_shared<loader::LoadedDriver>(
      loader::LoadedDriver{*loader::DriverTable::create(weir_mock_driver(), "linked in"),
                           "(linked in)",
                           {},
                           {},
                           {},
                           {}});
  PoolConfig config = small(2);
  auto made = OsPool::create(
      {config, {}, ".", loaded, executor, [&](LogLevel, std::string_view, std::string_view line) {
         if (line.find("closed") == std::string_view::npos) return;
         if (pool && pool->query("SELECT 1")) ++nested;
         if (pool) static_cast<void>(pool->resize(0, 2));
       }});
  ASSERT_TRUE(made);
  pool = *made;
  ASSERT_TRUE(pool->query("SELECT 1"));
  ASSERT_TRUE(pool->evict());  // the sink acquires when it hears of the close (S9)
  eventually([&] { return nested > 0; });
  EXPECT_TRUE(pool->drain(5s));
}

}  // namespace
}  // namespace weir::runtime
