// SPDX-License-Identifier: MIT
//
// Goal: a session that the server ends, or does not grant, is told as what it is, is not lent
// again, and the pool goes on without anybody's help. Method: a second pool ends sessions of the
// first while they are idle, in a query and in a transaction; another one takes all that the server
// grants.
#include "tests/faults/server.hpp"

#include <weir/driver.h>

#include <algorithm>
#include <future>

namespace weir::test {
namespace {

using namespace std::chrono_literals;

class Killed : public testing::TestWithParam<Server> {
 protected:
  void SetUp() override {
    if (const std::string why = GetParam().missing(); !why.empty()) GTEST_SKIP() << why;
    url_ = GetParam().url();
    admin_ = &open("max = 1\n");
    ASSERT_TRUE(admin_->execute("DROP TABLE IF EXISTS ledger"));
    ASSERT_TRUE(admin_->execute("CREATE TABLE ledger (id bigint)"));
  }
  // Until the end of the test.
  Pool& open(const std::string& keys) {
    auto pools = open_pool(GetParam().driver(), GetParam().name, url_, keys);
    if (!pools) throw Exception(pools.error());
    return (*pools_.emplace_back(std::make_unique<Pools>(*std::move(pools))))["main"];
  }
  void end_session(std::int64_t id) {
    const auto ended = admin_->execute(GetParam().end_session + std::to_string(id) + ")");
    ASSERT_TRUE(ended) << ended.error().what();
    await(*admin_, GetParam().sessions + std::to_string(id), 0);
  }
  std::int64_t session_of(Connection& c) {
    return or_throw(c.query(GetParam().session_id))[0].get<std::int64_t>(0);
  }
  // Of `count` connections at the same time, each of which has to work.
  std::vector<std::int64_t> sessions_of(Pool& db, int count) {
    std::vector<Lease> leases;
    std::vector<std::int64_t> ids;
    for (int i = 0; i < count; ++i) {
      leases.push_back(or_throw(db.acquire()));
      ids.push_back(session_of(*leases.back()));
    }
    return ids;
  }
  // That many work, and none of them is one of the dead.
  void expect_new_sessions(Pool& db, const std::vector<std::int64_t>& dead) {
    for (const std::int64_t id : sessions_of(db, static_cast<int>(dead.size()))) {
      EXPECT_EQ(std::count(dead.begin(), dead.end(), id), 0) << "lent again";
    }
    EXPECT_EQ(db.stats().closed[static_cast<std::size_t>(CloseReason::broken)], dead.size());
  }
  Result<Executed> insert(Connection& c) { return c.execute(GetParam().insert, 1); }
  void expect_nothing_written() { EXPECT_EQ(ask(*admin_, "SELECT count(*) FROM ledger"), 0); }
  // What is always said of a session that the server has ended.
  static void expect_lost(const weir::Error& error) {
    EXPECT_EQ(error.code(), Code::connection_lost) << error.what();
    ASSERT_NE(error.database(), nullptr) << error.what();
    EXPECT_EQ(error.database()->kind, WEIR_E_CONN_LOST) << error.what();
    EXPECT_EQ(error.database()->conn_fate, WEIR_CONN_BROKEN) << error.what();
    // Before the request left, if the driver saw it in time; else nobody knows.
    const auto told = retry_class(error);
    EXPECT_TRUE(told == RetryClass::not_sent || told == RetryClass::unknown) << error.what();
  }

  std::string url_;
  Pool* admin_ = nullptr;

 private:
  std::vector<std::unique_ptr<Pools>> pools_;
};

TEST_P(Killed, idle_ones_are_noticed_before_they_are_lent) {
  Pool& db = open("max = 3\nvalidate_after = \"0s\"\n");
  const auto dead = sessions_of(db, 3);
  for (const std::int64_t id : dead) end_session(id);
  expect_new_sessions(db, dead);
}

// R2
TEST_P(Killed, idle_ones_that_are_not_looked_at_cost_one_caller_an_error) {
  Pool& db = open("max = 3\nvalidate_after = \"none\"\n");
  const auto dead = sessions_of(db, 3);
  for (const std::int64_t id : dead) end_session(id);
  const auto lost = db.with([&](Connection& c) { return insert(c); });
  ASSERT_FALSE(lost);
  expect_lost(lost.error());
  expect_new_sessions(db, dead);
  expect_nothing_written();
}

TEST_P(Killed, in_a_query) {
  Pool& db = open("max = 1\n");
  Lease lease = or_throw(db.acquire());
  const std::int64_t id = session_of(*lease);
  auto query = std::async(std::launch::async, [&] { return lease->query(GetParam().endless); });
  await(*admin_, GetParam().running_endless + std::to_string(id), 1);
  end_session(id);
  const auto lost = query.get();
  ASSERT_FALSE(lost);
  expect_lost(lost.error());
  EXPECT_EQ(retry_class(lost.error()), RetryClass::unknown);
  const auto more = lease->query(GetParam().session_id);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code(), Code::connection_lost) << more.error().what();
  lease.release();
  expect_new_sessions(db, {id});
}

TEST_P(Killed, in_a_transaction) {
  Pool& db = open("max = 1\n");
  std::int64_t id = 0;
  const auto lost = db.transaction([&](Connection& c) -> Result<Executed> {
    id = session_of(c);
    if (auto first = insert(c); !first) return first;
    end_session(id);
    return insert(c);
  });
  ASSERT_FALSE(lost);
  expect_lost(lost.error());
  EXPECT_EQ(lost.error().database()->tx_fate, WEIR_TX_GONE);
  expect_new_sessions(db, {id});
  expect_nothing_written();
}

TEST_P(Killed, before_the_commit) {
  Pool& db = open("max = 1\n");
  std::int64_t id = 0;
  const auto lost = db.transaction([&](Connection& c) -> Result<Executed> {
    id = session_of(c);
    auto inserted = insert(c);
    end_session(id);
    return inserted;
  });
  ASSERT_FALSE(lost);
  expect_lost(lost.error());
  expect_new_sessions(db, {id});
  expect_nothing_written();
}

TEST_P(Killed, a_full_server_is_waited_for_until_the_deadline) {
  GetParam().allow_sessions(12);
  Pool& all = open("max = 30\nacquire_timeout = \"1s\"\n");
  std::vector<Lease> leases;
  for (auto lease = all.acquire(); lease; lease = all.acquire()) {
    leases.push_back(*std::move(lease));
  }
  Pool& db = open(
      "max = 1\nacquire_timeout = \"500ms\"\ncreate_timeout = \"2s\"\n"
      "create_retry_interval = \"50ms\"\ncreate_retry_max = \"200ms\"\n");
  const Instant start = db.now();
  const auto none = db.acquire();
  EXPECT_GE(db.now() - start, 500ms);
  EXPECT_LT(db.now() - start, 500ms + 1s) << "a second for a machine that does much else";
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::acquire_timeout) << none.error().what();
  ASSERT_NE(none.error().acquire(), nullptr);
  EXPECT_EQ(none.error().acquire()->reason, AcquireClass::server_full) << none.error().what();
  leases.clear();
  ASSERT_TRUE(all.drain(60s));
  const auto lease = db.acquire({.timeout = recovery_bound(db.config())});
  EXPECT_TRUE(lease) << lease.error().what();
  GetParam().allow_sessions(60);
}

INSTANTIATE_TEST_SUITE_P(On, Killed, testing::ValuesIn(servers()), name_of);

}  // namespace
}  // namespace weir::test
