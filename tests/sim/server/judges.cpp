// SPDX-License-Identifier: MIT
//
// Goal: each judge finds the pool guilty that is, and no other, and says when it had nothing to
// look at. Method: what a good and a bad pool would do, acted out on the server.
#include "sim/check/ledger.hpp"
#include "tests/sim/server/clients.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using ::testing::HasSubstr;

TEST(Judges, s1_counts_the_sessions_that_a_client_holds) {
  Settings settings;
  settings.notice_ns = 100 * ms;
  Clients c(settings);
  const auto first = c.open();
  c.server.hang_up(c.now, first);
  c.open();
  const SessionBound one[] = {{0, 1}};
  const Ledger& ledger = c.server.ledger();
  EXPECT_EQ(2U, ledger.sessions) << "the server has not noticed";
  EXPECT_TRUE(judge_sessions(ledger, one).findings.empty());
  EXPECT_EQ(2U, judge_sessions(ledger, one).looked);
  c.open();
  const LedgerVerdict judgement = judge_sessions(ledger, one);
  ASSERT_EQ(1U, judgement.findings.size());
  EXPECT_EQ("session 3 makes 2 sessions, above 1", judgement.findings[0].text);
  const SessionBound lowered[] = {{0, 2}, {c.now + 1, 1}};
  EXPECT_TRUE(judge_sessions(ledger, lowered).findings.empty()) << "those that exist may stay";
}

TEST(Judges, s13_finds_what_an_earlier_lease_left) {
  Clients c({});
  const auto link = c.open();
  EXPECT_EQ(WEIR_OK, c.say(link, "SET app weir"));  // the pool's own set-up
  EXPECT_EQ(WEIR_OK, c.say(link, "SET zone utc /*c1.1*/"));
  c.reset(link);
  EXPECT_EQ(WEIR_OK, c.say(link, "SELECT 1 /*c2.1*/"));
  const LedgerVerdict good = judge_leftovers(c.server.ledger());
  EXPECT_TRUE(good.findings.empty());
  EXPECT_EQ(1U, good.looked);
  EXPECT_EQ(WEIR_OK, c.say(link, "TEMP t /*c2.1*/"));
  EXPECT_EQ(WEIR_OK, c.say(link, "BEGIN /*c2.1*/"));
  EXPECT_EQ(WEIR_OK, c.say(link, "SELECT 1 /*c2.2*/"));
  const LedgerVerdict bad = judge_leftovers(c.server.ledger());
  ASSERT_EQ(2U, bad.findings.size());
  EXPECT_EQ("lease 2.2 finds 'transaction' of an earlier lease in session 1", bad.findings[0].text);
  EXPECT_THAT(bad.findings[1].text, HasSubstr("'temp t'"));
  c.say(link, "SHOW STATE /*c2.2*/");
  EXPECT_EQ(3U, judge_leftovers(c.server.ledger()).findings.size());
}

TEST(Judges, s13_lets_the_first_statement_claim_a_drivers_begin) {
  Clients c({});
  const auto link = c.open();
  EXPECT_EQ(WEIR_OK, c.say(link, "SELECT 1 /*c1.1*/"));
  c.send(link, WEIR_SIM_BEGIN);
  EXPECT_EQ(WEIR_OK, c.await(link).status);
  EXPECT_EQ(WEIR_OK, c.say(link, "SELECT 1 /*c2.1*/"));
  EXPECT_TRUE(judge_leftovers(c.server.ledger()).findings.empty());
  EXPECT_EQ(WEIR_OK, c.say(link, "SELECT 1 /*c3.1*/"));
  EXPECT_EQ(1U, judge_leftovers(c.server.ledger()).findings.size());
}

