// SPDX-License-Identifier: MIT
//
// The public handles Connection, Statement, Stream, and the values they move: each call checks that
// its lease is current, then goes to the Session, by way of the pool's middleware if it has any.
#include "core/runtime/calls.hpp"

#include <weir/connection.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir {

using runtime::call;
using runtime::Session;
using runtime::walk;
using runtime::with_session;

// ---------------------------------------------------------------- Connection

Connection Connection::within(Duration timeout) const {
  detail::SessionRef ref = ref_;
  if (const Session* const session = Session::current(ref)) {  // else its next call fails
    ref.deadline = std::min(ref.deadline, after(session->now(), std::max(timeout, Duration{})));
  }
  return Connection(ref);
}

Result<Rows> Connection::query_cells(Sql sql, detail::Cells params) {
  return with_session(ref_, [&](Session& s) {
    return call(s, ref_, {CallKind::query, sql.text(), sql.site(), params},
                [&](std::string_view text) {
                  return s.query(ref_, {text, nullptr, params});
                });
  });
}
Result<Executed> Connection::execute_cells(Sql sql, detail::Cells params) {
  return with_session(ref_, [&](Session& s) {
    return call(s, ref_, {CallKind::execute, sql.text(), sql.site(), params},
                [&](std::string_view text) {
                  return s.execute(ref_, {text, nullptr, params});
                });
  });
}
Result<Stream> Connection::stream_cells(Sql sql, detail::Cells params) {
  return with_session(ref_, [&](Session& s) {
    return call(s, ref_, {CallKind::stream, sql.text(), sql.site(), params},
                [&](std::string_view text) {
                  return s.stream(ref_, {text, nullptr, params});
                });
  });
}
Result<Statement> Connection::prepare(Sql sql) {
  return with_session(ref_, [&](Session& s) {
    return call(s, ref_, {CallKind::prepare, sql.text(), sql.site()},
                [&](std::string_view text) { return s.prepare(ref_, text); });
  });
}
Result<void> Connection::begin(TransactionOptions options) {
  return with_session(ref_, [&](Session& s) {
    // From the call on, whatever watches it does first.
    const Duration left = std::max(std::exchange(options.timeout, no_timeout), Duration{});
    options.deadline = std::min(options.deadline, after(s.now(), left));
    detail::SessionRef ref = ref_;
    ref.deadline = std::min(ref.deadline, options.deadline);
    return call(s, ref, {CallKind::begin},
                [&](std::string_view) { return s.begin(ref.deadline, options); });
  });
}
Result<void> Connection::commit() {
  return with_session(ref_, [&](Session& s) {
    return call(s, ref_, {CallKind::commit},
                [&](std::string_view) { return s.commit(ref_.deadline); });
  });
}
Result<void> Connection::rollback() {
  return with_session(ref_, [&](Session& s) {
    return call(s, ref_, {CallKind::rollback},
                [&](std::string_view) { return s.rollback(ref_.deadline); });
  });
}
Result<void> Connection::ping() {
  return with_session(ref_, [&](Session& s) { return s.ping(ref_.deadline); });
}
Result<void*> Connection::native(const char* id) {
  return with_session(ref_, [&](Session& s) { return s.native(id); });
}

bool Connection::is_broken() const noexcept {
  Session* const session = Session::current(ref_);
  return session == nullptr || session->is_broken();
}

std::string Connection::placeholder(int n) const {
  const Session* const session = Session::current(ref_);
  const std::string first = session != nullptr ? session->driver().info().placeholder : "?";
  return first == "$1" ? "$" + std::to_string(n) : first;
}

// ---------------------------------------------------------------- Statement

Statement::Statement(Statement&& other) noexcept
    : ref_(std::exchange(other.ref_, {})),
      entry_(std::exchange(other.entry_, 0)),
      param_count_(other.param_count_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this == &other) return *this;
  unpin();
  ref_ = std::exchange(other.ref_, {});
  entry_ = std::exchange(other.entry_, 0);
  param_count_ = other.param_count_;
  return *this;
}

Statement::~Statement() { unpin(); }

void Statement::unpin() noexcept {
  if (entry_ == 0) return;
  // Else the lease's end did it.
  if (Session* const session = Session::current(ref_)) session->unpin(entry_);
}

// Makes a call with a prepared statement: make(session, command). The command is put together where
// it stays, from what comes in registers: a copy of it would be slow to load.
template <class F>
static auto call_prepared(const detail::SessionRef& ref, std::uint64_t entry, CallKind kind,
                          detail::Cells params, F&& make)
    -> std::invoke_result_t<F, Session&, const Session::Command&> {
  using Answer = std::invoke_result_t<F, Session&, const Session::Command&>;
  Session::Command command{{}, nullptr, params};
  return with_session(ref, [&](Session& s) -> Answer {
    const Session::Prepared* const found = s.statement(entry);
    if (found == nullptr) {
      return fail(Code::invalid_state, "this statement was dropped when its connection was reset");
    }
    command.stmt = found->stmt;
    if (!s.watched(ref)) return make(s, command);  // as call() does, before it is asked what
    const auto send = [&](std::string_view) { return make(s, command); };
    return walk(s, ref, {kind, found->sql, {}, command.params, /*prepared=*/true}, send);
  });
}

Result<Rows> Statement::query_cells(detail::Cells params) {
  return call_prepared(
      ref_, entry_, CallKind::query, params,
      [&](Session& s, const Session::Command& command) { return s.query(ref_, command); });
}
Result<Executed> Statement::execute_cells(detail::Cells params) {
  return call_prepared(
      ref_, entry_, CallKind::execute, params,
      [&](Session& s, const Session::Command& command) { return s.execute(ref_, command); });
}
Result<Stream> Statement::stream_cells(detail::Cells params) {
  return call_prepared(
      ref_, entry_, CallKind::stream, params,
      [&](Session& s, const Session::Command& command) { return s.stream(ref_, command); });
}

// ---------------------------------------------------------------- Stream

Stream::Stream(Stream&& other) noexcept
    : ref_(std::exchange(other.ref_, {})),
      columns_(std::exchange(other.columns_, detail::no_columns())),
      id_(std::exchange(other.id_, 0)),
      batch_(std::exchange(other.batch_, {})),
      at_(std::exchange(other.at_, 0)) {}

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this == &other) return *this;
  close();
  ref_ = std::exchange(other.ref_, {});
  columns_ = std::exchange(other.columns_, detail::no_columns());
  id_ = std::exchange(other.id_, 0);
  batch_ = std::exchange(other.batch_, {});
  at_ = std::exchange(other.at_, 0);
  return *this;
}

Stream::~Stream() { close(); }

void Stream::close() noexcept {
  if (id_ == 0) return;
  // Else the pool does it.
  if (Session* const session = Session::current(ref_)) session->close_stream(*this);
}

Result<std::optional<RowView>> Stream::next() {
  return with_session(ref_, [&](Session& s) -> Result<std::optional<RowView>> {
    if (id_ == 0) return std::optional<RowView>();
    if (!s.is_open(*this)) {
      return fail(Code::invalid_state, "this stream was ended by a rollback");
    }
    while (at_ >= batch_.rows) {
      auto more = s.next_batch(*this);
      if (!more) return fail(std::move(more).error());
      if (!*more) {
        s.close_stream(*this);  // the connection is free again
        return std::optional<RowView>();
      }
    }
    return std::optional<RowView>(
        RowView(batch_.cells + at_++ * batch_.row_stride, columns_.get()));
  });
}

}  // namespace weir
