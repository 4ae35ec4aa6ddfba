// SPDX-License-Identifier: MIT
//
// Goal: sessions behave as weir/driver.h says, for each of our drivers, linked in and as a plugin.
// Method: the same cases through the C ABI, parametrised. Time is fake: cancel, abort and deadlines
// strike at an exact look at the clock. A coarse driver does not look while it is in its library:
// there they come from another thread, again and again until the call has ended.
#include "tests/backends/conformance.hpp"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>

namespace weir::test {
namespace {

class Behaviour : public Conformance {
 protected:
  template <class Strike>
  void struck(Session& s, Strike&& strike) {
    std::atomic<bool> over{false};
    std::thread other([&] {
      while (!over) {
        strike();
        std::this_thread::yield();
      }
    });
    s.query(quirks.endless);
    over = true;
    other.join();
  }
  // On the machine's clock, which a cancel may look at while the call does.
  void expect_cancelled_from_outside() {
    RealHost real;
    Source on_it(driver, real.abi(), url, {}, dir.path);
    Session theirs(on_it, 7);
    ASSERT_EQ(WEIR_OK, theirs.open()) << theirs.error.what();
    const std::uint64_t op = theirs.op + 1;
    const weir_call call{sizeof call, 0, 1, WEIR_NO_DEADLINE};
    struck(theirs, [&] { driver->cancel(theirs.canceller, op, &call, nullptr); });
    EXPECT_EQ(WEIR_E_CANCELLED, theirs.status);
    EXPECT_EQ(WEIR_CONN_USABLE, theirs.error.conn_fate);
    EXPECT_EQ(Value::integer(1), theirs.one(quirks.select_one));
    EXPECT_FALSE(theirs.is(WEIR_STATE_CANCEL_PENDING | WEIR_STATE_BROKEN));
  }
};

INSTANTIATE_TEST_SUITE_P(Drivers, Behaviour, ::testing::ValuesIn(all_drivers()),
                         [](const auto& one) { return one.param.name; });

TEST_P(Behaviour, a_small_result_is_one_crossing) {
  open();
  ASSERT_EQ(WEIR_OK, session.start(quirks.select_one));
  EXPECT_EQ(nullptr, session.result);
  EXPECT_EQ(WEIR_BATCH_END, session.batch.flags & WEIR_BATCH_END);
  ASSERT_EQ(1U, session.batch.rows);
  EXPECT_EQ(Value::integer(1), Value::of(session.batch.cells[0]));
  EXPECT_EQ(1U, session.columns.size());
  EXPECT_FALSE(session.is(WEIR_STATE_RESULT_OPEN));
}

TEST_P(Behaviour, rows_come_in_batches_complete_and_in_order) {
  open();
  for (const std::uint32_t batch_rows : {0U, 1U, 7U, 999U, 1000U, 1001U}) {
    ASSERT_EQ(WEIR_OK, session.query(quirks.rows_1000, {}, 0, nullptr, batch_rows));
    ASSERT_EQ(1000U, session.rows.size()) << batch_rows;
    for (std::size_t i = 0; i < 1000; ++i) {
      EXPECT_EQ(Value::integer(static_cast<std::int64_t>(i) + 1), session.rows[i][0]);
      EXPECT_EQ(Value::str("row " + std::to_string(i + 1)), session.rows[i][1]);
    }
  }
  ASSERT_EQ(WEIR_OK, session.start(quirks.rows_1000, {}, WEIR_EXEC_ONE_BATCH));
  EXPECT_EQ(1000U, session.batch.rows);
  EXPECT_EQ(nullptr, session.result);
  ASSERT_EQ(WEIR_OK, session.start(quirks.rows_1000, {}, WEIR_EXEC_NO_ROWS));
  EXPECT_EQ(0U, session.batch.rows);
  EXPECT_EQ(nullptr, session.result);
}

TEST_P(Behaviour, an_open_result_blocks_the_conn_until_it_is_closed) {
  open();
  ASSERT_EQ(WEIR_OK, session.start(quirks.rows_1000, {}, 0, nullptr, 10));
  ASSERT_NE(nullptr, session.result);
  EXPECT_TRUE(session.is(WEIR_STATE_RESULT_OPEN));
  weir_result* open_result = session.result;
  EXPECT_EQ(WEIR_E_INVALID_STATE, session.start(quirks.select_one));
  EXPECT_EQ(WEIR_EFFECT_NOT_SENT, session.error.effect);
  session.result = open_result;
  ASSERT_EQ(WEIR_OK, session.fetch());
  EXPECT_EQ(Value::integer(11), Value::of(session.batch.cells[0]));
  session.close_result();
  EXPECT_FALSE(session.is(WEIR_STATE_RESULT_OPEN));
  expect_usable();
}

TEST_P(Behaviour, an_open_result_ends_with_the_conn_and_with_a_reset) {
  open();
  ASSERT_EQ(WEIR_OK, session.start(quirks.rows_1000, {}, 0, nullptr, 10));
  session.result = nullptr;
  ASSERT_EQ(WEIR_OK, session.reset(WEIR_RESET_TX));
  EXPECT_FALSE(session.is(WEIR_STATE_RESULT_OPEN));
  expect_usable();
  ASSERT_EQ(WEIR_OK, session.start(quirks.rows_1000, {}, 0, nullptr, 10));
  session.result = nullptr;
  session.close();  // leak checkers judge
}

TEST_P(Behaviour, parameters_reach_the_statement) {
  open();
  const std::string bytes("a\0b", quirks.nul_in_text ? 3 : 1);
  const Row given{Value::integer(INT64_MIN), Value::str(bytes)};
  ASSERT_EQ(WEIR_OK, session.query(quirks.echo_two, given)) << session.error.what();
  EXPECT_EQ(given, session.rows[0]);
  const Row empty{Value::str(""), Value::null()};
  ASSERT_EQ(WEIR_OK, session.query(quirks.echo_two, empty));
  EXPECT_EQ(empty, session.rows[0]);
}

TEST_P(Behaviour, senseless_statements_are_refused_unsent) {
  open();
  const std::string nul("SELECT 1\0", 9);
  struct Case {
    std::string sql;
    Row params;
  };
  const Case cases[] = {
      {"", {}},
      {"  ;; ", {}},
      {nul, {}},
      {quirks.select_one + "; " + quirks.select_one, {}},
      {quirks.select_one, {Value::integer(1)}},
      {quirks.echo_two, {Value::integer(1)}},
      {quirks.echo_two, {}},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, session.query(c.sql, c.params)) << c.sql;
    EXPECT_EQ(WEIR_EFFECT_NOT_SENT, session.error.effect) << c.sql;
    EXPECT_EQ(WEIR_CONN_USABLE, session.error.conn_fate) << c.sql;
    expect_usable();
  }
  EXPECT_EQ(WEIR_OK, session.query(quirks.select_one + " ; "));
  EXPECT_EQ(WEIR_E_SYNTAX, session.query("SELEKT 1"));
}

TEST_P(Behaviour, prepared_statements_run_again_and_again) {
  open();
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, session.prepare(quirks.echo_two, &stmt));
  EXPECT_EQ(2U, session.param_count);
  for (int i = 0; i < 3; ++i) {
    const Row given{Value::integer(i), Value::str("s" + std::to_string(i))};
    ASSERT_EQ(WEIR_OK, session.query("", given, 0, stmt));
    EXPECT_EQ(given, session.rows[0]);
  }
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, session.query("", {}, 0, stmt));
  Session other(source, 9);
  ASSERT_EQ(WEIR_OK, other.open());
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT, other.query("", {Value::null(), Value::null()}, 0, stmt));
  session.stmt_close(stmt);
  weir_stmt* forgotten = nullptr;
  ASSERT_EQ(WEIR_OK, session.prepare(quirks.echo_two, &forgotten));  // close() ends it
}

