// SPDX-License-Identifier: MIT
//
// Goal: the loop of weir::retry waits and reads the time through its pool and says why it stopped
// (RT7), and the callers of one pool share one budget (RT5). Method: a pool of virtual time, whose
// clock moves only in sleep_until; then the real pool over the mock driver.
#include "tests/runtime/world.hpp"

#include <weir/retry.hpp>

#include <array>
#include <atomic>
#include <memory>

namespace weir::runtime {
namespace {

// ---------------------------------------------------------------- virtual time

struct VirtualRuntime : OsRuntime {
  static inline Instant time;
  static inline std::uint64_t seed = 1;
  static Instant now() noexcept { return time; }
  static std::uint64_t random_seed() { return seed; }
};

// Of a pool only what retry asks of it; nothing is ever lent.
class VirtualPool final : public Pool {
 public:
  explicit VirtualPool(const RetryPolicy& policy = {}) : desk(policy) {}

  std::vector<Duration> pauses;
  RetryDesk<VirtualRuntime> desk;

  [[nodiscard]] Instant now() const noexcept override { return VirtualRuntime::time; }
  void sleep_until(Instant until) override {
    pauses.push_back(until - now());
    VirtualRuntime::time = until;
  }
  [[nodiscard]] PoolConfig config() const override { return {}; }
  [[nodiscard]] const std::string& name() const noexcept override { return name_; }
  [[nodiscard]] std::string placeholder(int) const override { return "?"; }
  [[nodiscard]] PoolStats stats() const override { return {}; }
  [[nodiscard]] PoolHealth health() const override { return {}; }
  [[nodiscard]] Result<void> wait_ready(Duration) override { return {}; }
  [[nodiscard]] Result<void> resize(std::uint32_t, std::uint32_t) override { return {}; }
  [[nodiscard]] Result<void> suspend(Duration) override { return {}; }
  void resume() override {}
  void use(Middleware, MiddlewareOptions) override {}
  [[nodiscard]] Result<void> evict() override { return {}; }
  [[nodiscard]] Result<void> drain(Duration) override { return {}; }

 private:
  [[nodiscard]] Result<Lease> lend(const Request&) override {
    return fail(Code::none_idle, "nothing idle");
  }
  [[nodiscard]] Result<std::vector<Lease>> lend_several(const Request&, std::uint32_t) override {
    return fail(Code::none_idle, "nothing idle");
  }
  [[nodiscard]] std::shared_ptr<weir::detail::AsyncWait> lend_later(
      const Request&, Executor&, std::shared_ptr<weir::detail::Job>) override {
    return nullptr;
  }
  void take_back(Session&, std::uint64_t) noexcept override {}
  [[nodiscard]] RetryPolicy retry_policy() const override { return desk.policy(); }
  [[nodiscard]] weir::detail::RetryDecision decide_retry(const RetryPolicy& policy,
                                                         weir::detail::RetryProgress& progress,
                                                         const Error& error,
                                                         Instant deadline) override {
    return desk.decide(policy, progress, error, deadline);
  }
  void retry_succeeded(const RetryPolicy& policy) noexcept override { desk.succeeded(policy); }

  std::string name_ = "virtual";
};

// Fails `failures` times, each of which takes `took`.
struct Flaky {
  int failures = 0;
  Duration took{};
  Error error{Code::none_idle, "nothing idle"};
  int calls = 0;

