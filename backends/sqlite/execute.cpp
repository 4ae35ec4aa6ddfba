// SPDX-License-Identifier: MIT
//
// execute.cpp: running statements and handing out rows. A result that fits into one batch is read
// to its end in execute, so that a small SELECT is one crossing of the boundary and leaves nothing
// open; the rest comes by fetch.
#include "backends/sqlite/calls.hpp"
#include "backends/sqlite/conn.hpp"
#include "backends/sqlite/values.hpp"

namespace weir::sqlite {
namespace {

constexpr std::uint32_t default_batch_rows = 256;
constexpr std::uint32_t default_batch_bytes = 64 * 1024;

// A statement about to run. Ends with the call, unless its result stays open.
struct Run {
  sqlite3_stmt* handle = nullptr;
  Stmt* owner = nullptr;
  StmtTraits traits;

  void end() noexcept {
    if (handle == nullptr) return;
    if (owner != nullptr) {
      sqlite3_reset(handle);
      sqlite3_clear_bindings(handle);
    } else {
      sqlite3_finalize(handle);
    }
    handle = nullptr;
  }
  Run() = default;
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() { end(); }
};

weir_status choose(Conn& conn, weir_text sql, weir_stmt* prepared, Run& run, weir_error* error) {
  if (conn.result.lent) {
    return conn.refuse(error, WEIR_E_INVALID_STATE,
                       {"the result of an earlier statement is still open: close it first"});
  }
  if (prepared == nullptr) {
    if (const auto bad = compile(conn, backend::view(sql), 0, &run.handle, error)) return bad;
    run.traits = conn.seen;
    conn.may_commit = run.traits.commits;
    conn.attaches = run.traits.attaches;
    return WEIR_OK;
  }
  Stmt* stmt = reinterpret_cast<Stmt*>(prepared);
  if (stmt->conn != &conn) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT,
                       {"the statement belongs to another connection"});
  }
  if (stmt->handle == nullptr) {
    return conn.refuse(error, WEIR_E_INVALID_STATE,
                       {"a reset has ended this statement: prepare it again"});
  }
  if (conn.tx_failed && !stmt->traits.ends_tx) {
    return conn.refuse(error, WEIR_E_INVALID_STATE,
                       {"the transaction has failed and accepts only a rollback"});
  }
  run.handle = stmt->handle;
  run.owner = stmt;
  run.traits = stmt->traits;
  conn.may_commit = run.traits.commits;
  conn.attaches = run.traits.attaches;
  return WEIR_OK;
}

struct Limits {
  std::uint64_t rows;
  std::uint64_t bytes;
  bool keep;  // false: nobody wants the rows
};

// Steps until a limit (SQLITE_ROW), the end (SQLITE_DONE) or an error. Cells are in conn.cells.
int fill(Conn& conn, sqlite3_stmt* handle, const Limits& limits) {
  conn.cells.clear();
  conn.batch_bytes.clear();
  std::uint64_t rows = 0;
  for (;;) {
    const int code = sqlite3_step(handle);
    if (code != SQLITE_ROW) return code;
    if (!limits.keep) continue;
    // Asked now, because the first step may have compiled the statement anew.
    if (const int bad = append_row(conn, handle, sqlite3_data_count(handle))) return bad;
    const std::uint64_t bytes = conn.batch_bytes.used() + conn.cells.size() * sizeof(weir_cell);
    if (++rows >= limits.rows || bytes >= limits.bytes) return SQLITE_ROW;
  }
}

void lend_batch(const Conn& conn, std::size_t columns, bool end, weir_batch* out) {
  weir_batch batch{};
  batch.flags = end ? WEIR_BATCH_END : 0;
  batch.cells = conn.cells.data();
  batch.columns = static_cast<std::uint32_t>(columns);
  batch.row_stride = batch.columns;
  batch.rows = columns == 0 ? 0 : conn.cells.size() / columns;
  backend::write_out(out, batch);
}

