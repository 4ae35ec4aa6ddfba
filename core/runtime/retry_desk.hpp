// SPDX-License-Identifier: MIT
//
// RetryDesk: what all callers of weir::retry on one pool share: the pool's policy, the budget, and
// the generator of the pauses.
//
// Owner:     BasicPool. It has a lock of its own, so that the pool's is not asked when a call that
//            needed no retry succeeds; no other lock is taken, and no driver called, under it.
// Threads:   any.
// Invariant: the runtime is asked for a seed when the first pause is drawn, not before: a pool that
//            never retries draws nothing from a simulator's streams.
#pragma once

#include "core/base/random.hpp"
#include "core/base/retry.hpp"
#include "core/runtime/runtime.hpp"

#include <optional>

namespace weir::runtime {

template <Runtime R>
class RetryDesk {
 public:
  explicit RetryDesk(const RetryPolicy& policy) : policy_(policy) {}

  [[nodiscard]] RetryPolicy policy() const {
    const Lock lock(mutex_);
    return policy_;
  }
  // What is owed stays owed: a reload does not forgive an outage.
  void set_policy(const RetryPolicy& policy) {
    const Lock lock(mutex_);
    policy_ = policy;
  }

  [[nodiscard]] detail::RetryDecision decide(const RetryPolicy& policy,
                                             detail::RetryProgress& progress, const Error& error,
                                             Instant deadline) {
    const Lock lock(mutex_);
    if (!random_) random_.emplace(R::random_seed());
    return base::decide(policy, progress, budget_, error, R::now(), deadline, random_->unit());
  }
  void succeeded(const RetryPolicy& policy) noexcept {
    const Lock lock(mutex_);
    budget_.success(policy);
  }

 private:
  using Lock = std::unique_lock<typename R::mutex>;

  mutable typename R::mutex mutex_;
  // Guarded by mutex_.
  RetryPolicy policy_;
  base::RetryBudget budget_;
  std::optional<base::Random> random_;
};

}  // namespace weir::runtime
