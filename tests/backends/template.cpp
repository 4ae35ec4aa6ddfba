// SPDX-License-Identifier: MIT
//
// Goal: the driver that others copy keeps the promises that its toy database adds to those of every
// driver: transactions are taken back whole, conns wait for each other in the host and not longer
// than they may, rows stream. Method: through the C ABI, under a fake clock.
#include "tests/backends/abi_host.hpp"
#include "tests/backends/client.hpp"
#include "tests/backends/drivers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::test {
namespace {

using ::testing::HasSubstr;

class Template : public ::testing::Test {
 protected:
  explicit Template(const Options& options = {})
      : driver(plugin_template()),
        source(driver, host.abi(), "template:demo", options),
        session(source, 1),
        other(source, 2) {
    EXPECT_EQ(WEIR_OK, session.open());
    EXPECT_EQ(WEIR_OK, other.open());
  }
  std::size_t count(Session& of) {
    EXPECT_EQ(WEIR_OK, of.query("list")) << of.error.what();
    return of.rows.size();
  }

  const weir_driver* driver;
  FakeHost host;
  Source source;
  Session session;
  Session other;
};

TEST_F(Template, keeps_values_of_any_type_in_the_order_of_their_keys) {
  const Row blob{Value::str("b"), Value::blob(std::string("\0x", 2))};
  ASSERT_EQ(WEIR_OK, session.query("set ? ?", blob));
  ASSERT_EQ(WEIR_OK, session.query("set 'a' null;"));
  ASSERT_EQ(WEIR_OK, session.query("SET -7 'it''s'"));
  ASSERT_EQ(WEIR_OK, session.query("set 12 ?", {Value::real(0.1)}));
  ASSERT_EQ(WEIR_OK, session.query("set 12 ?", {Value::real(0.5)}));
  ASSERT_EQ(WEIR_OK, other.query("list"));
  EXPECT_EQ((std::vector<Row>{{Value::integer(-7), Value::str("it's")},
                              {Value::integer(12), Value::real(0.5)},
                              {Value::str("a"), Value::null()},
                              blob}),
            other.rows);
  EXPECT_EQ((std::vector<std::string>{"key", "value"}), other.columns);
  EXPECT_EQ(Value::real(0.5), other.one("get 12"));
  ASSERT_EQ(WEIR_OK, session.query("delete 12"));
  EXPECT_EQ(1U, session.out.affected);
  ASSERT_EQ(WEIR_OK, session.query("delete 12"));
  EXPECT_EQ(0U, session.out.affected);
  ASSERT_EQ(WEIR_OK, session.query("get 12"));
  EXPECT_TRUE(session.rows.empty());
}

TEST_F(Template, says_what_is_wrong_with_a_statement) {
  for (const char* wrong : {"get", "get 1 2", "set 'a", "echo one", "list 1", "getx 1",
                            "echo 9223372036854775808", "echo 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7"}) {
    EXPECT_EQ(WEIR_E_SYNTAX, session.query(wrong)) << wrong;
    EXPECT_NE("", session.error.what());
  }
  for (const char* wrong : {"sleep 'x'", "fill -1", "get null"}) {
    EXPECT_EQ(WEIR_E_DATA, session.query(wrong)) << wrong;
  }
  EXPECT_EQ(Value::integer(INT64_MIN), session.one("echo -9223372036854775808"));
}

TEST_F(Template, a_rollback_takes_back_every_kind_of_change) {
  ASSERT_EQ(WEIR_OK, session.query("fill 3"));
  ASSERT_EQ(WEIR_OK, session.query("list"));
  const std::vector<Row> before = session.rows;
  for (const bool by_close : {false, true}) {
    ASSERT_EQ(WEIR_OK, other.begin());
    for (const char* change : {"set 1 'new'", "set 1 'newer'", "delete 2", "set 2 'back'",
                               "set 9 'more'", "delete 9", "delete 1", "set 0 'zero'"}) {
      ASSERT_EQ(WEIR_OK, other.query(change)) << change;
    }
    EXPECT_EQ(Value::str("back"), other.one("get 2"));
    if (by_close) {
      other.close();
    } else {
      ASSERT_EQ(WEIR_OK, other.rollback());
    }
    ASSERT_EQ(WEIR_OK, session.query("list"));
    EXPECT_EQ(before, session.rows);
  }
}

TEST_F(Template, a_commit_makes_changes_last) {
  ASSERT_EQ(WEIR_OK, session.query("begin"));
  ASSERT_EQ(WEIR_OK, session.query("fill 5"));
  ASSERT_EQ(WEIR_OK, session.query("delete 3"));
  ASSERT_EQ(WEIR_OK, session.query("commit"));
  ASSERT_EQ(WEIR_OK, session.query("begin"));
  ASSERT_EQ(WEIR_OK, session.query("rollback"));
  EXPECT_EQ(4U, count(other));
}

TEST_F(Template, a_conn_waits_in_the_host_for_the_transaction_of_another) {
  ASSERT_EQ(WEIR_OK, session.begin());
  ASSERT_EQ(WEIR_OK, session.query("set 1 'a'"));
  host.on_wait = [&] {
    if (host.waits.size() == 3) session.commit();
  };
  EXPECT_EQ(Value::str("a"), other.one("get 1"));
  EXPECT_EQ(3U, host.waits.size());
  for (const Wait& wait : host.waits) EXPECT_EQ(2U, wait.tag);
}

TEST_F(Template, that_wait_ends_at_lock_timeout_at_the_deadline_and_by_a_cancel) {
  ASSERT_EQ(WEIR_OK, session.begin());
  const weir_time start = host.now;
  EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, other.query("get 1"));
  EXPECT_EQ(5'000'000'000, host.now - start);
  EXPECT_TRUE((other.error.flags & WEIR_ERROR_TRANSIENT) != 0);

  other.deadline = host.now + 2'500'000;
  EXPECT_EQ(WEIR_E_TIMEOUT, other.query("get 1"));
  EXPECT_EQ(other.deadline, host.now);
  EXPECT_EQ(WEIR_E_TIMEOUT, other.begin());

  other.deadline = WEIR_NO_DEADLINE;
  host.waits.clear();
  host.on_wait = [&] {
    const weir_call call = session.call();
    if (host.waits.size() == 2) driver->cancel(other.canceller, other.op, &call, nullptr);
  };
  EXPECT_EQ(WEIR_E_CANCELLED, other.query("get 1"));
  EXPECT_EQ(2U, host.waits.size());
  EXPECT_EQ(WEIR_CONN_USABLE, other.error.conn_fate);
  ASSERT_EQ(WEIR_OK, session.rollback());
  EXPECT_EQ(0U, count(other));
}

TEST_F(Template, an_open_result_holds_the_store_until_it_is_closed) {
  ASSERT_EQ(WEIR_OK, session.query("fill 10"));
  ASSERT_EQ(WEIR_OK, session.start("list", {}, 0, nullptr, 4));
  EXPECT_EQ(4U, session.batch.rows);
  EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, other.query("delete 9"));
  ASSERT_EQ(WEIR_OK, session.fetch());
  ASSERT_EQ(WEIR_OK, session.fetch());
  EXPECT_EQ(2U, session.batch.rows);
  EXPECT_EQ(WEIR_BATCH_END, session.batch.flags);
  session.close_result();
  EXPECT_EQ(WEIR_OK, other.query("delete 9"));
}

