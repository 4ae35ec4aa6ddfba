// SPDX-License-Identifier: MIT
//
// The decisions of weir::retry, without a clock, a lock or a generator: whether a failed attempt is
// followed by another, when, and what that costs.
//
// Called by: the shell (core/runtime/retry_desk.hpp), under its lock, with the time and a random
//            number; tests call it with any.
// Threads:   pure, but for the budget and the progress that the caller brings.
// Properties: docs/properties.md, RT1 to RT7.
#pragma once

#include <weir/retry_policy.hpp>

#include <algorithm>

namespace weir::base {

// What retries have cost and successes have not yet paid back, in hundredths of a retry. A full
// bucket is a debt of nothing, so that a policy of another size, after a reload or by a caller that
// brought its own, needs no adjustment: it only is stricter or laxer about the same debt.
// Invariant (RT5): in every stretch of its life, from the first event to the last or any between,
// retries * 100 <= budget * 100 + successes * deposit_percent.
class RetryBudget {
 public:
  [[nodiscard]] bool draw(const RetryPolicy& policy) noexcept {
    if (owed_ + price > std::uint64_t{policy.budget} * price) return false;
    owed_ += price;
    return true;
  }
  void success(const RetryPolicy& policy) noexcept {
    owed_ -= std::min(owed_, std::uint64_t{policy.deposit_percent});
  }
  [[nodiscard]] std::uint64_t owed() const noexcept { return owed_; }

 private:
  static constexpr std::uint64_t price = 100;
  std::uint64_t owed_ = 0;
};

// The pause before the next attempt; keeps what the one after it depends on.
// Requires: a valid policy, and a random number in [0, 1).
[[nodiscard]] Duration next_pause(const RetryPolicy& policy, detail::RetryProgress& progress,
                                  double random) noexcept;

// After an attempt that failed. Draws on the budget only for an attempt that will be made.
[[nodiscard]] detail::RetryDecision decide(const RetryPolicy& policy,
                                           detail::RetryProgress& progress, RetryBudget& budget,
                                           const Error& error, Instant now, Instant deadline,
                                           double random) noexcept;

}  // namespace weir::base
