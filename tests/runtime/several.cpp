// SPDX-License-Identifier: MIT
//
// Goal: acquire_n gives all or nothing, in its turn, and two callers that want several never wait
// for each other (S17).
#include "tests/runtime/world.hpp"

#include <atomic>
#include <set>

namespace weir::runtime {
namespace {

class Several : public PoolTest {};

TEST_F(Several, connections_are_lent_together) {
  std::set<std::uint32_t> slots;
  hooks.on_acquire = [&](const AcquireEvent& event) { slots.insert(event.lease.slot); };
  auto pool = open(small(3));
  {
    auto leases = pool->acquire_n(3, {.tag = "three"});
    ASSERT_TRUE(leases) << leases.error().what();
    EXPECT_EQ(leases->size(), 3U);
    for (Lease& lease : *leases) EXPECT_TRUE(lease->query("SELECT 1"));
    EXPECT_EQ(slots.size(), 3U);
    EXPECT_EQ(pool->stats().now.lent, 3U);
  }
  EXPECT_EQ(pool->stats().now.lent, 0U);
  EXPECT_EQ(pool->stats().leases, 3U);
}

TEST_F(Several, of_none_are_none) {
  auto pool = open(small(1));
  auto leases = pool->acquire_n(0);
  ASSERT_TRUE(leases);
  EXPECT_TRUE(leases->empty());
}

TEST_F(Several, more_than_there_can_be_are_refused_at_once) {
  auto pool = open(small(2));
  auto leases = pool->acquire_n(3, {.timeout = 1h});
  ASSERT_FALSE(leases);
  EXPECT_EQ(leases.error().code(), Code::invalid_argument);
  EXPECT_NE(leases.error().what().find("acquire_n(3)"), std::string::npos);
}

// S17
TEST_F(Several, that_do_not_all_come_go_back) {
  auto pool = open(small(2));
  { auto warm = or_throw(pool->acquire_n(2)); }
  auto held = or_throw(pool->acquire({.tag = "one"}));
  auto leases = pool->acquire_n(2, {.timeout = 5ms});
  ASSERT_FALSE(leases);
  EXPECT_EQ(leases.error().code(), Code::acquire_timeout) << leases.error().what();
  ASSERT_EQ(pool->stats().now.lent, 1U);
  EXPECT_EQ(pool->stats().now.waiting, 0U);
  eventually([&] { return pool->try_acquire().has_value(); });  // the other one is free
}

TEST_F(Several, that_time_out_are_told_as_often_as_they_are_counted) {
  std::atomic<std::uint64_t> told{0};
  hooks.on_timeout = [&](const TimeoutEvent&) { ++told; };
  auto pool = open(small(3));
  auto held = or_throw(pool->acquire_n(3));
  EXPECT_FALSE(pool->acquire_n(2, {.timeout = 1ms}));
  EXPECT_EQ(told, 2U);
  EXPECT_EQ(pool->stats().timeouts, 2U);
  EXPECT_EQ(pool->stats().failed, 0U);
}

TEST_F(Several, without_waiting_are_all_there_or_none) {
  auto pool = open(small(2));
  { auto warm = or_throw(pool->acquire_n(2)); }
  { EXPECT_TRUE(pool->acquire_n(2, {.timeout = 0s})); }
  auto held = or_throw(pool->acquire());
  EXPECT_EQ(pool->acquire_n(2, {.timeout = 0s}).error().code(), Code::none_idle);
  EXPECT_TRUE(pool->try_acquire());
}

TEST_F(Several, have_a_place_in_the_line_each) {
  PoolConfig config = small(2);
  config.max_waiting = 1;
  auto pool = open(config);
  auto one = or_throw(pool->acquire());
  auto two = or_throw(pool->acquire());
  EXPECT_EQ(pool->acquire_n(2).error().code(), Code::queue_full);
  EXPECT_EQ(pool->stats().now.waiting, 0U);
}

TEST_F(Several, a_stop_ends_the_wait_for_all) {
  auto pool = open(small(2));
  auto held = or_throw(pool->acquire());
  std::stop_source stop;
  std::optional<Error> error;
  std::thread thread([&] { error = pool->acquire_n(2, {.stop = stop.get_token()}).error(); });
  eventually([&] { return pool->stats().now.waiting == 1; });
  stop.request_stop();
  thread.join();
  EXPECT_EQ(error->code(), Code::cancelled);
  EXPECT_EQ(pool->stats().now.lent, 1U);
}

TEST_F(Several, a_hopeless_connect_fails_them_all) {
  auto pool = open(small(2), {{"fail_open", "auth"}});
  EXPECT_EQ(pool->acquire_n(2, {.timeout = 1h}).error().code(), Code::create_failed);
}

// What comes free first is kept; one who comes later with less does not pass.
TEST_F(Several, are_served_in_their_turn) {
  for (const Fairness fairness : {Fairness::strict, Fairness::bounded}) {
    PoolConfig config = small(2);
    config.fairness = fairness;
    auto pool = open(config);
    auto held = or_throw(pool->acquire_n(2));
    std::atomic<int> order{0};
    int both = 0;
    int later = 0;
    std::thread first([&] {
      auto leases = pool->acquire_n(2);
      both = ++order;
    });
    eventually([&] { return pool->stats().now.waiting == 2; });
    std::thread second([&] {
      auto lease = pool->acquire();
      later = ++order;
    });
    eventually([&] { return pool->stats().now.waiting == 3; });
    held[0].release();
    EXPECT_EQ(order, 0);
    held[1].release();
    first.join();
    second.join();
    EXPECT_EQ(both, 1);
    EXPECT_EQ(later, 2);
  }
}

// S17. Each would keep one and wait for the other's, if what comes free went to both.
TEST_F(Several, do_not_wait_for_others_that_want_several) {
  auto pool = open(small(2));
  std::vector<std::thread> threads;
  std::atomic<int> served{0};
  for (int n = 0; n < 4; ++n) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) served += pool->acquire_n(2, {.timeout = 1h}) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, 400);
}

// The caller of several holds one and waits for the one of a caller that waits behind it.
TEST_F(Several, wait_for_a_holder_that_waits_behind_them_is_told_to_it) {
  auto pool = open(small(2));
  auto held = or_throw(pool->acquire({.task = 1}));
  std::atomic<bool> served{false};
  std::thread thread([&] { served = pool->acquire_n(2, {.timeout = 1h}).has_value(); });
  eventually([&] { return pool->stats().now.lent == 2; });
  const auto second = pool->acquire({.timeout = 1h, .task = 1});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::self_deadlock) << second.error().what();
  EXPECT_FALSE(served);
  held.release();
  thread.join();
  EXPECT_TRUE(served);
}

}  // namespace
}  // namespace weir::runtime
