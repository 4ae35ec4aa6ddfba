// SPDX-License-Identifier: MIT
//
// Goal: all that one request does, however deep, is on one connection and in one transaction; it
// borrows nothing before it needs to, and goes on with another connection when one broke. Method:
// real SQLite, and the mock where a connection has to break.
#include "backends/mock/weir_mock.h"
#include "tests/api/support.hpp"

#include <thread>

#include <gmock/gmock.h>

namespace weir::test {
namespace {

using testing::HasSubstr;

class RequestScopes : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    pools_.emplace(or_throw(open_file("max = 2\n")));
    ASSERT_TRUE(db().execute("create table t (x int)"));
  }
  Pool& db() { return (*pools_)["main"]; }
  std::int64_t stored() {
    return or_throw(db().query("select count(*) from t"))[0].get<std::int64_t>(0);
  }
  // Somewhere deep in the program.
  static Result<void> add(RequestScope& request) {
    auto done = request.execute("insert into t values (1)");
    if (!done) return fail(done.error());
    return {};
  }

  std::optional<Pools> pools_;
};

TEST_F(RequestScopes, borrow_at_the_first_use_and_keep_to_one_connection) {
  const std::uint64_t before = db().stats().leases;
  {
    RequestScope request(db());
    EXPECT_EQ(db().stats().leases, before);
    EXPECT_FALSE(request.holds_connection());
    ASSERT_TRUE(request.execute("create temp table mine (x int)"));
    ASSERT_TRUE(
        request.with([](Connection& c) { return c.execute("insert into mine values (7)"); }));
    EXPECT_EQ(or_throw(request.query("select x from mine"))[0].get<int>(0), 7);
    EXPECT_TRUE(request.holds_connection());
    EXPECT_EQ(db().stats().leases, before + 1);
    EXPECT_EQ(db().stats().now.lent, 1U);
  }
  EXPECT_EQ(db().stats().now.lent, 0U);
}

TEST_F(RequestScopes, share_a_transaction_with_what_they_call) {
  RequestScope request(db());
  const auto undone = request.transaction([&](Connection&) -> Result<void> {
    EXPECT_TRUE(add(request));
    EXPECT_EQ(db().stats().now.lent, 1U);
    return fail(Code::invalid_argument, "no");
  });
  EXPECT_FALSE(undone);
  EXPECT_EQ(stored(), 0);

  const auto done = request.transaction([&](Connection&) -> Result<void> {
    EXPECT_TRUE(add(request));
    EXPECT_FALSE(request.transaction([&](Connection&) -> Result<void> {
      EXPECT_TRUE(add(request));
      return fail(Code::invalid_argument, "no");
    })) << "a savepoint";
    return add(request);
  });
  EXPECT_TRUE(done) << done.error().what();
  EXPECT_EQ(stored(), 2);
}

TEST_F(RequestScopes, keep_to_the_deadline_of_their_transaction) {
  const char* endless =
      "with recursive n(i) as (select 1 union all select i + 1 from n) "
      "select count(*) from n";
  RequestScope request(db());
  const auto done = request.transaction(
      [&](Connection&) -> Result<Rows> {
        EXPECT_TRUE(add(request));
        return request.query(endless);  // not through the handle that the function got
      },
      {.timeout = 50ms});
  EXPECT_EQ(done.error().code(), Code::query_timeout) << done.error().what();
  EXPECT_EQ(stored(), 0);
  EXPECT_TRUE(request.query("select 1")) << "the deadline ended with the transaction";
  request.release();
  const Lease one = or_throw(db().acquire());
  const Lease two = or_throw(db().acquire());
  const auto late = request.transaction([](Connection&) { FAIL(); }, {.timeout = 10ms});
  EXPECT_EQ(late.error().code(), Code::acquire_timeout) << late.error().what();
}

TEST_F(RequestScopes, give_back_early_but_not_from_within) {
  RequestScope request(db());
  EXPECT_TRUE(request.with([&](Connection& c) {
    request.release();
    return c.query("select 1");
  }));
  EXPECT_TRUE(request.holds_connection());
  request.release();
  EXPECT_FALSE(request.holds_connection());
  EXPECT_TRUE(add(request));
}

TEST_F(RequestScopes, may_go_on_on_another_thread) {
  RequestScope request(db());
  ASSERT_TRUE(add(request));
  std::thread([&] { EXPECT_TRUE(add(request)); }).join();
  EXPECT_EQ(db().stats().now.lent, 1U);
  EXPECT_EQ(stored(), 2);
}

