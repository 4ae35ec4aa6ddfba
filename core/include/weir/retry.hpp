// SPDX-License-Identifier: MIT
//
// retry: runs a function again if it failed in a way that another attempt may mend.
//
//   auto rows = weir::retry(db, [](weir::Pool& p) { return p.query("select ..."); });
//
// Called by hosts, around whatever returns a Result. fn is repeated as a whole: what it did before
// the error, and what no rollback has undone, it does again. So let it be one statement or one
// transaction, and do not put a retry into a retry: their attempts multiply.
//
// Invariants: 1. without the host's word only those errors are repeated after which the server
//                cannot have acted (RetryClass in weir/retry_policy.hpp).
//             2. no pause ends at or after the deadline: retry returns at once instead.
//             3. all callers of a pool share one budget. At any time retries <= budget + successes
//                of retry * deposit_percent / 100, whatever happens to the database.
// Threads:    any, at the same time. Waits and reads the time through the pool, and so runs
//             unchanged in virtual time.
// Blocks:     for the pauses; closing the pool does not cut one short, the attempt after it fails.
#pragma once

#include <weir/pool.hpp>
#include <weir/retry_policy.hpp>

#include <type_traits>
#include <utility>

namespace weir {

struct RetryOptions {
  std::optional<RetryPolicy> policy = {};  // default: that of the pool's configuration
  // When to stop pausing, from the call on or on pool.now()'s clock, whichever is earlier. fn is
  // called once in any case and is never cut short: give its calls deadlines of their own.
  Duration timeout = no_timeout;
  Instant deadline = no_deadline;
};

namespace detail {

// The part of retry that does not depend on fn. Lives on the stack of one call.
class WEIR_API RetryLoop {
 public:
  // What is repeated: what the policy lists, or nothing but transactions that the database undid.
  enum class What : std::uint8_t { listed, undone_transactions };
  RetryLoop(Pool& pool, const RetryOptions& options, What what = What::listed);
  // Why there is no first attempt: a policy that is out of range.
  [[nodiscard]] const std::optional<Error>& wrong() const noexcept { return wrong_; }
  void succeeded() noexcept;
  // Blocks until the next attempt is due and returns nothing; or returns what to hand on, at once.
  [[nodiscard]] std::optional<Error> failed(const Error& error);

 private:
  [[nodiscard]] Error gave_up(const Error& error, RetryStop why) const;

  Pool& pool_;
  const What what_;
  const RetryPolicy policy_;
  const Instant start_;
  const Instant deadline_;
  RetryProgress progress_;
  std::optional<Error> wrong_;
};

template <class F>
auto attempt(Pool& pool, F& fn) {
  if constexpr (std::is_invocable_v<F&, Pool&>) {
    return call(fn, pool);
  } else {
    return call(fn);
  }
}

}  // namespace detail

// Calls fn() or fn(Pool&) until it succeeds or another attempt is not worth it, and hands on what
// it returned last; a plain value or void becomes a Result of it. An exception of fn passes
// through: it is neither repeated nor counted as a success. Errors: the last one of fn, with its
// code and facts; retry() of it and its text say how many
//         attempts there were and why there was no other. config_value, config_conflict,
//         config_many for a policy that is out of range; fn is not called then.
template <class F>
[[nodiscard]] auto retry(Pool& pool, const RetryOptions& options, F&& fn)
    -> decltype(detail::attempt(pool, fn)) {
  detail::RetryLoop loop(pool, options);
  if (loop.wrong()) return fail(*loop.wrong());
  while (true) {
    auto result = detail::attempt(pool, fn);
    if (result) {
      loop.succeeded();
      return result;
    }
    if (auto last = loop.failed(result.error())) return fail(*std::move(last));
  }
}
template <class F>
[[nodiscard]] auto retry(Pool& pool, const RetryPolicy& policy, F&& fn) {
  return retry(pool, RetryOptions{.policy = policy}, std::forward<F>(fn));
}
template <class F>
[[nodiscard]] auto retry(Pool& pool, F&& fn) {
  return retry(pool, RetryOptions{}, std::forward<F>(fn));
}

// Pool::transaction, run again from its start if the database undid it for the sake of another one:
// a serialization failure or a deadlock, whatever `on` of the policy lists. Attempts, pauses and
// budget are the policy's. Nothing else is repeated, least of all a commit whose answer was lost.
// Between attempts no connection is held. fn does again what it did outside of the database.
// `transaction.timeout` is that of one attempt; `transaction.deadline` and `options` bound them
// all. Errors: as Pool::transaction, and as retry.
template <class F>
[[nodiscard]] auto retry_transaction(Pool& pool, F&& fn, const TransactionOptions& transaction = {},
                                     RetryOptions options = {}, CallSite site = CallSite::here())
    -> detail::ResultOf<std::invoke_result_t<F&, Connection&>> {
  options.deadline = std::min(options.deadline, transaction.deadline);
  detail::RetryLoop loop(pool, options, detail::RetryLoop::What::undone_transactions);
  if (loop.wrong()) return fail(*loop.wrong());
  while (true) {
    auto result = pool.transaction(fn, transaction, site);
    if (result) {
      loop.succeeded();
      return result;
    }
    if (auto last = loop.failed(result.error())) return fail(*std::move(last));
  }
}

}  // namespace weir
