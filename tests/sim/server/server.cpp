// SPDX-License-Identifier: MIT
//
// Goal: the simulated server behaves as a database does: sessions, transactions, session state, one
// effect at one instant; deterministic.
// Method: clients in virtual time.
#include "tests/sim/server/clients.hpp"

#include <gtest/gtest.h>

namespace weir::sim {
namespace {

TEST(Server, keeps_no_record_once_there_were_too_many) {
  Settings settings;
  settings.records_max = 5;
  settings.statement = takes("1ms");
  Clients c(settings);
  const auto link = c.open();
  EXPECT_FALSE(c.server.ledger().overflowed);
  for (int i = 0; i < 5; ++i) c.say(link, "ADD k");
  c.send(link, "SELECT 1", 7);
  c.server.cancel(c.now, link, 7);
  c.await(link);
  EXPECT_TRUE(c.server.ledger().overflowed);
  EXPECT_TRUE(c.server.ledger().records.empty());
}

TEST(Server, a_connect_takes_its_phases) {
  Settings settings;
  settings.network = takes("1ms");
  settings.resolve = takes("2ms");
  settings.tls = takes("4ms");
  settings.auth = takes("8ms");
  Clients c(settings);
  const weir_time start = c.now;
  const auto link = c.dial();
  c.server.advance(start + 3 * ms - 1);
  EXPECT_EQ(0U, c.server.ledger().sessions);
  c.server.advance(start + 3 * ms);
  EXPECT_EQ(1U, c.server.ledger().sessions) << "it counts from its first packet";
  EXPECT_EQ(WEIR_OK, c.await(link).status);
  EXPECT_EQ(start + 16 * ms, c.now);
}

TEST(Server, there_is_room_for_so_many) {
  Settings settings;
  settings.max_connections = 1;
  Clients c(settings);
  const auto first = c.open();
  const auto second = c.dial();
  EXPECT_EQ(WEIR_E_TOO_MANY_CONNECTIONS, c.await(second).status);
  c.server.hang_up(c.now, second);
  c.close(first);
  c.open();
  EXPECT_EQ(1U, c.server.ledger().sessions_max);
}

TEST(Server, keys_are_unique_and_transactions_are_whole) {
  Clients c({});
  const auto a = c.open();
  const auto b = c.open();
  EXPECT_EQ(WEIR_OK, c.say(a, "BEGIN"));
  EXPECT_EQ(WEIR_OK, c.say(a, "PUT k 1"));
  EXPECT_EQ("1", c.ask(a, "get k").value);
  EXPECT_TRUE(c.ask(b, "GET k").value_is_null) << "not committed";
  EXPECT_EQ(WEIR_E_CONSTRAINT, c.say(a, "PUT k 2"));
  EXPECT_EQ(WEIR_OK, c.say(b, "PUT k 'from b'"));
  EXPECT_EQ(WEIR_E_SERIALIZATION, c.say(a, "COMMIT"));
  EXPECT_EQ("from b", c.ask(a, "GET k").value);
  EXPECT_EQ(WEIR_OK, c.say(a, "BEGIN"));
  EXPECT_EQ(WEIR_OK, c.say(a, "PUT gone 1"));
  EXPECT_EQ(WEIR_OK, c.say(a, "ROLLBACK"));
  EXPECT_TRUE(c.ask(a, "GET gone").value_is_null);
  EXPECT_EQ(1, c.count(What::applied));
}

TEST(Server, a_failed_transaction_accepts_only_its_end) {
  Clients c({});
  const auto a = c.open();
  EXPECT_EQ(WEIR_OK, c.say(a, "BEGIN"));
  EXPECT_EQ(WEIR_E_SERIALIZATION, c.say(a, "FAIL serialization"));
  EXPECT_EQ(WEIR_STATE_IN_TX | WEIR_STATE_TX_FAILED, c.last.session_flags);
  EXPECT_EQ(WEIR_E_INVALID_STATE, c.say(a, "SELECT 1"));
  EXPECT_EQ(WEIR_E_SERIALIZATION, c.say(a, "COMMIT"));
  EXPECT_EQ(0U, c.last.session_flags);
  EXPECT_EQ(WEIR_OK, c.say(a, "BEGIN"));
  EXPECT_EQ(WEIR_E_DEADLOCK, c.say(a, "FAIL deadlock"));
  EXPECT_EQ(0U, c.last.session_flags);
  EXPECT_EQ(WEIR_E_SYNTAX, c.say(a, "PLEASE"));
  EXPECT_EQ(WEIR_E_CONN_LOST, c.say(a, "BREAK"));
  EXPECT_EQ(0U, c.server.ledger().sessions);
}

TEST(Server, a_session_remembers_until_its_reset) {
  Clients c({});
  const auto a = c.open();
  const auto b = c.open();
  for (const char* text : {"SET zone utc", "TEMP t", "LOCK l", "ROLE admin", "LISTEN news"}) {
    EXPECT_EQ(WEIR_OK, c.say(a, text)) << text;
  }
  EXPECT_EQ("utc", c.ask(a, "SHOW zone").value);
  EXPECT_EQ("listen news, lock l, role, set zone, temp t", c.ask(a, "SHOW STATE").value);
  EXPECT_EQ(WEIR_STATE_DIRTY, c.last.session_flags);
  EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, c.say(b, "LOCK l"));
  c.reset(a, WEIR_RESET_TX);
  EXPECT_EQ("utc", c.ask(a, "SHOW zone").value);
  c.reset(a, WEIR_RESET_SESSION);
  EXPECT_EQ("", c.ask(a, "SHOW STATE").value);
  EXPECT_EQ(0U, c.last.session_flags);
  EXPECT_EQ(WEIR_OK, c.say(b, "LOCK l"));
  c.close(b);
  EXPECT_EQ(WEIR_OK, c.say(a, "LOCK l")) << "the end of a session frees its locks";
}

TEST(Server, who_leaves_early_has_the_effect_all_the_same) {
  Settings settings;
  settings.statement = takes("10ms");
  settings.network = takes("1ms");
  Clients c(settings);
  const auto a = c.open();
  c.send(a, "PUT k 1");
  c.now += 2 * ms;
  c.server.give_up(c.now, a);
  c.server.hang_up(c.now, a);
  c.server.advance(c.now + 100 * ms);
  EXPECT_EQ(1, c.count(What::applied));
  EXPECT_EQ(1, c.count(What::ended)) << "then the server notices";
  EXPECT_EQ(0U, c.server.ledger().sessions);
}

TEST(Server, closes_sessions_that_idle_for_too_long) {
  Settings settings;
  settings.idle_timeout_ns = 50 * ms;
  Clients c(settings);
  const auto a = c.open();
  c.now += 49 * ms;
  EXPECT_EQ(WEIR_OK, c.say(a, "SELECT 1"));
  EXPECT_EQ(WEIR_OK, c.say(a, "SLEEP 200")) << "it is not idle meanwhile";
  c.now += 50 * ms;
  EXPECT_EQ(WEIR_E_CONN_LOST, c.say(a, "SELECT 1"));
}

TEST(Server, a_cancel_ends_what_it_is_for_and_nothing_else) {
  Settings settings;
  settings.network = takes("3ms");
  Clients c(settings);
  const auto a = c.open();
  const weir_time start = c.now;
  c.send(a, "SLEEP 1000", 5);
  c.now += 10 * ms;
  c.server.cancel(c.now, a, 5);
  EXPECT_EQ(WEIR_E_CANCELLED, c.await(a).status);
  EXPECT_EQ(start + 16 * ms, c.now);
  EXPECT_EQ(1, c.count(What::cancel_hit));
  // This one meets the reply on its way: the reply waits until the cancel has come to nothing.
  c.send(a, "SELECT 1", 6);
  c.now += 5 * ms;
  c.server.cancel(c.now, a, 6);
  EXPECT_EQ(WEIR_OK, c.await(a).status);
  EXPECT_EQ(1, c.count(What::cancel_missed));
  EXPECT_EQ(start + 16 * ms + 8 * ms, c.now);
}

// Settings with chance in every part, for a world of clients that come and go.
Settings chancy() {
  Settings settings;
  settings.seed = 11;
  settings.statement = takes("exp(2ms)");
  settings.faults = {{.what = FaultKind::error, .probability_ppm = 200'000}};
  return settings;
}

// What client 8 sees when it runs alone or beside client 7.
std::vector<weir_time> times_of_client_8(bool with_client_7) {
  Clients c(chancy());
  const auto seven = c.open();
  const auto eight = c.open();
  std::vector<weir_time> seen;
  for (int i = 0; i < 50; ++i) {
    if (with_client_7) c.say(seven, "SELECT 1 /*c7.1*/");
    const weir_time start = c.now;
    seen.push_back(c.say(eight, "SELECT 1 /*c8.1*/") == WEIR_OK ? c.now - start : -1);
  }
  return seen;
}

TEST(Server, one_client_less_changes_nobody_elses_luck) {
  const auto alone = times_of_client_8(false);
  EXPECT_EQ(alone, times_of_client_8(true));
  EXPECT_GT(std::count(alone.begin(), alone.end(), -1), 2);
  EXPECT_NE(alone[0], alone[1]);
}

TEST(Server, catches_up_however_late_it_is_called) {
  const auto records = [](weir_time step) {
    Clients c(chancy());
    const auto a = c.open();
    const auto b = c.open();
    c.send(a, "ADD x /*c1.1*/");
    c.send(b, "ADD y /*c2.1*/");
    const weir_time end = c.now + 100 * ms;
    for (; c.now < end; c.now += step) c.server.advance(c.now);
    c.server.advance(end);
    std::string text;
    for (const Record& r : c.server.ledger().records) {
      text += std::to_string(r.at) + " " + std::to_string(static_cast<int>(r.what)) + " " +
              std::to_string(r.link) + " " + std::to_string(r.number) + r.text + "\n";
    }
    return text;
  };
  EXPECT_EQ(records(100 * ms), records(ms / 10));
}

}  // namespace
}  // namespace weir::sim
