// SPDX-License-Identifier: MIT
//
// A transaction, or a savepoint inside one, around a function. It speaks through the same calls as
// a host would, so that whatever watches those sees it; but what watches cannot keep it from
// cleaning up.
#include "core/runtime/calls.hpp"

#include <weir/connection.hpp>

#include <algorithm>
#include <string>

namespace weir::detail {

using runtime::call;
using runtime::Session;
using runtime::with_session;

namespace {

// Its number is part of its name because MySQL drops the first of two with the same one.
std::string savepoint(std::string_view verb, std::uint32_t level) {
  return std::string(verb) + " weir_" + std::to_string(level);
}

}  // namespace

TransactionScope::TransactionScope(const Connection& connection,
                                   const TransactionOptions& options) noexcept
    : connection_(connection.within(options.timeout)), options_(options) {
  connection_.ref_.deadline = std::min(connection_.ref_.deadline, options.deadline);
}

TransactionScope::~TransactionScope() {
  if (open_) undo();
}

Result<void> TransactionScope::begin() {
  auto session = Session::of(connection_.ref_);
  if (!session) return fail(std::move(session).error());
  auto level = (*session)->next_level(options_);
  if (!level) return fail(std::move(level).error());
  level_ = *level;
  if (level_ == 0) {
    const TransactionOptions what{options_.isolation, options_.read_only, options_.write};
    if (auto begun = connection_.begin(what); !begun) return begun;
  } else {
    auto set = connection_.execute_cells(savepoint("SAVEPOINT", level_), {});
    if (!set) return fail(std::move(set).error());
  }
  // After a call: what watches calls may have given the lease back in it.
  session = Session::of(connection_.ref_);
  if (!session) return fail(std::move(session).error());
  const Session::Scopes& outer = (*session)->scopes();
  outer_deadline_ = outer.deadline;
  (*session)->set_scopes(
      {outer.count + 1, level_, std::min(outer.deadline, connection_.ref_.deadline)});
  open_ = true;
  return {};
}

Result<void> TransactionScope::commit() {
  if (level_ == 0) {
    auto done = connection_.commit();
    if (done) close();  // a failed commit may leave the transaction open
    return done;
  }
  auto released = connection_.execute_cells(savepoint("RELEASE SAVEPOINT", level_), {});
  if (!released) return fail(std::move(released).error());
  close();
  return {};
}

void TransactionScope::failed(const Error& why) { why_ = why; }

// The scope is at its end: the session belongs to the one around it.
void TransactionScope::close() noexcept {
  open_ = false;
  Session* const session = Session::current(connection_.ref_);
  if (session == nullptr) return;
  const std::uint32_t count = session->scopes().count;
  session->set_scopes({count == 0 ? 0 : count - 1, level_ == 0 ? 0 : level_ - 1, outer_deadline_});
}

void TransactionScope::undo() noexcept {
  // A lease that went back inside fn has left the clean-up to the pool.
  Session* const session = Session::current(connection_.ref_);
  if (session == nullptr) return;
  // Clean-up has a little time of its own.
  const Session::Scopes scopes = session->scopes();
  session->set_scopes({scopes.count, scopes.savepoints, no_deadline});
  connection_.ref_.deadline = session->clean_up_until(connection_.ref_.deadline);
  if (level_ == 0) {
    const bool done = connection_.rollback().has_value();
    // Ignored: a session that cannot be rolled back is broken, and discarded on return.
    if (!done && Session::current(connection_.ref_) != nullptr) {
      static_cast<void>(session->rollback(connection_.ref_.deadline));
    }
  } else if (!session->is_stopped() && session->in_transaction()) {
    session->end_open_stream();
    const bool undone = say("ROLLBACK TO SAVEPOINT") && say("RELEASE SAVEPOINT");
    // What was to be undone is still there, so the outer transaction must not be committed.
    if (!undone && why_ && Session::current(connection_.ref_) != nullptr) session->stop(*why_);
  }
  close();
}

// What the database has done is done, whatever becomes of the call on its way back: asked again, it
// would not know the savepoint.
bool TransactionScope::say(std::string_view verb) noexcept {
  const std::string sql = savepoint(verb, level_);
  const detail::SessionRef& ref = connection_.ref_;
  bool is_done = false;
  auto told = with_session(ref, [&](Session& s) {
    return call(s, ref, {CallKind::execute, sql}, [&](std::string_view text) {
      auto ran = s.execute(ref, {text});
      is_done = ran.has_value();
      return ran;
    });
  });
  if (is_done) return true;
  Session* const session = Session::current(ref);
  if (session != nullptr) told = session->execute(ref, {sql});
  if (!told && !why_) why_ = told.error();
  return told.has_value();
}

}  // namespace weir::detail