  Result<int> operator()() {
    VirtualRuntime::time += took;
    if (++calls <= failures) return fail(error);
    return calls;
  }
};

constexpr RetryPolicy even{.attempts = 5, .jitter = RetryJitter::none};

TEST(Retry, goes_on_until_it_succeeds_and_waits_longer_each_time) {
  VirtualPool pool;
  Flaky flaky{.failures = 3};
  const auto result = retry(pool, even, flaky);
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, 4);
  EXPECT_EQ(pool.pauses, (std::vector<Duration>{50ms, 100ms, 200ms}));
}

TEST(Retry, of_what_succeeds_at_once_neither_waits_nor_counts) {
  VirtualPool pool;
  Flaky flaky;
  EXPECT_EQ(*retry(pool, flaky), 1);
  EXPECT_TRUE(pool.pauses.empty());
}

TEST(Retry, hands_on_the_last_error_with_its_facts_and_says_what_was_tried) {
  VirtualPool pool;
  AcquireReport report;
  report.reason = AcquireClass::all_busy;
  Flaky flaky{.failures = 9, .took = 10ms, .error = {Code::acquire_timeout, "main: busy", report}};
  const auto result = retry(pool, even, flaky);
  ASSERT_FALSE(result);
  const Error& error = result.error();
  EXPECT_EQ(flaky.calls, 5);
  EXPECT_EQ(error.code(), Code::acquire_timeout);
  ASSERT_NE(error.acquire(), nullptr);
  EXPECT_EQ(error.acquire()->reason, AcquireClass::all_busy);
  ASSERT_NE(error.retry(), nullptr);
  EXPECT_EQ(error.retry()->attempts, 5U);
  EXPECT_EQ(error.retry()->elapsed, 50ms + 50ms + 100ms + 200ms + 400ms);
  EXPECT_EQ(error.retry()->stop, RetryStop::attempts);
  EXPECT_EQ(error.message(),
            "main: busy\n  tried 5 times in 800ms, and not again: attempts = 5 allows no more");
}

TEST(Retry, returns_at_once_where_the_next_pause_would_reach_the_deadline) {
  for (const Duration timeout : std::array<Duration, 5>{0ms, 50ms, 149ms, 150ms, 151ms}) {
    VirtualPool pool;
    Flaky flaky{.failures = 9};
    const Instant start = pool.now();
    const auto result = retry(pool, RetryOptions{.policy = even, .timeout = timeout}, flaky);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().retry()->stop, RetryStop::deadline);
    // Pauses of 50 ms and 100 ms: one that ends at the deadline is not begun.
    const int expected = timeout <= 50ms ? 1 : timeout <= 150ms ? 2 : 3;
    EXPECT_EQ(flaky.calls, expected) << timeout.count();
    EXPECT_TRUE(timeout == Duration{} || pool.now() < start + timeout);
    EXPECT_NE(result.error().message().find("would not end before the deadline"),
              std::string::npos);
  }
}

TEST(Retry, goes_by_the_earlier_of_timeout_and_deadline) {
  VirtualPool pool;
  Flaky flaky{.failures = 9};
  const auto result = retry(
      pool, RetryOptions{.policy = even, .timeout = 1h, .deadline = pool.now() + 60ms}, flaky);
  EXPECT_EQ(result.error().retry()->stop, RetryStop::deadline);
  EXPECT_EQ(flaky.calls, 2);
}

TEST(Retry, leaves_errors_alone_that_have_nothing_to_do_with_it) {
  VirtualPool pool;
  Flaky flaky{.failures = 9, .error = {Code::column_type, "not a number"}};
  const auto result = retry(pool, flaky);
  EXPECT_EQ(flaky.calls, 1);
  EXPECT_EQ(result.error().message(), "not a number");
  ASSERT_NE(result.error().retry(), nullptr);
  EXPECT_EQ(result.error().retry()->stop, RetryStop::not_retryable);
  EXPECT_EQ(result.error().retry()->attempts, 1U);
}

TEST(Retry, says_which_class_would_have_to_be_listed) {
  VirtualPool pool;
  Flaky flaky{.failures = 9, .took = 500ms};
  const auto result = retry(pool, RetryPolicy{.on = {.acquire = false}}, flaky);
  EXPECT_EQ(
      result.error().message(),
      "nothing idle\n  tried once in 500ms, and not again: its class is `acquire`, which `on` "
      "does not list");
}

TEST(Retry, refuses_a_policy_that_is_out_of_range_before_it_calls_anything) {
  VirtualPool pool;
  Flaky flaky;
  const auto result = retry(pool, RetryPolicy{.attempts = 0}, flaky);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::config_value);
  EXPECT_EQ(flaky.calls, 0);
}

TEST(Retry, stops_when_the_budget_is_spent_and_goes_on_once_successes_have_paid) {
  RetryPolicy policy = even;
  policy.budget = 2;
  policy.deposit_percent = 50;
  VirtualPool pool(policy);
  Flaky down{.failures = 1000};
  auto result = retry(pool, down);
  EXPECT_EQ(result.error().retry()->stop, RetryStop::budget);
  EXPECT_EQ(down.calls, 3);
  EXPECT_EQ(retry(pool, down).error().retry()->attempts, 1U);
  Flaky well;
  EXPECT_TRUE(retry(pool, well));
  EXPECT_EQ(retry(pool, down).error().retry()->attempts, 1U) << "half a retry is none";
  EXPECT_TRUE(retry(pool, well));
  EXPECT_EQ(retry(pool, down).error().retry()->attempts, 2U);
  EXPECT_NE(result.error().message().find("retry budget is spent"), std::string::npos);
}

TEST(Retry, draws_the_same_pauses_from_the_same_seed) {
  const auto pauses_of = [](std::uint64_t seed) {
    VirtualRuntime::seed = seed;
    VirtualPool pool;
    Flaky flaky{.failures = 9};
    static_cast<void>(retry(pool, RetryPolicy{.attempts = 9}, flaky));
    return pool.pauses;
  };
  EXPECT_EQ(pauses_of(7), pauses_of(7));
  EXPECT_NE(pauses_of(7), pauses_of(8));
  EXPECT_EQ(pauses_of(7).size(), 8U);
}

