// SPDX-License-Identifier: MIT
//
// Goal: the decisions of weir::retry keep their promises, RT1, RT2, RT3, RT4, RT5 and RT6 of
// docs/properties.md, for every error, policy and history. Method: all errors that a driver can
// tell are enumerated; policies and histories come from rapidcheck.
#include "core/base/retry.hpp"

#include <weir/driver.h>

#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace weir::base {
namespace {

using detail::RetryDecision;
using detail::RetryProgress;
using namespace std::chrono_literals;

Error error_of(std::int32_t kind, std::uint8_t effect, std::uint8_t stage, bool transient = false) {
  DatabaseError facts;
  facts.kind = kind;
  facts.effect = effect;
  facts.stage = stage;
  facts.transient = transient;
  return {Code::driver_error, "x", std::move(facts)};
}

const Error none_idle(Code::none_idle, "nothing idle");
const Error syntax = error_of(WEIR_E_SYNTAX, WEIR_EFFECT_DEFINITE, WEIR_STAGE_PREPARE);

template <class F>
void for_each_error(F&& judge) {
  for (int kind = -1; kind <= WEIR_E_OTHER + 1; ++kind) {
    for (std::uint8_t effect = 0; effect <= 4; ++effect) {
      for (std::uint8_t stage = 0; stage <= WEIR_STAGE_PING + 1; ++stage) {
        for (const bool transient : {false, true}) {
          SCOPED_TRACE(testing::Message() << "kind " << kind << ", effect " << int{effect}
                                          << ", stage " << int{stage});
          const Error error = error_of(kind, effect, stage, transient);
          judge(*error.database(), retry_class(error));
        }
      }
    }
  }
}

// ---------------------------------------------------------------- classes (RT1, RT2)

TEST(RetryClass, of_the_default_ones_the_server_cannot_have_acted) {
  const RetryClasses standard;
  int repeated = 0;
  for_each_error([&](const DatabaseError& facts, std::optional<RetryClass> found) {
    if (!found || !standard.has(*found)) return;
    ++repeated;
    const bool before_the_statement =
        facts.stage != WEIR_STAGE_NONE && facts.stage != WEIR_STAGE_EXECUTE &&
        facts.stage != WEIR_STAGE_FETCH && facts.stage != WEIR_STAGE_COMMIT;
    EXPECT_TRUE(facts.effect == WEIR_EFFECT_NOT_SENT ||
                (facts.effect == WEIR_EFFECT_DEFINITE && before_the_statement));
  });
  EXPECT_GT(repeated, 100);
}

TEST(RetryClass, an_effect_that_is_not_known_is_repeated_only_by_its_name) {
  for_each_error([&](const DatabaseError& facts, std::optional<RetryClass> found) {
    const bool known = facts.effect == WEIR_EFFECT_NOT_SENT || facts.effect == WEIR_EFFECT_DEFINITE;
    if (known) {
      EXPECT_NE(found, RetryClass::unknown);
    } else {
      EXPECT_TRUE(!found || found == RetryClass::unknown);
    }
  });
  EXPECT_FALSE(RetryClasses{}.unknown);
  EXPECT_FALSE(RetryClasses{}.conflict);
}

TEST(RetryClass, is_not_what_a_driver_asserts) {
  for_each_error([&](const DatabaseError& facts, std::optional<RetryClass> found) {
    EXPECT_EQ(found, retry_class(error_of(facts.kind, facts.effect, facts.stage)));
  });
}

TEST(RetryClass, is_unknown_where_rows_before_were_committed) {
  for_each_error([&](const DatabaseError& facts, std::optional<RetryClass> found) {
    const Error error(Code::driver_error, "x", facts);
    EXPECT_EQ(retry_class(Error(error, ManyReport{.row = 7, .committed = 0}, "")), found);
    const auto later = retry_class(Error(error, ManyReport{.row = 7, .committed = 5}, ""));
    EXPECT_EQ(later, found ? std::optional(RetryClass::unknown) : std::nullopt);
  });
}

TEST(RetryClass, of_known_errors) {
  struct Case {
    std::int32_t kind;
    std::uint8_t effect;
    std::uint8_t stage;
    std::optional<RetryClass> expected;
  };
  constexpr std::uint8_t lost = WEIR_EFFECT_UNKNOWN;
  constexpr std::uint8_t unsent = WEIR_EFFECT_NOT_SENT;
  constexpr std::uint8_t answer = WEIR_EFFECT_DEFINITE;
  constexpr Case cases[] = {
      {WEIR_E_CONN_LOST, lost, WEIR_STAGE_EXECUTE, RetryClass::unknown},
      {WEIR_E_CONN_LOST, lost, WEIR_STAGE_COMMIT, RetryClass::unknown},
      {WEIR_E_TIMEOUT, lost, WEIR_STAGE_EXECUTE, RetryClass::unknown},
      {WEIR_E_CONN_LOST, unsent, WEIR_STAGE_EXECUTE, RetryClass::not_sent},
      {WEIR_E_TOO_MANY_CONNECTIONS, answer, WEIR_STAGE_AUTH, RetryClass::refused},
      {WEIR_E_SERVER_NOT_READY, answer, WEIR_STAGE_SETUP, RetryClass::refused},
      {WEIR_E_LOCK_TIMEOUT, answer, WEIR_STAGE_BEGIN, RetryClass::refused},
      // A procedure may have committed something before it met the lock, or the shutdown.
      {WEIR_E_LOCK_TIMEOUT, answer, WEIR_STAGE_EXECUTE, RetryClass::conflict},
      {WEIR_E_SERVER_NOT_READY, answer, WEIR_STAGE_EXECUTE, std::nullopt},
      {WEIR_E_SERIALIZATION, answer, WEIR_STAGE_COMMIT, RetryClass::conflict},
      {WEIR_E_DEADLOCK, answer, WEIR_STAGE_EXECUTE, RetryClass::conflict},
      {WEIR_E_CONSTRAINT, answer, WEIR_STAGE_EXECUTE, std::nullopt},
      {WEIR_E_SYNTAX, unsent, WEIR_STAGE_PREPARE, std::nullopt},
      {WEIR_E_CANCELLED, unsent, WEIR_STAGE_EXECUTE, std::nullopt},
      {WEIR_E_CANCELLED, lost, WEIR_STAGE_EXECUTE, std::nullopt},
      {WEIR_E_AUTH, answer, WEIR_STAGE_AUTH, std::nullopt},
  };
  for (const Case& c : cases)
    EXPECT_EQ(retry_class(error_of(c.kind, c.effect, c.stage)), c.expected)
        << "kind " << c.kind << ", effect " << int{c.effect} << ", stage " << int{c.stage};
}

TEST(RetryClass, of_an_acquire_is_acquire_unless_that_is_futile) {
  for (const Code code : {Code::acquire_timeout, Code::queue_full, Code::pool_suspended,
                          Code::create_failed, Code::none_idle, Code::not_ready})
    EXPECT_EQ(retry_class(Error(code, "x")), RetryClass::acquire) << info(code).name;
  for (const Code code :
       {Code::pool_closed, Code::cancelled, Code::self_deadlock, Code::forked, Code::lease_returned,
        Code::invalid_state, Code::config_value, Code::callback_threw, Code::internal})
    EXPECT_EQ(retry_class(Error(code, "x")), std::nullopt) << info(code).name;
  AcquireReport report;
  for (const AcquireClass futile :
       {AcquireClass::auth, AcquireClass::closed, AcquireClass::self_deadlock}) {
    report.reason = futile;
    EXPECT_EQ(retry_class(Error(Code::acquire_timeout, "x", report)), std::nullopt)
        << to_string(futile);
  }
}

// ---------------------------------------------------------------- pauses (RT3)

rc::Gen<RetryPolicy> policies(RetryJitter jitter) {
  constexpr std::int64_t hour = 3'600'000'000'000;
  return rc::gen::map(rc::gen::tuple(rc::gen::inRange<std::int64_t>(1'000'000, hour),
                                     rc::gen::inRange<std::int64_t>(1'000'000, hour),
                                     rc::gen::inRange<std::uint32_t>(1, 11),
                                     rc::gen::inRange<std::uint32_t>(1, 101),
                                     rc::gen::inRange<std::uint32_t>(1, 30),
                                     rc::gen::inRange<std::uint32_t>(0, 101)),
                      [jitter](const auto& drawn) {
                        const auto [a, b, factor, attempts, budget, deposit] = drawn;
                        RetryPolicy policy;
                        policy.base = Duration(std::min(a, b));
                        policy.max = Duration(std::max(a, b));
                        policy.factor = factor;
                        policy.attempts = attempts;
                        policy.jitter = jitter;
                        policy.budget = budget;
                        policy.deposit_percent = deposit;
                        return policy;
                      });
}

rc::Gen<RetryPolicy> any_policy() {
  return rc::gen::join(rc::gen::map(
      rc::gen::element(RetryJitter::none, RetryJitter::full, RetryJitter::decorrelated), policies));
}

// In [0, 1), its ends often.
rc::Gen<double> chance() {
  return rc::gen::map(rc::gen::inRange(0, 1025),
                      [](int n) { return n == 1024 ? 0x1.fffffffffffffp-1 : n / 1024.0; });
}

RC_GTEST_PROP(RetryPause, without_jitter_grows_by_the_factor_and_ends_at_the_maximum, ()) {
  const RetryPolicy policy = *policies(RetryJitter::none);
  RetryProgress progress;
  Duration before{};
  for (int i = 0; i < 100; ++i) {
    const Duration pause = next_pause(policy, progress, *chance());
    RC_ASSERT(pause == (i == 0 ? policy.base : std::min(policy.max, before * policy.factor)));
    RC_ASSERT(pause >= before);
    before = pause;
  }
}

RC_GTEST_PROP(RetryPause, with_full_jitter_is_anywhere_up_to_the_pause_without, ()) {
  const RetryPolicy policy = *policies(RetryJitter::full);
  RetryPolicy plain = policy;
  plain.jitter = RetryJitter::none;
  RetryProgress progress;
  RetryProgress plain_progress;
  for (int i = 0; i < 50; ++i) {
    const double random = *chance();
    const Duration pause = next_pause(policy, progress, random);
    const Duration ceiling = next_pause(plain, plain_progress, random);
    RC_ASSERT(pause >= Duration{});
    RC_ASSERT(pause <= ceiling);
    // Not merely within: where chance says.
    const double where = static_cast<double>(pause.count()) / static_cast<double>(ceiling.count());
    RC_ASSERT(where > random - 1e-5 && where < random + 1e-5);
  }
}

RC_GTEST_PROP(RetryPause, decorrelated_is_from_the_base_to_three_times_the_last, ()) {
  const RetryPolicy policy = *policies(RetryJitter::decorrelated);
  RetryProgress progress;
  Duration before = policy.base;
  for (int i = 0; i < 50; ++i) {
    const double random = *chance();
    const Duration pause = next_pause(policy, progress, random);
    const Duration most = std::min(policy.max, before * 3);
    RC_ASSERT(pause >= policy.base);
    RC_ASSERT(pause <= most);
    const double wanted = static_cast<double>(policy.base.count()) +
                          random * static_cast<double>((most - policy.base).count());
    RC_ASSERT(std::abs(static_cast<double>(pause.count()) - wanted) < 2);
    before = pause;
  }
}

// A policy made by hand may be what no file could say; a pause must not overflow all the same.
TEST(RetryPause, of_enormous_limits_does_not_overflow) {
  for (const RetryJitter jitter :
       {RetryJitter::none, RetryJitter::full, RetryJitter::decorrelated}) {
    const RetryPolicy policy{
        .base = no_timeout / 2, .factor = 10, .max = no_timeout, .jitter = jitter};
    RetryProgress progress;
    for (int i = 0; i < 5; ++i) {
      const Duration pause = next_pause(policy, progress, 0.999);
      EXPECT_GT(pause, Duration{});
      EXPECT_LE(pause, policy.max);
    }
  }
}

// ---------------------------------------------------------------- deadline and attempts (RT4, RT6)

RC_GTEST_PROP(RetryDecision, never_waits_up_to_the_deadline_and_costs_nothing_when_it_stops, ()) {
  const RetryPolicy policy = *any_policy();
  const Instant start{};
  const Instant deadline =
      after(start, Duration(*rc::gen::inRange<std::int64_t>(0, 7'200'000'000'000)));
  Instant now = start;
  RetryProgress progress;
  RetryBudget budget;
  for (std::uint32_t attempt = 1;; ++attempt) {
    RC_ASSERT(attempt <= policy.attempts);
    const double random = *chance();
    RetryProgress copy = progress;
    const std::uint64_t owed = budget.owed();
    const RetryDecision next = decide(policy, progress, budget, none_idle, now, deadline, random);
    RC_ASSERT(progress.attempts == attempt);
    const Duration pause = next_pause(policy, copy, random);
    if (!next.stop) {
      RC_ASSERT(next.until == now + pause);
      RC_ASSERT(next.until < deadline);
      RC_ASSERT(budget.owed() == owed + 100);
      now = next.until;
      continue;
    }
    RC_ASSERT(budget.owed() == owed);
    // It stops for the reason that it gives, and for no weaker one.
    const bool last = attempt == policy.attempts;
    const bool late = now + pause >= deadline;
    const RetryStop why = last   ? RetryStop::attempts
                          : late ? RetryStop::deadline
                                 : RetryStop::budget;
    RC_ASSERT(next.stop == why);
    break;
  }
}

TEST(RetryDecision, without_a_deadline_is_not_stopped_by_one) {
  RetryProgress progress;
  RetryBudget budget;
  const RetryPolicy policy{.jitter = RetryJitter::none};
  const auto next = decide(policy, progress, budget, none_idle, Instant(1h), no_deadline, 0);
  EXPECT_FALSE(next.stop);
  EXPECT_EQ(next.until, Instant(1h) + 50ms);
}

TEST(RetryDecision, a_pause_that_would_end_at_the_deadline_is_not_begun) {
  const RetryPolicy policy{.jitter = RetryJitter::none};
  const auto stop = [&](Instant deadline) {
    RetryProgress progress;
    RetryBudget budget;
    return decide(policy, progress, budget, none_idle, Instant(1h), deadline, 0).stop;
  };
  EXPECT_EQ(stop(Instant(1h) + 50ms), RetryStop::deadline);
  EXPECT_EQ(stop(Instant(1h) + 50ms + 1ns), std::nullopt);
  EXPECT_EQ(stop(Instant(1h)), RetryStop::deadline);
  EXPECT_EQ(stop(Instant(59min)), RetryStop::deadline);
}

TEST(RetryDecision, goes_by_the_classes_that_are_listed) {
  const Error conflict = error_of(WEIR_E_DEADLOCK, WEIR_EFFECT_DEFINITE, WEIR_STAGE_EXECUTE);
  const Error lost = error_of(WEIR_E_CONN_LOST, WEIR_EFFECT_UNKNOWN, WEIR_STAGE_COMMIT);
  const auto stop = [](const RetryClasses& on, const Error& error) {
    RetryProgress progress;
    RetryBudget budget;
    return decide({.on = on}, progress, budget, error, {}, no_deadline, 0).stop;
  };
  EXPECT_EQ(stop({}, conflict), RetryStop::not_retryable);
  EXPECT_EQ(stop({.conflict = true}, conflict), std::nullopt);
  EXPECT_EQ(stop({}, lost), RetryStop::not_retryable);
  EXPECT_EQ(stop({.conflict = true}, lost), RetryStop::not_retryable);
  EXPECT_EQ(stop({.unknown = true}, lost), std::nullopt);
  EXPECT_EQ(stop({.acquire = false}, none_idle), RetryStop::not_retryable);
  EXPECT_EQ(stop({true, true, true, true, true}, syntax), RetryStop::not_retryable);
}

// ---------------------------------------------------------------- budget (RT5)

// Over every stretch, not only from the start: successes of a good hour buy no stampede later.
RC_GTEST_PROP(RetryBudget, never_lets_retries_run_ahead_of_successes_by_more_than_its_size, ()) {
  const RetryPolicy policy = *any_policy();
  const auto wishes = *rc::gen::container<std::vector<bool>>(300, rc::gen::arbitrary<bool>());
  const auto bias = *rc::gen::inRange(0, 3);  // few successes, even, many
  RetryBudget budget;
  // What the best stretch that ends here has drawn beyond what it has paid, in hundredths.
  std::int64_t worst = 0;
  std::int64_t step = 0;
  for (const bool wish : wishes) {
    ++step;
    const bool draws = bias == 1 ? wish : (bias == 0) == (wish || step % 4 != 0);
    if (!draws) {
      budget.success(policy);
      worst = std::max<std::int64_t>(0, worst - policy.deposit_percent);
      continue;
    }
    const bool drawn = budget.draw(policy);
    if (drawn) worst += 100;
    RC_ASSERT(worst <= std::int64_t{policy.budget} * 100);
    // And no stingier than it says.
    RC_ASSERT(drawn || worst + 100 > std::int64_t{policy.budget} * 100);
  }
}

// Metastability in one number: a thousand callers that all fail make 10 attempts more, not 2000.
TEST(RetryBudget, bounds_what_an_outage_is_amplified_by) {
  const RetryPolicy policy;
  RetryBudget budget;
  const auto attempts_of = [&](int callers) {
    std::uint32_t attempts = 0;
    for (int caller = 0; caller < callers; ++caller) {
      RetryProgress progress;
      while (!decide(policy, progress, budget, none_idle, {}, no_deadline, 0).stop) {
      }
      attempts += progress.attempts;
    }
    return attempts;
  };
  EXPECT_EQ(attempts_of(1000), 1010U);
  // It recovers with the database: 100 successes pay for 10 retries, and 1000 for no more.
  for (int i = 0; i < 50; ++i) budget.success(policy);
  EXPECT_EQ(attempts_of(1000), 1005U);
  for (int i = 0; i < 1000; ++i) budget.success(policy);
  EXPECT_EQ(attempts_of(1000), 1010U);
}

// After a reload the same debt is looked at by another size.
TEST(RetryBudget, keeps_what_is_owed_when_its_size_changes) {
  RetryBudget budget;
  const RetryPolicy large{.budget = 4};
  const RetryPolicy small{.budget = 2};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.draw(large));
  EXPECT_FALSE(budget.draw(small));
  EXPECT_TRUE(budget.draw(large));
  EXPECT_FALSE(budget.draw(large));
}

}  // namespace
}  // namespace weir::base
