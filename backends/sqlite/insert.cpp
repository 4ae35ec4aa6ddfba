// SPDX-License-Identifier: MIT
//
// insert.cpp: weir.insert/1. One statement for fifty rows takes SQLite a third to a half of the
// time of fifty that take one each; for more rows there is nothing more to gain.
#include "backends/common/insert_sql.hpp"
#include "backends/sqlite/calls.hpp"
#include "backends/sqlite/conn.hpp"

#include <algorithm>

namespace weir::sqlite {
namespace {

constexpr std::uint64_t rows_max = 50;  // of a statement
// Few enough that they stay in the cache until they are stored.
constexpr std::uint32_t rows_best = 2000;

// How many rows a statement takes. Cells of several rows are the parameters of one statement only
// where nothing lies between them.
std::uint64_t rows_at_once(const Conn& conn, const weir_insert_args& args) {
  if (args.row_stride != args.column_count) return 1;
  const int params_max = sqlite3_limit(conn.db, SQLITE_LIMIT_VARIABLE_NUMBER, -1);
  const std::uint64_t fit = static_cast<std::uint64_t>(params_max) / args.column_count;
  return std::clamp<std::uint64_t>(fit, 1, rows_max);
}

// Makes conn.insert a statement of this text. To compile one of fifty rows takes as long as to
// store more than a hundred.
weir_status prepare_insert(Conn& conn, const std::string& sql, weir_error* error) {
  if (conn.insert.handle != nullptr && conn.insert_sql == sql) return WEIR_OK;
  conn.end_insert();
  conn.insert_sql = sql;
  if (const auto bad = compile(conn, sql, 0, &conn.insert.handle, error)) return bad;
  conn.insert.traits = conn.seen;
  return WEIR_OK;
}

// Runs `times` statements of `rows` rows each, from row `first` on.
weir_status run(Conn& conn, const weir_insert_args& args, std::uint64_t first, std::uint64_t times,
                std::uint64_t rows, weir_many_out& done, weir_error* error) {
  if (times == 0 || rows == 0) return WEIR_OK;
  const std::string sql =
      backend::insert_values(args, '"', rows) + backend::on_conflict_clause(args);
  if (const auto bad = prepare_insert(conn, sql, error)) return bad;
  weir_many_args many{};
  many.stmt = reinterpret_cast<weir_stmt*>(&conn.insert);
  many.cells = args.cells + first * args.row_stride;
  many.row_count = times;
  many.param_count = static_cast<std::uint32_t>(rows * args.column_count);
  many.row_stride = static_cast<std::uint32_t>(rows * args.row_stride);
  return run_many(conn, many, done, error);
}

}  // namespace

weir_status insert_rows(weir_conn* handle, const weir_call* call, const weir_insert_args* raw,
                        weir_insert_out* out, weir_error* error) {
  Conn& conn = conn_of(handle);
  const weir_insert_args args = backend::read_in(raw);
  Op op(conn, call, WEIR_STAGE_EXECUTE, error);
  if (op.status() != WEIR_OK) return op.status();
  const Facts facts{.stage = WEIR_STAGE_EXECUTE, .tx_fate = conn.tx_fate()};
  if (const auto bad =
          backend::check_bits(args.must_understand, "weir_insert_args", facts, error)) {
    return bad;
  }
  const std::uint64_t rows = rows_at_once(conn, args);
  const std::uint64_t times = args.row_count / rows;
  weir_many_out done{};
  if (const auto bad = run(conn, args, 0, times, rows, done, error)) return bad;
  std::uint64_t stored = done.affected;
  done = {};
  if (const auto bad = run(conn, args, times * rows, 1, args.row_count % rows, done, error)) {
    if (times > 0) backend::tell_of_earlier_rows(error);
    return bad;
  }
  stored += done.affected;
  weir_insert_out filled{};
  // An update of a row counts as one change, too; a view's trigger makes changes of its own.
  filled.stored = args.on_conflict == WEIR_CONFLICT_SKIP ? stored : args.row_count;
  backend::write_out(out, filled);
  return WEIR_OK;
}

const weir_insert insert_extension = {sizeof(weir_insert), rows_best,
                                      backend::guarded<&insert_rows>};

}  // namespace weir::sqlite
