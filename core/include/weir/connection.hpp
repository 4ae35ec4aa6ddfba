// SPDX-License-Identifier: MIT
//
// Connection: what a lease lets its holder do with one database session; Statement and Stream,
// which live inside a lease.
//
// Lifetime: a Connection belongs to a Lease and is good until the lease goes back; Statements and
//           Streams of it too. Afterwards, but not beyond the Pools, every call answers
//           Code::lease_returned. SQL goes to the database verbatim, with its own placeholders.
// Threads:  one thread at a time, as with any object; the thread may change.
// Blocks:   every call may wait for the database, until the deadline of within(), else as long as
//           the database takes.
// Errors:   5xx codes, with the driver's facts in Error::database(). An error that broke the
//           session
//           makes the pool discard it on return; nothing is retried by itself.
#pragma once

#include <weir/many.hpp>
#include <weir/time.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <span>

namespace weir {

namespace runtime {
class Session;  // one physical connection, core/runtime/session.hpp
}
class Connection;
class RequestScope;

// Where a lease was taken: shown in reports of long leases and failed acquires.
struct CallSite {
  const char* file = "";
  int line = 0;
  static CallSite here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) noexcept {
    return {file, line};
  }
};

// Which lease it is: for logs, hooks and middleware. The tag is the caller's own text, borrowed.
struct LeaseInfo {
  std::uint32_t slot = 0;    // the pool's number of the connection
  std::uint64_t serial = 0;  // of the lease; counts up for each slot
  std::string_view tag;      // AcquireOptions::tag
  CallSite site;             // of the acquire
};

// One SQL statement plus the place that sent it. Borrows the text for the call.
class Sql {
 public:
  Sql(const char* text, const char* file = __builtin_FILE(),  // NOLINT: implicit on purpose
      int line = __builtin_LINE()) noexcept
      : text_(text == nullptr ? std::string_view() : std::string_view(text)), site_{file, line} {}
  Sql(std::string_view text, const char* file = __builtin_FILE(),  // NOLINT
      int line = __builtin_LINE()) noexcept
      : text_(text), site_{file, line} {}
  Sql(const std::string& text, const char* file = __builtin_FILE(),  // NOLINT
      int line = __builtin_LINE()) noexcept
      : text_(text), site_{file, line} {}

  [[nodiscard]] std::string_view text() const noexcept { return text_; }
  [[nodiscard]] CallSite site() const noexcept { return site_; }

 private:
  std::string_view text_;
  CallSite site_;
};

enum class Isolation : std::uint8_t {
  standard,  // the database's default
  read_uncommitted,
  read_committed,
  repeatable_read,
  serializable,
};

struct TransactionOptions {
  Isolation isolation = Isolation::standard;  // unsupported levels are refused, never replaced
  bool read_only = false;
  bool write = true;  // take write locks at once where the database can (SQLite: BEGIN IMMEDIATE)
  // For all of it, from the call on or on the pool's clock, whichever is earlier: every statement
  // and the commit end by then. Of Pool::transaction the acquire, too.
  Duration timeout = no_timeout;
  Instant deadline = no_deadline;
};

namespace detail {

class TransactionScope;

// A weak handle to a session during one lease.
struct SessionRef {
  runtime::Session* session = nullptr;
  std::uint64_t lease = 0;  // serial of the lease; the session knows the current one
  Instant deadline = no_deadline;
};

// Who moves a lease, out of its Result for one, copies the first two at once; and a load waits for
// stores that are narrower than itself to reach the cache, which is an eighth of an acquire.
inline void store_together(SessionRef& ref) noexcept {
  using Pair __attribute__((vector_size(16), aligned(8), may_alias)) = std::uint64_t;
  if constexpr (sizeof(std::uintptr_t) == sizeof ref.lease) {
    *reinterpret_cast<Pair*>(&ref) = Pair{reinterpret_cast<std::uintptr_t>(ref.session), ref.lease};
  }
}

using Cells = std::span<const weir_cell>;

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<tl::expected<T, Error>> = true;

template <class T>
inline constexpr bool is_foreign_result = false;
template <class T, class E>
inline constexpr bool is_foreign_result<tl::expected<T, E>> = !std::same_as<E, Error>;

template <class T>
struct ResultFrom {
  using Bare = std::remove_cvref_t<T>;
  static_assert(!is_foreign_result<Bare>,
                "weir: the function has to return its errors as weir::Error; one of another type "
                "would be a value, and a transaction that has failed would be committed");
  using Type = std::conditional_t<is_result<Bare>, Bare, Result<T>>;
};
// What with() and transaction() return for a function that returns T.
template <class T>
using ResultOf = typename ResultFrom<T>::Type;

// Calls fn and makes a Result of what it returns.
template <class F, class... Args>
auto call(F&& fn, Args&&... args) -> ResultOf<std::invoke_result_t<F, Args...>> {
  if constexpr (std::is_void_v<std::invoke_result_t<F, Args...>>) {
    std::invoke(std::forward<F>(fn), std::forward<Args>(args)...);
    return {};
  } else {
    return std::invoke(std::forward<F>(fn), std::forward<Args>(args)...);
  }
}

}  // namespace detail

