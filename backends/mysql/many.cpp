// SPDX-License-Identifier: MIT
//
// many.cpp: one statement for many rows of parameters: prepared once, run row by row in one piece
// of work.
#include "backends/mysql/many.hpp"

#include "backends/mysql/calls.hpp"

namespace weir::mysql {
namespace {

// No Stmt has this id.
constexpr std::uint64_t for_this_call = UINT64_MAX;

}  // namespace

weir_status run_rows(Session& session, Many& many, Failure& failure) {
  session.touched = true;
  if (many.request.stmt == 0) {
    session.statements.insert_or_assign(for_this_call, Prepared{many.request.sql, nullptr, {}});
    many.request.stmt = for_this_call;
  }
  for (std::uint64_t row = 0; row < many.row_count; ++row) {
    if (session.canceller.cancelled()) {
      failure.facts = {.kind = WEIR_E_CANCELLED,
                       .stage = WEIR_STAGE_EXECUTE,
                       .effect = WEIR_EFFECT_DEFINITE,
                       .tx_fate = session.tx_fate()};
      failure.text = "the call was cancelled between two rows";
      return WEIR_E_CANCELLED;
    }
    run(session, many.request,
        std::span<const Param>(many.params).subspan(row * many.param_count, many.param_count));
    session.end_result();
    session.after(many.request.traits);
    // relaxed: they guard no other data, and rows is a count of its own.
    if (session.has_affected) {
      many.progress->affected.fetch_add(session.affected, std::memory_order_relaxed);
    }
    many.progress->rows.fetch_add(1, std::memory_order_relaxed);
  }
  session.statements.erase(for_this_call);
  return WEIR_OK;
}

void Many::take(const weir_cell* cells, std::uint64_t rows, std::uint32_t stride) {
  row_count = rows;
  params.reserve(rows * param_count);
  for (std::uint64_t row = 0; row < rows && param_count > 0; ++row) {
    copy_params(cells + row * stride, param_count, params);
  }
}

namespace {

// The rows up to the first that cannot be sent; that one's refusal comes when the others are done.
std::uint64_t sendable_rows(const Conn& conn, const Many& many, const weir_many_args& args) {
  for (std::uint64_t row = 0; row < args.row_count; ++row) {
    const weir_cell* cells = args.cells == nullptr ? nullptr : args.cells + row * args.row_stride;
    if (many.request.check_row(conn, cells, args.param_count, nullptr) != WEIR_OK) return row;
  }
  return args.row_count;
}

}  // namespace

weir_status execute_many(weir_conn* handle, const weir_call* call, const weir_many_args* raw,
                         weir_many_out* out, weir_error* error) {
  Conn& conn = conn_of(handle);
  const weir_many_args args = backend::read_in(raw);
  Op op(conn, call, WEIR_STAGE_EXECUTE, error);
  if (op.status() != WEIR_OK) return op.status();
  const Facts facts{.stage = WEIR_STAGE_EXECUTE, .tx_fate = conn.session->tx_fate()};
  if (const auto bad = backend::check_bits(args.must_understand, "weir_many_args", facts, error)) {
    return bad;
  }
  Many many;
  if (const auto bad = many.request.choose(conn, args.sql, args.stmt, error)) return bad;
  if (args.row_count > 0) {
    if (const auto bad = many.request.check_count(conn, args.param_count, error)) return bad;
  }
  const std::uint64_t sendable = sendable_rows(conn, many, args);
  many.param_count = args.param_count;
  many.take(args.cells, sendable, args.row_stride);
  const auto progress = std::make_shared<Progress>();
  many.progress = progress;
  weir_status status = WEIR_OK;
  if (sendable > 0) {
    status = conn.perform(
        [many = std::move(many)](Session& session, Failure& failure) mutable {
          return run_rows(session, many, failure);
        },
        error);
  }
  weir_many_out done{};
  done.rows_done = progress->rows.load(std::memory_order_relaxed);
  done.affected = progress->affected.load(std::memory_order_relaxed);
  backend::write_out(out, done);
  if (status != WEIR_OK || sendable == args.row_count) return status;
  const weir_cell* cells =
      args.cells == nullptr ? nullptr : args.cells + sendable * args.row_stride;
  status = Request{}.check_row(conn, cells, args.param_count, error);
  if (sendable > 0) backend::tell_of_earlier_rows(error);
  return status;
}

}  // namespace weir::mysql
