// SPDX-License-Identifier: MIT
//
// execute.cpp: running statements and handing out rows. Rows are taken one by one as they arrive,
// so that a result of any size needs the memory of one batch. A result that fits into one batch is
// read to its end in execute: a small SELECT is one crossing of the boundary and leaves nothing
// open.
#include "backends/postgres/calls.hpp"
#include "backends/postgres/statements.hpp"
#include "backends/postgres/values.hpp"

#include <charconv>

namespace weir::postgres {
namespace {

constexpr std::uint32_t default_batch_rows = 256;
constexpr std::uint32_t default_batch_bytes = 64 * 1024;
constexpr std::size_t cells_kept_max = 256 * 1024 / sizeof(weir_cell);

struct Limits {
  std::uint64_t rows;
  std::uint64_t bytes;
  bool keep;  // false: nobody wants the rows
};

weir_status protocol_error(Conn& conn, std::string_view text, weir_error* error) {
  conn.broken = true;
  const Facts facts{.kind = WEIR_E_PROTOCOL,
                    .stage = conn.stage,
                    .conn_fate = WEIR_CONN_BROKEN,
                    .effect = WEIR_EFFECT_UNKNOWN,
                    .tx_fate = conn.tx_fate()};
  return fail(error, facts, {text});
}

weir_status send(Conn& conn, const Run& run, weir_error* error) {
  const Params& params = conn.params;
  const int sent =
      run.stmt == nullptr
          ? PQsendQueryParams(conn.pg, conn.sql.c_str(), params.count(), params.types(),
                              params.values(), params.lengths(), params.formats(), 0)
          : PQsendQueryPrepared(conn.pg, run.stmt->name.c_str(), params.count(), params.values(),
                                params.lengths(), params.formats(), 0);
  if (sent == 0) {
    if (PQstatus(conn.pg) == CONNECTION_BAD) return conn.lost(WEIR_EFFECT_UNKNOWN, error);
    return conn.refuse(error, WEIR_E_NOMEM,
                       {"the statement could not be sent: ", PQerrorMessage(conn.pg)});
  }
  note_sent(conn, run.traits);
  // Cannot fail right after a statement was sent.
  static_cast<void>(PQsetSingleRowMode(conn.pg));
  const Waited how = conn.flush();
  return how == Waited::ready ? WEIR_OK : conn.give_up(how, error);
}

// There are no rows here, and no place for any. It is ended, and said so.
weir_status refuse_copy(Conn& conn, weir_error* error) {
  const Waited how = conn.finish(nullptr);
  if (how != Waited::ready) return conn.give_up(how, error);
  Facts facts{.kind = WEIR_E_UNSUPPORTED, .stage = conn.stage};
  facts.effect = WEIR_EFFECT_DEFINITE;
  facts.tx_fate = conn.tx_fate();
  return fail(error, facts,
              {"COPY TO STDOUT has no way through this interface: use SELECT; and COPY FROM STDIN "
               "takes its rows from execute_many"});
}

weir_status failed(Conn& conn, Answer answer, weir_error* error) {
  const Waited how = conn.finish(nullptr);
  if (how == Waited::timeout || how == Waited::aborted || how == Waited::cancelled) {
    return conn.give_up(how, error);
  }
  return conn.report(error, answer.get());
}

// Rows that were sent before the cancel are no result: the next call would be told of its end.
weir_status called_off(Conn& conn, weir_error* error) {
  Answer last;
  const Waited how = conn.finish(&last);
  if (how != Waited::ready) return conn.give_up(how, error);
  conn.result.running = false;
  if (last == nullptr) return conn.lost(WEIR_EFFECT_UNKNOWN, error);
  if (PQresultStatus(last.get()) == PGRES_FATAL_ERROR) return conn.report(error, last.get());
  Facts facts{.kind = WEIR_E_CANCELLED, .stage = conn.stage};
  facts.effect = WEIR_EFFECT_DEFINITE;
  facts.tx_fate = conn.tx_fate();
  return fail(error, facts, {"the call was cancelled, and the statement had ended"});
}

// Reads rows until a limit or the end; the last answer, with the tag, goes to *end.
weir_status fill(Conn& conn, const Limits& limits, Answer& end, weir_error* error) {
  Result& result = conn.result;
  conn.cells.clear();
  // As the arena does: what one odd huge result needed is given back.
  if (conn.cells.capacity() > cells_kept_max) conn.cells.shrink_to_fit();
  conn.batch_bytes.clear();
  std::uint64_t rows = 0;
  for (;;) {
    Answer answer;
    const Waited how = conn.next(answer);
    if (how != Waited::ready) return conn.give_up(how, error);
    if (answer == nullptr) {
      result.running = false;
      conn.tell_notifications();
      return WEIR_OK;
    }
    const ExecStatusType status = PQresultStatus(answer.get());
    switch (status) {
      case PGRES_SINGLE_TUPLE:
      case PGRES_TUPLES_OK:
      case PGRES_COMMAND_OK:
        break;
      case PGRES_COPY_IN:
      case PGRES_COPY_OUT:
      case PGRES_COPY_BOTH:
        result.running = false;
        return refuse_copy(conn, error);
      default:
        result.running = false;
        return failed(conn, std::move(answer), error);
    }
    if (!conn.described && PQnfields(answer.get()) > 0) describe_columns(conn, answer.get());
    if (limits.keep && !append_rows(conn, answer.get())) {
      return protocol_error(conn, "the server sent a value that is not of its type", error);
    }
    if (status != PGRES_SINGLE_TUPLE) {
      note_tag(conn, answer.get());
      end = std::move(answer);
      continue;
    }
    if (!limits.keep) continue;
    ++rows;
    const std::uint64_t bytes = conn.batch_bytes.used() + conn.cells.size() * sizeof(weir_cell);
    if (rows < limits.rows && bytes < limits.bytes) continue;
    return conn.cancel_seen ? called_off(conn, error) : WEIR_OK;
  }
}

weir_status attempt(Conn& conn, const Run& run, const weir_exec_args& args, const Limits& limits,
                    Answer& end, weir_error* error) {
  if (run.stmt != nullptr) {
    if (const auto bad = make_ready(conn, *run.stmt, args.params, args.param_count, error)) {
      return bad;
    }
  }
  // Here and not in make_ready, whose requests may have ended before the cancel came to them.
  if (conn.gate->cancelled()) {
    return conn.refuse(error, WEIR_E_CANCELLED,
                       {"the call was cancelled before the statement was sent"});
  }
  conn.described = false;
  if (const auto bad = send(conn, run, error)) return bad;
  conn.result.running = true;
  const weir_status status = fill(conn, limits, end, error);
  if (!conn.described) conn.columns.clear();  // it has none
  return status;
}

void lend_batch(const Conn& conn, bool end, weir_batch* out) {
  weir_batch batch{};
  const std::size_t columns = conn.columns.size();
  batch.flags = end ? WEIR_BATCH_END : 0;
  batch.cells = conn.cells.data();
  batch.columns = static_cast<std::uint32_t>(columns);
  batch.row_stride = batch.columns;
  batch.rows = columns == 0 ? 0 : conn.cells.size() / columns;
  backend::write_out(out, batch);
}

void describe(const Conn& conn, const PGresult* end, weir_exec_out* out) {
  weir_exec_out filled{};
  filled.columns = conn.columns.data();
  filled.column_count = static_cast<std::uint32_t>(conn.columns.size());
  filled.column_stride = sizeof(weir_column);
  if (end != nullptr && changed_rows(end, filled.affected)) filled.flags |= WEIR_EXEC_HAS_AFFECTED;
  backend::write_out(out, filled);
}

}  // namespace

bool changed_rows(const PGresult* end, std::uint64_t& rows) noexcept {
  PGresult* answer = const_cast<PGresult*>(end);  // libpq's signatures are older than const
  const std::string_view tag = PQcmdStatus(answer);
  const std::string_view word = tag.substr(0, tag.find(' '));
  if (word != "INSERT" && word != "UPDATE" && word != "DELETE" && word != "MERGE") return false;
  const std::string_view count = PQcmdTuples(answer);
  return std::from_chars(count.data(), count.data() + count.size(), rows).ec == std::errc{};
}

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
  if (const auto bad = check_count(conn, run, args->param_count, error)) return bad;
  if (const auto bad = conn.params.take(conn, args->params, args->param_count, error)) return bad;
  if (const auto bad = check_alive(conn, error)) return bad;
  // What changes rows and returns some has done all its work at the first row; reading on at once
  // tells how many there were.
  const bool all = (args->flags & WEIR_EXEC_ONE_BATCH) != 0 || run.traits.verb == Verb::change;
  Limits limits{UINT64_MAX, UINT64_MAX, (args->flags & WEIR_EXEC_NO_ROWS) == 0};
  const std::uint32_t rows_max = args->batch_rows == 0 ? default_batch_rows : args->batch_rows;
  const std::uint32_t bytes_max = args->batch_bytes == 0 ? default_batch_bytes : args->batch_bytes;
  if (!all) limits = {rows_max, bytes_max, limits.keep};
  Answer end;
  weir_status status = attempt(conn, run, *args, limits, end, error);
  if (status != WEIR_OK && forget_stale(conn, run)) {
    status = attempt(conn, run, *args, limits, end, error);
  }
  if (status != WEIR_OK) return status;
  if (run.traits.chains) conn.forget_tx();
  const bool ended = !conn.result.running;
  describe(conn, end.get(), out);
  lend_batch(conn, ended, batch);
  *result = nullptr;
  if (ended) return WEIR_OK;
  conn.result.lent = true;
  conn.result.failed = false;
  conn.result.only_reads = run.traits.verb == Verb::query && !run.traits.calls;
  conn.result.rows_max = rows_max;
  conn.result.bytes_max = bytes_max;
  *result = reinterpret_cast<weir_result*>(&conn.result);
  return WEIR_OK;
}

