// SPDX-License-Identifier: MIT
//
// Goal:   a driver that says what is not so costs its own connections, and never a caller's answer,
//         a second lease of one connection, or the pool. Method: the mock driver with one function
//         replaced by a liar. (Late and doubled results are the engine's:
//         tests/engine/hanging.cpp.)
#include "tests/runtime/world.hpp"

#include <atomic>

namespace weir::runtime {
namespace {

class Lying : public PoolTest {
 protected:
  // A pool on the mock driver after `lie` has changed its table.
  template <class Lie>
  std::shared_ptr<OsPool> open_with(PoolConfig config, Lie&& lie) {
    static std::vector<std::unique_ptr<weir_driver>>
        tables;  // a table lives as long as the process
    tables.push_back(std::make_unique<weir_driver>(*weir_mock_driver()));
    lie(*tables.back());
    driver = tables.back().get();
    return open(std::move(config));
  }
};

TEST_F(Lying, a_failure_never_heard_of_is_a_failure_like_others) {
  PoolConfig config = small(1);
  config.create_retry_interval = 1ms;
  auto pool = open_with(config, [](weir_driver& table) {
    table.open = [](weir_source*, const weir_call*, const weir_open_args*, weir_canceller*,
                    weir_conn**, weir_error* error) noexcept -> weir_status {
      error->kind = 31'337;
      error->conn_fate = 77;
      return 31'337;
    };
  });
  auto lease = times_out_for(*pool, AcquireClass::endpoint_down);
  ASSERT_FALSE(lease);
  ASSERT_EQ(lease.error().code(), Code::acquire_timeout) << lease.error().what();
  EXPECT_EQ(lease.error().acquire()->reason, AcquireClass::endpoint_down);
  const auto failures = [&] { return pool->stats().create_failures; };
  eventually([&] { return pool->acquire({.timeout = 20ms}) || failures() >= 2; });
  EXPECT_GE(failures(), 2U);  // it is tried again
}

TEST_F(Lying, a_success_without_a_connection_is_a_failure) {
  PoolConfig config = small(1);
  config.propagate_create_error = PropagateCreateError::any;  // told at once, on any machine
  auto pool = open_with(config, [](weir_driver& table) {
    table.open = [](weir_source*, const weir_call*, const weir_open_args*, weir_canceller*,
                    weir_conn**, weir_error*) noexcept -> weir_status { return WEIR_OK; };
  });
  auto lease = pool->acquire({.timeout = 20s});
  ASSERT_FALSE(lease);
  EXPECT_NE(lease.error().what().find("gave no connection"), std::string::npos)
      << lease.error().what();
}

// Alive when dead: the look passes, the first use fails, and the connection is replaced.
TEST_F(Lying, a_dead_connection_that_looks_alive_costs_one_call) {
  PoolConfig config = small(1);
  config.validate_after = 0ns;
  auto pool = open_with(config, [](weir_driver& table) {
    table.ping = [](weir_conn*, std::int32_t, const weir_call*, std::int32_t* alive,
                    weir_error*) noexcept -> weir_status {
      *alive = WEIR_ALIVE_YES;
      return WEIR_OK;
    };
  });
  EXPECT_FALSE(pool->query("BREAK"));
  EXPECT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(pool->stats().created, 2U);
}

TEST_F(Lying, a_clean_session_called_dirty_is_cleaned_each_time) {
  auto pool = open_with(small(1), [](weir_driver& table) {
    table.state = [](const weir_conn*, weir_conn_state* state) noexcept {
      state->flags = WEIR_STATE_DIRTY;
    };
  });
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(pool->query("SELECT 1"));
  }
  const PoolStats stats = pool->stats();
  EXPECT_EQ(stats.created, 1U);
  EXPECT_GE(stats.resets, 2U);
}

TEST_F(Lying, a_look_that_answers_nothing_is_a_dead_connection) {
  PoolConfig config = small(1);
  config.validate_after = 0ns;
  auto pool = open_with(config, [](weir_driver& table) {
    table.ping = [](weir_conn*, std::int32_t, const weir_call*, std::int32_t*,
                    weir_error*) noexcept -> weir_status { return WEIR_OK; };
  });
  EXPECT_TRUE(pool->query("SELECT 1"));
  EXPECT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(pool->stats().created, 2U);
}

// What a pool and a stream say of ROWS 1000, and whether the connection can do something else then.
void expect_misfit(OsPool& pool, const std::string& text) {
  auto lease = pool.acquire();
  ASSERT_TRUE(lease);
  const auto rows = (*lease)->query("ROWS 1000");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code(), Code::driver_error);
  EXPECT_NE(rows.error().what().find(text), std::string::npos) << rows.error().what();

