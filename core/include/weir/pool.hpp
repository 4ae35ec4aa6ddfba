// SPDX-License-Identifier: MIT
//
// Pool and Lease: how a host program borrows connections.
//
// A Pool is an interface with one implementation, BasicPool<Runtime>, which libweir instantiates
// for the operating system and the simulator for virtual time. A host's ordinary functions take
// weir::Pool& or weir::Connection& and run unchanged under both (docs/decisions/0001).
//
// Owner:    Pools (weir/pools.hpp). A pool outlives its owner for as long as leases are out.
// Threads:  every member of Pool may be called from any thread at any time.
// Fairness: waiters are served first come, first served, within the bound of `fairness`.
#pragma once

#include <weir/config.hpp>
#include <weir/connection.hpp>
#include <weir/health.hpp>
#include <weir/middleware.hpp>
#include <weir/retry_policy.hpp>
#include <weir/stats.hpp>

#include <memory>
#include <stop_token>
#include <vector>

namespace weir {

class Pool;
class RequestScope;
class Executor;  // weir/async.hpp, with what it returns:
class AsyncLease;
template <class R>
class AsyncResult;
namespace detail {
class AsyncWait;
class Job;
class RetryLoop;
}  // namespace detail

struct AcquireOptions {
  std::optional<Duration> timeout = {};  // default: acquire_timeout; 0 = do not wait
  const char* tag = "";  // shown in reports; the text must outlive the lease (a literal does)
  // Who asks, if the host knows: whatever gives this lease back. Callers that hold leases and wait
  // for each other are told so at once (Code::self_deadlock) if every lease has a known task.
  // Inside with(), query() and transaction() it is the calling thread by itself. 0: unknown; a task
  // waits for one acquire at a time. docs/decisions/0004.
  std::uint64_t task = 0;
  // Ends the wait, with Code::cancelled, when a stop is requested or was before. What can be lent
  // without waiting is lent all the same.
  std::stop_token stop = {};
};

// A connection in a caller's hands. Goes back when destroyed.
// Threads: one at a time; may be moved to and destroyed on another thread.
class WEIR_API Lease {
 public:
  Lease() noexcept : connection_({}) {}
  Lease(Lease&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)),
        connection_(std::exchange(other.connection_, Connection({}))) {}
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() {
    if (pool_ != nullptr) give_back();
  }

  [[nodiscard]] Connection* operator->() noexcept { return &connection_; }
  [[nodiscard]] Connection& operator*() noexcept { return connection_; }
  [[nodiscard]] explicit operator bool() const noexcept { return pool_ != nullptr; }

  // Gives the connection back now. Harmless on an empty lease, so calling it twice is.
  // Blocks: for the pool's lock only; resets and closes happen elsewhere.
  void release() noexcept;

 private:
  friend class Pool;
  Lease(Pool* pool, detail::SessionRef ref) noexcept : pool_(pool), connection_(ref) {
    detail::store_together(connection_.ref_);
  }

  inline void give_back() noexcept;  // afterwards the pool may be gone

  Pool* pool_ = nullptr;
  Connection connection_;
};

class WEIR_API Pool {
 public:
  virtual ~Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Borrows a connection, waiting for acquire_timeout or options.timeout at most.
  // Errors: acquire_timeout with an AcquireReport, queue_full, pool_closed, create_failed (see
  // propagate_create_error), self_deadlock, cancelled; with a timeout of 0 none_idle,
  // pool_suspended; in a forked child forked, here and from every other member.
  [[nodiscard]] Result<Lease> acquire(const AcquireOptions& options = {},
                                      CallSite site = CallSite::here()) {
    return lend({options, site});
  }
  // Borrows a connection if one can be lent at once. Errors: none_idle, pool_closed.
  [[nodiscard]] Result<Lease> try_acquire(CallSite site = CallSite::here());
  // As acquire, until a point on now()'s clock. A deadline that has passed does not wait.
  [[nodiscard]] Result<Lease> acquire_until(Instant deadline, CallSite site = CallSite::here());
  // Borrows `count` connections, all of them or none: for work that needs several at once, and
  // would deadlock with its like if each took one and waited for the next. The caller has a place
  // in the queue for each; what comes free first is kept for it until the last has come, and nobody
  // who comes later and wants several gets any before. In statistics it is `count` acquires.
  // Errors: as acquire; invalid_argument at once if `count` is above max.
  [[nodiscard]] Result<std::vector<Lease>> acquire_n(std::uint32_t count,
                                                     const AcquireOptions& options = {},
                                                     CallSite site = CallSite::here());

