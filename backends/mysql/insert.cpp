// SPDX-License-Identifier: MIT
//
// insert.cpp: weir.insert/1, as INSERTs of a hundred rows, prepared once. Larger ones gain nothing
// more, and neither does a text with the values written out.
//
// MySQL has no ON CONFLICT, and INSERT IGNORE passes over far more than conflicts: it cuts values
// and drops rows that a foreign key forbids. ON DUPLICATE KEY UPDATE acts on conflicts only. To
// skip, a column is set to what it is; that counts no row as affected, and fires UPDATE triggers.
#include "backends/common/insert_sql.hpp"
#include "backends/mysql/calls.hpp"
#include "backends/mysql/many.hpp"

#include <algorithm>

namespace weir::mysql {
namespace {

constexpr std::uint64_t rows_max = 100;       // of a statement
constexpr std::uint64_t params_max = 65'535;  // likewise: the protocol counts in 16 bits
// Each chunk prepares its statement anew and has a savepoint.
constexpr std::uint32_t rows_best = 32'000;

std::string clause(const weir_insert_args& args) {
  if (args.on_conflict == WEIR_CONFLICT_FAIL) return {};
  std::string sql = " ON DUPLICATE KEY UPDATE ";
  if (args.on_conflict == WEIR_CONFLICT_SKIP) {
    const std::string name = backend::quoted(backend::view(args.columns[0]), '`');
    return sql.append(name).append(" = ").append(name);
  }
  std::string_view comma;
  for (std::uint32_t i = 0; i < args.column_count; ++i) {
    if (backend::is_key(args, i)) continue;
    const std::string name = backend::quoted(backend::view(args.columns[i]), '`');
    sql.append(comma).append(name).append(" = VALUES(").append(name).append(")");
    comma = ", ";
  }
  return sql;
}

// How many rows a statement takes: it is one message, half of what the server accepts at most.
std::uint64_t rows_at_once(const Conn& conn, const weir_insert_args& args) {
  if (args.row_stride != args.column_count) return 1;
  std::uint64_t longest = 1;
  for (std::uint64_t row = 0; row < args.row_count; ++row) {
    std::uint64_t bytes = 0;
    for (std::uint32_t column = 0; column < args.column_count; ++column) {
      const weir_cell& cell = args.cells[row * args.row_stride + column];
      bytes += sizeof cell + (cell.type >= WEIR_T_TEXT ? cell.size : 0);
    }
    longest = std::max(longest, bytes);
  }
  const std::uint64_t fit =
      std::min(params_max / args.column_count, conn.session->max_packet / 2 / longest);
  return std::clamp<std::uint64_t>(fit, 1, rows_max);
}

// `times` statements of `rows` rows each, from row `first` on.
weir_status make(Conn& conn, const weir_insert_args& args, std::uint64_t first, std::uint64_t times,
                 std::uint64_t rows, std::vector<Many>& parts, weir_error* error) {
  if (times == 0 || rows == 0) return WEIR_OK;
  Many& many = parts.emplace_back();
  const std::string sql = backend::insert_values(args, '`', rows) + clause(args);
  if (const auto bad = many.request.choose(conn, backend::text(sql), nullptr, error)) return bad;
  many.param_count = static_cast<std::uint32_t>(rows * args.column_count);
  many.progress = std::make_shared<Progress>();
  many.take(args.cells + first * args.row_stride, times,
            static_cast<std::uint32_t>(rows * args.row_stride));
  return WEIR_OK;
}

weir_status check_rows(const Conn& conn, const weir_insert_args& args, weir_error* error) {
  for (std::uint64_t row = 0; row < args.row_count; ++row) {
    const weir_cell* cells = args.cells + row * args.row_stride;
    if (const auto bad = Request{}.check_row(conn, cells, args.column_count, error)) return bad;
  }
  return WEIR_OK;
}

}  // namespace

weir_status insert_rows(weir_conn* handle, const weir_call* call, const weir_insert_args* raw,
                        weir_insert_out* out, weir_error* error) {
  Conn& conn = conn_of(handle);
  const weir_insert_args args = backend::read_in(raw);
  Op op(conn, call, WEIR_STAGE_EXECUTE, error);
  if (op.status() != WEIR_OK) return op.status();
  const Facts facts{.stage = WEIR_STAGE_EXECUTE, .tx_fate = conn.session->tx_fate()};
  if (const auto bad =
          backend::check_bits(args.must_understand, "weir_insert_args", facts, error)) {
    return bad;
  }
  if (const auto bad = check_rows(conn, args, error)) return bad;
  const std::uint64_t rows = rows_at_once(conn, args);
  const std::uint64_t times = args.row_count / rows;
  std::vector<Many> parts;
  if (const auto bad = make(conn, args, 0, times, rows, parts, error)) return bad;
  if (const auto bad = make(conn, args, times * rows, 1, args.row_count % rows, parts, error)) {
    return bad;
  }
  std::vector<std::shared_ptr<Progress>> progress;
  progress.reserve(parts.size());
  for (const Many& many : parts) progress.push_back(many.progress);
  const auto status = conn.perform(
      [parts = std::move(parts)](Session& session, Failure& failure) mutable -> weir_status {
        for (Many& many : parts) {
          if (const auto bad = run_rows(session, many, failure)) return bad;
        }
        return WEIR_OK;
      },
      error);
  if (status != WEIR_OK) return status;
  weir_insert_out done{};
  for (const auto& part : progress) done.stored += part->affected.load(std::memory_order_relaxed);
  // An update counts as two rows, and one that changes nothing as none.
  if (args.on_conflict != WEIR_CONFLICT_SKIP) done.stored = args.row_count;
  backend::write_out(out, done);
  return WEIR_OK;
}

const weir_insert insert_extension = {sizeof(weir_insert), rows_best,
                                      backend::guarded<&insert_rows>};

}  // namespace weir::mysql
