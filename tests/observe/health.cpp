// SPDX-License-Identifier: MIT
//
// What the state of a pool means for its health, and how it is written down.
#include "core/observe/health.hpp"

#include <functional>

#include <gtest/gtest.h>

namespace weir::observe {
namespace {

using namespace std::chrono_literals;

HealthFacts well() {
  HealthFacts f;
  f.name = "main";
  f.up = 3;
  f.counts = {.max = 10, .lent = 1, .idle = 2};
  f.acquire_timeout = 30s;
  return f;
}

PoolHealth with(const std::function<void(HealthFacts&)>& change) {
  HealthFacts f = well();
  change(f);
  return assess(std::move(f));
}

void expect_only(const PoolHealth& health, HealthCause cause, HealthStatus status) {
  EXPECT_EQ(health.status, status) << health.to_json();
  ASSERT_EQ(health.reasons.size(), 1U) << health.to_json();
  EXPECT_EQ(health.reasons[0].cause, cause);
  EXPECT_EQ(health.reasons[0].status, status);
  EXPECT_FALSE(health.reasons[0].text.empty());
}

TEST(Health, a_pool_of_which_nothing_is_known_to_be_wrong_is_ready) {
  const PoolHealth health = assess(well());
  EXPECT_EQ(health.status, HealthStatus::ready);
  EXPECT_TRUE(health.reasons.empty());
  // Without a connection, too: the first caller makes one.
  EXPECT_EQ(with([](HealthFacts& f) { f.up = 0; }).status, HealthStatus::ready);
}

TEST(Health, each_reason_by_itself) {
  constexpr auto bad = HealthStatus::not_ready;
  constexpr auto worse = HealthStatus::degraded;
  expect_only(with([](HealthFacts& f) { f.forked = true; }), HealthCause::forked, bad);
  expect_only(with([](HealthFacts& f) { f.closed = true; }), HealthCause::closed, bad);
  expect_only(with([](HealthFacts& f) { f.closed = f.lost = true; }), HealthCause::closed, bad);
  expect_only(with([](HealthFacts& f) { f.suspended = true; }), HealthCause::suspended, bad);
  expect_only(with([](HealthFacts& f) { f.starting = true; }), HealthCause::starting, bad);
  expect_only(with([](HealthFacts& f) { f.failing = true; }), HealthCause::unreachable, worse);
  expect_only(with([](HealthFacts& f) { f.failing = true, f.up = 0; }), HealthCause::unreachable,
              bad);
  expect_only(with([](HealthFacts& f) { f.starting = f.failing = true, f.up = 0; }),
              HealthCause::unreachable, bad);
  expect_only(with([](HealthFacts& f) {
                f.last_check = CheckReport{1s, 2ms, "no such table"};
              }),
              HealthCause::check_failed, worse);
}

TEST(Health, a_queue_is_no_reason_unless_it_stands) {
  const auto waiting = [](Duration oldest, Duration acquire_timeout) {
    return with([&](HealthFacts& f) {
      f.counts.waiting = 3;
      f.oldest_wait = oldest;
      f.acquire_timeout = acquire_timeout;
    });
  };
  EXPECT_EQ(waiting(1s - 1ns, 30s).status, HealthStatus::ready);
  expect_only(waiting(1s, 30s), HealthCause::exhausted, HealthStatus::degraded);
  expect_only(waiting(1s, no_timeout), HealthCause::exhausted, HealthStatus::degraded);
  EXPECT_EQ(waiting(49ms, 100ms).status, HealthStatus::ready);
  expect_only(waiting(50ms, 100ms), HealthCause::exhausted, HealthStatus::degraded);
  EXPECT_EQ(waiting(10ms, 0s).status, HealthStatus::ready);
}

TEST(Health, the_worst_reason_counts_and_all_are_told) {
  const PoolHealth health = with([](HealthFacts& f) {
    f.suspended = true;
    f.last_check = CheckReport{1s, 2ms, "no such table"};
    f.counts.waiting = 1;
    f.oldest_wait = 1min;
  });
  EXPECT_EQ(health.status, HealthStatus::not_ready);
  ASSERT_EQ(health.reasons.size(), 2U);  // who waits, waits because it is suspended
  EXPECT_EQ(health.reasons[0].cause, HealthCause::suspended);
  EXPECT_EQ(health.reasons[1].cause, HealthCause::check_failed);
}

TEST(Health, is_one_line_of_json) {
  EXPECT_EQ(assess(well()).to_json(),
            R"({"pool":"main","status":"ready","reasons":[],"last_check":null})");
  const PoolHealth health = with([](HealthFacts& f) {
    f.failing = true;
    f.failing_for = 90s;
    f.create_error = "refused \"here\"";
    f.last_check = CheckReport{1500ms, 2ms, ""};
  });
  EXPECT_EQ(health.to_json(),
            R"({"pool":"main","status":"degraded","reasons":[{"cause":"unreachable",)"
            R"("status":"degraded","text":"connects have failed for 90.0s: refused \"here\"",)"
            R"("age":90.000000000}],)"
            R"("last_check":{"age":1.500000000,"took":0.002000000,"error":null}})");
}

}  // namespace
}  // namespace weir::observe