  // The same without a thread that waits, in the same queue: awaited by a coroutine, or with a
  // function to call. They begin at once; `executor` is where they go on. weir/async.hpp, which
  // has to be included.
  [[nodiscard]] AsyncLease async_acquire(Executor& executor, const AcquireOptions& options = {},
                                         CallSite site = CallSite::here());
  // fn(Connection&) on a thread of the pools', with a lease of its own.
  template <class F>
  [[nodiscard]] auto async_with(Executor& executor, F fn, const AcquireOptions& options = {},
                                CallSite site = CallSite::here())
      -> AsyncResult<detail::ResultOf<std::invoke_result_t<F&, Connection&>>>;
  // One statement; it and its parameters are copied.
  template <class... Args>
  [[nodiscard]] AsyncResult<Result<Rows>> async_query(Executor& executor, Sql sql,
                                                      const Args&... args);
  template <class... Args>
  [[nodiscard]] AsyncResult<Result<Executed>> async_execute(Executor& executor, Sql sql,
                                                            const Args&... args);

  // Calls fn(Connection&) with a lease that ends when fn returns or throws. The Result of fn is
  // handed on; a plain value becomes a Result of it; void becomes Result<void>.
  template <class F>
  [[nodiscard]] auto with(F&& fn, CallSite site = CallSite::here()) {
    return with(AcquireOptions{}, std::forward<F>(fn), site);
  }
  template <class F>
  [[nodiscard]] auto with(const AcquireOptions& options, F&& fn, CallSite site = CallSite::here())
      -> detail::ResultOf<std::invoke_result_t<F, Connection&>> {
    auto lease = acquire_here(options, site);
    if (!lease) return fail(std::move(lease).error());
    return detail::call(std::forward<F>(fn), **lease);
  }

  // Acquire, one statement or many rows, release.
  template <class... Args>
  [[nodiscard]] Result<Rows> query(Sql sql, const Args&... args) {
    return with([&](Connection& c) { return c.query(sql, args...); }, sql.site());
  }
  template <class... Args>
  [[nodiscard]] Result<Executed> execute(Sql sql, const Args&... args) {
    return with([&](Connection& c) { return c.execute(sql, args...); }, sql.site());
  }
  template <detail::RowRange R>
  [[nodiscard]] Result<ExecutedMany> execute_many(Sql sql, R&& rows) {
    return with([&](Connection& c) { return c.execute_many(sql, rows); }, sql.site());
  }
  template <std::size_t N, detail::RowRange R>
  [[nodiscard]] Result<Inserted> insert_many(std::string_view table,
                                             const std::string_view (&columns)[N], R&& rows,
                                             const InsertOptions& options = {},
                                             CallSite site = CallSite::here()) {
    return with([&](Connection& c) { return c.insert_many(table, columns, rows, options); }, site);
  }
  template <detail::RowRange R>
  [[nodiscard]] Result<Inserted> insert_many(std::string_view table,
                                             std::span<const std::string_view> columns, R&& rows,
                                             const InsertOptions& options = {},
                                             CallSite site = CallSite::here()) {
    return with([&](Connection& c) { return c.insert_many(table, columns, rows, options); }, site);
  }
  // Acquire, Connection::transaction, release. To run it again after a conflict:
  // weir::retry_transaction (weir/retry.hpp).
  template <class F>
  [[nodiscard]] auto transaction(F&& fn, TransactionOptions options = {},
                                 CallSite site = CallSite::here())
      -> detail::ResultOf<std::invoke_result_t<F, Connection&>> {
    if (options.timeout != no_timeout) {
      options.deadline = std::min(options.deadline, after(now(), options.timeout));
      options.timeout = no_timeout;
    }
    auto lease = acquire_here({}, site, options.deadline);
    if (!lease) return fail(std::move(lease).error());
    return (*lease)->transaction(std::forward<F>(fn), options);
  }

  [[nodiscard]] virtual PoolConfig config() const = 0;  // as it is now
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  [[nodiscard]] virtual std::string placeholder(int n) const = 0;

