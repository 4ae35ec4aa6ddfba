// SPDX-License-Identifier: MIT
//
// Goal: every fault of the timeline does what its line in faults.hpp says, while it is active and
// no longer. Method: one fault at a time, clients in virtual time.
#include "tests/sim/server/clients.hpp"

#include <set>

#include <gtest/gtest.h>

namespace weir::sim {
namespace {

constexpr weir_time from = 2000 * ms;
constexpr weir_time to = 3000 * ms;

Settings with(FaultKind what, std::int64_t amount = 0, std::uint32_t ppm = 1'000'000) {
  Settings settings;
  settings.network = takes("1ms");
  settings.statement = takes("10ms");
  settings.faults = {
      {.what = what, .from = from, .to = to, .probability_ppm = ppm, .amount = amount}};
  return settings;
}

weir_status dialed(Clients& c) {
  const auto link = c.dial();
  const weir_status status = c.await(link).status;
  c.server.hang_up(c.now, link);
  return status;
}

TEST(Faults, a_restart_ends_all_sessions_and_is_told_at_once) {
  Clients c(with(FaultKind::restart));
  const auto busy = c.open();
  const auto idle = c.open();
  c.now = from - 5 * ms;
  c.send(busy, "PUT k 1");
  EXPECT_EQ(WEIR_E_CONN_LOST, c.await(busy).status);
  EXPECT_EQ(from + 1 * ms, c.now);
  EXPECT_EQ(0U, c.server.ledger().sessions);
  EXPECT_EQ(0, c.count(What::applied));
  EXPECT_EQ(WEIR_E_CONN_LOST, c.say(idle, "SELECT 1"));
  EXPECT_EQ(WEIR_E_SERVER_NOT_READY, dialed(c));
  c.now = to;
  EXPECT_EQ(WEIR_OK, dialed(c));
}

TEST(Faults, connects_fail_as_told) {
  const std::pair<FaultKind, weir_status> cases[] = {
      {FaultKind::refuse, WEIR_E_CONNECT},
      {FaultKind::auth_failure, WEIR_E_AUTH},
      {FaultKind::full, WEIR_E_TOO_MANY_CONNECTIONS},
      {FaultKind::garbage, WEIR_E_PROTOCOL},
      {FaultKind::black_hole, WEIR_E_OTHER},
      {FaultKind::mute, WEIR_E_OTHER},
  };
  for (const auto& [what, status] : cases) {
    Clients c(with(what));
    EXPECT_EQ(WEIR_OK, dialed(c)) << name_of(what);
    c.now = from;
    EXPECT_EQ(status, dialed(c)) << name_of(what);
    c.now = to;
    EXPECT_EQ(WEIR_OK, dialed(c)) << name_of(what);
    c.server.advance(to + 100 * ms);
    EXPECT_EQ(0U, c.server.ledger().sessions) << name_of(what) << " leaves a session behind";
  }
}

TEST(Faults, a_black_hole_swallows_requests_and_a_mute_server_replies) {
  for (const FaultKind what : {FaultKind::black_hole, FaultKind::mute}) {
    Clients c(with(what));
    const auto link = c.open();
    c.now = from;
    EXPECT_EQ(WEIR_E_OTHER, c.say(link, "PUT k 1"));
    c.server.advance(to);
    EXPECT_EQ(what == FaultKind::mute ? 1 : 0, c.count(What::applied));
  }
}

TEST(Faults, a_half_open_link_stays_on_the_server_when_its_client_is_gone) {
  Settings settings = with(FaultKind::half_open);
  settings.idle_timeout_ns = 5000 * ms;
  Clients c(settings);
  const auto link = c.open();
  c.now = from;
  EXPECT_EQ(WEIR_E_OTHER, c.say(link, "PUT k 1"));
  c.server.hang_up(c.now, link);
  EXPECT_EQ(WEIR_OK, dialed(c)) << "new links work";
  c.server.advance(to + 1000 * ms);
  EXPECT_EQ(1U, c.server.ledger().sessions);
  c.server.advance(to + 5000 * ms);
  EXPECT_EQ(0U, c.server.ledger().sessions) << "the server's own timeout ends it";
}

TEST(Faults, a_reset_hits_before_or_after_the_effect) {
  std::set<long> effects;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Settings settings = with(FaultKind::reset);
    settings.seed = seed;
    Clients c(settings);
    const auto link = c.open();
    c.now = from;
    const Answer answer = c.ask(link, "PUT k 1");
    EXPECT_EQ(WEIR_E_CONN_LOST, answer.status);
    EXPECT_EQ(WEIR_EFFECT_UNKNOWN, answer.effect);
    effects.insert(c.count(What::applied));
  }
  EXPECT_EQ((std::set<long>{0, 1}), effects);
}

TEST(Faults, a_server_that_failed_over_takes_no_writes) {
  Clients c(with(FaultKind::read_only));
  const auto link = c.open();
  c.now = from;
  EXPECT_EQ(WEIR_E_READ_ONLY, c.say(link, "PUT k 1"));
  EXPECT_EQ(WEIR_STATE_READ_ONLY, c.last.session_flags);
  EXPECT_EQ(WEIR_OK, c.say(link, "SELECT 1"));
  c.now = to;
  EXPECT_EQ(WEIR_OK, c.say(link, "PUT k 1"));
}

TEST(Faults, slowness_is_added_where_it_is_said) {
  Clients slow(with(FaultKind::slow, 300));
  const auto link = slow.open();
  slow.now = from;
  slow.say(link, "SELECT 1");
  EXPECT_EQ(from + 32 * ms, slow.now);

  Clients late(with(FaultKind::slow_connect, 500 * ms));
  late.now = from;
  const auto caller = late.dial();
  late.now += 10 * ms;
  late.server.give_up(late.now, caller);
  late.server.hang_up(late.now, caller);
  late.server.advance(from + 400 * ms);
  EXPECT_EQ(1U, late.server.ledger().sessions) << "it will succeed, and nobody will use it";
  late.server.advance(from + 600 * ms);
  EXPECT_EQ(0U, late.server.ledger().sessions);

  Clients drain(with(FaultKind::slow_close, 500 * ms));
  const auto leaver = drain.open();
  drain.now = from;
  drain.send(leaver, WEIR_SIM_GOODBYE);
  drain.server.advance(from + 500 * ms);
  EXPECT_EQ(1U, drain.server.ledger().sessions);
  drain.server.advance(from + 502 * ms);
  EXPECT_EQ(0U, drain.server.ledger().sessions);
}

TEST(Faults, a_hang_lasts_as_long_as_the_fault) {
  for (const FaultKind what : {FaultKind::hang, FaultKind::deaf}) {
    Clients c(with(what));
    const auto link = c.open();
    c.now = from;
    c.send(link, "SELECT 1");
    c.now += 100 * ms;
    const Reply reply = c.server.poll(c.now, link);
    EXPECT_TRUE(reply.pending);
    EXPECT_EQ(to, reply.look_at);
    EXPECT_TRUE(reply.past_deadline);
    EXPECT_EQ(what == FaultKind::deaf, reply.past_abort);
    EXPECT_EQ(WEIR_OK, c.await(link).status);
  }
}

// Of 2000 statements during the fault, each of another seed.
template <class IsHit>
int hits_of(Settings settings, IsHit&& is_hit) {
  int hits = 0;
  for (settings.seed = 0; settings.seed < 2000; ++settings.seed) {
    Clients c(settings);
    const auto link = c.open();
    c.now = from;
    const weir_status status = c.say(link, "SELECT 1");
    if (is_hit(status, c.now - from)) ++hits;
  }
  return hits;
}

TEST(Faults, hit_their_share) {
  EXPECT_NEAR(100,
              hits_of(with(FaultKind::error, 0, 50'000),
                      [](weir_status s, weir_time) { return s == WEIR_E_RESOURCE; }),
              30);
  EXPECT_NEAR(200,
              hits_of(with(FaultKind::reset, 0, 100'000),
                      [](weir_status s, weir_time) { return s == WEIR_E_CONN_LOST; }),
              40);
  EXPECT_NEAR(100,
              hits_of(with(FaultKind::slow, 300, 50'000),
                      [](weir_status, weir_time took) {
                        EXPECT_TRUE(took == 12 * ms || took == 32 * ms) << took;
                        return took == 32 * ms;
                      }),
              30);
}

TEST(Faults, a_slow_connect_is_slow_as_a_whole) {
  Settings settings = with(FaultKind::slow, 300, 500'000);
  settings.resolve = settings.tls = settings.auth = takes("10ms");
  std::set<weir_time> took;
  for (settings.seed = 0; settings.seed < 50; ++settings.seed) {
    Clients c(settings);
    c.now = from;
    c.open();
    took.insert(c.now - from);
  }
  EXPECT_EQ((std::set<weir_time>{32 * ms, 92 * ms}), took);
}

TEST(Faults, a_black_hole_takes_its_share_of_the_goodbyes) {
  Settings settings = with(FaultKind::black_hole, 0, 500'000);
  std::set<std::uint64_t> left;
  for (settings.seed = 0; settings.seed < 50; ++settings.seed) {
    Clients c(settings);
    const auto link = c.open();
    c.server.hang_up(from, link);
    c.server.advance(to - 1 * ms);
    left.insert(c.server.ledger().sessions);
  }
  EXPECT_EQ((std::set<std::uint64_t>{0, 1}), left);
}

TEST(Faults, one_of_a_kind_does_not_hide_another) {
  Settings errors = with(FaultKind::error, 0, 0);
  errors.faults.push_back({.what = FaultKind::error, .from = from, .to = to});
  Clients c(errors);
  const auto link = c.open();
  c.now = from;
  EXPECT_EQ(WEIR_E_RESOURCE, c.say(link, "SELECT 1"));

  Settings slow = with(FaultKind::slow, 300);
  slow.faults.push_back({.what = FaultKind::slow, .from = from, .to = to, .amount = 1000});
  Clients slower(slow);
  const auto slowest = slower.open();
  slower.now = from;
  slower.say(slowest, "SELECT 1");
  EXPECT_EQ(from + 102 * ms, slower.now) << "the slowest counts";

  Settings full = with(FaultKind::full, 5);
  full.faults.push_back({.what = FaultKind::full, .from = from, .to = to, .amount = 0});
  Clients none(full);
  none.now = from;
  EXPECT_EQ(WEIR_E_TOO_MANY_CONNECTIONS, dialed(none)) << "there is no room in the fuller one";

  Settings hang = with(FaultKind::hang);
  hang.faults.push_back({.what = FaultKind::hang, .from = from, .to = to + 50 * ms});
  Clients waits(hang);
  const auto waiting = waits.open();
  waits.now = from;
  EXPECT_EQ(WEIR_OK, waits.say(waiting, "SELECT 1"));
  EXPECT_EQ(to + 50 * ms, waits.now) << "it lasts until the last one is over";
}

TEST(Faults, what_acts_once_acts_by_its_own_target_and_chance) {
  Settings settings = with(FaultKind::half_open);
  settings.faults[0].to = WEIR_NO_DEADLINE;
  settings.faults.push_back({.what = FaultKind::half_open, .target = 7, .from = to});
  Clients c(settings);
  c.now = from + 1 * ms;
  const auto seven = c.dial(7);
  const auto eight = c.dial(8);
  c.await(seven);
  c.await(eight);
  c.now = to;
  EXPECT_EQ(WEIR_E_OTHER, c.say(seven, "SELECT 1"));
  EXPECT_EQ(WEIR_OK, c.say(eight, "SELECT 1"));
}

TEST(Faults, one_link_can_be_meant) {
  Settings settings = with(FaultKind::error);
  settings.faults[0].target = 7;
  Clients c(settings);
  const auto seven = c.dial(7);
  const auto eight = c.dial(8);
  c.await(seven);
  c.await(eight);
  c.now = from;
  EXPECT_EQ(WEIR_E_RESOURCE, c.say(seven, "SELECT 1"));
  EXPECT_EQ(WEIR_OK, c.say(eight, "SELECT 1"));
}

TEST(Faults, one_that_is_added_later_is_obeyed_and_wakes_who_waits) {
  Clients c(with(FaultKind::refuse));
  weir_host host{};
  const auto link = c.server.dial(c.now, 5, &host);
  c.await(link);
  c.send(link, "SLEEP 500");
  c.server.poll(c.now, link);
  c.server.add(c.now, {.what = FaultKind::restart, .from = c.now + 10 * ms, .to = c.now + 20 * ms});
  ASSERT_EQ(1U, c.server.take_wakes().size());
  const weir_time start = c.now;
  EXPECT_EQ(WEIR_E_CONN_LOST, c.await(link).status);
  EXPECT_EQ(start + 11 * ms, c.now);
}

}  // namespace
}  // namespace weir::sim