  auto stream = (*lease)->stream("ROWS 1000");
  Result<void> streamed;
  while (stream && streamed) {
    auto row = stream->next();
    if (row && !*row) break;
    if (!row) streamed = tl::unexpected(row.error());
  }
  if (!stream) streamed = tl::unexpected(stream.error());
  ASSERT_FALSE(streamed);
  EXPECT_EQ(streamed.error().code(), Code::driver_error);
  EXPECT_NE(streamed.error().what().find(text), std::string::npos) << streamed.error().what();
  EXPECT_TRUE((*lease)->query("SELECT 1"));
  EXPECT_EQ(pool.stats().created, 1U);
}

TEST_F(Lying, rows_of_a_result_without_columns_are_an_error_of_the_driver) {
  auto pool = open_with(small(1), [](weir_driver& table) {
    table.execute = [](weir_conn* conn, const weir_call* call, const weir_exec_args* args,
                       weir_exec_out* out, weir_result** result, weir_batch* batch,
                       weir_error* error) noexcept -> weir_status {
      const auto status = weir_mock_driver()->execute(conn, call, args, out, result, batch, error);
      if (batch->rows > 1) out->column_count = 0;
      return status;
    };
  });
  expect_misfit(*pool, "rows of 2 cells in a result of 0 columns");
}

TEST_F(Lying, rows_that_grow_wider_on_the_way_are_an_error_of_the_driver) {
  auto pool = open_with(small(1), [](weir_driver& table) {
    table.fetch = [](weir_result* result, const weir_call* call, weir_batch* batch,
                     weir_error* error) noexcept -> weir_status {
      const auto status = weir_mock_driver()->fetch(result, call, batch, error);
      batch->columns = 3;
      return status;
    };
  });
  expect_misfit(*pool, "rows of 3 cells in a result of 2 columns");
}

// Clean-up comes after an error or at an end; a server that is mute must not keep anybody there.
TEST_F(Lying, a_clean_up_that_nobody_answers_has_a_deadline) {
  static std::atomic<int> without_deadline{0};
  static std::atomic<int> calls{0};
  static const auto judge = [](const weir_call* call) {
    ++calls;
    if (call->deadline == WEIR_NO_DEADLINE) ++without_deadline;
  };
  auto pool = open_with(small(1), [](weir_driver& table) {
    table.stmt_close = [](weir_stmt* stmt, const weir_call* call) noexcept {
      judge(call);
      weir_mock_driver()->stmt_close(stmt, call);
    };
    table.rollback = [](weir_conn* conn, const weir_call* call,
                        weir_error* error) noexcept -> weir_status {
      judge(call);
      return weir_mock_driver()->rollback(conn, call, error);
    };
  });
  {
    auto lease = pool->acquire();
    ASSERT_TRUE(lease);
    for (int i = 0; i < 70; ++i) {  // more than a session keeps
      ASSERT_TRUE((*lease)->prepare("SELECT " + std::to_string(i)));
    }
    EXPECT_GE(calls, 1);
    Connection c = (*lease)->within(10s);
    ASSERT_TRUE(c.begin());
    ASSERT_TRUE(c.rollback());
  }
  ASSERT_TRUE(pool->drain(5s));
  EXPECT_GE(calls, 71);
  EXPECT_EQ(without_deadline, 0);
}

}  // namespace
}  // namespace weir::runtime
