// SPDX-License-Identifier: MIT
//
// Goal: a call leaves at its deadline, at a cancel or an abort, though the library blocks; what it
// leaves behind ends on the server too; no kill ever meets another operation.
// Method: a real server that sleeps, waits for locks and computes; a kill swept over the end of a
// query; a server that is stopped while it works. It is seen by the waits in the host whose thread
// a call is made on.
#include "tests/backends/mysql_fixture.hpp"
#include "tests/backends/stopped.hpp"

#include <atomic>
#include <fstream>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace weir::test {
namespace {

class MysqlCancel : public Mysql {
 protected:
  weir_status cancel(std::uint64_t op, weir_time deadline = WEIR_NO_DEADLINE) {
    const weir_call call{sizeof call, 0, 1, deadline};
    return session->driver->cancel(session->canceller, op, &call, nullptr);
  }
  // In poll(), as who waits for a server in the client library is.
  static bool is_polling(pid_t thread) {
    std::ifstream call("/proc/self/task/" + std::to_string(thread) + "/syscall");
    long number = -1;
    return call >> number && (number == SYS_poll || number == SYS_ppoll);
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

// To hand it over and back costs as much as a small query. Where the link's socket cannot be found
// it is done all the same: the call has to end at its deadline.
TEST_F(MysqlCancel, a_call_is_made_by_its_caller_where_its_link_can_be_cut) {
  FakeHost counting;
  counting.real_waits = true;
  Source its_source(weir_mysql_driver(), counting.abi(), url);
  const auto waits_of_calls = [&](weir_time until) {
    Session its(its_source, 50);
    EXPECT_EQ(WEIR_OK, its.open()) << its.error.what();
    counting.waits.clear();
    its.deadline = until;
    EXPECT_EQ(Value::integer(0), its.one("SELECT SLEEP(0.1)"));
    EXPECT_EQ(WEIR_OK, its.begin());
    EXPECT_EQ(WEIR_OK, its.commit());
    const std::size_t waits = counting.waits.size();
    its.deadline = WEIR_NO_DEADLINE;
    return waits;
  };
  const weir_time late = counting.now + 3'600'000'000'000;
  EXPECT_EQ(0u, waits_of_calls(WEIR_NO_DEADLINE));
  EXPECT_EQ(0u, waits_of_calls(late));
  const std::string packet = observe("SELECT @@GLOBAL.max_allowed_packet");
  interfere("SET GLOBAL max_allowed_packet = 65536");
  EXPECT_GT(waits_of_calls(WEIR_NO_DEADLINE), 0u);
  EXPECT_GT(waits_of_calls(late), 0u);
  interfere("SET GLOBAL max_allowed_packet = " + packet);
}

TEST_F(MysqlCancel, an_abort_ends_a_call_though_the_server_is_mute) {
  for (const std::string& place :
       {"/?socket=" + server().socket(), ":" + std::to_string(server().port()) + "/"}) {
    Source its_source(weir_mysql_driver(), host.abi(),
                      "mysql://weir:open-sesame@localhost" + place);
    Session its(its_source, 51);
    ASSERT_EQ(WEIR_OK, its.open()) << its.error.what();
    ASSERT_EQ(WEIR_OK, its.begin());
    {
      const Stopped stopped(server().pid());
      std::thread other([&, caller = ::gettid()] {
        EXPECT_TRUE(comes_true([&] { return is_polling(caller); }));
        its.driver->abort(its.canceller);
      });
      EXPECT_EQ(WEIR_E_CONN_LOST, its.query("SELECT 1")) << place;
      other.join();
    }
    EXPECT_EQ(WEIR_CONN_BROKEN, its.error.conn_fate);
    EXPECT_EQ(WEIR_EFFECT_UNKNOWN, its.error.effect);
    EXPECT_EQ(WEIR_TX_GONE, its.error.tx_fate);
    EXPECT_THAT(its.error.what(), ::testing::HasSubstr("aborted by the host"));
    EXPECT_TRUE(its.is(WEIR_STATE_BROKEN));
  }
}

TEST_F(MysqlCancel, a_deadline_ends_a_call_though_the_server_is_mute) {
  for (const std::int64_t left : {100'000'000, 300'000'000}) {
    Session its(*source, 52);
    ASSERT_EQ(WEIR_OK, its.open());
    ASSERT_EQ(WEIR_OK, its.begin());
    const Stopped stopped(server().pid());
    const weir_time begun = RealHost::now();
    its.deadline = begun + left;
    EXPECT_EQ(WEIR_E_TIMEOUT, its.query("SELECT 1"));
    EXPECT_LT(RealHost::now() - its.deadline, 5'000'000'000);
    EXPECT_EQ(WEIR_CONN_BROKEN, its.error.conn_fate);
    EXPECT_EQ(WEIR_EFFECT_UNKNOWN, its.error.effect);
    EXPECT_EQ(WEIR_TX_GONE, its.error.tx_fate);
    EXPECT_TRUE(its.is(WEIR_STATE_BROKEN));
  }
}

// The library closes its own descriptor of a link that it gives up; the other one must not keep the
// session, and the locks of its transaction, until the host closes the connection.
TEST_F(MysqlCancel, a_link_that_the_library_gives_up_ends_at_once) {
  Source its_source(weir_mysql_driver(), host.abi(), url, {{"read_timeout", "1s"}});
  Session its(its_source, 53);
  ASSERT_EQ(WEIR_OK, its.open()) << its.error.what();
  ASSERT_EQ(WEIR_OK, its.begin());
  weir_conn_state state{};
  state.struct_size = sizeof state;
  its.driver->state(its.conn, &state);
  EXPECT_EQ(WEIR_E_CONN_LOST, its.query("SELECT SLEEP(3)"));
  EXPECT_EQ(WEIR_TX_GONE, its.error.tx_fate);
  await_end_of_session(state.backend_id);
  EXPECT_EQ(WEIR_E_INVALID_STATE, its.commit());
  EXPECT_NE(WEIR_TX_OPEN, its.error.tx_fate);
}

// An idle one that was in a transaction, too.
TEST_F(MysqlCancel, after_an_abort_no_transaction_is_said_to_be_open) {
  ASSERT_EQ(WEIR_OK, session->begin());
  session->driver->abort(session->canceller);
  EXPECT_EQ(WEIR_E_CONN_LOST, session->commit());
  EXPECT_EQ(WEIR_TX_GONE, session->error.tx_fate);
  EXPECT_EQ(WEIR_CONN_BROKEN, session->error.conn_fate);
}

// One thread watches over all calls, and does not oversleep what comes after it fell asleep.
TEST_F(MysqlCancel, deadlines_are_kept_in_whatever_order_they_come) {
  std::vector<std::unique_ptr<Session>> sessions;
  std::vector<std::thread> threads;
  for (std::uint64_t tag = 70; tag < 78; ++tag) {
    sessions.push_back(std::make_unique<Session>(*source, tag));
    ASSERT_EQ(WEIR_OK, sessions.back()->open());
  }
  std::atomic<int> late{0};
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    threads.emplace_back([&, s = sessions[i].get(), i] {
      for (int n = 0; n < 5; ++n) {
        s->deadline = RealHost::now() + 60'000'000'000;
        if (s->query("SELECT 1") != WEIR_OK) ++late;
      }
      s->deadline = RealHost::now() + static_cast<std::int64_t>((i * 5 + 3) % 8) * 20'000'000;
      EXPECT_EQ(WEIR_E_TIMEOUT, s->query("SELECT SLEEP(3600)"));
      if (RealHost::now() > s->deadline + 5'000'000'000) ++late;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(0, late);
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
  EXPECT_EQ(WEIR_CONN_USABLE, error.conn_fate)
      << "the link of the cancel broke, not the connection";
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
