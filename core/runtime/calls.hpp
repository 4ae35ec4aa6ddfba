// SPDX-License-Identifier: MIT
//
// What every call of a leaseholder goes through: its lease has to be current, and the pool's
// middleware, if it has any, is asked (walk.hpp).
//
// Called by: connection.cpp, many.cpp.
#pragma once

#include "core/runtime/walk.hpp"

#include <weir/many.hpp>

#include <optional>

namespace weir::runtime {

inline Error in_call_error(const Session& session) {
  return {Code::invalid_state,
          session.watcher().name() +
              ": a middleware or hook uses the connection of the very call that it was asked "
              "about; let it take another lease"};
}

// Runs fn(Session&) if the lease of `ref` is current, and not in the middle of a call.
template <class F>
auto with_session(const detail::SessionRef& ref, F&& fn) -> std::invoke_result_t<F, Session&> {
  Session* const session = Session::current(ref);
  if (session == nullptr) return fail(Session::of(ref).error());
  if (session->in_call()) return fail(in_call_error(*session));
  return fn(*session);
}

inline CallDone done_of(const Rows& rows) { return {.rows = rows.size()}; }
inline CallDone done_of(const Executed& executed) { return {.affected = executed.affected}; }
inline CallDone done_of(const ExecutedMany& many) {
  return {.affected = many.affected, .runs = many.rows};
}
inline CallDone done_of(const Inserted& inserted) { return {.affected = inserted.stored}; }
inline CallDone done_of(const Stream&) { return {}; }
inline CallDone done_of(const Statement&) { return {}; }

// By way of the middleware, and of what watches calls.
template <class F>
auto walk(Session& session, const detail::SessionRef& ref, const Asked& asked, F& make)
    -> std::invoke_result_t<F, std::string_view> {
  const auto chain = session.watcher().chain();  // holds the pool, and goes last
  if (!chain) {
    return fail(Code::pool_closed, session.watcher().name() +
                                       ": the pool was closed while this lease was out; give it "
                                       "back");
  }
  using Answer = std::invoke_result_t<F, std::string_view>;
  std::optional<Answer> answer;
  const Walk::Make keep = [&](std::string_view sql) -> Result<CallDone> {
    answer.emplace(make(sql));
    if (!*answer) return fail(answer->error());
    if constexpr (std::is_void_v<typename Answer::value_type>) {
      return CallDone{};
    } else {
      return done_of(**answer);
    }
  };
  Walk one(session, ref, asked, *chain, keep);
  if (auto good = one.run(); !good) {
    const bool begun = asked.kind == CallKind::begin && answer && *answer;
    // The caller takes it that nothing was begun. Ignored: then the pool cleans up, on return.
    if (begun && one.lease_is_current()) static_cast<void>(session.rollback(ref.deadline));
    return fail(std::move(good).error());
  }
  return *std::move(answer);
}

// Makes the call: make(sql), with the SQL that is to be sent.
template <class F>
auto call(Session& session, const detail::SessionRef& ref, const Asked& asked, F&& make)
    -> std::invoke_result_t<F, std::string_view> {
  if (!session.watched(ref)) return make(asked.sql);
  return walk(session, ref, asked, make);
}

}  // namespace weir::runtime