TEST_P(Behaviour, a_full_reset_ends_statements_and_says_so) {
  open();
  ASSERT_EQ(WEIR_OK, session.reset(WEIR_RESET_FULL));
  EXPECT_EQ(0U, session.done);
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, session.prepare(quirks.select_one, &stmt));
  ASSERT_EQ(WEIR_OK, session.reset(WEIR_RESET_FULL));
  EXPECT_EQ(WEIR_RESET_STMTS_GONE, session.done);
  EXPECT_EQ(WEIR_E_INVALID_STATE, session.query("", {}, 0, stmt));
  session.stmt_close(stmt);
  EXPECT_EQ(WEIR_E_UNSUPPORTED, session.reset(77));
  expect_usable();
}

TEST_P(Behaviour, transactions_follow_the_state_machine) {
  open();
  EXPECT_EQ(WEIR_E_INVALID_STATE, session.commit());
  EXPECT_EQ(WEIR_OK, session.rollback());
  ASSERT_EQ(WEIR_OK, session.begin());
  EXPECT_TRUE(session.is(WEIR_STATE_IN_TX));
  EXPECT_EQ(WEIR_E_INVALID_STATE, session.begin());
  EXPECT_EQ(WEIR_TX_OPEN, session.error.tx_fate);
  EXPECT_EQ(WEIR_OK, session.query(quirks.insert, {Value::integer(1)}));
  EXPECT_EQ(1U, session.out.affected);
  EXPECT_EQ(WEIR_E_SYNTAX, session.query("SELEKT"));
  if (quirks.error_fails_tx) {
    EXPECT_EQ(WEIR_TX_FAILED, session.error.tx_fate);
    EXPECT_TRUE(session.is(WEIR_STATE_TX_FAILED));
    EXPECT_EQ(WEIR_E_INVALID_STATE, session.commit());
    EXPECT_EQ(WEIR_TX_GONE, session.error.tx_fate);
  } else {
    EXPECT_EQ(WEIR_TX_OPEN, session.error.tx_fate);
    ASSERT_EQ(WEIR_OK, session.commit());
  }
  EXPECT_FALSE(session.is(WEIR_STATE_IN_TX));
  ASSERT_EQ(WEIR_OK, session.begin(WEIR_BEGIN_WRITE));
  ASSERT_EQ(WEIR_OK, session.rollback());
  EXPECT_FALSE(session.is(WEIR_STATE_IN_TX));
  EXPECT_EQ(WEIR_E_UNSUPPORTED, session.begin(1U << 20));
  EXPECT_EQ(WEIR_E_UNSUPPORTED, session.begin(0, 99));
  ASSERT_EQ(WEIR_OK, session.query("BEGIN"));
  EXPECT_TRUE(session.is(WEIR_STATE_IN_TX));
  ASSERT_EQ(WEIR_OK, session.reset(WEIR_RESET_TX));
  EXPECT_FALSE(session.is(WEIR_STATE_IN_TX));
  if (!claims(WEIR_CAP_READ_ONLY_TX)) {
    EXPECT_EQ(WEIR_E_UNSUPPORTED, session.begin(WEIR_BEGIN_READ_ONLY));
  }
}