TEST_F(Template, no_transaction_begins_or_ends_beside_an_open_result) {
  ASSERT_EQ(WEIR_OK, session.query("fill 10"));
  ASSERT_EQ(WEIR_OK, session.begin());
  ASSERT_EQ(WEIR_OK, session.start("list", {}, 0, nullptr, 4));
  EXPECT_EQ(WEIR_E_INVALID_STATE, session.rollback());
  EXPECT_EQ(WEIR_E_INVALID_STATE, session.commit());
  EXPECT_EQ(WEIR_TX_OPEN, session.error.tx_fate);
  EXPECT_EQ(WEIR_OK, session.fetch());
  session.close_result();
  ASSERT_EQ(WEIR_OK, session.rollback());
  ASSERT_EQ(WEIR_OK, session.start("list", {}, 0, nullptr, 4));
  EXPECT_EQ(WEIR_E_INVALID_STATE, session.begin());
  EXPECT_FALSE(session.is(WEIR_STATE_IN_TX));
  ASSERT_EQ(WEIR_OK, session.reset());
  EXPECT_EQ(WEIR_OK, other.query("delete 9"));
  EXPECT_EQ(WEIR_E_INVALID_STATE, session.fetch()) << "it would read what it does not hold";
  session.result = nullptr;
}

TEST_F(Template, a_session_made_read_only_stays_so_until_it_is_reset) {
  ASSERT_EQ(WEIR_OK, session.query("readonly"));
  EXPECT_EQ(WEIR_E_READ_ONLY, session.query("set 1 1"));
  EXPECT_EQ(WEIR_STATE_READ_ONLY | WEIR_STATE_DIRTY, session.flags());
  ASSERT_EQ(WEIR_OK, session.reset());
  EXPECT_EQ(0U, session.flags());
  EXPECT_EQ(WEIR_OK, session.query("set 1 1"));
  ASSERT_EQ(WEIR_OK, session.begin(WEIR_BEGIN_READ_ONLY));
  EXPECT_EQ(WEIR_E_READ_ONLY, session.query("delete 1"));
  EXPECT_EQ(WEIR_TX_OPEN, session.error.tx_fate);
  ASSERT_EQ(WEIR_OK, session.commit());
  EXPECT_EQ(WEIR_OK, session.query("delete 1"));
  EXPECT_EQ(WEIR_E_UNSUPPORTED, session.begin(0, WEIR_ISOLATION_READ_COMMITTED));
}

class SmallTemplate : public Template {
 protected:
  SmallTemplate() : Template({{"keys_max", "5"}, {"lock_timeout", "0"}}) {}
};

TEST_F(SmallTemplate, a_statement_that_fails_half_way_has_changed_nothing) {
  ASSERT_EQ(WEIR_OK, session.query("set 3 'old'"));
  EXPECT_EQ(WEIR_E_RESOURCE, session.query("fill 6"));
  EXPECT_THAT(session.error.what(), HasSubstr("keys_max"));
  EXPECT_EQ(WEIR_EFFECT_DEFINITE, session.error.effect);
  EXPECT_EQ(1U, count(session));
  ASSERT_EQ(WEIR_OK, session.begin());
  ASSERT_EQ(WEIR_OK, session.query("set 4 'kept'"));
  EXPECT_EQ(WEIR_E_RESOURCE, session.query("fill 6"));
  EXPECT_EQ(WEIR_TX_OPEN, session.error.tx_fate);
  ASSERT_EQ(WEIR_OK, session.commit());
  EXPECT_EQ(2U, count(session));
  EXPECT_EQ(Value::str("old"), session.one("get 3"));
}

TEST_F(Template, a_conn_that_was_abandoned_leaves_the_store_alone) {
  ASSERT_EQ(WEIR_OK, session.begin());
  driver->abandon(session.conn);
  session.conn = nullptr;
  EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, other.query("list")) << "the child has no say in it";
}

}  // namespace
}  // namespace weir::test
