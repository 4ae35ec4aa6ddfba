// SPDX-License-Identifier: MIT
//
// Goal: handles that are used wrongly answer with an error, touch nobody else's session, and leave
// the connection in order.
#include "tests/runtime/world.hpp"

#include <atomic>
#include <future>

namespace weir::runtime {
namespace {

// Of the next return the driver says that a cancel has been sent and may still arrive.
std::atomic<bool> cancel_pending{false};

void state_with_a_late_cancel(const weir_conn* conn, weir_conn_state* state) noexcept {
  weir_mock_driver()->state(conn, state);
  if (cancel_pending.exchange(false)) state->flags |= WEIR_STATE_CANCEL_PENDING;
}

// S14: it would hit the statement of whoever borrows the connection next.
TEST_F(PoolTest, a_connection_with_an_unsettled_cancel_is_not_lent_before_a_reset) {
  static weir_driver late_cancel = *weir_mock_driver();
  late_cancel.state = state_with_a_late_cancel;
  driver = &late_cancel;
  auto pool = open(small(1));
  auto lease = pool->acquire();
  ASSERT_TRUE(lease);
  ASSERT_TRUE((*lease)->query("SELECT 1"));
  cancel_pending = true;
  lease->release();
  ASSERT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(pool->stats().resets, 1U);
}

int looks = 0;                // at the state of a connection
std::uint32_t says_also = 0;  // WEIR_STATE_*

void state_counted(const weir_conn* conn, weir_conn_state* state) noexcept {
  ++looks;
  weir_mock_driver()->state(conn, state);
  state->flags |= says_also;
}

weir_driver counts_looks() {
  weir_driver driver = *weir_mock_driver();
  driver.state = state_counted;
  driver.native = [](weir_conn*, const char*, void** handle, weir_error*) noexcept {
    *handle = &looks;
    return weir_status{WEIR_OK};
  };
  return driver;
}

TEST_F(PoolTest, what_a_lease_left_is_looked_at_if_it_asked_the_driver_for_anything) {
  static weir_driver counting = counts_looks();
  driver = &counting;
  auto pool = open(small(1));
  const auto looks_after = [&](auto&& use) {
    auto lease = pool->acquire();
    EXPECT_TRUE(lease);
    use(**lease);
    looks = 0;
    lease->release();
    return looks;
  };
  EXPECT_EQ(looks_after([](Connection&) {}), 0);
  EXPECT_EQ(looks_after([](Connection& c) { EXPECT_TRUE(c.query("SELECT 1")); }), 1);
  EXPECT_EQ(looks_after([](Connection&) {}), 0) << "that was another lease";
  EXPECT_EQ(looks_after([](Connection& c) { EXPECT_TRUE(c.prepare("SELECT 1")); }), 1);
  EXPECT_EQ(looks_after([](Connection& c) { EXPECT_TRUE(c.prepare("SELECT 1")); }), 0)
      << "the statement was there";
  EXPECT_EQ(looks_after([](Connection& c) { EXPECT_TRUE(c.ping()); }), 1);
  EXPECT_EQ(looks_after([](Connection& c) { EXPECT_TRUE(c.native("mock*")); }), 1);
  EXPECT_EQ(looks_after([](Connection&) {}), 1) << "who knows what is done with the handle";
}

// The state of no conn ever shows a change.
weir_driver sees_no_changes() {
  weir_driver driver = *weir_mock_driver();
  driver.caps &= ~WEIR_CAP_DIRTY;
  driver.state = [](const weir_conn* conn, weir_conn_state* state) noexcept {
    weir_mock_driver()->state(conn, state);
    state->flags &= ~(WEIR_STATE_DIRTY | WEIR_STATE_DIRTY_UNKNOWN);
  };
  return driver;
}

TEST_F(PoolTest, a_session_that_was_used_is_reset_where_its_driver_sees_no_changes) {
  static weir_driver blind = sees_no_changes();
  driver = &blind;
  auto pool = open(small(1));
  ASSERT_TRUE(pool->query("DIRTY"));
  ASSERT_TRUE(pool->acquire()) << "and given back as it came";
  EXPECT_EQ(pool->stats().resets, 1U);
  ASSERT_TRUE(pool->query("SELECT 1"));
  ASSERT_TRUE(pool->acquire());
  EXPECT_EQ(pool->stats().resets, 2U);
  EXPECT_EQ(pool->stats().created, 1U);
}

TEST_F(PoolTest, a_session_is_lent_as_it_is_where_its_driver_sees_no_changes_and_cannot_reset) {
  static weir_driver blind = sees_no_changes();
  blind.caps &= ~(WEIR_CAP_RESET_SESSION | WEIR_CAP_RESET_FULL);
  driver = &blind;
  auto pool = open(small(1));
  ASSERT_TRUE(pool->query("DIRTY"));
  ASSERT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(pool->stats().resets, 0U);
  EXPECT_EQ(pool->stats().created, 1U);
}

int pings = 0;

// One that met its deadline would break the connection, and its transaction would be lost.
TEST_F(PoolTest, a_ping_in_a_transaction_asks_nobody) {
  static weir_driver counting = counts_looks();
  counting.ping = [](weir_conn* conn, std::int32_t depth, const weir_call* call,
                     std::int32_t* alive, weir_error* error) noexcept -> weir_status {
    ++pings;
    return weir_mock_driver()->ping(conn, depth, call, alive, error);
  };
  driver = &counting;
  auto pool = open(small(1));
  auto lease = pool->acquire();
  ASSERT_TRUE(lease);
  Connection& c = **lease;
  EXPECT_TRUE(c.transaction([](Connection& in) { return in.ping(); }));
  ASSERT_TRUE(c.begin());
  EXPECT_TRUE(c.ping());
  EXPECT_EQ(pings, 0);
  ASSERT_TRUE(c.commit());
  EXPECT_TRUE(c.ping());
  EXPECT_EQ(pings, 1);

  ASSERT_TRUE(c.begin());
  says_also = WEIR_STATE_BROKEN;
  const auto dead = c.ping();
  says_also = 0;
  ASSERT_FALSE(dead);
  EXPECT_EQ(dead.error().code(), Code::connection_lost);
  EXPECT_EQ(pings, 1);
}

TEST_F(PoolTest, what_its_holder_was_told_is_broken_is_not_lent_again) {
  static weir_driver counting = counts_looks();
  driver = &counting;
  auto pool = open(small(1));
  auto lease = pool->acquire();
  ASSERT_TRUE(lease);
  EXPECT_FALSE((*lease)->is_broken());
  says_also = WEIR_STATE_BROKEN;
  EXPECT_TRUE((*lease)->is_broken());
  lease->release();
  says_also = 0;
  ASSERT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(pool->stats().created, 2U);
}

// Set while a pool has a connect under way; called by it.
std::function<void()> during_open;

weir_status open_with_a_look(weir_source* source, const weir_call* call, const weir_open_args* args,
                             weir_canceller* canceller, weir_conn** conn,
                             weir_error* error) noexcept {
  if (during_open) during_open();
  return weir_mock_driver()->open(source, call, args, canceller, conn, error);
}

// S9: no driver function runs under the pool's lock.
TEST_F(PoolTest, a_pool_answers_while_a_connect_is_under_way) {
  static weir_driver looking = *weir_mock_driver();
  looking.open = open_with_a_look;
  driver = &looking;
  PoolConfig config = small(1);
  config.create_timeout = 1h;
  auto pool = open(config);
  std::future<PoolStats> seen;
  bool answered = false;
  during_open = [&] {
    seen = std::async(std::launch::async, [&] { return pool->stats(); });
    answered = seen.wait_for(5s) == std::future_status::ready;  // at once, unless it is locked out
  };
  EXPECT_TRUE(pool->acquire({.timeout = 1h}));
  during_open = nullptr;
  EXPECT_TRUE(answered);
  EXPECT_EQ(seen.get().now.connecting, 1U);
}

TEST_F(PoolTest, a_connection_used_after_its_lease_is_refused) {
  auto pool = open(small(1));
  auto lease = pool->acquire();
  Connection kept = **lease;
  auto statement = kept.prepare("SELECT 1");
  ASSERT_TRUE(statement) << statement.error().what();
  lease->release();
  EXPECT_EQ(kept.query("SELECT 1").error().code(), Code::lease_returned);
  EXPECT_EQ((*lease)->query("SELECT 1").error().code(), Code::lease_returned);
  EXPECT_EQ(statement->query().error().code(), Code::lease_returned);
  auto next = pool->acquire();
  ASSERT_TRUE(next);
  EXPECT_EQ(kept.query("SELECT 1").error().code(), Code::lease_returned) << "the next lease's now";
  EXPECT_TRUE((*next)->query("SELECT 1"));
}

TEST_F(PoolTest, a_second_release_changes_nothing) {
  auto pool = open(small(2));
  auto a = pool->acquire();
  a->release();
  a->release();
  EXPECT_EQ(pool->stats().returned, 1U);
  EXPECT_EQ(pool->stats().now.idle, 1U);
}

TEST_F(PoolTest, moving_a_lease_moves_the_duty_to_return_it) {
  auto pool = open(small(2));
  {
    auto a = pool->acquire();
    Lease b = *std::move(a);
    EXPECT_FALSE(static_cast<bool>(*a));
    Lease& same = b;
    b = std::move(same);
    EXPECT_TRUE(static_cast<bool>(b));
    EXPECT_EQ(pool->stats().now.lent, 1U);
    EXPECT_EQ((*a)->query("SELECT 1").error().code(), Code::lease_returned);
  }
  EXPECT_EQ(pool->stats().now.lent, 0U);
}

TEST_F(PoolTest, an_open_stream_keeps_the_connection_busy_until_it_ends) {
  auto pool = open(small(1));
  auto lease = pool->acquire();
  Connection& c = **lease;
  {
    auto stream = c.stream("ROWS 5");
    ASSERT_TRUE(stream) << stream.error().what();
    EXPECT_TRUE(*stream->next());
    EXPECT_EQ(c.query("SELECT 1").error().code(), Code::invalid_state);
    EXPECT_EQ(c.prepare("SELECT 1").error().code(), Code::invalid_state);
    EXPECT_EQ(c.begin().error().code(), Code::invalid_state);
    EXPECT_EQ(c.ping().error().code(), Code::invalid_state);
    int more = 0;
    for (auto row = stream->next(); row && *row; row = stream->next()) ++more;
    EXPECT_EQ(more, 4);
    EXPECT_TRUE(c.query("SELECT 1")) << "read to its end, it is out of the way";
  }
  auto stream = c.stream("ROWS 5");
  ASSERT_TRUE(c.rollback());
  EXPECT_EQ(stream->next().error().code(), Code::invalid_state);
}

TEST_F(PoolTest, a_lease_that_ends_with_a_stream_open_leaves_a_clean_connection) {
  auto pool = open(small(1));
  for (int i = 0; i < 3; ++i) {
    auto lease = pool->acquire({.timeout = 1h});
    ASSERT_TRUE(lease);
    auto stream = (*lease)->stream("ROWS 100000");
    ASSERT_TRUE(stream);
    EXPECT_TRUE(*stream->next());
    lease->release();
    EXPECT_EQ(stream->next().error().code(), Code::lease_returned);
  }
  EXPECT_EQ(pool->stats().created, 1U);
  EXPECT_TRUE(pool->query("SELECT 1"));
}

TEST_F(PoolTest, an_open_transaction_is_rolled_back_after_the_return) {
  auto pool = open(small(1));
  ASSERT_TRUE(pool->with([](Connection& c) { return c.begin(); }));
  EXPECT_TRUE(pool->with([](Connection& c) { return c.begin(); }))
      << "no transaction was left over";
  eventually([&] { return pool->stats().resets == 2; });
  EXPECT_EQ(pool->stats().created, 1U);
}

TEST_F(PoolTest, a_broken_connection_takes_no_further_call) {
  auto pool = open(small(1));
  auto lease = pool->acquire();
  ASSERT_TRUE(lease);
  EXPECT_FALSE((*lease)->query("BREAK"));
  EXPECT_EQ((*lease)->query("SELECT 1").error().code(), Code::connection_lost);
  EXPECT_EQ((*lease)->rollback().error().code(), Code::connection_lost);
}

// R9
TEST_F(PoolTest, a_connection_that_broke_is_replaced) {
  auto pool = open(small(1));
  EXPECT_FALSE(pool->query("BREAK"));
  EXPECT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(pool->stats().closed[static_cast<std::size_t>(CloseReason::broken)], 1U);
}

TEST_F(PoolTest, a_connection_that_cannot_be_cleaned_is_replaced) {
  auto pool = open(small(1), {{"fail_reset", "internal"}});
  ASSERT_TRUE(pool->execute("DIRTY"));
  EXPECT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(pool->stats().closed[static_cast<std::size_t>(CloseReason::reset_failed)], 1U);
}

TEST_F(PoolTest, a_pinned_connection_that_breaks_takes_the_pool_with_it) {
  PoolConfig config = small(5);
  config.max_lifetime = 1ns;  // does not apply
  auto pool = open(config, {{"pinned", "true"}, {"connections_max", "1"}});
  EXPECT_EQ(pool->config().max, 1U);
  EXPECT_TRUE(pool->query("SELECT 1"));
  EXPECT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(pool->stats().created, 1U);
  EXPECT_FALSE(pool->query("BREAK"));
  auto lease = pool->acquire();
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code(), Code::pool_closed);
  EXPECT_NE(lease.error().message().find("in-memory"), std::string::npos);
}

TEST_F(PoolTest, init_sql_runs_on_each_connection_and_its_failure_is_named) {
  PoolConfig config = small(1);
  config.init_sql = {"SELECT 1"};
  EXPECT_TRUE(open(config)->query("SELECT 1"));
  config.init_sql = {"SELECT 1", "NONSENSE key='hunter2'"};
  auto lease = open(config)->acquire({.timeout = 1h});
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code(), Code::create_failed);
  EXPECT_NE(lease.error().message().find("init_sql"), std::string::npos) << lease.error().what();
  EXPECT_EQ(lease.error().message().find("hunter2"), std::string::npos) << "it may carry keys";
}

TEST_F(PoolTest, a_deadline_ends_a_statement) {
  auto pool = open(small(1));
  auto done = pool->with([](Connection& c) { return c.within(2ms).query("SLEEP 3600000"); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::query_timeout) << done.error().what();
}

TEST_F(PoolTest, statements_are_kept_per_connection_within_bounds) {
  auto pool = open(small(1));
  auto lease = pool->acquire();
  Connection& c = **lease;
  auto pinned = c.prepare("SELECT 7");
  ASSERT_TRUE(pinned);
  for (int i = 0; i < 200; ++i) {
    const std::string sql = "SELECT " + std::to_string(i);
    auto statement = c.prepare(sql);
    ASSERT_TRUE(statement);
    EXPECT_EQ((*statement->query())[0].get<int>(0), i);
  }
  EXPECT_EQ((*pinned->query())[0].get<int>(0), 7) << "one that is held is not evicted";
}

}  // namespace
}  // namespace weir::runtime
