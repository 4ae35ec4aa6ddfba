// SPDX-License-Identifier: MIT
//
// Goal: of two transactions that are in each other's way on a real server one is undone, and
// weir::retry_transaction runs it again, so that both are done exactly once; and one that goes on
// after it was undone writes nothing. Method: two threads lock two rows in opposite order.
#include "tests/faults/server.hpp"

#include <weir/driver.h>
#include <weir/retry.hpp>

#include <barrier>
#include <thread>

namespace weir::test {
namespace {

class Conflicts : public testing::TestWithParam<Server> {
 protected:
  void SetUp() override {
    if (const std::string why = GetParam().missing(); !why.empty()) GTEST_SKIP() << why;
    auto pools = open_pool(GetParam().driver(), GetParam().name, GetParam().url(), "max = 3\n");
    ASSERT_TRUE(pools) << pools.error().what();
    pools_.emplace(*std::move(pools));
    for (const char* sql : {"DROP TABLE IF EXISTS ledger", "DROP TABLE IF EXISTS account",
                            "CREATE TABLE ledger (id bigint)",
                            "CREATE TABLE account (id int PRIMARY KEY, balance int)",
                            "INSERT INTO account VALUES (1, 0), (2, 0)"}) {
      const auto done = db().execute(sql);
      ASSERT_TRUE(done) << sql << ": " << done.error().what();
    }
  }
  Pool& db() { return (*pools_)["main"]; }

  static Result<Executed> raise(Connection& c, int id) {
    return c.execute("UPDATE account SET balance = balance + 1 WHERE id = " + std::to_string(id));
  }

  std::optional<Pools> pools_;
};

// RT8
TEST_P(Conflicts, between_two_transactions_are_solved_by_running_one_again) {
  std::barrier both_hold_one(2);
  std::atomic<int> attempts{0};
  const auto raise_both = [&](int first, int second) {
    bool is_first = true;
    const auto done = retry_transaction(db(), [&](Connection& c) -> Result<Executed> {
      ++attempts;
      auto one = raise(c, first);
      if (std::exchange(is_first, false)) both_hold_one.arrive_and_wait();
      if (!one) return one;
      return raise(c, second);
    });
    EXPECT_TRUE(done) << done.error().what();
  };
  std::thread other([&] { raise_both(2, 1); });
  raise_both(1, 2);
  other.join();
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(ask(db(), "SELECT COUNT(*) FROM account WHERE balance = 2"), 2);
}

// RT9: on MariaDB a deadlock ends the transaction, and the next statement would commit by itself.
TEST_P(Conflicts, that_a_function_does_not_look_at_leave_nothing_behind) {
  std::barrier both_hold_one(2);
  std::atomic<int> undone{0};
  const auto careless = [&](int first, int second) {
    bool failed = false;
    const auto done = db().transaction([&](Connection& c) {
      EXPECT_TRUE(raise(c, first));
      both_hold_one.arrive_and_wait();
      failed = !raise(c, second);
      EXPECT_EQ(!c.execute(GetParam().insert, failed ? 666 : 1).has_value(), failed);
    });
    EXPECT_EQ(done.has_value(), !failed);
    if (!failed) return;
    ++undone;
    EXPECT_EQ(done.error().code(), Code::conflict) << done.error().what();
  };
  std::thread other([&] { careless(2, 1); });
  careless(1, 2);
  other.join();
  EXPECT_EQ(undone, 1);
  EXPECT_EQ(ask(db(), "SELECT COUNT(*) FROM ledger"), 1);
  EXPECT_EQ(ask(db(), "SELECT COUNT(*) FROM ledger WHERE id = 666"), 0);
}

TEST_P(Conflicts, in_a_transaction_inside_another_one_are_told_to_both) {
  std::barrier both_hold_one(2);
  std::atomic<int> undone{0};
  const auto nested = [&](int first, int second) {
    bool failed = false;
    const auto done = db().transaction([&](Connection& c) -> Result<void> {
      EXPECT_TRUE(raise(c, first));
      both_hold_one.arrive_and_wait();
      const auto inner = c.transaction([&](Connection& i) { return raise(i, second); });
      failed = !inner.has_value();
      // Where the savepoint has survived the outer one may go on, else it must not.
      const auto more = c.execute(GetParam().insert, 1);
      if (!more) return fail(more.error());
      return {};
    });
    if (failed) ++undone;
    if (done) return 1;
    EXPECT_EQ(done.error().code(), Code::conflict) << done.error().what();
    return 0;
  };
  std::atomic<int> committed{0};
  std::thread other([&] { committed += nested(2, 1); });
  committed += nested(1, 2);
  other.join();
  EXPECT_EQ(undone, 1);
  EXPECT_EQ(ask(db(), "SELECT COUNT(*) FROM ledger"), committed);
}

// MySQL drops the first of two savepoints with the same name.
TEST_P(Conflicts, do_not_arise_between_savepoints_in_savepoints) {
  const auto done = db().transaction([&](Connection& c) -> Result<void> {
    EXPECT_FALSE(c.transaction([&](Connection& outer) -> Result<void> {
      EXPECT_TRUE(c.execute(GetParam().insert, 1));
      EXPECT_TRUE(
          outer.transaction([&](Connection& i) { return i.execute(GetParam().insert, 2); }));
      return fail(Code::invalid_argument, "no");
    }));
    auto last = c.execute(GetParam().insert, 3);
    if (!last) return fail(last.error());
    return {};
  });
  ASSERT_TRUE(done) << done.error().what();
  EXPECT_EQ(ask(db(), "SELECT COUNT(*) FROM ledger"), 1);
  EXPECT_EQ(ask(db(), "SELECT COUNT(*) FROM ledger WHERE id = 3"), 1);
}

// Each sets its own row to one more than both rows have together. PostgreSQL notices what they
// read, MariaDB locks it.
TEST_P(Conflicts, of_serializable_transactions_are_solved_by_running_one_again) {
  std::barrier both_have_read(2);
  const auto set_to_sum = [&](int id) {
    bool is_first = true;
    const auto done = retry_transaction(
        db(),
        [&](Connection& c) -> Result<Executed> {
          auto rows = c.query("SELECT balance FROM account");
          if (std::exchange(is_first, false)) both_have_read.arrive_and_wait();
          if (!rows) return fail(rows.error());
          const int next = (*rows)[0].get<int>(0) + (*rows)[1].get<int>(0) + 1;
          return c.execute("UPDATE account SET balance = " + std::to_string(next) +
                           " WHERE id = " + std::to_string(id));
        },
        {.isolation = Isolation::serializable});
    EXPECT_TRUE(done) << done.error().what();
  };
  std::thread other([&] { set_to_sum(2); });
  set_to_sum(1);
  other.join();
  // One after the other: 1, then 1 + 1. At the same time both would be 1.
  EXPECT_EQ(ask(db(), "SELECT COUNT(*) FROM account WHERE balance = 1"), 1);
  EXPECT_EQ(ask(db(), "SELECT COUNT(*) FROM account WHERE balance = 2"), 1);
}

INSTANTIATE_TEST_SUITE_P(On, Conflicts, testing::ValuesIn(servers()), name_of);

}  // namespace
}  // namespace weir::test
