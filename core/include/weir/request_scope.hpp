// SPDX-License-Identifier: MIT
//
// RequestScope: one connection for everything that one request does, however deep in the program.
//
//   weir::RequestScope request(db, {.tag = "checkout"});
//   request.transaction([&](weir::Connection& c) { return book(request); });
//   // in book(): request.query(...) is on the same connection, in the same transaction, and
//   // request.transaction(...) is a savepoint
//
// The connection is borrowed at the first use and goes back at the end of the request, or at
// release(). One that broke goes back at once, and the next use borrows another one; but not while
// a function of the request is running on it, nor after begin(), until commit() or rollback() has
// said so: what was meant for that transaction must not run outside of it.
//
// Owner:   whoever handles the request; handed down by reference, as the token for "this request".
// Threads: one at a time; the thread may change. For the pool's detection of callers that wait for
//          each other (W310 self_deadlock) a request is one task, whatever threads it visits.
// Errors:  as Pool::acquire at the first use, then those of the connection.
#pragma once

#include <weir/pool.hpp>

namespace weir {

class WEIR_API RequestScope {
 public:
  // Borrows nothing yet. `options` are those of the acquire; with a task of 0 it gets one of its
  // own.
  explicit RequestScope(Pool& pool, AcquireOptions options = {}) noexcept;
  RequestScope(const RequestScope&) = delete;
  RequestScope& operator=(const RequestScope&) = delete;

  // Calls fn(Connection&). Returns as Pool::with.
  template <class F>
  [[nodiscard]] auto with(F&& fn, CallSite site = CallSite::here())
      -> detail::ResultOf<std::invoke_result_t<F, Connection&>> {
    return with_until(no_deadline, std::forward<F>(fn), site);
  }
  template <class... Args>
  [[nodiscard]] Result<Rows> query(Sql sql, const Args&... args) {
    return with([&](Connection& c) { return c.query(sql, args...); }, sql.site());
  }
  template <class... Args>
  [[nodiscard]] Result<Executed> execute(Sql sql, const Args&... args) {
    return with([&](Connection& c) { return c.execute(sql, args...); }, sql.site());
  }
  // Inside another transaction of the request a savepoint, as Connection::transaction.
  // Its deadline covers the acquire and all that the request does on the connection meanwhile.
  template <class F>
  [[nodiscard]] auto transaction(F&& fn, TransactionOptions options = {},
                                 CallSite site = CallSite::here()) {
    if (options.timeout != no_timeout) {
      options.deadline = std::min(options.deadline, after(pool_.now(), options.timeout));
      options.timeout = no_timeout;
    }
    return with_until(
        options.deadline,
        [&](Connection& c) { return c.transaction(std::forward<F>(fn), options); }, site);
  }

  // Gives the connection back before the end of the request; the next use borrows another one.
  // Inside with() it does nothing: the function there goes on with it.
  void release() noexcept;
  [[nodiscard]] bool holds_connection() const noexcept { return static_cast<bool>(lease_); }
  // For AcquireOptions::task of further leases that belong to this request.
  [[nodiscard]] std::uint64_t task() const noexcept { return options_.task; }

 private:
  // Of one with(), also on the way of an exception.
  class Use {
   public:
    explicit Use(RequestScope& request) noexcept : request_(request) { ++request_.depth_; }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() { request_.used(); }

   private:
    RequestScope& request_;
  };
  template <class F>
  [[nodiscard]] auto with_until(Instant deadline, F&& fn, CallSite site)
      -> detail::ResultOf<std::invoke_result_t<F, Connection&>> {
    auto connection = borrow(deadline, site);
    if (!connection) return fail(std::move(connection).error());
    const Use use(*this);
    return detail::call(std::forward<F>(fn), **connection);
  }
  [[nodiscard]] Result<Connection*> borrow(Instant deadline, CallSite site);
  void used() noexcept;

  Pool& pool_;
  AcquireOptions options_;
  Lease lease_;
  int depth_ = 0;  // with() in with()
};

}  // namespace weir
