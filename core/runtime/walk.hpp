// SPDX-License-Identifier: MIT
//
// Walk: one call of a lease on its way through the middleware of its pool to the database and back.
// The insides of Call and Next (weir/middleware.hpp), which are views of it.
//
// Called by:  connection.cpp, for pools that something watches (Session::watched). It lives on the
//             stack of the call.
// Invariants: 1. the database is asked once at most, and never after the lease went back.
//             2. while a middleware runs, the session is marked (Session::in_call), and every other
//                use of it is refused. Neither that mark nor anything else of a session whose lease
//                has gone back is touched: it may be in other hands.
//             3. the pool lives until the walk has ended: whoever made it holds the chain, and
//                with that the pool.
// Threads:    that of the call. Blocks: as the middleware and the driver do.
#pragma once

#include "core/runtime/session.hpp"

#include <weir/middleware.hpp>

#include <forward_list>
#include <functional>
#include <memory>
#include <vector>

namespace weir::runtime {

// What the leaseholder asked for.
struct Asked {
  CallKind kind{};
  std::string_view sql = {};
  CallSite site = {};
  detail::Cells params = {};
  bool prepared = false;
  std::string_view table = {};  // of insert_many
};

struct Link {
  Middleware ask;
  MiddlewareOptions options;
};

// All middleware of a pool as it was at one moment, outermost first. Constant.
using Chain = std::vector<Link>;

// What a call has come to, for those who write it down. Lives as long as the walk.
struct Ended {
  const Call& call;
  CallDone done;
  const Error* error = nullptr;  // null: it succeeded
};

// A pool as its walks see it.
class Watcher {
 public:
  // Holds the pool, too. Null once the pool was closed and nobody may be left to hear of calls.
  [[nodiscard]] virtual std::shared_ptr<const Chain> chain() = 0;
  // The database has answered, or its driver has refused. Under no lock.
  virtual void call_ended(const Ended& ended) noexcept = 0;
  virtual void log(LogLevel level, std::string_view line) const noexcept = 0;
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;

 protected:
  ~Watcher() = default;
};

class Walk {
 public:
  using Make = std::function<Result<CallDone>(std::string_view sql)>;

  // `chain` and `make`, which asks the driver and keeps the answer, outlive the walk.
  Walk(Session& session, const detail::SessionRef& ref, const Asked& asked, const Chain& chain,
       const Make& make);
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  // Errors: what the caller gets instead of what make() has made.
  [[nodiscard]] Result<void> run();
  // The lease is still the one that the call came with.
  [[nodiscard]] bool lease_is_current() const noexcept;

 private:
  friend class weir::Call;
  friend class weir::Next;

  [[nodiscard]] Result<CallDone> go_on();
  [[nodiscard]] Result<CallDone> ask(const Link& link);
  [[nodiscard]] Result<CallDone> ask_database();
  [[nodiscard]] Result<CallDone> make_unmarked();
  [[nodiscard]] std::string_view sql() const noexcept {
    return own_sql_.empty() ? asked_.sql : own_sql_.front();
  }
  [[nodiscard]] std::string at_fault(const Link& link, std::string_view what) const;
  void mark(bool in_call) noexcept;
  struct Unmark {
    Walk& walk;
    ~Unmark() { walk.mark(false); }
  };

  Session& session_;
  const detail::SessionRef ref_;
  const Asked asked_;
  const LeaseInfo lease_;
  const Chain& chain_;
  const Make& make_;
  Call call_;
  // As it was rewritten, the last first: who further out was shown an earlier text may look at it
  // again. Or that of a prepared statement, which might be dropped with its lease.
  std::forward_list<std::string> own_sql_;
  std::size_t at_ = 0;           // links passed; the last of them is running
  bool sent_ = false;            // the database was asked
  bool answered_ = false;        // and what make() keeps is good
  bool thrown_inside_ = false;   // by make(): not a middleware's fault
  std::optional<Error> failed_;  // the last that any next() has answered
};

}  // namespace weir::runtime
