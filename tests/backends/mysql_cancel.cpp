// SPDX-License-Identifier: MIT
//
// Goal: a call leaves at its deadline, at a cancel or an abort, though the library blocks; what it
// leaves behind ends on the server too; no kill ever meets another operation.
// Method: a real server that sleeps, waits for locks and computes; a kill swept over the end of a
// query; a server that is stopped while it works.
#include "tests/backends/mysql_fixture.hpp"

#include <atomic>
#include <thread>

namespace weir::test {
namespace {

class MysqlCancel : public Mysql {
 protected:
  weir_status cancel(std::uint64_t op, weir_time deadline = WEIR_NO_DEADLINE) {
    const weir_call call{sizeof call, 0, 1, deadline};
    return session->driver->cancel(session->canceller, op, &call, nullptr);
  }
};

TEST_F(MysqlCancel, ends_what_sleeps_computes_or_waits_for_a_lock) {
  run("CREATE TABLE a(k INT PRIMARY KEY)");
  run("INSERT INTO a VALUES(1)");
  interfere("BEGIN");
  interfere("UPDATE a SET k=2");
  for (const std::string& sql :
       {std::string("SELECT SLEEP(3600)"), std::string("SELECT BENCHMARK(1000000000000, 1)"),
        std::string("UPDATE a SET k=3")}) {
    const std::uint64_t id = backend_id();
    const std::uint64_t op = session->op + 1;
    std::thread other([&] {
      await_running(id, sql.substr(0, 10));
      EXPECT_EQ(WEIR_OK, cancel(op));
    });
    EXPECT_EQ(WEIR_E_CANCELLED, session->query(sql)) << sql;
    other.join();
    EXPECT_EQ(WEIR_CONN_USABLE, session->error.conn_fate);
    EXPECT_FALSE(session->is(WEIR_STATE_CANCEL_PENDING | WEIR_STATE_BROKEN));
    EXPECT_EQ(Value::integer(1), session->one("SELECT 1")) << sql;
    EXPECT_EQ(id, backend_id());
  }
  interfere("ROLLBACK");
}

TEST_F(MysqlCancel, leaves_the_transaction_open) {
  ASSERT_EQ(WEIR_OK, session->begin());
  const std::uint64_t id = backend_id();
  const std::uint64_t op = session->op + 1;
  std::thread other([&] {
    await_running(id, "SLEEP");
    cancel(op);
  });
  EXPECT_EQ(WEIR_E_CANCELLED, session->query("SELECT SLEEP(3600)"));
  other.join();
  EXPECT_EQ(WEIR_TX_OPEN, session->error.tx_fate);
  EXPECT_TRUE(session->is(WEIR_STATE_IN_TX));
  EXPECT_EQ(WEIR_OK, session->commit());
}

// The fence. Each round a cancel comes somewhere between the start of a short query and well after
// its end; the statement after it sleeps, so that a late kill would show.
TEST_F(MysqlCancel, that_comes_late_never_hits_the_next_statement) {
  std::atomic<std::uint64_t> target{0};
  std::atomic<std::int64_t> delay_ns{0};
  std::thread canceller([&] {
    for (std::uint64_t last = 0;;) {
      const std::uint64_t op = target.load(std::memory_order_acquire);
      if (op == UINT64_MAX) return;
      if (op == last) {
        std::this_thread::yield();
        continue;
      }
      last = op;
      const weir_time until = RealHost::now() + delay_ns.load(std::memory_order_relaxed);
      while (RealHost::now() < until) std::this_thread::yield();
      cancel(op);
    }
  });
  int hits = 0;
  const int rounds = scaled(2'000, 150);
  for (int i = 0; i < rounds; ++i) {
    delay_ns.store(i * 37 % 100 * 60'000, std::memory_order_relaxed);
    target.store(session->op + 1, std::memory_order_release);
    const weir_status status = session->query("SELECT SLEEP(0.003)");
    ASSERT_TRUE(status == WEIR_OK || status == WEIR_E_CANCELLED) << session->error.what();
    if (status == WEIR_E_CANCELLED) ++hits;
    // 0: it slept to its end. A kill makes it 1.
    ASSERT_EQ(Value::integer(0), session->one("SELECT SLEEP(0.002)")) << "round " << i;
  }
  target.store(UINT64_MAX, std::memory_order_release);
  canceller.join();
  EXPECT_GT(hits, 0) << "the sweep missed its mark";
  EXPECT_LT(hits, rounds) << "the sweep missed its mark";
}

// What is cancelled while its rows are on their way was carried out, and says so.
TEST_F(MysqlCancel, a_write_that_came_through_answers_its_rows) {
  run("CREATE TABLE t(k INT PRIMARY KEY)");
  for (int i = 0; i < scaled(1'000, 200); ++i) {
    const std::uint64_t op = session->op + 1;
    std::thread other([&, begun = RealHost::now()] {
      while (RealHost::now() < begun + i % 50 * 10'000) std::this_thread::yield();
      cancel(op);
    });
    const std::string key = std::to_string(i);
    const weir_status status = session->query("INSERT INTO t VALUES(" + key + ") RETURNING k");
    other.join();
    EXPECT_EQ(status == WEIR_OK ? "1" : "0", observe("SELECT COUNT(*) FROM t WHERE k=" + key));
  }
}

TEST_F(MysqlCancel, a_deadline_ends_the_call_and_then_the_session) {
  const std::uint64_t id = backend_id();
  ASSERT_EQ(WEIR_OK, session->begin());
  const weir_time begun = RealHost::now();
  session->deadline = begun + 100'000'000;
  EXPECT_EQ(WEIR_E_TIMEOUT, session->query("SELECT SLEEP(3600)"));
  EXPECT_LT(RealHost::now() - begun, 5'000'000'000);
  EXPECT_EQ(WEIR_CONN_BROKEN, session->error.conn_fate);
  EXPECT_EQ(WEIR_EFFECT_UNKNOWN, session->error.effect);
  EXPECT_EQ(WEIR_TX_GONE, session->error.tx_fate);
  EXPECT_TRUE(session->is(WEIR_STATE_BROKEN));
  session->deadline = WEIR_NO_DEADLINE;
  EXPECT_EQ(WEIR_E_INVALID_STATE, session->query("SELECT 1"));
  await_end_of_session(id);  // by the side link
}

TEST_F(MysqlCancel, a_deadline_in_what_may_have_committed_does_not_say_that_it_is_rolled_back) {
  run("CREATE TABLE kept(k INT)");
  interfere("CREATE PROCEDURE " + database() + ".commits() BEGIN INSERT INTO " + database() +
            ".kept VALUES(1); COMMIT; DO SLEEP(3600); END");
  const std::uint64_t id = backend_id();
  ASSERT_EQ(WEIR_OK, session->begin());
  std::thread other([&] {
    await_running(id, "SLEEP");
    session->driver->abort(session->canceller);
  });
  EXPECT_EQ(WEIR_E_CONN_LOST, session->query("CALL commits()"));
  other.join();
  EXPECT_EQ(WEIR_EFFECT_UNKNOWN, session->error.effect);
  EXPECT_EQ(WEIR_TX_NONE, session->error.tx_fate);
  await_end_of_session(id);
  EXPECT_EQ("1", observe("SELECT COUNT(*) FROM " + database() + ".kept"));
}

TEST_F(MysqlCancel, an_abort_ends_the_call_and_then_the_session) {
  const std::uint64_t id = backend_id();
  std::thread other([&] {
    await_running(id, "SLEEP");
    session->driver->abort(session->canceller);
  });
  EXPECT_EQ(WEIR_E_CONN_LOST, session->query("SELECT SLEEP(3600)"));
  other.join();
  EXPECT_EQ(WEIR_CONN_BROKEN, session->error.conn_fate);
  await_end_of_session(id);
}

TEST_F(MysqlCancel, a_stuck_call_stalls_nobody_else) {
  std::vector<std::unique_ptr<Session>> stuck;
  std::vector<std::thread> threads;
  for (std::uint64_t tag = 20; tag < 28; ++tag) {
    stuck.push_back(std::make_unique<Session>(*source, tag));
    ASSERT_EQ(WEIR_OK, stuck.back()->open());
    threads.emplace_back([s = stuck.back().get()] { s->query("SELECT SLEEP(3600)"); });
  }
  for (int i = 0; i < 20; ++i) run("SELECT 1");
  Session fresh(*source, 30);
  EXPECT_EQ(WEIR_OK, fresh.open());
  for (const auto& s : stuck) s->driver->abort(s->canceller);
  for (std::thread& thread : threads) thread.join();
}

TEST_F(MysqlCancel, one_that_cannot_reach_the_server_says_so_and_stays_pending) {
  interfere(
      "CREATE OR REPLACE USER once@localhost IDENTIFIED BY 'open-sesame' "
      "WITH MAX_USER_CONNECTIONS 1");
  Source alone(weir_mysql_driver(), host.abi(),
               "mysql://once:open-sesame@localhost/?socket=" + server().socket());
  Session its(alone, 40);
  ASSERT_EQ(WEIR_OK, its.open());
  std::thread other([&] { its.query("SELECT SLEEP(3600)"); });
  await(
      "SELECT COUNT(*) FROM information_schema.processlist WHERE user='once' AND info LIKE "
      "'%SLEEP%'",
      "1");
  const weir_call call{sizeof call, 0, 1, WEIR_NO_DEADLINE};
  Error error;
  EXPECT_EQ(WEIR_E_TOO_MANY_CONNECTIONS, its.driver->cancel(its.canceller, 2, &call, &error));
  its.driver->abort(its.canceller);
  other.join();
  EXPECT_EQ(WEIR_E_CONN_LOST, its.status);
  its.close();
  interfere("KILL USER once");  // the side link of the abort had no place either
}

TEST_F(MysqlCancel, a_server_that_is_killed_is_a_lost_connection) {
  const std::uint64_t id = backend_id();
  std::thread other([&] {
    await_running(id, "SLEEP");
    interfere("KILL CONNECTION " + std::to_string(id));
  });
  EXPECT_EQ(WEIR_E_CONN_LOST, session->query("SELECT SLEEP(3600)"));
  other.join();
  EXPECT_EQ(WEIR_EFFECT_UNKNOWN, session->error.effect);
  EXPECT_EQ(WEIR_OK, session->ping(WEIR_PING_PROTOCOL));
  EXPECT_EQ(WEIR_ALIVE_NO, session->alive);
}

}  // namespace
}  // namespace weir::test