TEST_P(Behaviour, execute_many_stops_at_the_row_that_fails) {
  open();
  weir_cell cells[3]{};
  for (int i = 0; i < 3; ++i) cells[i] = Value::integer(i).cell();
  weir_many_args args{};
  args.struct_size = sizeof args;
  args.sql = text(quirks.insert);
  args.cells = cells;
  args.row_count = 3;
  args.param_count = 1;
  args.row_stride = 1;
  weir_many_out out{};
  out.struct_size = sizeof out;
  Error error;
  weir_call call = session.call();
  ASSERT_EQ(WEIR_OK, driver->execute_many(session.conn, &call, &args, &out, &error));
  EXPECT_EQ(3U, out.rows_done);
  EXPECT_EQ(3U, out.affected);
  cells[1].type = 99;
  call = session.call();
  EXPECT_EQ(WEIR_E_INVALID_ARGUMENT,
            driver->execute_many(session.conn, &call, &args, &out, &error));
  EXPECT_EQ(1U, out.rows_done);
  EXPECT_EQ(1U, out.affected);
  EXPECT_NE(WEIR_EFFECT_NOT_SENT, error.effect) << "the first row was";
  expect_usable();
}

TEST_P(Behaviour, pings_answer_for_a_living_and_for_an_aborted_conn) {
  open();
  for (const int depth : {WEIR_PING_STATE, WEIR_PING_PROTOCOL, WEIR_PING_SESSION}) {
    EXPECT_EQ(WEIR_OK, session.ping(depth));
    EXPECT_EQ(WEIR_ALIVE_YES, session.alive);
  }
  if (!claims(WEIR_CAP_PING_SOCKET)) {
    EXPECT_EQ(WEIR_E_UNSUPPORTED, session.ping(WEIR_PING_SOCKET));
  }
  driver->abort(session.canceller);
  for (const int depth : {WEIR_PING_STATE, WEIR_PING_PROTOCOL, WEIR_PING_SESSION}) {
    EXPECT_EQ(WEIR_OK, session.ping(depth));
    EXPECT_EQ(WEIR_ALIVE_NO, session.alive);
  }
}

