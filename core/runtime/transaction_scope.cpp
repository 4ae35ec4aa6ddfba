// SPDX-License-Identifier: MIT
//
// A transaction, or a savepoint inside one, around a function. It speaks through the same calls as
// a host would, so that whatever watches those sees it.
#include "core/runtime/session.hpp"

#include <weir/connection.hpp>

#include <algorithm>
#include <string>

namespace weir::detail {

using runtime::Session;

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
    if (auto begun = connection_.begin(options_); !begun) return begun;
  } else {
    auto set = connection_.execute_cells(savepoint("SAVEPOINT", level_), {});
    if (!set) return fail(std::move(set).error());
    note_savepoints(level_);
  }
  open_ = true;
  return {};
}

Result<void> TransactionScope::commit() {
  if (level_ == 0) {
    auto done = connection_.commit();
    if (done) open_ = false;  // a failed commit may leave the transaction open
    return done;
  }
  auto session = Session::of(connection_.ref_);
  if (!session) return fail(std::move(session).error());
  if ((*session)->savepoints() < level_ && !(*session)->takes_no_statement()) {
    return fail(Code::invalid_state,
                "the transaction around this one was ended inside of it; nothing is left to be "
                "kept or undone");
  }
  auto released = connection_.execute_cells(savepoint("RELEASE SAVEPOINT", level_), {});
  if (!released) return fail(std::move(released).error());
  note_savepoints(level_ - 1);
  open_ = false;
  return {};
}

// After a call: what watches calls may have given the lease back in it.
void TransactionScope::note_savepoints(std::uint32_t count) noexcept {
  if (auto session = Session::of(connection_.ref_)) (*session)->set_savepoints(count);
}

void TransactionScope::undo() noexcept {
  // Ignored: a session whose rollback failed is discarded by the pool on return.
  if (level_ == 0) return static_cast<void>(connection_.rollback());
  // A lease that went back inside fn has left the clean-up to the pool.
  auto session = Session::of(connection_.ref_);
  if (!session || (*session)->savepoints() < level_ || (*session)->takes_no_statement()) return;
  (*session)->end_open_stream();
  connection_.ref_.deadline = (*session)->clean_up_until(connection_.ref_.deadline);
  auto undone = connection_.execute_cells(savepoint("ROLLBACK TO SAVEPOINT", level_), {});
  if (undone) undone = connection_.execute_cells(savepoint("RELEASE SAVEPOINT", level_), {});
  session = Session::of(connection_.ref_);
  if (!session) return;
  (*session)->set_savepoints(level_ - 1);
  // What was to be undone is still there, so the outer transaction must not be committed.
  if (!undone) (*session)->mark_undone(undone.error());
}

}  // namespace weir::detail
