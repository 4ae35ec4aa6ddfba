// SPDX-License-Identifier: MIT
//
// Goal: weir::retry_transaction repeats a transaction that the database undid for the sake of
// another one and nothing else, by the pool's policy and budget; and savepoints where the driver
// has none, or fails at them. Method: the mock driver, and the same with one function replaced.
#include "tests/runtime/world.hpp"

#include <weir/retry.hpp>

namespace weir::runtime {
namespace {

class RetryTransaction : public PoolTest {
 protected:
  static PoolConfig hasty() {
    PoolConfig config = small(1);
    config.retry = {.attempts = 4, .base = 1ms};
    return config;
  }
  // Fails with that kind so many times. Returns: how often it was called.
  int calls_of(Pool& pool, const std::string& kind, int failures, std::optional<Code> end) {
    int calls = 0;
    const auto done = retry_transaction(pool, [&](Connection& c) {
      return c.execute(++calls <= failures ? "FAIL " + kind : "INSERT");
    });
    EXPECT_EQ(done ? std::nullopt : std::optional(done.error().code()), end) << kind;
    return calls;
  }
};

TEST_F(RetryTransaction, repeats_serialization_failures_and_deadlocks_by_the_policy) {
  auto pool = open(hasty());
  EXPECT_EQ(calls_of(*pool, "serialization", 2, std::nullopt), 3);
  EXPECT_EQ(calls_of(*pool, "deadlock", 3, std::nullopt), 4);
  EXPECT_EQ(calls_of(*pool, "deadlock", 9, Code::conflict), 4) << "attempts";
}

TEST_F(RetryTransaction, repeats_nothing_else_whatever_the_policy_lists) {
  PoolConfig config = hasty();
  config.retry.on = {.conflict = true, .unknown = true};
  auto pool = open(config);
  EXPECT_EQ(calls_of(*pool, "lock_timeout", 9, Code::conflict), 1);
  EXPECT_EQ(calls_of(*pool, "constraint", 9, Code::constraint), 1);
  EXPECT_EQ(calls_of(*pool, "conn_lost", 9, Code::connection_lost), 1);
  EXPECT_EQ(calls_of(*pool, "timeout", 9, Code::query_timeout), 1);
  // Nor what failed before there was a transaction.
  const Lease all = or_throw(pool->acquire());
  int calls = 0;
  const auto busy = retry_transaction(*pool, [&](Connection&) { ++calls; }, {.timeout = 1ms});
  EXPECT_EQ(busy.error().code(), Code::acquire_timeout);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(busy.error().message().find("tried"), std::string::npos) << busy.error().what();
}

TEST_F(RetryTransaction, says_what_it_tried) {
  auto pool = open(hasty());
  const auto often =
      retry_transaction(*pool, [](Connection& c) { return c.execute("FAIL deadlock"); });
  EXPECT_NE(often.error().message().find("tried 4 times"), std::string::npos)
      << often.error().what();
  int calls = 0;
  const auto then_other = retry_transaction(*pool, [&](Connection& c) {
    return c.execute(++calls == 1 ? "FAIL deadlock" : "FAIL data");
  });
  EXPECT_EQ(then_other.error().code(), Code::data_error);
  EXPECT_NE(then_other.error().message().find("tried 2 times"), std::string::npos)
      << then_other.error().what();
}

TEST_F(RetryTransaction, holds_no_connection_between_attempts_and_keeps_to_the_budget) {
  PoolConfig config = hasty();
  config.retry = {.attempts = 100, .base = 1ms, .max = 1ms, .budget = 5, .deposit_percent = 0};
  auto pool = open(config);
  int calls = 0;
  const auto done = retry_transaction(*pool, [&](Connection& c) {
    ++calls;
    return c.execute("FAIL deadlock");
  });
  EXPECT_FALSE(done);
  EXPECT_EQ(calls, 6);
  EXPECT_EQ(pool->stats().leases, 6U);
}

TEST_F(RetryTransaction, ends_at_the_deadline_of_all_attempts) {
  PoolConfig config = hasty();
  config.retry = {.attempts = 100, .base = 1h, .max = 1h, .jitter = RetryJitter::none};
  auto pool = open(config);
  int calls = 0;
  const auto done =
      retry_transaction(*pool, [&](Connection& c) { return ++calls, c.execute("FAIL deadlock"); },
                        {.deadline = pool->now() + 30min});
  EXPECT_FALSE(done);
  EXPECT_EQ(calls, 1);
  EXPECT_NE(done.error().message().find("before the deadline"), std::string::npos)
      << done.error().what();
}

// A function that keeps a lease from each attempt starves itself, and is told where they are.
TEST_F(RetryTransaction, of_a_function_that_leaks_leases_names_who_holds_them) {
  PoolConfig config = hasty();
  config.max = 3;
  config.acquire_timeout = 20ms;
  auto pool = open(config);
  std::vector<Lease> leaked;
  int calls = 0;
  const auto done = retry_transaction(*pool, [&](Connection& c) -> Result<Executed> {
    ++calls;
    auto lease = pool->acquire({.tag = "leak"});
    if (!lease) return fail(lease.error());
    leaked.push_back(*std::move(lease));
    return c.execute("FAIL deadlock");
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(leaked.size(), 2U);
  EXPECT_EQ(done.error().code(), Code::acquire_timeout) << done.error().what();
  ASSERT_NE(done.error().acquire(), nullptr);
  EXPECT_NE(done.error().what().find("\"leak\""), std::string::npos) << done.error().what();
}

TEST_F(PoolTest, a_transaction_in_another_one_says_that_the_driver_has_no_savepoints) {
  auto pool = open(small(1));
  const auto done =
      pool->transaction([](Connection& c) { return c.transaction([](Connection&) {}); });
  EXPECT_EQ(done.error().code(), Code::unsupported);
  EXPECT_NE(done.error().what().find("do the work in the outer one"), std::string::npos)
      << done.error().what();
}

// Else the next transaction of the lease would be a part of the one that is still there.
TEST_F(PoolTest, a_transaction_that_cannot_be_rolled_back_ends_the_use_of_its_connection) {
  static weir_driver table;
  table = *weir_mock_driver();
  table.rollback = [](weir_conn*, const weir_call*, weir_error* error) noexcept {
    error->kind = WEIR_E_OTHER;
    error->effect = WEIR_EFFECT_DEFINITE;
    error->tx_fate = WEIR_TX_OPEN;
    return weir_status{WEIR_E_OTHER};
  };
  driver = &table;
  auto pool = open(small(1));
  Lease lease = or_throw(pool->acquire());
  EXPECT_FALSE(lease->transaction(
      [](Connection&) -> Result<void> { return fail(Code::invalid_argument, "no"); }));
  const auto next = lease->transaction([](Connection& c) { return c.execute("INSERT"); });
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code(), Code::connection_lost) << next.error().what();
}

TEST_F(PoolTest, a_rollback_that_middleware_refuses_is_done_all_the_same) {
  auto pool = open(small(1));
  pool->use([](Call& call, Next& next) -> Result<CallDone> {
    if (call.kind() == CallKind::rollback) return fail(Code::read_only, "not today");
    return next();
  });
  Lease lease = or_throw(pool->acquire());
  EXPECT_FALSE(lease->transaction(
      [](Connection&) -> Result<void> { return fail(Code::invalid_argument, "no"); }));
  // A second one begins, and is no part of the first.
  EXPECT_TRUE(lease->transaction([](Connection& c) { return c.execute("INSERT"); },
                                 {.isolation = Isolation::serializable}));
}

// The database has gone back, whatever becomes of its answer: asked again it would know no
// savepoint.
TEST_F(PoolTest, a_savepoint_that_was_undone_before_middleware_threw_is_undone) {
  static weir_driver table;
  static std::vector<std::string> asked;
  asked.clear();
  table = *weir_mock_driver();
  table.caps |= WEIR_CAP_SAVEPOINT;
  table.execute = [](weir_conn* conn, const weir_call* call, const weir_exec_args* args,
                     weir_exec_out* out, weir_result** result, weir_batch* batch,
                     weir_error* error) noexcept {
    const std::string sql(args->sql.data, args->sql.size);
    if (sql.find("SAVEPOINT") == std::string::npos) {
      return weir_mock_driver()->execute(conn, call, args, out, result, batch, error);
    }
    const bool known = std::find(asked.begin(), asked.end(), sql) == asked.end();
    asked.push_back(sql);
    *result = nullptr;
    if (known) return weir_status{WEIR_OK};
    error->kind = WEIR_E_OTHER;
    return weir_status{WEIR_E_OTHER};
  };
  driver = &table;
  auto pool = open(small(1));
  pool->use([](Call& call, Next& next) -> Result<CallDone> {
    auto done = next();
    const bool back = call.sql().starts_with("ROLLBACK TO") || call.sql().starts_with("RELEASE");
    if (back) throw std::runtime_error("nobody to be told");
    return done;
  });
  const auto done = pool->transaction([](Connection& c) -> Result<void> {
    EXPECT_FALSE(c.transaction(
        [](Connection&) -> Result<void> { return fail(Code::invalid_argument, "no"); }));
    const auto next = c.execute("INSERT");
    EXPECT_TRUE(next) << next.error().what();
    return {};
  });
  EXPECT_TRUE(done) << done.error().what();
  EXPECT_EQ(asked.size(), 3U);
}

// A savepoint that cannot be gone back to leaves the work of the inner one in the outer one.
TEST_F(PoolTest, a_transaction_that_cannot_be_undone_in_part_is_not_committed) {
  static weir_driver table;
  static int commits;
  table = *weir_mock_driver();
  commits = 0;
  table.caps |= WEIR_CAP_SAVEPOINT;
  table.execute = [](weir_conn* conn, const weir_call* call, const weir_exec_args* args,
                     weir_exec_out* out, weir_result** result, weir_batch* batch,
                     weir_error* error) noexcept {
    const std::string_view sql(args->sql.data, args->sql.size);
    if (!sql.starts_with("ROLLBACK TO")) {
      if (sql != "SAVEPOINT weir_1") {
        return weir_mock_driver()->execute(conn, call, args, out, result, batch, error);
      }
      *result = nullptr;
      return weir_status{WEIR_OK};
    }
    error->kind = WEIR_E_OTHER;
    error->effect = WEIR_EFFECT_DEFINITE;
    error->tx_fate = WEIR_TX_OPEN;
    return weir_status{WEIR_E_OTHER};
  };
  table.commit = [](weir_conn* conn, const weir_call* call, weir_error* error) noexcept {
    ++commits;
    return weir_mock_driver()->commit(conn, call, error);
  };
  driver = &table;
  auto pool = open(small(1));
  const auto done = pool->transaction([](Connection& c) -> Result<void> {
    EXPECT_FALSE(c.transaction([](Connection& i) -> Result<void> {
      EXPECT_TRUE(i.execute("INSERT"));
      return fail(Code::invalid_argument, "no");
    }));
    EXPECT_FALSE(c.execute("INSERT"));
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::invalid_argument) << "why the inner one failed";
  EXPECT_NE(done.error().what().find("a part of this transaction could not be undone"),
            std::string::npos)
      << done.error().what();
  EXPECT_EQ(commits, 0);
  EXPECT_TRUE(pool->execute("INSERT"));
}

}  // namespace
}  // namespace weir::runtime
