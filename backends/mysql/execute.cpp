// SPDX-License-Identifier: MIT
//
// execute.cpp: running statements and handing out rows. A result that fits into one batch is read
// to its end in execute, so that a small SELECT is one crossing of the boundary and leaves nothing
// open; the rest comes by fetch, out of what the library holds.
#include "backends/mysql/calls.hpp"
#include "backends/mysql/request.hpp"

namespace weir::mysql {
namespace {

constexpr std::uint32_t default_batch_rows = 256;
constexpr std::uint32_t default_batch_bytes = 64 * 1024;

void lend_batch(const Session& session, weir_batch* out) {
  weir_batch batch{};
  const std::size_t columns = session.columns.size();
  batch.flags = session.ended ? WEIR_BATCH_END : 0;
  batch.cells = session.cells.data();
  batch.columns = static_cast<std::uint32_t>(columns);
  batch.row_stride = batch.columns;
  batch.rows = columns == 0 ? 0 : session.cells.size() / columns;
  backend::write_out(out, batch);
}

void describe(const Session& session, weir_exec_out* out) {
  weir_exec_out filled{};
  filled.columns = session.columns.data();
  filled.column_count = static_cast<std::uint32_t>(session.columns.size());
  filled.column_stride = sizeof(weir_column);
  if (session.has_affected) {
    filled.flags |= WEIR_EXEC_HAS_AFFECTED;
    filled.affected = session.affected;
  }
  backend::write_out(out, filled);
}

// Only a SELECT is handed out in parts. What changes rows and answers some is to answer all of them
// at once; and behind the rows of a procedure may be more results, which have to be read before the
// server can be asked what became of the transaction.
Limits limits_of(const weir_exec_args& args, Verb verb) {
  Limits limits{UINT64_MAX, UINT64_MAX, (args.flags & WEIR_EXEC_NO_ROWS) == 0};
  if ((args.flags & WEIR_EXEC_ONE_BATCH) == 0 && verb == Verb::read) {
    limits.rows = args.batch_rows == 0 ? default_batch_rows : args.batch_rows;
    limits.bytes = args.batch_bytes == 0 ? default_batch_bytes : args.batch_bytes;
  }
  return limits;
}

// A query that was killed may answer as if it had gone well: SLEEP says 1, BENCHMARK 0. What a
// statement without rows answers is what it did, and so are the rows that a write returns.
weir_status check_not_killed(Session& session, Verb verb, Failure& failure) {
  if (!session.canceller.cancelled() || session.columns.empty()) return WEIR_OK;
  if (verb == Verb::write || verb == Verb::define) return WEIR_OK;
  session.end_result();
  failure.facts = {.kind = WEIR_E_CANCELLED,
                   .stage = WEIR_STAGE_EXECUTE,
                   .effect = static_cast<std::uint8_t>(verb == Verb::read ? WEIR_EFFECT_DEFINITE
                                                                          : WEIR_EFFECT_UNKNOWN),
                   .tx_fate = session.tx_fate()};
  failure.text = "the call was cancelled";
  return WEIR_E_CANCELLED;
}

// Gives back what the library holds of a result that is no longer lent, as every errand begins.
void drop_result(Conn& conn) {
  conn.perform([](Session&, Failure&) { return WEIR_OK; }, nullptr);
}

}  // namespace

weir_status execute(weir_conn* handle, const weir_call* call, const weir_exec_args* raw,
                    weir_exec_out* out, weir_result** result, weir_batch* batch,
                    weir_error* error) {
  Conn& conn = conn_of(handle);
  const backend::Input args(raw);
  Op op(conn, call, WEIR_STAGE_EXECUTE, error);
  if (op.status() != WEIR_OK) return op.status();
  const Facts facts{.stage = WEIR_STAGE_EXECUTE, .tx_fate = conn.session->tx_fate()};
  if (const auto bad = backend::check_bits(args->must_understand, "weir_exec_args", facts, error)) {
    return bad;
  }
  Request request;
  if (const auto bad = request.choose(conn, args->sql, args->stmt, error)) return bad;
  if (const auto bad = request.check_count(conn, args->param_count, error)) return bad;
  if (const auto bad = request.check_row(conn, args->params, args->param_count, error)) return bad;
  const Verb verb = request.traits.verb;
  // With LOAD DATA LOCAL the library reads a file of this machine, and a link that is cut does not
  // end that.
  const bool reads_files = request.traits.loads || request.traits.opaque;
  const auto work = [request = std::move(request), limits = limits_of(*args, verb),
                     params = copy_params(args->params, args->param_count)](Session& session,
                                                                            Failure& failure) {
    run(session, request, params);
    fill(session, limits);
    session.after(request.traits);
    return check_not_killed(session, request.traits.verb, failure);
  };
  const auto status = reads_files ? conn.perform_on_crew(work, error) : conn.perform(work, error);
  if (status != WEIR_OK) return status;
  Session& session = *conn.session;
  describe(session, out);
  lend_batch(session, batch);
  *result = nullptr;
  if (session.ended) return WEIR_OK;
  conn.result.lent = true;
  conn.result.failed = false;
  const Limits limits = limits_of(*args, verb);
  conn.result.rows_max = static_cast<std::uint32_t>(limits.rows);
  conn.result.bytes_max = static_cast<std::uint32_t>(limits.bytes);
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
  const Limits limits{result.rows_max, result.bytes_max, true};
  const auto status = conn.perform(
      [limits](Session& session, Failure&) {
        fill(session, limits);
        return WEIR_OK;
      },
      error);
  if (status != WEIR_OK) {
    result.failed = true;
    return status;
  }
  lend_batch(*conn.session, batch);
  return WEIR_OK;
}

void result_close(weir_result* handle, const weir_call* raw) {
  Result& result = *reinterpret_cast<Result*>(handle);
  Conn& conn = *result.conn;
  result.lent = result.failed = false;
  if (conn.broken || conn.session == nullptr || conn.session->ended) return;
  // Its memory is given back now: an errand of its own. Where that comes too late, the next call
  // begins with it.
  const Op op(conn, raw, WEIR_STAGE_FETCH, nullptr);
  if (op.status() == WEIR_OK) drop_result(conn);
}

}  // namespace weir::mysql