void describe(Conn& conn, const Run& run, bool end, weir_exec_out* out) {
  weir_exec_out filled{};
  filled.columns = conn.columns.data();
  filled.column_count = static_cast<std::uint32_t>(conn.columns.size());
  filled.column_stride = sizeof(weir_column);
  if (end && run.traits.changes_rows) {
    filled.flags |= WEIR_EXEC_HAS_AFFECTED;
    filled.affected = static_cast<std::uint64_t>(sqlite3_changes64(conn.db));
    if (run.traits.generates_id && filled.affected > 0) {
      filled.flags |= WEIR_EXEC_HAS_LAST_ID;
      filled.last_id = sqlite3_last_insert_rowid(conn.db);
    }
  }
  backend::write_out(out, filled);
}

// Those of the prepared statement that ran before on this conn are there already, unless it has
// been compiled anew since.
void update_columns(Conn& conn, const Run& run) {
  const int compiled = sqlite3_stmt_status(run.handle, SQLITE_STMTSTATUS_REPREPARE, 0);
  if (run.owner != nullptr && run.owner == conn.described && compiled == conn.described_compiled) {
    return;
  }
  conn.described = nullptr;
  conn.columns.clear();
  conn.column_bytes.clear();
  describe_columns(conn, run.handle, sqlite3_column_count(run.handle));
  conn.described = run.owner;
  conn.described_compiled = compiled;
}

// Describes columns after the first step, because that may compile the statement anew.
weir_status run_first(Conn& conn, Run& run, const weir_exec_args& args, bool& end,
                      weir_error* error) {
  // A statement that changes rows and returns some has done all its work at the first row. Reading
  // on at once tells how many there were, and ends its write lock.
  const bool all = (args.flags & WEIR_EXEC_ONE_BATCH) != 0 || run.traits.changes_rows;
  Limits limits{UINT64_MAX, UINT64_MAX, (args.flags & WEIR_EXEC_NO_ROWS) == 0};
  if (!all) {
    limits.rows = args.batch_rows == 0 ? default_batch_rows : args.batch_rows;
    limits.bytes = args.batch_bytes == 0 ? default_batch_bytes : args.batch_bytes;
  }
  const int columns = sqlite3_column_count(run.handle);
  const bool stays_open = columns > 0 && limits.keep && !all;
  if (const auto bad = bind_all(conn, run.handle, args.params, args.param_count, stays_open, error))
    return bad;
  const int code = fill(conn, run.handle, limits);
  if (code != SQLITE_ROW && code != SQLITE_DONE) return conn.report(error, code);
  end = code == SQLITE_DONE;
  update_columns(conn, run);
  return WEIR_OK;
}

}  // namespace

weir_status execute(weir_conn* handle, const weir_call* call, const weir_exec_args* raw,
                    weir_exec_out* out, weir_result** result, weir_batch* batch,
                    weir_error* error) {
  Conn& conn = conn_of(handle);
  const backend::Input args(raw);
  Op op(conn, call, WEIR_STAGE_EXECUTE, error);
  if (op.status() != WEIR_OK) return op.status();
  const Facts facts{.stage = WEIR_STAGE_EXECUTE, .tx_fate = conn.tx_fate()};
  if (const auto bad = backend::check_bits(args->must_understand, "weir_exec_args", facts, error)) {
    return bad;
  }
  Run run;
  if (const auto bad = choose(conn, args->sql, args->stmt, run, error)) return bad;
  bool end = false;
  if (const auto bad = run_first(conn, run, *args, end, error)) return bad;
  if (end) {
    run.end();  // and its read lock
    describe(conn, run, true, out);
    lend_batch(conn, conn.columns.size(), true, batch);
    *result = nullptr;
    return WEIR_OK;
  }
  if (op.finish()) {  // cancelled when the first rows were there: the rest would be hit
    run.end();
    return conn.refuse_cancelled(error);
  }
  describe(conn, run, false, out);
  lend_batch(conn, conn.columns.size(), false, batch);
  conn.result.handle = run.handle;
  conn.result.owner = run.owner;
  conn.result.lent = true;
  conn.result.rows_max = args->batch_rows == 0 ? default_batch_rows : args->batch_rows;
  conn.result.bytes_max = args->batch_bytes == 0 ? default_batch_bytes : args->batch_bytes;
  run.handle = nullptr;
  *result = reinterpret_cast<weir_result*>(&conn.result);
  return WEIR_OK;
}

