// SPDX-License-Identifier: MIT
//
// Session: one driver connection as the shell keeps it, and everything that is done with it: the
// calls of its leaseholder (Connection, Statement, Stream forward here) and the pool's own (open,
// init, validate, reset, close).
//
// Owner:      a slot of the pool, for the life of the pool; it is opened and closed many times. So
//             a handle that outlived its lease still points to a Session, which refuses it.
// Threads:    one user at a time, on whatever thread: the leaseholder, or the operation that the
//             engine started (Q4). abort() from any thread. lease_ is atomic only so that a stale
//             handle can be told from a good one without a race.
// Invariants: 1. conn_ is null exactly while the session is closed.
//             2. a statement that is pinned is not evicted.
//             3. broken_ is set by the first error with conn_fate broken or unknown, until close.
//             4. (RT9) while a function runs in a transaction, and after an error that ended one
//                which begin() opened, no statement is run outside of it; nor inside, once a part
//                of it could not be undone.
//             5. in_call_ is set only while a middleware of the present lease's call runs.
//             6. used_ is set before anything is done for the present lease that its end has to
//                look at or to take back; and while a native handle may be out.
// Blocks:     as long as the driver, within the call's deadline.
#pragma once

#include "core/loader/driver_table.hpp"
#include "core/runtime/process.hpp"

#include <weir/connection.hpp>
#include <weir/insert.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <optional>

namespace weir::runtime {

struct ErrorBuffer;
class Watcher;  // walk.hpp

// What a session needs of its pool; outlives it.
struct SessionContext {
  loader::DriverTable driver;
  const weir_host* host = nullptr;
  Watcher* watcher = nullptr;
  std::uint32_t process = process_generation();  // a forked child is another one
  // The driver cannot tell whether a session has changed, and can make one as new: each that was
  // used counts as changed.
  bool changes_unseen = !driver.has(WEIR_CAP_DIRTY) &&
                        (driver.has(WEIR_CAP_RESET_SESSION) || driver.has(WEIR_CAP_RESET_FULL));
  std::atomic<bool> watched{false};  // calls go by way of a Walk, and the watcher
};

// From here on serials are of leases that are none: Hooks::on_create sets a session up.
inline constexpr std::uint64_t first_set_up = std::uint64_t{1} << 63;

// Ref-counted hold on a driver's canceller: the pool may abort while the session closes.
using Canceller = std::shared_ptr<weir_canceller>;

class Session {
 public:
  Session(const SessionContext& context, std::uint32_t slot) noexcept
      : context_(context), slot_(slot) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // -- the pool's side ----------------------------------------------------------------

  [[nodiscard]] Result<Canceller> make_canceller(weir_source* source, std::uint64_t tag);
  [[nodiscard]] Result<void> open(weir_source* source, std::uint64_t tag,
                                  const Canceller& canceller, Instant deadline);
  [[nodiscard]] Result<void> run_init(const std::vector<std::string>& statements, Instant deadline);
  // Errors: also if the session is alive but not as it should be.
  [[nodiscard]] Result<void> validate(Instant deadline);
  // Runs a query of the pool's own; what it answers is of no interest.
  [[nodiscard]] Result<void> check(std::string_view sql, Instant deadline);
  // Returns: false if the driver cannot vouch for the session.
  [[nodiscard]] Result<bool> reset(Instant deadline);
  void close(Instant deadline);

  // The site in two: its caller has just stored it so, and a load of both at once would wait until
  // the two stores have left the processor's store buffer.
  void begin_lease(std::uint64_t lease, const char* tag, const CallSite& site) noexcept {
    tag_ = tag;
    site_.file = site.file;
    site_.line = site.line;
    used_ = native_out_;
    lease_.store(lease, std::memory_order_relaxed);
  }
  // Returns: false if `lease` is not the current one.
  [[nodiscard]] bool end_lease(std::uint64_t lease) noexcept;

  struct Facts {
    bool broken = false;
    bool busy = false;
    bool dirty = false;
  };
  // The driver's local view; no I/O.
  [[nodiscard]] Facts facts() const;
  // Whether the last lease has done anything with it. If not it is as it came, clean; what an abort
  // has done meanwhile its pool knows.
  [[nodiscard]] bool used() const noexcept { return used_; }

  // -- the leaseholder's side -----------------------------------------------------------

  // Null if `ref` is of an earlier lease, or of none, and in a forked child.
  [[nodiscard]] static Session* current(const detail::SessionRef& ref) noexcept;
  // Errors: where it is not current, lease_returned or forked.
  [[nodiscard]] static Result<Session*> of(const detail::SessionRef& ref);

