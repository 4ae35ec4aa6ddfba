// SPDX-License-Identifier: MIT
//
// Goal: where its host has a simulated server, the mock driver is a driver of that server, with the
// manners of the contract; where it has none for the URL, nothing changes.
// Method: the driver through the C ABI, on the fake host with the extension.
#include "backends/mock/weir_mock.h"
#include "sim/server/extension.hpp"
#include "tests/backends/abi_host.hpp"
#include "tests/backends/client.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace weir::test {
namespace {

constexpr weir_time ms = 1'000'000;
const char* const url = "mock:db";

class SimulatedMock : public ::testing::Test {
 protected:
  SimulatedMock() {
    settings.network = sim::Distribution::constant(1 * ms);
    settings.statement = sim::Distribution::constant(10 * ms);
    extension_of = &servers;
    host.mutable_abi().extension = [](void*, const char* id) noexcept {
      return extension_of->find(id);
    };
  }
  Session& open(std::vector<sim::Fault> faults = {}) {
    settings.faults = std::move(faults);
    server = &servers.add(url, settings);
    source = std::make_unique<Source>(weir_mock_driver(), host.abi(), url);
    EXPECT_EQ(WEIR_OK, source->status) << source->error.what();
    session = std::make_unique<Session>(*source, 5);
    EXPECT_EQ(WEIR_OK, session->open()) << session->error.what();
    return *session;
  }
  void TearDown() override { host.on_wait = nullptr; }
  long count(sim::What what) const {
    long n = 0;
    for (const auto& record : server->ledger().records) n += record.what == what ? 1 : 0;
    return n;
  }

