// SPDX-License-Identifier: MIT
//
// The transactions of a session, and what keeps statements from running outside of one that is no
// more. SQL of the host's own may open and end transactions, too; whether one is open is therefore
// the driver's word.
#include "core/runtime/error_buffer.hpp"
#include "core/runtime/session.hpp"

#include <utility>

namespace weir::runtime {

bool Session::in_transaction() const noexcept {
  return (state() & (WEIR_STATE_IN_TX | WEIR_STATE_TX_FAILED)) != 0;
}

void Session::end_open_stream() noexcept {
  open_stream_ = 0;
  if (open_result_ != nullptr) close_result(std::exchange(open_result_, nullptr));
}

Result<void> Session::begin(Instant deadline, const TransactionOptions& options) {
  if (auto good = ready(); !good) return fail(std::move(good).error());
  ErrorBuffer error;
  weir_begin_args args{};
  args.struct_size = sizeof args;
  args.isolation = static_cast<std::int32_t>(options.isolation);
  if (options.read_only) {
    args.flags = WEIR_BEGIN_READ_ONLY;
  } else if (options.write) {
    args.flags = WEIR_BEGIN_WRITE;
  }
  const weir_call c = call(deadline);
  if (context_.driver->begin(conn_, &c, &args, &error.raw) != WEIR_OK) {
    return fail(failure(error, "beginning a transaction"));
  }
  in_transaction_ = true;
  scopes_.deadline = options.deadline;  // of each call until it ends
  return {};
}

Result<void> Session::commit(Instant deadline) {
  if (auto good = ready(); !good) {
    Error why = std::move(good).error();
    // Whoever commits is told that there is nothing left, and begins anew.
    if (broken_ || (stopped_ && !in_transaction())) end_transaction();
    return fail(std::move(why));
  }
  ErrorBuffer error;
  const weir_call c = call(deadline);
  if (context_.driver->commit(conn_, &c, &error.raw) != WEIR_OK) {
    Error why = failure(error, "committing a transaction");
    if (broken_ || !in_transaction()) end_transaction();
    return fail(std::move(why));
  }
  end_transaction();
  return {};
}

// A transaction that cannot be rolled back would take in the next one as if it were a part of it.
Result<void> Session::rollback(Instant deadline) {
  end_open_stream();  // its rows are worth nothing any more
  if (broken_) {      // the transaction went with the connection, and whoever began it knows now
    end_transaction();
    return ready();
  }
  ErrorBuffer error;
  const weir_call c = clean_up_call(deadline);
  if (context_.driver->rollback(conn_, &c, &error.raw) != WEIR_OK) {
    Error why = failure(error, "rolling back a transaction");
    if (in_transaction()) broken_ = true;
    if (broken_) end_transaction();
    return fail(std::move(why));
  }
  end_transaction();
  return {};
}

Result<std::uint32_t> Session::next_level(const TransactionOptions& options) const {
  if (auto good = ready(); !good) return fail(std::move(good).error());
  if (!in_transaction()) return 0;
  if (options.isolation != Isolation::standard || options.read_only) {
    return weir::fail(Code::invalid_state,
                      "a transaction inside another one is a savepoint, which has no isolation "
                      "level and no read_only of its own; set them where the outer one begins");
  }
  if (!context_.driver.has(WEIR_CAP_SAVEPOINT)) {
    return weir::fail(Code::unsupported,
                      "a transaction inside another one needs savepoints, which this driver does "
                      "not have; do the work in the outer one");
  }
  return scopes_.savepoints + 1;
}

// With the last function the reason to keep statements away has gone, unless begin() gave another:
// of a transaction that SQL opened nobody knows who counts on it.
void Session::set_scopes(const Scopes& scopes) noexcept {
  used_ = true;
  scopes_ = scopes;
  if (scopes_.count == 0 && !in_transaction_ && !(conn_ != nullptr && in_transaction())) {
    stopped_.reset();
  }
}

void Session::stop(const Error& why) {
  used_ = true;
  if (!stopped_) stopped_ = why;
}

}  // namespace weir::runtime
