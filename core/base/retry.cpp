// SPDX-License-Identifier: MIT
#include "core/base/retry.hpp"

#include <weir/driver.h>

namespace weir {
namespace {

// Kinds that may be gone the next time. Of all others the same request meets the same answer.
bool may_pass(const DatabaseError& facts) noexcept {
  switch (facts.kind) {
    case WEIR_E_RESOLVE:
    case WEIR_E_CONNECT:
    case WEIR_E_SERVER_NOT_READY:
    case WEIR_E_TOO_MANY_CONNECTIONS:
    case WEIR_E_CONN_LOST:
    case WEIR_E_TIMEOUT:
    case WEIR_E_SERIALIZATION:
    case WEIR_E_DEADLOCK:
    case WEIR_E_LOCK_TIMEOUT:
      return true;
    default:
      return false;
  }
}

// Nothing of the host's has been executed at these stages. A statement that is refused later may
// have called a procedure that committed something on its way.
bool before_execution(std::uint8_t stage) noexcept {
  return (stage >= WEIR_STAGE_RESOLVE && stage <= WEIR_STAGE_PREPARE) ||
         stage == WEIR_STAGE_BEGIN || stage == WEIR_STAGE_PING;
}

// The server answered. Of what it may have executed a part nothing is `refused` (RT1).
std::optional<RetryClass> class_of_answer(const DatabaseError& facts) noexcept {
  const bool early = before_execution(facts.stage);
  switch (facts.kind) {
    case WEIR_E_SERVER_NOT_READY:
    case WEIR_E_TOO_MANY_CONNECTIONS:
      return early ? std::optional(RetryClass::refused) : std::nullopt;
    case WEIR_E_LOCK_TIMEOUT:
      return early ? RetryClass::refused : RetryClass::conflict;
    case WEIR_E_SERIALIZATION:
    case WEIR_E_DEADLOCK:
      return RetryClass::conflict;
    default:
      return std::nullopt;
  }
}

std::optional<RetryClass> class_of_request(const DatabaseError& facts) noexcept {
  if (!may_pass(facts)) return std::nullopt;
  switch (facts.effect) {
    case WEIR_EFFECT_NOT_SENT:
      return RetryClass::not_sent;
    case WEIR_EFFECT_DEFINITE:
      return class_of_answer(facts);
    default:  // RT2; a number that the host does not know promises nothing either
      return RetryClass::unknown;
  }
}

// An acquire that failed has sent nothing of the host's. It is repeated unless that is futile.
std::optional<RetryClass> class_of_acquire(const Error& error) noexcept {
  const AcquireReport* report = error.acquire();
  if (report != nullptr &&
      (report->reason == AcquireClass::auth || report->reason == AcquireClass::closed ||
       report->reason == AcquireClass::self_deadlock))
    return std::nullopt;
  switch (error.code()) {
    case Code::acquire_timeout:
    case Code::queue_full:
    case Code::pool_suspended:
    case Code::create_failed:
    case Code::not_ready:
    case Code::none_idle:
      return RetryClass::acquire;
    default:
      return std::nullopt;
  }
}

// from * by, but not above most. Requires: from <= most.
Duration grown(Duration from, std::uint32_t by, Duration most) noexcept {
  return from > most / by ? most : from * by;
}

// A point between the two, where `random` says.
Duration between(Duration least, Duration most, double random) noexcept {
  const auto width = static_cast<double>((most - least).count());
  return std::min(most, least + Duration(static_cast<Duration::rep>(width * random)));
}

}  // namespace

std::string_view to_string(RetryClass one) noexcept {
  switch (one) {
    case RetryClass::acquire:
      return "acquire";
    case RetryClass::not_sent:
      return "not_sent";
    case RetryClass::refused:
      return "refused";
    case RetryClass::conflict:
      return "conflict";
    case RetryClass::unknown:
      break;
  }
  return "unknown";
}

std::string_view to_string(RetryStop why) noexcept {
  switch (why) {
    case RetryStop::not_retryable:
      return "not_retryable";
    case RetryStop::attempts:
      return "attempts";
    case RetryStop::deadline:
      return "deadline";
    case RetryStop::budget:
      break;
  }
  return "budget";
}

std::optional<RetryClass> retry_class(const Error& error) noexcept {
  const DatabaseError* facts = error.database();
  if (facts == nullptr) return class_of_acquire(error);
  const auto found = class_of_request(*facts);
  // What the facts say of one row does not hold for those before it: they would be stored twice.
  if (found && error.many() != nullptr && error.many()->committed > 0) return RetryClass::unknown;
  return found;
}

namespace base {

// RT3
Duration next_pause(const RetryPolicy& policy, detail::RetryProgress& progress,
                    double random) noexcept {
  if (policy.jitter == RetryJitter::decorrelated) {
    const Duration last = std::max(progress.pause, policy.base);
    progress.ceiling = grown(last, 3, policy.max);
    progress.pause = between(policy.base, progress.ceiling, random);
    return progress.pause;
  }
  progress.ceiling = progress.ceiling == Duration{}
                         ? policy.base
                         : grown(progress.ceiling, policy.factor, policy.max);
  progress.pause =
      policy.jitter == RetryJitter::none ? progress.ceiling : between({}, progress.ceiling, random);
  return progress.pause;
}

detail::RetryDecision decide(const RetryPolicy& policy, detail::RetryProgress& progress,
                             RetryBudget& budget, const Error& error, Instant now, Instant deadline,
                             double random) noexcept {
  ++progress.attempts;
  const std::optional<RetryClass> kind = retry_class(error);
  if (!kind || !policy.on.has(*kind)) return {RetryStop::not_retryable, now};
  if (progress.attempts >= policy.attempts) return {RetryStop::attempts, now};  // RT6
  const Instant until = after(now, next_pause(policy, progress, random));
  if (until >= deadline) return {RetryStop::deadline, now};  // RT4
  if (!budget.draw(policy)) return {RetryStop::budget, now};
  return {std::nullopt, until};
}

}  // namespace base
}  // namespace weir
