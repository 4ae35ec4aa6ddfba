// SPDX-License-Identifier: MIT
//
// Middleware: a host's own function around each call that a lease makes to its database.
//
//   db.use([](weir::Call& call, weir::Next& next) {
//     const weir::Instant start = call.now();
//     auto done = next();
//     std::printf("%s took %lld ns\n", call.summary().c_str(), (call.now() - start).count());
//     return done;
//   });
//
// It may time, count, veto (return an Error and not call next), rewrite the SQL, or add a comment
// to it (weir/tracing.hpp). It cannot answer in the place of the database: a success that is
// returned although next was not called is Code::next_not_called, and one that is returned although
// next has failed is that failure. An error that is returned after next has succeeded
// hides what the database did; the caller gets it, rows are dropped, and a transaction that has
// just begun is rolled back.
//
// What passes: query, execute, stream (its opening; the rows come later), prepare (each time, also
//   where the connection has it prepared), execute_many and insert_many (once for all rows), and
//   begin, commit, rollback, which transaction() uses, too. What the pool does for itself does not:
//   init_sql, Hooks::on_create, looks, resets.
// Order:   the first that was registered is the outermost.
// Threads: the thread of the call. One middleware may run on many threads at once.
// Blocks:  nobody but its own call, whose deadline() next keeps.
// Throws:  an exception becomes Code::callback_threw; the call is treated as if that error had been
//   returned.
// Re-entry: it may use the pool, through another lease; what it does there passes through it again,
//   so let it know its own by LeaseInfo::tag. The connection of the call is refused to it, with
//   Code::invalid_state. It may destroy the Pools: then next fails.
// Lifetime: what it captures has to live until the pool is closed and all leases are back.
// Cost:    none while there is no middleware, no query log, no slow_query and no Hooks::on_query:
// one
//   relaxed load.
#pragma once

#include <weir/connection.hpp>
#include <weir/log.hpp>

namespace weir {

namespace runtime {
class Walk;  // one call on its way through the chain, core/runtime/walk.hpp
}

enum class CallKind : std::uint8_t {
  query,
  execute,
  stream,
  prepare,
  begin,
  commit,
  rollback,
  execute_many,
  insert_many,
};
[[nodiscard]] WEIR_API std::string_view to_string(CallKind) noexcept;

// What the database did. Only next makes one that counts.
struct CallDone {
  std::optional<std::uint64_t> rows = {};      // of a query
  std::optional<std::uint64_t> affected = {};  // of an execute, where known
  std::optional<std::uint64_t> runs = {};      // of an execute_many: how often the statement ran
  Duration took{};  // the driver's call alone, and the reading of a query's rows
};

// One call on its way to the database. Everything it shows is valid until the middleware returns.
class WEIR_API Call {
 public:
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  [[nodiscard]] CallKind kind() const noexcept;
  // As it will be sent. Empty for begin, commit, rollback and insert_many.
  [[nodiscard]] std::string_view sql() const noexcept;
  // "SELECT", "BEGIN": the first word, in capitals; empty if it is not a word.
  [[nodiscard]] std::string operation() const;
  // "SELECT users": the operation and its first table, where a look at the text can tell it for
  // certain; else the operation. Of few different values, so fit for a metric or a span's name.
  [[nodiscard]] std::string summary() const;

  // Parameters are hidden unless MiddlewareOptions::parameters asks for them: their number is
  // known, parameter() answers nothing and parameter_text() "?".
  [[nodiscard]] std::size_t parameter_count() const noexcept;
  // From 0, as a T that RowView::get has; nothing if it is none: std::optional<T> takes NULL.
  template <class T>
  [[nodiscard]] std::optional<T> parameter(std::size_t n) const {
    const weir_cell* cell = shown(n);
    return cell == nullptr ? std::nullopt : detail::from_cell<T>(*cell);
  }
  [[nodiscard]] std::string parameter_text(std::size_t n) const;  // "42", "NULL", "<3 bytes>"

  [[nodiscard]] Instant deadline() const noexcept;  // no_deadline if it has none
  [[nodiscard]] Instant now() const noexcept;       // the pool's clock; virtual in the simulator
  // Where the statement stands; of a prepared statement and of begin, commit and rollback, where
  // the lease was taken.
  [[nodiscard]] CallSite site() const noexcept;
  [[nodiscard]] LeaseInfo lease() const noexcept;
  [[nodiscard]] std::string_view pool() const noexcept;
  [[nodiscard]] std::string_view driver() const noexcept;

  // Sends other SQL, with the same parameters; the middleware further in sees it. Errors:
  // invalid_state where there is nothing to rewrite: after next, for a statement that was prepared
  // before (its text passed when it was), and for begin, commit and rollback.
  [[nodiscard]] Result<void> set_sql(std::string sql);

  // A line in the pool's log, if it logs that level.
  void log(LogLevel level, std::string_view line) const noexcept;

 private:
  friend class runtime::Walk;
  explicit Call(runtime::Walk& walk) noexcept : walk_(walk) {}
  [[nodiscard]] const weir_cell* shown(std::size_t n) const noexcept;  // null: hidden, or not there

  runtime::Walk& walk_;
};

// The rest of the chain and the database. Callable once; a second time is Code::invalid_state.
class WEIR_API Next {
 public:
  Next(const Next&) = delete;
  Next& operator=(const Next&) = delete;

  [[nodiscard]] Result<CallDone> operator()();

 private:
  friend class runtime::Walk;
  explicit Next(runtime::Walk& walk) noexcept : walk_(walk) {}

  runtime::Walk& walk_;
  bool called_ = false;
};

using Middleware = std::function<Result<CallDone>(Call& call, Next& next)>;

struct MiddlewareOptions {
  std::string name = {};    // for messages about it
  bool parameters = false;  // show it the values of parameters, which are people's data
};

}  // namespace weir
