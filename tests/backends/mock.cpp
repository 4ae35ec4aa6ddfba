// SPDX-License-Identifier: MIT
//
// Goal: the mock does what its options say, in virtual time, so that a pool can be tested with it.
// Method: each option by itself, on the fake host.
#include "tests/backends/abi_host.hpp"
#include "tests/backends/client.hpp"
#include "tests/backends/drivers.hpp"

#include <memory>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr weir_time ms = 1'000'000;

class Mock : public ::testing::Test {
 protected:
  Session& make(const Options& options) {
    session.reset();
    source = std::make_unique<Source>(linked_mock(), host.abi(), "mock:", options);
    EXPECT_EQ(WEIR_OK, source->status) << source->error.what();
    session = std::make_unique<Session>(*source, 5);
    return *session;
  }
  FakeHost host;
  std::unique_ptr<Source> source;
  std::unique_ptr<Session> session;
};

TEST_F(Mock, latencies_pass_in_the_hosts_time) {
  Session& s = make({{"open_latency", "1000000"},
                     {"exec_latency", "2000000"},
                     {"ping_latency", "3000000"},
                     {"reset_latency", "4000000"},
                     {"close_latency", "5000000"}});
  const weir_time start = host.now;
  ASSERT_EQ(WEIR_OK, s.open());
  EXPECT_EQ(start + 1 * ms, host.now);
  ASSERT_EQ(WEIR_OK, s.query("SELECT 1"));
  EXPECT_EQ(start + 3 * ms, host.now);
  ASSERT_EQ(WEIR_OK, s.ping(WEIR_PING_PROTOCOL));
  EXPECT_EQ(start + 6 * ms, host.now);
  ASSERT_EQ(WEIR_OK, s.reset());
  EXPECT_EQ(start + 10 * ms, host.now);
  s.close();
  EXPECT_EQ(start + 15 * ms, host.now);
}

TEST_F(Mock, opens_fail_as_often_as_told) {
  make({{"fail_open", "connect"}, {"fail_open_every", "2"}, {"fail_open_count", "2"}});
  const weir_status expected[] = {WEIR_OK,        WEIR_E_CONNECT, WEIR_OK,
                                  WEIR_E_CONNECT, WEIR_OK,        WEIR_OK};
  for (const weir_status kind : expected) {
    Session s(*source);
    EXPECT_EQ(kind, s.open());
  }
}

TEST_F(Mock, failures_carry_their_facts) {
  Session& s = make({});
  ASSERT_EQ(WEIR_OK, s.open());
  ASSERT_EQ(WEIR_OK, s.begin());
  EXPECT_EQ(WEIR_E_CONSTRAINT, s.query("FAIL constraint"));
  EXPECT_EQ(WEIR_TX_OPEN, s.error.tx_fate);
  EXPECT_EQ(WEIR_E_SERIALIZATION, s.query("fail serialization"));
  EXPECT_EQ(WEIR_TX_FAILED, s.error.tx_fate);
  EXPECT_EQ(WEIR_E_INVALID_STATE, s.query("SELECT 1"));
  EXPECT_EQ(WEIR_E_SERIALIZATION, s.commit());
  EXPECT_EQ(WEIR_TX_GONE, s.error.tx_fate);
  ASSERT_EQ(WEIR_OK, s.begin());
  EXPECT_EQ(WEIR_E_DEADLOCK, s.query("FAIL deadlock"));
  EXPECT_EQ(WEIR_TX_GONE, s.error.tx_fate);
  EXPECT_EQ(WEIR_E_CONN_LOST, s.query("BREAK"));
  EXPECT_EQ(WEIR_CONN_BROKEN, s.error.conn_fate);
  EXPECT_EQ(WEIR_EFFECT_UNKNOWN, s.error.effect);
  EXPECT_TRUE(s.is(WEIR_STATE_BROKEN));
  EXPECT_EQ(WEIR_E_INVALID_STATE, s.query("SELECT 1"));
  EXPECT_EQ(WEIR_E_SYNTAX, make({{"fail_exec", "syntax"}}).open() + WEIR_E_SYNTAX);
  EXPECT_EQ(WEIR_E_SYNTAX, session->query("SELECT 1"));
}

TEST_F(Mock, pings_and_resets_fail_as_told) {
  Session& s = make({{"fail_ping", "conn_lost"}, {"fail_reset", "server_not_ready"}});
  ASSERT_EQ(WEIR_OK, s.open());
  EXPECT_EQ(WEIR_E_SERVER_NOT_READY, s.reset());
  EXPECT_EQ(WEIR_OK, s.ping(WEIR_PING_SESSION));
  EXPECT_EQ(WEIR_ALIVE_NO, s.alive);
  EXPECT_TRUE(s.is(WEIR_STATE_BROKEN));
}