TEST(Retry, takes_functions_of_every_shape) {
  VirtualPool pool;
  int calls = 0;
  const Result<void> nothing = retry(pool, [&] { ++calls; });
  const Result<int> plain = retry(pool, [&](Pool& p) { return &p == &pool ? 1 : 0; });
  const Result<std::unique_ptr<int>> moved =
      retry(pool, [] { return Result<std::unique_ptr<int>>(std::make_unique<int>(3)); });
  EXPECT_TRUE(nothing);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(*plain, 1);
  EXPECT_EQ(**moved, 3);
}

TEST(Retry, lets_an_exception_through) {
  VirtualPool pool;
  int calls = 0;
  const auto throws = [&]() -> Result<void> {
    ++calls;
    throw std::runtime_error("mine");
  };
  EXPECT_THROW(static_cast<void>(retry(pool, throws)), std::runtime_error);
  EXPECT_EQ(calls, 1);
}

// ---------------------------------------------------------------- the real pool

PoolConfig hasty(PoolConfig config, const RetryPolicy& policy = {}) {
  config.retry = policy;
  config.retry.base = config.retry.max = 1ms;
  return config;
}

TEST_F(PoolTest, a_busy_pool_is_asked_again) {
  auto pool = open(hasty(small(1)));
  auto held = pool->acquire();
  ASSERT_TRUE(held);
  int calls = 0;
  const auto rows = retry(*pool, [&](Pool& p) -> Result<Rows> {
    if (++calls == 2) held->release();
    auto lease = p.try_acquire();
    if (!lease) return fail(lease.error());
    return (*lease)->query("SELECT 1");
  });
  ASSERT_TRUE(rows) << rows.error().what();
  EXPECT_EQ(calls, 2);
}

TEST_F(PoolTest, a_conflict_is_repeated_only_where_the_host_lists_it) {
  auto pool = open(hasty(small(1)));
  int calls = 0;
  const auto booking = [&](Pool& p) {
    return p.transaction(
        [&](Connection& c) { return c.execute(++calls == 1 ? "FAIL serialization" : "INSERT"); });
  };
  const auto once = retry(*pool, booking);
  ASSERT_FALSE(once);
  EXPECT_EQ(once.error().code(), Code::conflict);
  EXPECT_EQ(calls, 1);
  ASSERT_NE(once.error().database(), nullptr);
  calls = 0;
  const RetryPolicy listed{.base = 1ms, .on = {.conflict = true}};
  EXPECT_TRUE(retry(*pool, listed, booking));
  EXPECT_EQ(calls, 2);
}

TEST_F(PoolTest, a_lost_connection_is_not_repeated_where_the_server_may_have_acted) {
  auto pool = open(hasty(small(1)));
  int calls = 0;
  const auto breaks = [&](Pool& p) { return ++calls, p.execute("FAIL conn_lost"); };
  const auto result = retry(*pool, breaks);
  ASSERT_FALSE(result);
  EXPECT_EQ(calls, 1);
  EXPECT_NE(result.error().message().find("its class is `unknown`"), std::string::npos)
      << result.error().what();
}

TEST_F(PoolTest, all_threads_of_a_pool_share_one_retry_budget) {
  constexpr int threads = 4;
  constexpr int calls_each = 50;
  auto pool = open(hasty(small(1), {.budget = 7, .deposit_percent = 0}));
  std::atomic<int> attempts{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < threads; ++i) {
    callers.emplace_back([&] {
      for (int call = 0; call < calls_each; ++call) {
        const auto failed = retry(*pool, [&]() -> Result<void> {
          ++attempts;
          return fail(Code::none_idle, "nothing idle");
        });
        EXPECT_FALSE(failed);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(attempts, threads * calls_each + 7);
}

TEST_F(PoolTest, a_reload_changes_the_retry_policy_in_place) {
  auto pool = open(hasty(small(1), {.attempts = 1}));
  const auto attempts = [&] {
    const auto failed = retry(*pool, [] { return Result<void>(fail(Code::none_idle, "none")); });
    return failed.error().retry()->attempts;
  };
  EXPECT_EQ(attempts(), 1U);
  auto change = pool->prepare(hasty(small(1), {.attempts = 4}), {}, ".");
  ASSERT_TRUE(change) << change.error().what();
  pool->take_on(*std::move(change));
  EXPECT_EQ(attempts(), 4U);
}

TEST_F(PoolTest, a_closed_pool_is_not_asked_again) {
  auto pool = open(hasty(small(1)));
  ASSERT_TRUE(pool->drain(1s));
  int calls = 0;
  const auto closed = retry(*pool, [&](Pool& p) { return ++calls, p.query("SELECT 1"); });
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code(), Code::pool_closed);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace weir::runtime