TEST_P(Behaviour, a_changed_session_is_seen_and_reset) {
  open();
  ASSERT_EQ(WEIR_OK, session.reset());
  EXPECT_FALSE(session.is(WEIR_STATE_DIRTY));
  ASSERT_EQ(WEIR_OK, session.query(quirks.select_one));
  EXPECT_FALSE(session.is(WEIR_STATE_DIRTY));
  ASSERT_EQ(WEIR_OK, session.query(quirks.dirty));
  EXPECT_TRUE(session.is(WEIR_STATE_DIRTY));
  ASSERT_EQ(WEIR_OK, session.reset(WEIR_RESET_TX));
  EXPECT_TRUE(session.is(WEIR_STATE_DIRTY));
  ASSERT_EQ(WEIR_OK, session.reset(WEIR_RESET_SESSION));
  EXPECT_FALSE(session.is(WEIR_STATE_DIRTY));
  expect_usable();
}

TEST_P(Behaviour, the_deadline_ends_a_running_statement) {
  open();
  const weir_time start = host.now;
  const weir_time really_begun = RealHost::now();
  session.deadline = start + 20'000'000;
  host.tick = 1'000'000;
  EXPECT_EQ(WEIR_E_TIMEOUT, session.query(quirks.endless));
  EXPECT_EQ(is_coarse(driver) ? WEIR_CONN_BROKEN : WEIR_CONN_USABLE, session.error.conn_fate);
  EXPECT_EQ(WEIR_STAGE_EXECUTE, session.error.stage);
  if (is_coarse(driver)) {  // it does not look at the host's clock while it is in its library
    EXPECT_GE(RealHost::now(), really_begun + 10'000'000);
  } else {
    EXPECT_GE(host.now, session.deadline);
    EXPECT_LE(host.now, session.deadline + 2'000'000);
  }
  session.deadline = WEIR_NO_DEADLINE;
  if (is_coarse(driver)) {
    EXPECT_TRUE(session.is(WEIR_STATE_BROKEN));
    EXPECT_EQ(WEIR_EFFECT_UNKNOWN, session.error.effect);
  } else {
    expect_usable();
  }
}