TEST_F(Mock, a_hang_ignores_the_deadline_and_ends_by_abort) {
  Session& s = make({{"hang_exec", "true"}});
  ASSERT_EQ(WEIR_OK, s.open());
  s.deadline = host.now + ms;
  host.waits.clear();
  host.on_wait = [&] {
    host.now += 30'000 * ms;
    if (host.waits.size() == 1) s.driver->abort(s.canceller);
  };
  EXPECT_EQ(WEIR_E_CONN_LOST, s.query("SELECT 1"));
  EXPECT_EQ(1U, host.waits.size());
  EXPECT_GT(host.now, s.deadline);
}

TEST_F(Mock, a_hang_through_abort_ends_at_hang_max) {
  Session& s = make({{"hang_open", "true"}, {"hang_through_abort", "true"}, {"hang_max", "7s"}});
  const weir_time start = host.now;
  host.on_wait = [&] {
    if (host.waits.size() == 1) s.driver->abort(s.canceller);
  };
  EXPECT_EQ(WEIR_E_CANCELLED, s.open());
  EXPECT_EQ(start + 7'000 * ms, host.now);
}

TEST_F(Mock, the_server_has_room_for_so_many) {
  Session& first = make({{"max_sessions", "2"}});
  ASSERT_EQ(WEIR_OK, first.open());
  Session second(*source, 2);
  ASSERT_EQ(WEIR_OK, second.open());
  Session third(*source, 3);
  EXPECT_EQ(WEIR_E_TOO_MANY_CONNECTIONS, third.open());
  EXPECT_NE(first.one("SELECT SESSION"), second.one("SELECT SESSION"));
  first.close();
  EXPECT_EQ(WEIR_OK, third.open());
}

TEST_F(Mock, a_wrong_password_fails_and_is_never_shown) {
  EXPECT_EQ(WEIR_OK, make({{"password", "hunter2"}}).open());
  Session& s = make({{"password", "wrong"}});
  EXPECT_EQ(WEIR_E_AUTH, s.open());
  EXPECT_EQ(WEIR_STAGE_AUTH, s.error.stage);
  EXPECT_THAT(s.error.what(), Not(HasSubstr("wrong")));
  Source odd(linked_mock(), host.abi(), "mock:", {{"password", std::string("se\0cret", 7)}});
  EXPECT_EQ(WEIR_E_CONFIG, odd.status);
  EXPECT_THAT(odd.error.what(), Not(HasSubstr("cret")));
}

TEST_F(Mock, lies_where_told) {
  Session& clean = make({{"lie", "never_dirty"}});
  ASSERT_EQ(WEIR_OK, clean.open());
  ASSERT_EQ(WEIR_OK, clean.query("DIRTY"));
  EXPECT_FALSE(clean.is(WEIR_STATE_DIRTY));
  Session& dirty = make({{"lie", "always_dirty"}});
  ASSERT_EQ(WEIR_OK, dirty.open());
  ASSERT_EQ(WEIR_OK, dirty.reset());
  EXPECT_TRUE(dirty.is(WEIR_STATE_DIRTY));
  Session& doubtful = make({{"lie", "not_proven"}});
  ASSERT_EQ(WEIR_OK, doubtful.open());
  ASSERT_EQ(WEIR_OK, doubtful.reset());
  EXPECT_EQ(WEIR_RESET_NOT_PROVEN, doubtful.done);
}

// A thread that the child does not have may hold the canceller's lock.
TEST_F(Mock, a_child_that_abandons_leaves_the_canceller_as_it_is) {
  Session& s = make({});
  ASSERT_EQ(WEIR_OK, s.open());
  const pid_t child = ::fork();
  if (child == 0) {
    s.driver->abandon(s.conn);
    host.wakes.clear();
    s.driver->abort(s.canceller);
    ::_exit(host.wakes.size() == 1 ? 0 : 1);  // as long as it was not closed
  }
  int status = 0;
  ASSERT_EQ(child, ::waitpid(child, &status, 0));
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(WEIR_OK, s.query("SELECT 1"));
}

TEST_F(Mock, refuses_the_calls_it_is_told_to) {
  Session& s = make({{"refuse", "prepare,reset"}});
  ASSERT_EQ(WEIR_OK, s.open());
  weir_stmt* stmt = nullptr;
  EXPECT_EQ(WEIR_E_UNSUPPORTED, s.prepare("SELECT 1", &stmt));
  EXPECT_EQ(WEIR_E_UNSUPPORTED, s.reset());
  EXPECT_EQ(WEIR_OK, s.begin());
}

TEST_F(Mock, traits_and_urls) {
  make({{"pinned", "true"}, {"connections_max", "3"}});
  EXPECT_EQ(WEIR_SOURCE_PINNED, source->traits.flags);
  EXPECT_EQ(3U, source->traits.connections_max);
  EXPECT_EQ("mock:", string_of(source->traits.display));
  const std::pair<const char*, Options> wrong[] = {
      {"file:a", {}},
      {"mock:", {{"fail_open", "bad_luck"}}},
      {"mock:", {{"fail_open_every", "0"}}},
  };
  for (const auto& [url, options] : wrong) {
    EXPECT_EQ(WEIR_E_CONFIG, Source(linked_mock(), host.abi(), url, options).status) << url;
  }
}

}  // namespace
}  // namespace weir::test
