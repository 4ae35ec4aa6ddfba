// SPDX-License-Identifier: MIT
//
// Goal: a wait without a thread is one like any other: in the same line, by the same deadline, with
// the same report. Whoever leaves it, at whatever point, leaves no connection behind.
#include "tests/runtime/event_loop.hpp"
#include "tests/runtime/world.hpp"

#include <array>
#include <atomic>
#include <stdexcept>

namespace weir::runtime {
namespace {

class Async : public PoolTest {
 protected:
  Task take(Pool& pool, AcquireOptions options = {}) {
    auto answer = co_await pool.async_acquire(loop, std::move(options));
    if (answer) {
      lease = *std::move(answer);
    } else {
      error = answer.error();
    }
  }
  static void rests(Pool& pool) {
    const PoolStats stats = pool.stats();
    EXPECT_EQ(stats.now.waiting, 0U);
    EXPECT_EQ(stats.now.lent, 0U);
    EXPECT_EQ(stats.acquires, stats.leases + stats.timeouts + stats.rejected + stats.failed);
    EXPECT_TRUE(pool.try_acquire()) << "the connection is there";
  }
  std::string failed_with(Code code) const {
    if (!error) return "no error";
    return error->code() == code ? "" : error->what();
  }

  EventLoop loop;
  Lease lease;
  std::optional<Error> error;
};

TEST_F(Async, what_is_idle_is_lent_without_a_detour) {
  auto pool = open(small(1));
  { auto warm = or_throw(pool->acquire()); }
  Task task = take(*pool);
  EXPECT_TRUE(task.done());
  EXPECT_EQ(loop.size(), 0U);
  ASSERT_TRUE(lease);
  EXPECT_TRUE(lease->query("SELECT 1"));
  lease.release();
  rests(*pool);
}

TEST_F(Async, a_connect_is_waited_for_without_a_thread) {
  auto pool = open(small(1), {{"open_latency", "20ms"}});
  Task task = take(*pool);
  // On a busy machine the connect may be over before the task has come to wait.
  eventually([&] { return task.done() || loop.size() == 1; });
  if (!task.done()) loop.run_one();
  EXPECT_TRUE(task.done());
  EXPECT_TRUE(lease);
  EXPECT_EQ(pool->stats().waited, 1U);
  lease.release();
}

TEST_F(Async, stands_in_one_line_with_blocking_callers) {
  auto pool = open(small(1));
  auto held = or_throw(pool->acquire());
  Task first = take(*pool);
  std::atomic<bool> second{false};
  std::thread thread([&] { second = pool->acquire().has_value(); });
  eventually([&] { return pool->stats().now.waiting == 2; });
  held.release();
  loop.run_one();
  EXPECT_TRUE(lease);
  EXPECT_FALSE(second);
  lease.release();
  thread.join();
  EXPECT_TRUE(second);
}

// L1, T2
TEST_F(Async, a_timeout_says_who_holds_the_connections) {
  std::atomic<int> told{0};
  hooks.on_timeout = [&](const TimeoutEvent& event) { told += event.tag == "report" ? 1 : 100; };
  auto pool = open(small(1));
  auto held = or_throw(pool->acquire({.tag = "checkout"}));
  Task task = take(*pool, {.timeout = 5ms, .tag = "report"});
  EXPECT_FALSE(task.done());
  loop.run_one();
  ASSERT_EQ(failed_with(Code::acquire_timeout), "");
  ASSERT_NE(error->acquire(), nullptr);
  EXPECT_EQ(error->acquire()->reason, AcquireClass::all_busy);
  EXPECT_GE(error->acquire()->waited, 5ms);
  EXPECT_EQ(error->acquire()->holders.at(0).tag, "checkout");
  EXPECT_EQ(told, 1);
  held.release();
  rests(*pool);
}

TEST_F(Async, a_timeout_that_is_heard_of_after_the_drain_is_told_to_no_hook) {
  int told = 0;
  hooks.on_timeout = [&](const TimeoutEvent&) { ++told; };
  auto pool = open(small(1));
  auto held = or_throw(pool->acquire());
  Task task = take(*pool, {.timeout = 5ms});
  eventually([&] { return loop.size() == 1; });
  held.release();
  EXPECT_TRUE(pool->drain(1h));
  loop.run_one();
  EXPECT_EQ(failed_with(Code::acquire_timeout), "");
  EXPECT_EQ(told, 0) << "what it uses may be gone";
}

TEST_F(Async, a_timeout_of_zero_does_not_wait) {
  auto pool = open(small(1));
  auto held = or_throw(pool->acquire());
  Task task = take(*pool, {.timeout = 0s});
  EXPECT_TRUE(task.done());
  EXPECT_EQ(failed_with(Code::none_idle), "");
}

TEST_F(Async, closing_the_pool_ends_the_wait) {
  auto pool = open(small(1));
  auto held = or_throw(pool->acquire());
  Task task = take(*pool);
  pool->begin_drain();
  loop.run_one();
  EXPECT_EQ(failed_with(Code::pool_closed), "");
}

TEST_F(Async, a_stop_ends_the_wait) {
  auto pool = open(small(1));
  auto held = or_throw(pool->acquire());
  std::stop_source stop;
  Task task = take(*pool, {.stop = stop.get_token()});
  EXPECT_EQ(loop.size(), 0U);
  stop.request_stop();
  loop.run_one();
  EXPECT_EQ(failed_with(Code::cancelled), "");
  held.release();
  rests(*pool);
}

TEST_F(Async, a_stop_ends_the_wait_of_a_thread) {
  auto pool = open(small(1));
  auto held = or_throw(pool->acquire());
  std::stop_source stop;
  std::thread thread([&] {
    auto answer = pool->acquire({.stop = stop.get_token()});
    if (!answer) error = answer.error();
  });
  eventually([&] { return pool->stats().now.waiting == 1; });
  stop.request_stop();
  thread.join();
  EXPECT_EQ(failed_with(Code::cancelled), "");
  held.release();
  rests(*pool);
}

TEST_F(Async, after_a_stop_only_what_is_idle_is_lent) {
  auto pool = open(small(1));
  { auto warm = or_throw(pool->acquire()); }
  std::stop_source stop;
  stop.request_stop();
  auto held = or_throw(pool->acquire({.stop = stop.get_token()}));
  EXPECT_EQ(pool->acquire({.stop = stop.get_token()}).error().code(), Code::cancelled);
  Task task = take(*pool, {.stop = stop.get_token()});
  EXPECT_TRUE(task.done());
  EXPECT_EQ(failed_with(Code::cancelled), "");
}

TEST_F(Async, a_coroutine_that_is_destroyed_leaves_the_line) {
  auto pool = open(small(1));
  auto held = or_throw(pool->acquire());
  {
    Task task = take(*pool);
    EXPECT_EQ(pool->stats().now.waiting, 1U);
  }
  EXPECT_EQ(pool->stats().now.waiting, 0U);
  held.release();
  EXPECT_EQ(loop.size(), 0U);
  rests(*pool);
}

// L3. Between the answer and the loop's turn; what the loop was given does nothing then.
TEST_F(Async, a_coroutine_that_is_destroyed_with_its_answer_gives_the_connection_back) {
  auto pool = open(small(1));
  auto held = or_throw(pool->acquire());
  {
    Task task = take(*pool);
    held.release();
    EXPECT_EQ(loop.size(), 1U);
    EXPECT_EQ(pool->stats().now.lent, 1U);
  }
  rests(*pool);
  loop.run_one();
  EXPECT_FALSE(lease);
}

TEST_F(Async, a_wait_that_nobody_awaits_is_given_up) {
  auto pool = open(small(1));
  auto held = or_throw(pool->acquire());
  { auto waits = pool->async_acquire(loop); }
  EXPECT_EQ(pool->stats().now.waiting, 0U);
  {
    auto waits = pool->async_acquire(loop);
    held.release();
    EXPECT_EQ(pool->stats().now.lent, 1U);
  }
  rests(*pool);
}

TEST_F(Async, what_an_executor_drops_gives_the_connection_back) {
  auto pool = open(small(1));
  auto held = or_throw(pool->acquire());
  auto alive = std::make_shared<int>();
  bool called = false;
  pool->async_acquire(loop).then([&called, alive](const Result<Lease>&) { called = true; });
  EXPECT_EQ(alive.use_count(), 2);
  held.release();
  { const Work dropped = loop.next(); }
  EXPECT_EQ(alive.use_count(), 1) << "the function is gone";
  EXPECT_FALSE(called);
  rests(*pool);
}

TEST_F(Async, a_function_is_called_on_the_executor_and_nowhere_else) {
  auto pool = open(small(1));
  { auto warm = or_throw(pool->acquire()); }
  int called = 0;
  pool->async_acquire(loop).then([&](Result<Lease> answer) {
    ++called;
    lease = or_throw(std::move(answer));
  });
  EXPECT_EQ(called, 0) << "not within then()";
  Work work = loop.next();
  work();
  work();
  EXPECT_EQ(called, 1) << "once";
  EXPECT_TRUE(lease);
  lease.release();
}

TEST_F(Async, an_executor_that_throws_is_replaced_by_a_thread_of_the_pools) {
  class Full final : public Executor {
    void post(Work) override { throw std::runtime_error("full"); }
  } full;
  auto pool = open(small(1));
  std::atomic<bool> called{false};
  pool->async_acquire(full).then([&](const Result<Lease>& answer) { called = answer.has_value(); });
  eventually([&] { return called.load(); });
}

TEST_F(Async, hooks_are_told_as_of_any_caller) {
  std::atomic<int> waits{0};
  std::atomic<int> acquires{0};
  std::atomic<int> releases{0};
  hooks.on_wait = [&](const WaitEvent& event) { waits += event.tag == "t" ? 1 : 0; };
  hooks.on_acquire = [&](const AcquireEvent& event) { acquires += event.lease.tag == "t" ? 1 : 0; };
  hooks.on_release = [&](const ReleaseEvent& event) { releases += event.lease.tag == "t" ? 1 : 0; };
  auto pool = open(small(1));
  Task task = take(*pool, {.tag = "t"});
  EXPECT_EQ(waits, 1);
  loop.run_one();
  EXPECT_EQ(acquires, 1);
  lease.release();
  EXPECT_EQ(releases, 1);
}

TEST_F(Async, tasks_that_wait_for_each_other_are_told_so) {
  auto pool = open(small(1));
  auto held = or_throw(pool->acquire({.task = 7}));
  Task task = take(*pool, {.task = 7});
  EXPECT_TRUE(task.done());
  EXPECT_EQ(failed_with(Code::self_deadlock), "");
}

// The answer comes while the hook, on the caller's thread, tells of the wait.
TEST_F(Async, an_answer_while_the_wait_begins_is_not_lost) {
  Lease held;
  hooks.on_wait = [&](const WaitEvent&) { held.release(); };
  auto pool = open(small(1));
  { auto warm = or_throw(pool->acquire()); }
  held = or_throw(pool->acquire());
  Task task = take(*pool);
  EXPECT_TRUE(task.done());
  EXPECT_TRUE(lease);
  lease.release();
}

// ---------------------------------------------------------------- work on the pools' threads

TEST_F(Async, a_query_runs_on_a_thread_of_the_pools) {
  auto pool = open(small(1));
  std::optional<Result<Rows>> rows;
  const auto ask = [&]() -> Task { rows = co_await pool->async_query(loop, "SELECT 1"); };
  Task task = ask();
  EXPECT_FALSE(task.done());
  loop.run_one();
  ASSERT_TRUE(task.done());
  ASSERT_TRUE(rows->has_value()) << rows->error().what();
  EXPECT_EQ((**rows)[0].get<int>(0), 1);
  rests(*pool);
}

// The same cell as of the parameter, after whatever it borrowed has changed.
template <class T>
weir_cell cell_of(const T& kept) {
  return weir::detail::to_cell(kept);
}

TEST_F(Async, parameters_outlive_the_call) {
  std::string text = "text";
  std::array<std::byte, 2> bytes{std::byte{1}, std::byte{2}};
  const auto view = weir::detail::owned(std::string_view(text));
  const auto pointer = weir::detail::owned(text.c_str());
  const auto perhaps = weir::detail::owned(std::optional(std::string_view(text)));
  const auto blob = weir::detail::owned(Blob{bytes});
  text = "gone";
  bytes.fill({});
  for (const weir_cell& cell : {cell_of(view), cell_of(pointer), cell_of(perhaps)}) {
    ASSERT_EQ(cell.type, WEIR_T_TEXT);
    EXPECT_EQ(std::string_view(static_cast<const char*>(cell.v.p), cell.size), "text");
  }
  ASSERT_EQ(cell_of(blob).type, WEIR_T_BLOB);
  EXPECT_EQ(static_cast<const std::byte*>(cell_of(blob).v.p)[1], std::byte{2});
  const char* const none = nullptr;
  EXPECT_EQ(cell_of(weir::detail::owned(none)).type, WEIR_T_NULL);
  EXPECT_EQ(cell_of(weir::detail::owned(std::optional<int>())).type, WEIR_T_NULL);
  EXPECT_EQ(cell_of(weir::detail::owned(42)).v.i, 42);
}

TEST_F(Async, a_function_with_a_lease_runs_on_a_thread_of_the_pools) {
  auto pool = open(small(1));
  std::thread::id where;
  std::optional<Result<int>> answer;
  const auto ask = [&]() -> Task {
    answer = co_await pool->async_with(loop, [&](Connection& c) -> Result<int> {
      where = std::this_thread::get_id();
      auto rows = c.query("SELECT 1");
      if (!rows) return fail(rows.error());
      return (*rows)[0].get<int>(0);
    });
  };
  Task task = ask();
  loop.run_one();
  EXPECT_EQ(or_throw(*answer), 1);
  EXPECT_NE(where, std::this_thread::get_id());
  EXPECT_NE(where, std::thread::id());
}

TEST_F(Async, what_the_function_throws_is_thrown_where_it_is_awaited) {
  auto pool = open(small(1));
  const auto ask = [&]() -> Task {
    static_cast<void>(co_await pool->async_with(
        loop, [](Connection&) -> int { throw std::runtime_error("no"); }));
  };
  Task task = ask();
  loop.run_one();
  ASSERT_TRUE(task.done());
  EXPECT_THROW(std::rethrow_exception(task.thrown()), std::runtime_error);
  rests(*pool);
}

TEST_F(Async, a_query_that_gets_no_connection_says_why) {
  auto pool = open(small(1));
  auto held = or_throw(pool->acquire());
  std::optional<Result<int>> answer;
  pool->async_with(loop, [](Connection&) { return 1; }, {.timeout = 1ms}).then([&](Result<int> r) {
    answer = std::move(r);
  });
  loop.run_one();
  EXPECT_EQ(answer->error().code(), Code::acquire_timeout);
}

TEST_F(Async, work_that_is_left_while_it_waits_is_not_done) {
  auto pool = open(small(1));
  auto held = or_throw(pool->acquire());
  std::atomic<bool> done{false};
  {
    auto waits = pool->async_with(loop, [&](Connection&) { done = true; });
  }
  held.release();
  rests(*pool);
  EXPECT_FALSE(done);
}

TEST_F(Async, work_that_is_left_while_it_runs_is_finished) {
  auto pool = open(small(1));
  std::atomic<int> stage{0};
  {
    auto runs = pool->async_with(loop, [&](Connection&) {
      stage = 1;
      eventually([&] { return stage == 2; });
      stage = 3;
    });
    eventually([&] { return stage == 1; });
  }
  stage = 2;
  eventually([&] { return stage == 3 && pool->stats().now.lent == 0; });
  EXPECT_EQ(loop.size(), 0U);
}

// A pool that closes waits for it, like for any lease, and lets go of what it needs afterwards.
TEST_F(Async, closing_waits_for_work) {
  auto pool = open(small(1));
  std::atomic<bool> begun{false};
  std::atomic<bool> done{false};
  pool->async_with(loop,
                   [&](Connection& c) {
                     begun = true;
                     eventually([&] { return pool->stats().state != "open"; });
                     done = c.query("SELECT 1").has_value();
                   })
      .then([](const Result<void>&) {});
  eventually([&] { return begun.load(); });
  EXPECT_TRUE(pool->drain(1h));
  EXPECT_TRUE(done);
}

// Everybody comes at once, and half of them leave again at some point.
TEST_F(Async, coroutines_and_threads_share_a_pool) {
  constexpr int rounds = 200;
  auto pool = open(small(2));
  std::atomic<int> served{0};
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; ++n) {
    threads.emplace_back([&, n] {
      EventLoop own;
      for (int i = 0; i < rounds; ++i) {
        std::stop_source stop;
        auto waits = pool->async_acquire(own, {.stop = stop.get_token()});
        if (i % 4 == 1) stop.request_stop();
        if (i % 4 == 2) continue;
        std::move(waits).then([&](const Result<Lease>& answer) { served += answer ? 1 : 0; });
        own.run_one();
      }
      for (int i = 0; i < rounds; ++i) {
        served += pool->query("SELECT 1").has_value() ? 1 : 0;
        if (n == 0) {
          pool->async_query(own, "SELECT 1").then([&](const Result<Rows>& rows) {
            served += rows ? 1 : 0;
          });
          own.run_one();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(served, 4 * rounds / 2 + 4 * rounds + rounds);
  EXPECT_EQ(pool->stats().now.lent, 0U);
  rests(*pool);
}

}  // namespace
}  // namespace weir::runtime
