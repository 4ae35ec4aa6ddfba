// SPDX-License-Identifier: MIT
//
// Goal: [pool.<name>.retry] reaches weir::retry through the public API, and SQLite's own facts lead
// to the right class: a transaction that cannot begin has done nothing. Method: a real database
// file whose write lock another lease of the same pool holds.
#include "tests/api/support.hpp"

namespace weir::test {
namespace {

class RetryTest : public ApiTest {
 protected:
  // Begins to write in another lease, and runs a transaction that gets the lock at its `at`-th
  // call.
  [[nodiscard]] Result<Executed> insert_when_free(Pool& db, int at, int& calls) {
    auto writer = db.acquire();
    if (!writer) return fail(writer.error());
    if (auto begun = (*writer)->begin(); !begun) return fail(begun.error());
    return retry(db, [&](Pool& p) {
      if (++calls == at) {
        EXPECT_TRUE((*writer)->rollback());
      }
      return p.transaction([](Connection& c) { return c.execute("insert into t values (1)"); });
    });
  }
  static constexpr const char* busy_at_once = "options = { busy_timeout = \"0s\" }\n";
};

TEST_F(RetryTest, a_transaction_that_cannot_begin_is_tried_again_by_default) {
  auto pools = open_file(std::string(busy_at_once) + "retry = { base = \"1ms\" }");
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  ASSERT_TRUE(db.execute("create table t (x)"));
  int calls = 0;
  const auto inserted = insert_when_free(db, 3, calls);
  ASSERT_TRUE(inserted) << inserted.error().what();
  EXPECT_EQ(calls, 3);
  EXPECT_EQ((*db.query("select count(*) from t"))[0].get<int>(0), 1);
}

TEST_F(RetryTest, the_file_says_how_often_and_on_what) {
  auto pools = open_file(std::string(busy_at_once) +
                         "retry = { base = \"1ms\", attempts = 2, on = [\"refused\"] }");
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  EXPECT_EQ(db.config().retry.attempts, 2U);
  EXPECT_FALSE(db.config().retry.on.acquire);
  ASSERT_TRUE(db.execute("create table t (x)"));
  int calls = 0;
  const auto given_up = insert_when_free(db, 3, calls);
  ASSERT_FALSE(given_up);
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(given_up.error().code(), Code::conflict);
  ASSERT_NE(given_up.error().retry(), nullptr);
  EXPECT_EQ(given_up.error().retry()->stop, RetryStop::attempts);
  EXPECT_EQ((*db.query("select count(*) from t"))[0].get<int>(0), 0);
}

}  // namespace
}  // namespace weir::test
