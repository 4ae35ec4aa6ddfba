// SPDX-License-Identifier: MIT
//
// The loop of weir/retry.hpp, less the part that depends on the type of fn.
#include "core/observe/texts.hpp"

#include <weir/driver.h>
#include <weir/retry.hpp>

#include <algorithm>
#include <string>

namespace weir::detail {
namespace {

// RT8: the database has rolled it back, and says that another one was in its way.
bool undone_for_another(const Error& error) noexcept {
  const DatabaseError* const facts = error.database();
  return facts != nullptr && retry_class(error) == RetryClass::conflict &&
         (facts->kind == WEIR_E_SERIALIZATION || facts->kind == WEIR_E_DEADLOCK);
}

std::string reason(RetryStop why, const Error& error, const RetryPolicy& policy,
                   RetryLoop::What what) {
  switch (why) {
    case RetryStop::attempts:
      return "attempts = " + std::to_string(policy.attempts) + " allows no more";
    case RetryStop::deadline:
      return "the next pause would not end before the deadline";
    case RetryStop::budget:
      return "the pool's retry budget is spent: too many retries for too few successes";
    case RetryStop::not_retryable:
      break;
  }
  if (what == RetryLoop::What::undone_transactions) {
    return "this is no transaction that the database undid for the sake of another one";
  }
  const auto kind = retry_class(error);
  if (!kind) return "this error is not one that another attempt may mend";
  return "its class is `" + std::string(to_string(*kind)) + "`, which `on` does not list";
}

}  // namespace

RetryLoop::RetryLoop(Pool& pool, const RetryOptions& options, What what)
    : pool_(pool),
      what_(what),
      policy_(options.policy ? *options.policy : pool.retry_policy()),
      start_(pool.now()),
      deadline_(std::min(options.deadline, after(start_, std::max(options.timeout, Duration{})))) {
  // The pool's own was checked when it was taken on.
  if (!options.policy) return;
  if (auto valid = validate(policy_); !valid) wrong_ = std::move(valid).error();
}

void RetryLoop::succeeded() noexcept { pool_.retry_succeeded(policy_); }

std::optional<Error> RetryLoop::failed(const Error& error) {
  RetryPolicy policy = policy_;
  if (what_ == What::undone_transactions) {
    policy.on = {.acquire = false, .not_sent = false, .refused = false};
    policy.on.conflict = undone_for_another(error);
  }
  const RetryDecision next = pool_.decide_retry(policy, progress_, error, deadline_);
  if (next.stop) return gave_up(error, *next.stop);
  pool_.sleep_until(next.until);
  return std::nullopt;
}

// RT7
Error RetryLoop::gave_up(const Error& error, RetryStop why) const {
  const RetryReport report{progress_.attempts, pool_.now() - start_, why};
  const bool once = report.attempts <= 1;
  // Most errors have nothing to do with retries, and should not speak of them.
  const bool is_other = what_ == What::listed ? !retry_class(error) : !undone_for_another(error);
  if (once && is_other) return {error, report, ""};
  const std::string times = once ? "once" : std::to_string(report.attempts) + " times";
  return {error, report,
          "\n  tried " + times + " in " + observe::short_duration(report.elapsed) +
              ", and not again: " + reason(why, error, policy_, what_)};
}

}  // namespace weir::detail