TEST(Judges, s14_finds_a_cancel_that_hits_the_next_one) {
  for (const bool loose : {false, true}) {
    Settings settings;
    settings.network = takes("1ms");
    settings.loose_cancels = loose;
    Clients c(settings);
    const auto link = c.open();
    c.send(link, "SELECT 1 /*c1.1*/", 1);
    c.now += 2 * ms;  // the reply is there, and has not been looked at
    c.server.cancel(c.now, link, 1);
    EXPECT_EQ(WEIR_OK, c.await(link).status);
    c.send(link, "SLEEP 50 /*c2.1*/", 2);
    c.now += 2 * ms;
    c.server.advance(c.now);
    c.await(link);
    const LedgerVerdict judgement = judge_cancels(c.server.ledger());
    EXPECT_EQ(loose ? 1U : 0U, judgement.findings.size());
    EXPECT_EQ(loose ? 1U : 0U, judgement.looked);
  }
}

TEST(Judges, writes_are_applied_as_their_clients_believe) {
  Clients c({});
  const auto link = c.open();
  for (const char* key : {"a", "b", "b", "c"}) c.say(link, "ADD " + std::string(key));
  using Belief = Claim::Belief;
  const Claim good[] = {{Belief::written, "a"},
                        {Belief::not_written, "x"},
                        {Belief::unknown, "c"},
                        {Belief::unknown, "y"}};
  EXPECT_TRUE(judge_writes(c.server.ledger(), good).findings.empty());
  EXPECT_EQ(4U, judge_writes(c.server.ledger(), good).looked);
  const Claim bad[] = {{Belief::written, "b"},
                       {Belief::written, "lost"},
                       {Belief::not_written, "a"},
                       {Belief::unknown, "b"}};
  const LedgerVerdict judgement = judge_writes(c.server.ledger(), bad);
  ASSERT_EQ(4U, judgement.findings.size());
  EXPECT_EQ("the acknowledged write of 'b' was applied 2 times", judgement.findings[0].text);
  EXPECT_EQ("the acknowledged write of 'lost' was applied 0 times", judgement.findings[1].text);
  EXPECT_EQ("the refused write of 'a' was applied 1 times", judgement.findings[2].text);
  EXPECT_EQ("the doubtful write of 'b' was applied 2 times", judgement.findings[3].text);
}

TEST(Judges, the_end_leaves_nothing_behind) {
  Clients c({});
  const auto a = c.open();
  const auto b = c.open();
  c.close(a);
  EXPECT_EQ(2U, judge_end(c.server.ledger()).findings.size());
  c.close(b);
  c.server.advance(c.now + ms);
  EXPECT_TRUE(judge_end(c.server.ledger()).findings.empty());
  EXPECT_EQ(2U, judge_end(c.server.ledger()).looked);
}

TEST(Judges, the_end_blames_nobody_for_a_statement_that_outlives_its_client) {
  Settings settings;
  settings.statement = takes("1h");
  Clients c(settings);
  const auto gone = c.open();
  c.send(gone, "SELECT 1");
  c.server.advance(c.now + ms);
  EXPECT_EQ(2U, judge_end(c.server.ledger()).findings.size()) << "the client is still there";
  c.server.hang_up(c.now + ms, gone);
  c.server.advance(c.now + 60'000 * ms);
  EXPECT_TRUE(judge_end(c.server.ledger()).findings.empty());
  EXPECT_EQ(1U, c.server.ledger().sessions);
  c.server.advance(c.now + 3'700'000 * ms);
  EXPECT_TRUE(judge_end(c.server.ledger()).findings.empty());
  EXPECT_EQ(0U, c.server.ledger().sessions);
}

TEST(Judges, the_end_finds_a_session_that_is_kept_for_nobody) {
  Clients c({});
  const auto half = c.open();
  EXPECT_EQ(WEIR_OK, c.say(half, "SELECT 1"));
  c.server.add(c.now, Fault{.what = FaultKind::half_open, .from = c.now, .to = c.now + ms});
  c.server.advance(c.now);
  c.server.hang_up(c.now, half);  // which does not arrive
  c.server.advance(c.now + 60'000 * ms);
  const LedgerVerdict judgement = judge_end(c.server.ledger());
  ASSERT_EQ(1U, judgement.findings.size());
  EXPECT_EQ("session 1 has not ended", judgement.findings[0].text);
}

}  // namespace
}  // namespace weir::sim
