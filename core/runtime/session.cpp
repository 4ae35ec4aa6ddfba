// SPDX-License-Identifier: MIT
//
// The pool's side of a session, and the plumbing of calls. The leaseholder's side is in
// session_calls.cpp.
#include "core/runtime/session.hpp"

#include "core/base/assert.hpp"
#include "core/config/redact.hpp"
#include "core/runtime/error_buffer.hpp"

#include <algorithm>

namespace weir::runtime {

namespace {
void replace_all(std::string& text, const std::string& what, const std::string& by) {
  if (what.empty()) return;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), by);
    at += by.size();
  }
}

// A database's own text about a statement of init_sql, which may carry keys: without the statement
// and without its literals, which databases like to quote.
std::string without_literals(std::string text, const std::string& sql) {
  replace_all(text, sql, config::redact_sql(sql));
  for (const char quote : {'\'', '"'}) {
    for (std::size_t from = sql.find(quote); from != std::string::npos;) {
      const std::size_t to = sql.find(quote, from + 1);
      if (to == std::string::npos) break;
      replace_all(text, sql.substr(from + 1, to - from - 1), "***");
      from = sql.find(quote, to + 1);
    }
  }
  return text;
}
static_assert(no_deadline.time_since_epoch().count() == WEIR_NO_DEADLINE);
}  // namespace

Session::~Session() { WEIR_ASSERT(conn_ == nullptr); }

Instant Session::now() const noexcept {
  return Instant(Duration(context_.host->now(context_.host->ctx)));
}

// What cleans up comes after an error or at an end, when the caller's deadline may have passed; it
// is tried all the same, but must not keep the caller for long: a server that is mute would do so
// for ever. A driver whose clean-up did not come through says that the connection is broken.
weir_call Session::clean_up_call(Instant deadline) noexcept {
  return call_until(clean_up_until(deadline));
}

Instant Session::clean_up_until(Instant deadline) const noexcept {
  return std::max(deadline, after(now(), std::chrono::seconds(2)));
}

// "Unknown" counts as broken: a connection that may be dead is not worth lending.
Error Session::failure(const ErrorBuffer& error, std::string_view doing) noexcept {
  if (error.raw.conn_fate != WEIR_CONN_USABLE) broken_ = true;
  Error why = Error::from_driver(error.raw, doing);
  // Also where the driver cannot promise that it was rolled back.
  const bool ended =
      error.raw.tx_fate == WEIR_TX_GONE || (was_open_ && !broken_ && !in_transaction());
  if (ended && (in_transaction_ || scopes_.count > 0)) stopped_ = why;
  return why;
}

Result<Canceller> Session::make_canceller(weir_source* source, std::uint64_t tag) {
  ErrorBuffer error;
  weir_canceller* raw = nullptr;
  const auto& driver = *context_.driver;
  if (driver.canceller_create(source, tag, &raw, &error.raw) != WEIR_OK) {
    return fail(Error::from_driver(error.raw, "preparing a connection"));
  }
  return Canceller(raw, [release = driver.canceller_release](weir_canceller* c) { release(c); });
}

Result<void> Session::open(weir_source* source, std::uint64_t tag, const Canceller& canceller,
                           Instant deadline) {
  WEIR_ASSERT(conn_ == nullptr);
  ErrorBuffer error;
  weir_open_args args{};
  args.struct_size = sizeof args;
  args.conn_tag = tag;
  const weir_call c = call(deadline);
  weir_conn* conn = nullptr;
  if (context_.driver->open(source, &c, &args, canceller.get(), &conn, &error.raw) != WEIR_OK) {
    return fail(Error::from_driver(error.raw, "opening a connection"));
  }
  if (conn == nullptr) {
    return weir::fail(Code::driver_error,
                      "the driver said that it opened a connection and gave no connection");
  }
  conn_ = conn;
  broken_ = native_out_ = false;
  return {};
}

Result<void> Session::run_init(const std::vector<std::string>& statements, Instant deadline) {
  for (const std::string& sql : statements) {
    Answer answer;
    if (auto ran = run_to_end(deadline, {sql}, answer); !ran) {
      const Error& why = ran.error();
      std::string text =
          "init_sql \"" + config::redact_sql(sql) + "\": " + without_literals(why.message(), sql);
      if (why.database() == nullptr) return fail(Error(why.code(), std::move(text)));
      DatabaseError database = *why.database();
      database.text = without_literals(std::move(database.text), sql);
      return fail(Error(why.code(), std::move(text), std::move(database)));
    }
  }
  return {};
}