TEST_F(RequestScopes, hand_on_errors_and_exceptions) {
  RequestScope request(db());
  EXPECT_EQ(request.query("select nonsense").error().code(), Code::sql_error);
  EXPECT_THROW(static_cast<void>(request.with([](Connection&) { throw std::runtime_error("no"); })),
               std::runtime_error);
  EXPECT_TRUE(request.holds_connection()) << "neither broke it";
  EXPECT_TRUE(request.query("select 1"));
  request.release();
  EXPECT_FALSE(request.holds_connection()) << "an exception ends a use, too";
}

class BreakingRequests : public testing::Test {
 protected:
  static Pools mock(const std::string& keys) {
    return or_throw(Pools::builder()
                        .driver(weir_mock_driver())
                        .string("version = 1\n[pool.main]\ndriver = \"mock\"\nurl = \"mock:\"\n"
                                "log = []\n" +
                                keys)
                        .open());
  }
};

TEST_F(BreakingRequests, go_on_with_another_connection_once_one_broke) {
  Pools pools = mock("max = 1\n");
  RequestScope request(pools["main"]);
  const auto lost = request.with([&](Connection& c) -> Result<Rows> {
    EXPECT_FALSE(c.is_broken());
    EXPECT_FALSE(request.query("BREAK"));
    EXPECT_TRUE(c.is_broken());
    return request.query("SELECT 1");  // still the old one: this function holds on to it
  });
  EXPECT_EQ(lost.error().code(), Code::connection_lost) << lost.error().what();
  EXPECT_FALSE(request.holds_connection());
  EXPECT_TRUE(request.query("SELECT 1"));
  EXPECT_EQ(pools["main"].stats().created, 2U);
}

TEST_F(BreakingRequests, go_on_after_a_transaction_that_broke_theirs) {
  Pools pools = mock("max = 1\n");
  RequestScope request(pools["main"]);
  const auto lost = request.transaction([](Connection& c) { return c.query("BREAK"); });
  ASSERT_FALSE(lost);
  EXPECT_FALSE(request.holds_connection());
  EXPECT_TRUE(request.query("SELECT 1"));
  EXPECT_EQ(pools["main"].stats().created, 2U);
}

TEST_F(BreakingRequests, keep_to_a_broken_connection_in_a_transaction_that_they_began) {
  Pools pools = mock("max = 1\n");
  RequestScope request(pools["main"]);
  ASSERT_TRUE(request.with([](Connection& c) { return c.begin(); }));
  EXPECT_FALSE(request.query("BREAK"));
  EXPECT_EQ(request.execute("INSERT").error().code(), Code::connection_lost)
      << "elsewhere it would run outside of the transaction";
  request.release();
  EXPECT_TRUE(request.execute("INSERT"));
}

TEST_F(BreakingRequests, let_go_of_a_broken_connection_once_its_commit_has_failed) {
  Pools pools = mock("max = 1\n");
  RequestScope request(pools["main"]);
  ASSERT_TRUE(request.with([](Connection& c) { return c.begin(); }));
  EXPECT_FALSE(request.query("BREAK"));
  EXPECT_TRUE(request.holds_connection());
  const auto committed = request.with([](Connection& c) { return c.commit(); });
  EXPECT_EQ(committed.error().code(), Code::connection_lost) << committed.error().what();
  EXPECT_FALSE(request.holds_connection());
}

// Two requests that hold all and want more: each is one task, so both are not left to wait.
TEST_F(BreakingRequests, that_wait_for_each_other_are_told) {
  Pools pools = mock("max = 1\nacquire_timeout = \"10m\"\n");
  Pool& db = pools["main"];
  RequestScope request(db, {.task = 5});
  ASSERT_TRUE(request.query("SELECT 1"));
  std::thread([&] {
    const auto second = db.acquire({.task = 5});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), Code::self_deadlock) << second.error().what();
  }).join();
}

TEST_F(BreakingRequests, say_why_they_got_no_connection) {
  Pools pools = mock("max = 1\n");
  const Lease all = or_throw(pools["main"].acquire({.tag = "all of it"}));
  RequestScope request(pools["main"], {.timeout = 1ms, .tag = "request"});
  const auto rows = request.query("SELECT 1");
  EXPECT_EQ(rows.error().code(), Code::acquire_timeout);
  EXPECT_THAT(rows.error().what(), HasSubstr("all of it"));
}

}  // namespace
}  // namespace weir::test