  // Puts a function around each call that begins from now on, for the pool's life
  // (weir/middleware.hpp). At any time; it is not lost, whatever else goes on. An empty one changes
  // nothing.
  virtual void use(Middleware middleware, MiddlewareOptions options = {}) = 0;

  // One consistent snapshot. Blocks: for the pool's lock, microseconds.
  [[nodiscard]] virtual PoolStats stats() const = 0;

  // Whether it can serve, and why not: for a readiness probe (weir/health.hpp). It asks nobody, it
  // reports what is known. Blocks: as stats().
  [[nodiscard]] virtual PoolHealth health() const = 0;

  // Waits until `min` connections are ready; with min = 0 none is asked for.
  // Errors: not_ready with the last cause, create_failed at once for credentials and
  // configuration, pool_closed.
  [[nodiscard]] virtual Result<void> wait_ready(Duration timeout) = 0;

  // Sets both limits. Surplus connections close as they come back. Errors: config_value,
  // config_conflict.
  [[nodiscard]] virtual Result<void> resize(std::uint32_t min, std::uint32_t max) = 0;

  // Lends nothing and connects to nothing until resume(): for a failover, or a migration. Callers
  // wait, by their own deadlines. Blocks: until no lease is out, or the timeout; the pool stays
  // suspended either way. A lease of the caller's own with() or transaction() is not waited for,
  // unless that names a task.
  // Errors: drain_timeout naming the holders; pool_closed.
  [[nodiscard]] virtual Result<void> suspend(Duration timeout) = 0;
  virtual void resume() = 0;

  // Replaces every connection: idle ones close now, lent ones as they come back, attempts under way
  // are given up. For a server that has moved. Does not block. Errors: unsupported for an in-memory
  // database, which would lose its data; pool_closed.
  [[nodiscard]] virtual Result<void> evict() = 0;

  // Closes the pool: waiters fail with pool_closed at once, idle connections close, leases may
  // finish until the timeout, but for that of a with() or transaction() which calls this and names
  // no task. Afterwards those still out are aborted: their calls fail, and the connections close
  // when they come back. Idempotent.
  // Errors: drain_timeout naming the holders; the pool is closed all the same.
  [[nodiscard]] virtual Result<void> drain(Duration timeout) = 0;

  // The runtime's clock: what deadlines of this pool are measured on. Real in a host, virtual in
  // the simulator; the same holds for sleeping.
  [[nodiscard]] virtual Instant now() const noexcept = 0;
  virtual void sleep_until(Instant until) = 0;

 protected:
  struct Request {
    const AcquireOptions& options;
    CallSite site;
    Instant deadline = no_deadline;  // or options.timeout, whichever is earlier
    bool on_this_thread = false;     // the lease ends before this thread goes on
  };

  Pool() = default;
  [[nodiscard]] virtual Result<Lease> lend(const Request& request) = 0;
  [[nodiscard]] virtual Result<std::vector<Lease>> lend_several(const Request& request,
                                                                std::uint32_t count) = 0;
  // With a job: it is given the lease, on a thread of the pools', before the wait is over.
  [[nodiscard]] virtual std::shared_ptr<detail::AsyncWait> lend_later(
      const Request& request, Executor& executor, std::shared_ptr<detail::Job> job) = 0;
  virtual void take_back(runtime::Session& session, std::uint64_t lease) noexcept = 0;
  // As acquire, for a lease that ends within the call that takes it.
  [[nodiscard]] Result<Lease> acquire_here(const AcquireOptions& options, CallSite site,
                                           Instant deadline = no_deadline);

  // For weir::retry: the policy of the configuration, and what the budget says that all callers of
  // this pool share. The randomness of the pauses is the runtime's.
  [[nodiscard]] virtual RetryPolicy retry_policy() const = 0;
  [[nodiscard]] virtual detail::RetryDecision decide_retry(const RetryPolicy& policy,
                                                           detail::RetryProgress& progress,
                                                           const Error& error,
                                                           Instant deadline) = 0;
  virtual void retry_succeeded(const RetryPolicy& policy) noexcept = 0;

  [[nodiscard]] Lease make_lease(detail::SessionRef ref) noexcept { return Lease(this, ref); }

 private:
  friend class Lease;
  friend class RequestScope;
  friend class detail::RetryLoop;
};

inline void Lease::give_back() noexcept {
  pool_->take_back(*connection_.ref_.session, connection_.ref_.lease);
}

}  // namespace weir