  // What is sent. By reference: with so many arguments it would go by the stack, and would be slow
  // to load from there.
  struct Command {
    std::string_view sql;       // unless it was prepared
    weir_stmt* stmt = nullptr;  // else
    detail::Cells params = {};
  };
  [[nodiscard]] Result<Rows> query(const detail::SessionRef& ref, const Command& command);
  [[nodiscard]] Result<Executed> execute(const detail::SessionRef& ref, const Command& command);
  [[nodiscard]] Result<Stream> stream(const detail::SessionRef& ref, const Command& command);
  [[nodiscard]] Result<bool> next_batch(Stream& stream);  // false: there is none
  void close_stream(Stream& stream) noexcept;
  [[nodiscard]] bool is_open(const Stream& stream) const noexcept;
  void end_open_stream() noexcept;  // its rows are worth nothing any more
  // Errors: invalid_state while a stream is open, connection_lost once the session is broken, what
  // undid the transaction once one is undone.
  [[nodiscard]] Result<void> ready() const {
    const bool good = !broken_ && !stopped_ && scopes_.count == 0 && open_stream_ == 0;
    return good ? Result<void>() : ready_or_why();
  }

  [[nodiscard]] Result<Statement> prepare(const detail::SessionRef& ref, std::string_view sql);
  // Many rows, as cells one after the other.
  struct Many {
    std::span<const weir_cell> cells;
    std::uint64_t rows = 0;
    std::size_t width = 0;  // cells of a row

    [[nodiscard]] Many part(std::uint64_t first, std::uint64_t count) const noexcept {
      return {cells.subspan(first * width, count * width), count, width};
    }
  };
  // `done` is filled in on failure, too.
  [[nodiscard]] Result<void> execute_many(Instant deadline, std::string_view sql, const Many& many,
                                          weir_many_out& done);
  // The names and the rest of `args` are the caller's; rows go in by `many`. Returns: rows stored.
  [[nodiscard]] Result<std::uint64_t> insert(Instant deadline, const weir_insert& driver,
                                             weir_insert_args args, const Many& many);
  // The driver's way to insert; null if it has none.
  [[nodiscard]] const weir_insert* insert_extension() const noexcept;
  // A number for the names of savepoints inside of one call, new each time.
  [[nodiscard]] std::uint64_t next_mark() noexcept { return ++last_number_; }
  // Another one after each call of the driver.
  [[nodiscard]] std::uint64_t last_number() const noexcept { return last_number_; }

  struct Prepared {
    std::uint64_t entry;
    std::string sql;
    weir_stmt* stmt;
    std::uint32_t param_count;
    std::uint32_t pins;
    std::uint64_t pinned_by;  // the lease; pins of an earlier one count no more
    // Of its last result; null: there was none.
    std::shared_ptr<const detail::SharedColumns> columns = {};
  };
  // Null: it was dropped when its connection was reset.
  [[nodiscard]] const Prepared* statement(std::uint64_t entry) const noexcept;
  void unpin(std::uint64_t entry) noexcept;

  // session_transactions.cpp
  [[nodiscard]] Result<void> begin(Instant deadline, const TransactionOptions& options);
  [[nodiscard]] Result<void> commit(Instant deadline);
  // Goes on past the deadline for a moment, if need be: it is clean-up.
  [[nodiscard]] Result<void> rollback(Instant deadline);
  [[nodiscard]] bool in_transaction() const noexcept;  // by the driver's word
  [[nodiscard]] bool began_transaction() const noexcept { return in_transaction_; }
  // What a transaction would be now: 0, the first of the lease, or a savepoint with that number.
  [[nodiscard]] Result<std::uint32_t> next_level(const TransactionOptions& options) const;
  // Of the functions that run in transactions, one inside the other. `deadline` is that of the
  // innermost, or of the transaction that was begun by hand; a call keeps it even if it is not made
  // through the handle that the function got.
  struct Scopes {
    std::uint32_t count = 0;
    std::uint32_t savepoints = 0;
    Instant deadline = no_deadline;
  };
  [[nodiscard]] const Scopes& scopes() const noexcept { return scopes_; }
  // A call's deadline, at most until that of the scopes.
  [[nodiscard]] Instant bounded(Instant deadline) const noexcept {
    return outlived() ? deadline : std::min(deadline, scopes_.deadline);
  }
  void set_scopes(const Scopes& scopes) noexcept;
  // A part of the transaction could not be undone: no statement before it is rolled back.
  void stop(const Error& why);
  [[nodiscard]] bool is_stopped() const noexcept { return broken_ || stopped_.has_value(); }
  [[nodiscard]] Instant clean_up_until(Instant deadline) const noexcept;
  [[nodiscard]] Result<void> ping(Instant deadline);
  // Without asking. What has been seen so is not lent again.
  [[nodiscard]] bool is_broken();
  [[nodiscard]] Result<void*> native(const char* id);

  [[nodiscard]] const loader::DriverTable& driver() const noexcept { return context_.driver; }
  [[nodiscard]] Instant now() const noexcept;
  [[nodiscard]] std::uint32_t slot() const noexcept { return slot_; }
  // Of the present lease.
  [[nodiscard]] LeaseInfo lease_info() const noexcept {
    return {slot_, lease_.load(std::memory_order_relaxed), tag_ == nullptr ? "" : tag_, site_};
  }