TEST_P(Behaviour, cancel_ends_the_running_operation_only) {
  open();
  expect_usable();
  Error error;
  const weir_call call = session.call();
  EXPECT_EQ(WEIR_OK, driver->cancel(session.canceller, session.op, &call, &error));      // over
  EXPECT_EQ(WEIR_OK, driver->cancel(session.canceller, session.op + 1, &call, &error));  // to come
  EXPECT_EQ(WEIR_OK, driver->cancel(session.canceller, 0, &call, &error));
  expect_usable();
  if (is_coarse(driver)) return expect_cancelled_from_outside();
  session.deadline = host.now + 3'600'000'000'000;
  host.looks = 0;
  host.on_look = [&] {
    if (host.looks == 4) driver->cancel(session.canceller, session.op, &call, nullptr);
  };
  EXPECT_EQ(WEIR_E_CANCELLED, session.query(quirks.endless));
  EXPECT_EQ(WEIR_CONN_USABLE, session.error.conn_fate);
  EXPECT_THAT(host.wakes, ::testing::ElementsAre(7U));
  host.on_look = nullptr;
  expect_usable();
  EXPECT_FALSE(session.is(WEIR_STATE_CANCEL_PENDING | WEIR_STATE_BROKEN));
}

TEST_P(Behaviour, abort_ends_the_running_call_and_every_later_one) {
  open();
  if (is_coarse(driver)) {
    struck(session, [&] { driver->abort(session.canceller); });
  } else {
    session.deadline = host.now + 3'600'000'000'000;
    host.looks = 0;
    host.on_look = [&] {
      if (host.looks == 4) driver->abort(session.canceller);
    };
    session.query(quirks.endless);
  }
  EXPECT_EQ(WEIR_E_CONN_LOST, session.status);
  EXPECT_EQ(WEIR_CONN_BROKEN, session.error.conn_fate);
  EXPECT_TRUE(session.is(WEIR_STATE_BROKEN));
  driver->abort(session.canceller);
  EXPECT_EQ(WEIR_E_CONN_LOST, session.query(quirks.select_one));
  EXPECT_EQ(WEIR_CONN_BROKEN, session.error.conn_fate);
  EXPECT_EQ(WEIR_E_CONN_LOST, session.begin());
  EXPECT_EQ(WEIR_E_CONN_LOST, session.reset());
  session.close();
  const std::size_t wakes = host.wakes.size();
  driver->abort(session.canceller);  // outlives the conn, and does nothing
  EXPECT_EQ(wakes, host.wakes.size());
}

TEST_P(Behaviour, an_open_that_starts_after_abort_fails_at_once) {
  driver->abort(session.canceller);
  EXPECT_EQ(WEIR_E_CANCELLED, session.open());
  EXPECT_EQ(nullptr, session.conn);
  Session never(source, 12);  // a canceller whose conn never came
}

TEST_P(Behaviour, what_is_not_claimed_is_unsupported) {
  open();
  Error error;
  // A slot may also be empty; the host fills it, so nothing calls it then.
  if (!claims(WEIR_CAP_MULTI_RESULT) && driver->next_set != nullptr) {
    const weir_call call = session.call();
    ASSERT_EQ(WEIR_OK, session.start(quirks.rows_1000, {}, 0, nullptr, 1));
    EXPECT_EQ(WEIR_E_UNSUPPORTED, driver->next_set(session.result, &call, &session.out, &error));
    session.close_result();
  }
  if (driver->native == nullptr) return;
  void* handle = nullptr;
  EXPECT_EQ(WEIR_E_UNSUPPORTED, driver->native(session.conn, "nothing*", &handle, &error));
  EXPECT_EQ(nullptr, handle);
}

TEST_P(Behaviour, envs_do_not_see_each_other) {
  FakeHost other_host;
  other_host.real_waits = is_coarse(driver);
  Source other(driver, other_host.abi(), url, {}, dir.path);
  Session theirs(other, 7);
  open();
  ASSERT_EQ(WEIR_OK, theirs.open());
  const std::size_t ours = host.wakes.size();
  const std::size_t others = other_host.wakes.size();
  driver->abort(theirs.canceller);
  EXPECT_EQ(ours, host.wakes.size());
  EXPECT_EQ(others + 1, other_host.wakes.size());
  expect_usable();
  for (int i = 0; i < 100; ++i) {
    Source again(driver, host.abi(), url, {}, dir.path);
    ASSERT_EQ(WEIR_OK, again.status);
  }
}

}  // namespace
}  // namespace weir::test