// Rows one after another, in bounded memory. The connection can do nothing else until the stream is
// read to its end or destroyed.
class WEIR_API Stream {
 public:
  Stream(Stream&& other) noexcept;
  Stream& operator=(Stream&& other) noexcept;
  ~Stream();

  [[nodiscard]] const Columns& columns() const noexcept { return *columns_; }

  // The next row, valid until the next call on the connection; nothing at the end.
  [[nodiscard]] Result<std::optional<RowView>> next();

 private:
  friend class runtime::Session;
  Stream() = default;
  void close() noexcept;

  detail::SessionRef ref_;
  std::shared_ptr<const Columns> columns_ = detail::no_columns();
  std::uint64_t id_ = 0;  // while it is the session's open stream; 0 once it has ended
  weir_batch batch_{};
  std::uint64_t at_ = 0;
};

// A prepared statement. Preparing the same text again on the same connection finds it in the
// connection's cache. Destroying a Statement leaves it there. It keeps the deadline of the
// Connection that it was prepared by, such as that of a transaction's function; for another one,
// prepare it again.
class WEIR_API Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  [[nodiscard]] std::uint32_t param_count() const noexcept { return param_count_; }

  template <class... Args>
  [[nodiscard]] Result<Rows> query(const Args&... args) {
    const std::array<weir_cell, sizeof...(Args)> cells{detail::to_cell(args)...};
    return query_cells(cells);
  }
  template <class... Args>
  [[nodiscard]] Result<Executed> execute(const Args&... args) {
    const std::array<weir_cell, sizeof...(Args)> cells{detail::to_cell(args)...};
    return execute_cells(cells);
  }
  template <class... Args>
  [[nodiscard]] Result<Stream> stream(const Args&... args) {
    const std::array<weir_cell, sizeof...(Args)> cells{detail::to_cell(args)...};
    return stream_cells(cells);
  }

  // The same with parameters whose number is known at run time only.
  [[nodiscard]] Result<Rows> query_cells(detail::Cells params);
  [[nodiscard]] Result<Executed> execute_cells(detail::Cells params);
  [[nodiscard]] Result<Stream> stream_cells(detail::Cells params);

 private:
  friend class runtime::Session;
  Statement() = default;
  void unpin() noexcept;

  detail::SessionRef ref_;
  std::uint64_t entry_ = 0;  // of the session's statement cache
  std::uint32_t param_count_ = 0;
};

class WEIR_API Connection {
 public:
  // The same connection with a deadline, counted from now, for what is called through it:
  // c.within(2s).query(...).
  [[nodiscard]] Connection within(Duration timeout) const;

  // Runs one statement and returns all its rows.
  template <class... Args>
  [[nodiscard]] Result<Rows> query(Sql sql, const Args&... args) {
    const std::array<weir_cell, sizeof...(Args)> cells{detail::to_cell(args)...};
    return query_cells(sql, cells);
  }
  // Runs one statement whose rows, if any, are not wanted.
  template <class... Args>
  [[nodiscard]] Result<Executed> execute(Sql sql, const Args&... args) {
    const std::array<weir_cell, sizeof...(Args)> cells{detail::to_cell(args)...};
    return execute_cells(sql, cells);
  }
  template <class... Args>
  [[nodiscard]] Result<Stream> stream(Sql sql, const Args&... args) {
    const std::array<weir_cell, sizeof...(Args)> cells{detail::to_cell(args)...};
    return stream_cells(sql, cells);
  }

  [[nodiscard]] Result<Rows> query_cells(Sql sql, detail::Cells params);
  [[nodiscard]] Result<Executed> execute_cells(Sql sql, detail::Cells params);
  [[nodiscard]] Result<Stream> stream_cells(Sql sql, detail::Cells params);

  // Runs one statement for each row of a range (weir/many.hpp), in order, until the first that
  // fails; without a transaction around it, the rows before that one stay.
  // Errors: those of execute, with a ManyReport; unsupported.
  template <detail::RowRange R>
  [[nodiscard]] Result<ExecutedMany> execute_many(Sql sql, R&& rows) {
    detail::RangeRows<std::remove_reference_t<R>> source(rows);
    return execute_rows(sql, source);
  }
  // Inserts the rows of a range into a table, all or none, the fastest way that the database has:
  //   c.insert_many("users", {"id", "name"}, rows, {.on_conflict = weir::OnConflict::skip})
  // `table` may be "schema.table"; a name that has a dot in it stands in double quotes. Names are
  // taken as they are, upper and lower case too.
  // Errors: constraint, data_error and so on, with a ManyReport that names the row;
  //         invalid_argument for names and rows that do not fit together; unsupported.
  template <std::size_t N, detail::RowRange R>
  [[nodiscard]] Result<Inserted> insert_many(std::string_view table,
                                             const std::string_view (&columns)[N], R&& rows,
                                             const InsertOptions& options = {}) {
    constexpr std::size_t width = detail::row_width<std::remove_reference_t<R>>();
    static_assert(width == 0 || width == N, "weir: as many values in a row as there are columns");
    return insert_many(table, std::span<const std::string_view>(columns), rows, options);
  }
  template <detail::RowRange R>
  [[nodiscard]] Result<Inserted> insert_many(std::string_view table,
                                             std::span<const std::string_view> columns, R&& rows,
                                             const InsertOptions& options = {}) {
    static_assert(!detail::rows_are_empty<std::remove_reference_t<R>>(),
                  "weir: a row to be stored has values");
    detail::RangeRows<std::remove_reference_t<R>> source(rows);
    return insert_rows(table, columns, source, options);
  }

