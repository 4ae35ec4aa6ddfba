// SPDX-License-Identifier: MIT
//
// Goal: a transaction is one on every database, whatever was said to the session before it and
// however it ends. Method: real databases.
#include "tests/api/databases.hpp"

namespace weir::test {
namespace {

class EachTransaction : public EachDatabase {
 protected:
  void SetUp() override {
    EachDatabase::SetUp();
    if (IsSkipped()) return;
    run("drop table if exists t");
    run("create table t (id bigint primary key)");
  }
  long long count() { return number("select count(*) from t"); }
};

TEST_P(EachTransaction, is_undone_though_its_isolation_level_was_set_before_it) {
  const auto refused = db().with([&](Connection& c) -> Result<void> {
    if (is("mysql")) {
      auto set = c.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
      if (!set) return fail(std::move(set).error());
    }
    return c.transaction([](Connection& inner) -> Result<void> {
      EXPECT_TRUE(inner.execute("insert into t values (1)"));
      return fail(Code::invalid_argument, "no");
    });
  });
  EXPECT_EQ(refused.error().code(), Code::invalid_argument) << refused.error().what();
  EXPECT_EQ(count(), 0);
}

// On MySQL it commits before it fails. Elsewhere it makes the transaction fail, or only itself.
TEST_P(EachTransaction, that_a_failed_statement_has_ended_takes_no_other_one) {
  auto lease = or_throw(db().acquire());
  ASSERT_TRUE(lease->begin());
  ASSERT_TRUE(lease->execute("insert into t values (1)"));
  EXPECT_FALSE(lease->execute("create table t (id bigint primary key)"));
  const auto next = lease->execute("insert into t values (2)");
  EXPECT_EQ(next.has_value(), is("sqlite"));
  EXPECT_TRUE(lease->rollback());
  EXPECT_TRUE(lease->execute("insert into t values (3)")) << "there is none any more";
  lease.release();
  EXPECT_EQ(count(), is("mysql") ? 2 : 1);
}

INSTANTIATE_TEST_SUITE_P(Each, EachTransaction, testing::ValuesIn(databases()), name_of);

}  // namespace
}  // namespace weir::test
