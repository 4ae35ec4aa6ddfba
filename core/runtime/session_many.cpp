// SPDX-License-Identifier: MIT
//
// The leaseholder's side of a session: driver calls for many rows. What they are a part of, chunks,
// transactions, the search for the row that failed, is in many.cpp.
#include "core/runtime/error_buffer.hpp"
#include "core/runtime/session.hpp"

#include <cstddef>

namespace weir::runtime {

Result<void> Session::execute_many(Instant deadline, std::string_view sql, const Many& many,
                                   weir_many_out& done) {
  done = {};
  done.struct_size = sizeof done;
  if (auto good = ready(); !good) return good;
  weir_many_args args{};
  args.struct_size = sizeof args;
  args.sql = {sql.data(), sql.size()};
  args.cells = many.cells.data();
  args.row_count = many.rows;
  args.param_count = static_cast<std::uint32_t>(many.width);
  args.row_stride = args.param_count;
  ErrorBuffer error;
  const weir_call c = call(deadline);
  if (context_.driver->execute_many(conn_, &c, &args, &done, &error.raw) != WEIR_OK) {
    return fail(failure(error, "running a statement for many rows"));
  }
  return {};
}

Result<std::uint64_t> Session::insert(Instant deadline, const weir_insert& driver,
                                      weir_insert_args args, const Many& many) {
  if (auto good = ready(); !good) return fail(std::move(good).error());
  args.struct_size = sizeof args;
  args.cells = many.cells.data();
  args.row_count = many.rows;
  args.row_stride = args.column_count;
  weir_insert_out done{};
  done.struct_size = sizeof done;
  ErrorBuffer error;
  const weir_call c = call(deadline);
  if (driver.rows(conn_, &c, &args, &done, &error.raw) != WEIR_OK) {
    return fail(failure(error, "inserting many rows"));
  }
  if (done.stored > many.rows) {
    return weir::fail(Code::driver_error, "the driver says that it stored more rows than it got");
  }
  return done.stored;
}

// What lies beyond the struct_size of a driver counts as absent, as anywhere.
const weir_insert* Session::insert_extension() const noexcept {
  const auto* found = static_cast<const weir_insert*>(context_.driver->extension(WEIR_INSERT_ID));
  constexpr std::size_t needed = offsetof(weir_insert, rows) + sizeof(weir_insert::rows);
  const bool whole = found != nullptr && found->struct_size >= needed && found->rows != nullptr;
  return whole && context_.driver.has(WEIR_CAP_TX | WEIR_CAP_SAVEPOINT) ? found : nullptr;
}

}  // namespace weir::runtime