weir_status fetch(weir_result* handle, const weir_call* call, weir_batch* batch,
                  weir_error* error) {
  Result& result = *reinterpret_cast<Result*>(handle);
  Conn& conn = *result.conn;
  if (result.failed) {
    conn.stage = WEIR_STAGE_FETCH;
    return conn.refuse(error, WEIR_E_INVALID_STATE, {"the result has failed: close it"});
  }
  Op op(conn, call, WEIR_STAGE_FETCH, error);
  if (op.status() != WEIR_OK) return op.status();
  if (!result.running) {  // read to its end
    conn.cells.clear();
    lend_batch(conn, true, batch);
    return WEIR_OK;
  }
  Answer end;
  const weir_status status = fill(conn, {result.rows_max, result.bytes_max, true}, end, error);
  if (status != WEIR_OK) {
    result.failed = true;
    return status;
  }
  lend_batch(conn, !result.running, batch);
  return WEIR_OK;
}

void result_close(weir_result* handle, const weir_call* raw) {
  Result& result = *reinterpret_cast<Result*>(handle);
  Conn& conn = *result.conn;
  const bool running = result.running;
  result.failed = result.lent = false;
  if (!running || conn.broken) return;
  // Not an Op: it has to be done whatever the call says, and what cannot be done until its deadline
  // is left to the next call (WEIR_STATE_CANCEL_PENDING).
  const weir_call call = backend::read_in(raw);
  conn.deadline = call.deadline;
  conn.stage = WEIR_STAGE_FETCH;
  conn.gate->start(call.op_id);
  conn.cancel_seen = false;
  const Waited how = conn.finish_result();
  if (how == Waited::lost || how == Waited::aborted) conn.broken = true;
  static_cast<void>(conn.gate->finish());
  conn.deadline = WEIR_NO_DEADLINE;
  conn.note_settings();
}

}  // namespace weir::postgres