weir_status fetch(weir_result* handle, const weir_call* call, weir_batch* batch,
                  weir_error* error) {
  Result& result = *reinterpret_cast<Result*>(handle);
  Conn& conn = *result.conn;
  Op op(conn, call, WEIR_STAGE_FETCH, error);
  if (op.status() != WEIR_OK) return op.status();
  if (result.failed) {
    return conn.refuse(error, WEIR_E_INVALID_STATE, {"the result has failed: close it"});
  }
  if (result.handle == nullptr) {  // read to its end
    conn.cells.clear();
    lend_batch(conn, conn.columns.size(), true, batch);
    return WEIR_OK;
  }
  const int code = fill(conn, result.handle, {result.rows_max, result.bytes_max, true});
  if (code != SQLITE_ROW && code != SQLITE_DONE) {
    const weir_status status = conn.report(error, code);
    conn.finish_result();
    result.failed = true;
    return status;
  }
  if (code == SQLITE_DONE) {
    conn.finish_result();
  } else if (op.finish()) {
    conn.finish_result();
    result.failed = true;
    return conn.refuse_cancelled(error);
  }
  lend_batch(conn, conn.columns.size(), code == SQLITE_DONE, batch);
  return WEIR_OK;
}

void result_close(weir_result* handle, const weir_call*) {
  Result& result = *reinterpret_cast<Result*>(handle);
  result.conn->finish_result();
  result.failed = result.lent = false;
}

weir_status execute_many(weir_conn* handle, const weir_call* call, const weir_many_args* raw,
                         weir_many_out* out, weir_error* error) {
  Conn& conn = conn_of(handle);
  const weir_many_args args = backend::read_in(raw);
  Op op(conn, call, WEIR_STAGE_EXECUTE, error);
  if (op.status() != WEIR_OK) return op.status();
  const Facts facts{.stage = WEIR_STAGE_EXECUTE, .tx_fate = conn.tx_fate()};
  if (const auto bad = backend::check_bits(args.must_understand, "weir_many_args", facts, error)) {
    return bad;
  }
  weir_many_out done{};
  const weir_status status = run_many(conn, args, done, error);
  backend::write_out(out, done);
  return status;
}

weir_status run_many(Conn& conn, const weir_many_args& args, weir_many_out& done,
                     weir_error* error) {
  Run run;
  weir_status status = choose(conn, args.sql, args.stmt, run, error);
  while (status == WEIR_OK && done.rows_done < args.row_count) {
    const weir_cell* row =
        args.cells == nullptr ? nullptr : args.cells + done.rows_done * args.row_stride;
    status = bind_all(conn, run.handle, row, args.param_count, false, error);
    if (status != WEIR_OK) break;
    // Between two rows SQLite would forget an interrupt, so look at the flags here.
    const bool stop = conn.gate->cancelled() || conn.gate->aborted();
    const int code = stop ? SQLITE_INTERRUPT : fill(conn, run.handle, {0, 0, false});
    if (code != SQLITE_DONE) {
      status = conn.report(error, code);
      break;
    }
    if (run.traits.changes_rows) {
      done.affected += static_cast<std::uint64_t>(sqlite3_changes64(conn.db));
    }
    sqlite3_reset(run.handle);
    ++done.rows_done;
  }
  if (status != WEIR_OK && done.rows_done > 0) backend::tell_of_earlier_rows(error);
  return status;
}

}  // namespace weir::sqlite