  [[nodiscard]] Result<ExecutedMany> execute_rows(Sql sql, detail::RowSource& rows);
  [[nodiscard]] Result<Inserted> insert_rows(std::string_view table,
                                             std::span<const std::string_view> columns,
                                             detail::RowSource& rows, const InsertOptions& options);

  [[nodiscard]] Result<Statement> prepare(Sql sql);

  // Runs fn(Connection&) in a transaction: commits when it returns a value, rolls back when it
  // returns an error or throws; an exception goes on to the caller after the rollback. Inside
  // another transaction it is a savepoint: what fn did is undone if it fails, and the rest stands.
  // A commit whose fate is unknown is the error of a lost connection with effect "unknown".
  // Once the database has undone a transaction by itself (a deadlock), every call in it is that
  // error again, so that none runs outside of it. See docs/transactions.md.
  // Errors: invalid_state for an isolation level or read_only inside another transaction;
  // unsupported there if the database has no savepoints.
  template <class F>
  [[nodiscard]] auto transaction(F&& fn, TransactionOptions options = {})
      -> detail::ResultOf<std::invoke_result_t<F, Connection&>>;

  // By hand. A timeout or a deadline holds until the transaction has ended. Errors: invalid_state
  // for a second begin, and for a commit with nothing to commit.
  [[nodiscard]] Result<void> begin(TransactionOptions options = {});
  [[nodiscard]] Result<void> commit();
  // Clean-up: it is tried for two seconds even if the deadline of within() has passed.
  [[nodiscard]] Result<void> rollback();

  // How the database spells its n-th parameter, n from 1: "?" or "$1".
  [[nodiscard]] std::string placeholder(int n) const;

  // One round trip; in a transaction only a look. Errors: connection_lost if the session is dead.
  [[nodiscard]] Result<void> ping();
  // Whether it has broken, as far as is known without asking: every further call fails, so give it
  // back. Also true once it was given back. Blocks: for nothing.
  [[nodiscard]] bool is_broken() const noexcept;

  // The client library's own handle by its exact name, e.g. "sqlite3*". The session counts as
  // changed beyond knowledge from now on, so it is reset or replaced on return.
  [[nodiscard]] Result<void*> native(const char* id);

 private:
  friend class Lease;
  friend class RequestScope;
  friend class runtime::Session;
  friend class detail::TransactionScope;
  explicit Connection(detail::SessionRef ref) noexcept : ref_(ref) {}

  detail::SessionRef ref_;
};

namespace detail {

// What Connection::transaction does around fn; lives on its stack. Undoes what it began, also on
// the way of an exception, unless it was committed.
class WEIR_API TransactionScope {
 public:
  TransactionScope(const Connection& connection, const TransactionOptions& options) noexcept;
  TransactionScope(const TransactionScope&) = delete;
  TransactionScope& operator=(const TransactionScope&) = delete;
  ~TransactionScope();

  [[nodiscard]] Result<void> begin();
  [[nodiscard]] Connection& connection() noexcept { return connection_; }
  [[nodiscard]] Result<void> commit();
  void failed(const Error& why);

 private:
  void close() noexcept;
  void undo() noexcept;
  bool say(std::string_view verb) noexcept;

  Connection connection_;  // with the deadline of the transaction
  const TransactionOptions options_;
  Instant outer_deadline_ = no_deadline;
  std::optional<Error> why_;  // it is undone
  std::uint32_t level_ = 0;   // 0: the transaction; else the number of the savepoint
  bool open_ = false;
};

}  // namespace detail

template <class F>
auto Connection::transaction(F&& fn, TransactionOptions options)
    -> detail::ResultOf<std::invoke_result_t<F, Connection&>> {
  detail::TransactionScope scope(*this, options);
  if (auto begun = scope.begin(); !begun) return fail(std::move(begun).error());
  auto result = detail::call(std::forward<F>(fn), scope.connection());
  if (!result) {
    scope.failed(result.error());
    return result;
  }
  if (auto committed = scope.commit(); !committed) return fail(std::move(committed).error());
  return result;
}

}  // namespace weir