  static inline sim::Servers* extension_of = nullptr;
  sim::Servers servers;
  sim::Settings settings;
  int waits = 0;  // counted by on_wait, which outlives the test's own variables
  sim::Server* server = nullptr;
  FakeHost host;
  std::unique_ptr<Source> source;
  std::unique_ptr<Session> session;
};

TEST_F(SimulatedMock, a_url_without_a_server_runs_by_its_options) {
  servers.add("mock:other", settings);
  Source by_options(weir_mock_driver(), host.abi(), url, {{"open_latency", "7000000"}});
  Session s(by_options);
  const weir_time start = host.now;
  EXPECT_EQ(WEIR_OK, s.open());
  EXPECT_EQ(start + 7 * ms, host.now);
  EXPECT_EQ(WEIR_E_SYNTAX, s.query("SHOW STATE"));
}

TEST_F(SimulatedMock, statements_take_the_servers_time_and_have_its_effects) {
  Session& s = open();
  const weir_time start = host.now;
  ASSERT_EQ(WEIR_OK, s.query("PUT ? ?", {Value::str("k"), Value::integer(7)}));
  EXPECT_EQ(1U, s.out.affected);
  EXPECT_EQ(start + 12 * ms, host.now);
  EXPECT_EQ(Value::str("7"), s.one("GET k"));
  EXPECT_EQ(Value::null(), s.one("GET ?", {Value::str("other")}));
  EXPECT_EQ(Value::integer(3), s.one("SELECT 3 /*c1.1*/"));
  EXPECT_EQ(WEIR_OK, s.query("ROWS 1000"));
  EXPECT_EQ(1000U, s.rows.size());
  EXPECT_EQ(WEIR_E_SYNTAX, s.query("PLEASE"));
  EXPECT_EQ(WEIR_E_CONSTRAINT, s.query("PUT k 8"));
  EXPECT_EQ(WEIR_EFFECT_DEFINITE, s.error.effect);
  EXPECT_EQ(WEIR_OK, s.ping(WEIR_PING_SESSION));
  EXPECT_EQ(WEIR_ALIVE_YES, s.alive);
  weir_stmt* stmt = nullptr;
  ASSERT_EQ(WEIR_OK, s.prepare("GET ?", &stmt));
  ASSERT_EQ(WEIR_OK, s.query("", {Value::str("k")}, 0, stmt));
  EXPECT_EQ((Row{Value::str("7")}), s.rows.at(0));
  s.stmt_close(stmt);
}

TEST_F(SimulatedMock, the_sessions_state_is_the_servers) {
  Session& s = open();
  EXPECT_EQ(0U, s.flags());
  ASSERT_EQ(WEIR_OK, s.query("SET zone utc"));
  EXPECT_EQ(WEIR_STATE_DIRTY, s.flags());
  ASSERT_EQ(WEIR_OK, s.reset());
  EXPECT_EQ(0U, s.flags());
  ASSERT_EQ(WEIR_OK, s.begin());
  ASSERT_EQ(WEIR_OK, s.query("ADD a"));
  EXPECT_EQ(WEIR_STATE_IN_TX, s.flags());
  EXPECT_EQ(WEIR_E_SERIALIZATION, s.query("FAIL serialization"));
  EXPECT_EQ(WEIR_TX_FAILED, s.error.tx_fate);
  EXPECT_EQ(WEIR_E_SERIALIZATION, s.commit());
  EXPECT_EQ(WEIR_TX_GONE, s.error.tx_fate);
  ASSERT_EQ(WEIR_OK, s.begin());
  ASSERT_EQ(WEIR_OK, s.query("ADD b"));
  ASSERT_EQ(WEIR_OK, s.commit());
  EXPECT_EQ(1, count(sim::What::applied));
}

TEST_F(SimulatedMock, a_deadline_leaves_the_effect_unknown_and_the_connection_broken) {
  Session& s = open();
  s.deadline = host.now + 5 * ms;
  const weir_time deadline = s.deadline;
  EXPECT_EQ(WEIR_E_TIMEOUT, s.query("PUT k 1"));
  EXPECT_EQ(deadline, host.now);
  EXPECT_EQ(WEIR_EFFECT_UNKNOWN, s.error.effect);
  EXPECT_EQ(WEIR_CONN_BROKEN, s.error.conn_fate);
  s.close();
  server->advance(host.now + 50 * ms);
  EXPECT_EQ(1, count(sim::What::applied));
  EXPECT_EQ(0U, server->ledger().sessions);
}

TEST_F(SimulatedMock, a_cancel_reaches_the_server) {
  Session& s = open();
  host.on_wait = [&] {
    if (++waits != 1) return;
    weir_call c{};
    c.struct_size = sizeof c;
    c.deadline = WEIR_NO_DEADLINE;
    host.now += 3 * ms;
    s.driver->cancel(s.canceller, s.op, &c, nullptr);
  };
  EXPECT_EQ(WEIR_E_CANCELLED, s.query("SLEEP 1000"));
  EXPECT_EQ(1, count(sim::What::cancel_hit));
  EXPECT_FALSE(s.is(WEIR_STATE_BROKEN));
  EXPECT_EQ(WEIR_OK, s.query("SELECT 1"));
}

TEST_F(SimulatedMock, an_abort_ends_a_call) {
  Session& s = open();
  const weir_time start = host.now;
  host.on_wait = [&] {
    host.now += 2 * ms;
    s.driver->abort(s.canceller);
  };
  EXPECT_EQ(WEIR_E_CONN_LOST, s.query("SLEEP 100"));
  EXPECT_EQ(start + 2 * ms, host.now);
  EXPECT_TRUE(s.is(WEIR_STATE_BROKEN));
}

TEST_F(SimulatedMock, a_hang_ignores_the_deadline_and_a_deaf_one_the_abort) {
  const weir_time end = host.now + 1000 * ms;
  Session& s =
      open({{.what = sim::FaultKind::hang, .target = 5, .from = host.now + 50 * ms, .to = end},
            {.what = sim::FaultKind::deaf, .target = 6, .from = host.now + 50 * ms, .to = end}});
  Session deaf(*source, 6);
  ASSERT_EQ(WEIR_OK, deaf.open());
  host.now += 60 * ms;
  deaf.deadline = s.deadline = host.now + 100 * ms;
  host.on_wait = [&] {
    if (++waits == 3) s.driver->abort(s.canceller);
  };
  EXPECT_EQ(WEIR_E_CONN_LOST, s.query("SELECT 1"));
  EXPECT_EQ(3, waits);
  waits = 0;
  host.on_wait = [&] {
    if (++waits == 1) deaf.driver->abort(deaf.canceller);
  };
  EXPECT_EQ(WEIR_OK, deaf.query("SELECT 1"));
  EXPECT_EQ(end, host.now);
}

TEST_F(SimulatedMock, a_connect_that_fails_leaves_nothing_behind) {
  open({{.what = sim::FaultKind::auth_failure, .target = 6}});
  Session denied(*source, 6);
  EXPECT_EQ(WEIR_E_AUTH, denied.open());
  EXPECT_EQ(WEIR_STAGE_AUTH, denied.error.stage);
  EXPECT_EQ(1U, server->ledger().sessions);
  EXPECT_EQ(1, count(sim::What::hung_up));
}

TEST_F(SimulatedMock, a_connect_may_succeed_when_nobody_waits) {
  open({{.what = sim::FaultKind::slow_connect, .target = 6, .amount = 500 * ms}});
  Session late(*source, 6, host.now + 100 * ms);
  EXPECT_EQ(WEIR_E_TIMEOUT, late.open());
  EXPECT_EQ(2U, server->ledger().sessions);
  server->advance(host.now + 1000 * ms);
  EXPECT_EQ(1U, server->ledger().sessions);
}

TEST_F(SimulatedMock, a_dead_session_is_seen_by_a_ping) {
  Session& s = open({{.what = sim::FaultKind::restart, .from = 2000 * ms, .to = 2001 * ms}});
  host.now = 3000 * ms;
  EXPECT_EQ(WEIR_OK, s.ping(WEIR_PING_PROTOCOL));
  EXPECT_EQ(WEIR_ALIVE_NO, s.alive);
  EXPECT_TRUE(s.is(WEIR_STATE_BROKEN));
}

TEST_F(SimulatedMock, says_goodbye) {
  Session& s = open();
  s.close();
  EXPECT_EQ(0U, server->ledger().sessions);
  const auto& records = server->ledger().records;
  EXPECT_EQ(sim::What::hung_up, records.back().what);
  EXPECT_EQ(1, count(sim::What::ended));
}

}  // namespace
}  // namespace weir::test