  // Calls of this lease go by way of a Walk.
  [[nodiscard]] bool watched(const detail::SessionRef& ref) const noexcept {
    return context_.watched.load(std::memory_order_relaxed) && ref.lease < first_set_up;
  }
  [[nodiscard]] Watcher& watcher() const noexcept { return *context_.watcher; }
  [[nodiscard]] bool in_call() const noexcept { return in_call_; }
  void mark_in_call(bool in_call) noexcept {
    used_ = true;
    in_call_ = in_call;
  }

  // A handle to this session with a deadline for its calls.
  [[nodiscard]] static Connection connection(detail::SessionRef ref) noexcept {
    return Connection(ref);
  }

 private:
  struct Answer {
    std::shared_ptr<const detail::SharedColumns> columns;  // null if rows are not wanted
    weir_exec_out out;                                     // by run(), like the batch
    weir_result* result = nullptr;
    weir_batch batch;
  };
  // Into `answer`, where it stays: what the driver has just written in small parts is slow to copy.
  [[nodiscard]] Result<void> run(Instant deadline, const Command& command, std::uint32_t flags,
                                 Answer& answer);
  [[nodiscard]] std::shared_ptr<const detail::SharedColumns> columns_of(const weir_stmt* stmt,
                                                                        const weir_exec_out& out);
  // The same as run(); rows, if there are any, are not read.
  [[nodiscard]] Result<void> run_to_end(Instant deadline, const Command& command, Answer& answer);
  [[nodiscard]] Result<void> ready_or_why() const;
  [[nodiscard]] Error failure(const ErrorBuffer& error, std::string_view doing) noexcept;
  [[nodiscard]] weir_call call(Instant deadline) noexcept;  // bounded
  [[nodiscard]] weir_call call_until(Instant deadline) noexcept;
  [[nodiscard]] weir_call clean_up_call(Instant deadline = Instant::min()) noexcept;
  void close_result(weir_result* result) noexcept;
  void drop_statements() noexcept;
  void evict() noexcept;
  [[nodiscard]] std::uint32_t state() const noexcept;  // WEIR_STATE_*; no I/O
  void end_transaction() noexcept;
  void clear_lease() noexcept;  // what has been done in it
  // The deadline is of a transaction by hand that something else, such as SQL, has ended.
  [[nodiscard]] bool outlived() const noexcept {
    return scopes_.deadline != no_deadline && scopes_.count == 0 && conn_ != nullptr &&
           !in_transaction();
  }

  const SessionContext& context_;
  const std::uint32_t slot_;
  bool in_call_ : 1 = false;     // three in a byte: a slot of the pool has no room for one more
  bool native_out_ : 1 = false;  // since open() or reset()
  bool was_open_ : 1 = false;    // a transaction of begin(), before the call that runs
  bool broken_ = false;
  bool in_transaction_ = false;  // the lease's, opened by a call and not by SQL of the host's
  bool used_ = false;            // invariant 6
  weir_conn* conn_ = nullptr;
  std::uint64_t open_stream_ = 0;        // id of the Stream that has not ended; 0 if there is none
  weir_result* open_result_ = nullptr;   // of that stream, unless its rows came all at once
  std::uint64_t last_number_ = 0;        // of calls, statements and marks
  std::atomic<std::uint64_t> lease_{0};  // 0 while it is not lent
  const char* tag_ = "";                 // of the present lease, like the next two
  CallSite site_;
  Scopes scopes_;
  std::optional<Error> stopped_;  // why no statement is run; invariant 4
  std::list<Prepared> prepared_;  // most recently used first
};

// Here, so that they are inlined: they are part of every call, and the last of every return.

inline Session* Session::current(const detail::SessionRef& ref) noexcept {
  if (ref.session == nullptr || ref.lease == 0) return nullptr;
  if (ref.session->lease_.load(std::memory_order_relaxed) != ref.lease) return nullptr;
  if (ref.session->context_.process != process_generation()) return nullptr;
  return ref.session;
}

inline weir_call Session::call_until(Instant deadline) noexcept {
  used_ = true;
  was_open_ = in_transaction_ && in_transaction();
  return {sizeof(weir_call), 0, ++last_number_, deadline.time_since_epoch().count()};
}

inline weir_call Session::call(Instant deadline) noexcept {
  if (outlived()) scopes_.deadline = no_deadline;  // the next transaction is another
  return call_until(std::min(deadline, scopes_.deadline));
}

inline bool Session::end_lease(std::uint64_t lease) noexcept {
  if (lease == 0 || lease_.load(std::memory_order_relaxed) != lease) return false;
  // No exchange: only its holder ends a lease, and a holder is one thread at a time.
  lease_.store(0, std::memory_order_relaxed);
  // Each store would cost a cycle at the exchange that follows, which waits for all of them.
  if (used_) clear_lease();
  return true;
}

}  // namespace weir::runtime