Result<void> Session::validate(Instant deadline) {
  ErrorBuffer error;
  const weir_call c = call(deadline);
  std::int32_t alive = WEIR_ALIVE_UNKNOWN;
  const std::int32_t depth =
      context_.driver.has(WEIR_CAP_PING_SESSION) ? WEIR_PING_SESSION : WEIR_PING_PROTOCOL;
  if (context_.driver->ping(conn_, depth, &c, &alive, &error.raw) != WEIR_OK) {
    return fail(failure(error, "looking at an idle connection"));
  }
  if (alive != WEIR_ALIVE_YES) {
    broken_ = true;
    return weir::fail(Code::connection_lost, "an idle connection was found dead");
  }
  return {};
}

Result<void> Session::check(std::string_view sql, Instant deadline) {
  Answer answer;
  return run_to_end(deadline, {sql}, answer);
}

Result<bool> Session::reset(Instant deadline) {
  if (open_result_ != nullptr) close_result(std::exchange(open_result_, nullptr));
  ErrorBuffer error;
  const weir_call c = call(deadline);
  std::uint32_t done = 0;
  const bool can_session = context_.driver.has(WEIR_CAP_RESET_SESSION);
  const std::int32_t level = can_session ? WEIR_RESET_SESSION : WEIR_RESET_FULL;
  if (context_.driver->reset(conn_, level, &c, &done, &error.raw) != WEIR_OK) {
    return fail(failure(error, "cleaning a connection after use"));
  }
  native_out_ = false;
  if ((done & WEIR_RESET_STMTS_GONE) != 0) drop_statements();
  return (done & WEIR_RESET_NOT_PROVEN) == 0;
}

void Session::close(Instant deadline) {
  if (conn_ == nullptr) return;
  if (open_result_ != nullptr) close_result(std::exchange(open_result_, nullptr));
  drop_statements();
  const weir_call c = call(deadline);
  context_.driver->close(std::exchange(conn_, nullptr), &c);
}

void Session::close_result(weir_result* result) noexcept {
  const weir_call c = clean_up_call();
  context_.driver->result_close(result, &c);
}

void Session::drop_statements() noexcept {
  const weir_call c = clean_up_call();
  for (const Prepared& p : prepared_) context_.driver->stmt_close(p.stmt, &c);
  prepared_.clear();
}

void Session::end_transaction() noexcept {
  in_transaction_ = false;
  if (scopes_.count == 0) scopes_.deadline = no_deadline;
  scopes_.savepoints = 0;
  stopped_.reset();
}

std::uint32_t Session::state() const noexcept {
  weir_conn_state answer{};
  answer.struct_size = sizeof answer;
  context_.driver->state(conn_, &answer);
  return answer.flags;
}

// What could reach the next user makes it busy: a cancel on its way above all (S14). An error of a
// statement alone does not make it broken (R9).
Session::Facts Session::facts() const {
  const std::uint32_t flags = state();
  Facts facts;
  facts.broken = broken_ || (flags & WEIR_STATE_BROKEN) != 0;
  facts.busy =
      open_result_ != nullptr || (flags & (WEIR_STATE_RESULT_OPEN | WEIR_STATE_IN_TX |
                                           WEIR_STATE_TX_FAILED | WEIR_STATE_CANCEL_PENDING)) != 0;
  facts.dirty =
      context_.changes_unseen || (flags & (WEIR_STATE_DIRTY | WEIR_STATE_DIRTY_UNKNOWN)) != 0;
  return facts;
}

void Session::clear_lease() noexcept {
  open_stream_ = 0;
  in_call_ = false;
  end_transaction();  // the pool rolls it back
  scopes_ = {};
}

Result<Session*> Session::of(const detail::SessionRef& ref) {
  if (Session* const session = current(ref)) return session;
  const bool same_lease = ref.session != nullptr && ref.lease != 0 &&
                          ref.session->lease_.load(std::memory_order_relaxed) == ref.lease;
  if (same_lease) return fail(forked_error());
  return weir::fail(Code::lease_returned,
                    "this connection has gone back to its pool; keep the lease for as long as "
                    "the connection, its statements and its streams are used");
}

}  // namespace weir::runtime
