// SPDX-License-Identifier: MIT
//
// The transactions of a session, and savepoints inside of them. SQL of the host's own may open and
// end transactions, too; whether one is open is therefore the driver's word.
#include "core/runtime/error_buffer.hpp"
#include "core/runtime/session.hpp"

#include <utility>

namespace weir::runtime {

void Session::end_transaction() noexcept {
  in_transaction_ = false;
  savepoints_ = 0;
  undone_.reset();
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
  return {};
}

Result<void> Session::commit(Instant deadline) {
  if (auto good = ready(); !good) return fail(std::move(good).error());
  ErrorBuffer error;
  const weir_call c = call(deadline);
  if (context_.driver->commit(conn_, &c, &error.raw) != WEIR_OK) {
    Error why = failure(error, "committing a transaction");
    // The caller has been told; there is nothing left to keep statements from.
    if (undone_) end_transaction();
    return fail(std::move(why));
  }
  end_transaction();
  return {};
}

Result<void> Session::rollback(Instant deadline) {
  end_open_stream();  // its rows are worth nothing any more
  end_transaction();
  if (auto good = ready(); !good) return fail(std::move(good).error());
  ErrorBuffer error;
  const weir_call c = clean_up_call(deadline);
  if (context_.driver->rollback(conn_, &c, &error.raw) != WEIR_OK) {
    return fail(failure(error, "rolling back a transaction"));
  }
  return {};
}

Result<std::uint32_t> Session::next_level(const TransactionOptions& options) const {
  if (auto good = ready(); !good) return fail(std::move(good).error());
  if ((state() & (WEIR_STATE_IN_TX | WEIR_STATE_TX_FAILED)) == 0) return 0;
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
  return savepoints_ + 1;
}

void Session::mark_undone(const Error& why) {
  if (!undone_) undone_ = why;
}

}  // namespace weir::runtime
