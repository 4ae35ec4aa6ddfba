// SPDX-License-Identifier: MIT
//
// execute.cpp: runs the mock's small language.
#include "backends/mock/session.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace weir::mock {
namespace {

constexpr std::uint32_t default_batch_rows = 256;

weir_status check_params(const Conn& conn, const Statement& statement, const weir_cell* params,
                         std::uint32_t count, weir_error* error) {
  if (statement.parameters != count) {
    return fail(error, conn.facts(WEIR_E_INVALID_ARGUMENT, WEIR_EFFECT_NOT_SENT),
                {"the statement has ", std::to_string(statement.parameters), " parameters, but ",
                 std::to_string(count), " values were given"});
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool lacks_bytes = params != nullptr && params[i].type >= WEIR_T_TEXT &&
                             params[i].size > 0 && params[i].v.p == nullptr;
    if (params == nullptr || params[i].type > WEIR_T_OTHER || lacks_bytes) {
      return conn.refuse(error, WEIR_E_INVALID_ARGUMENT,
                         "a parameter has no value, or one of an unknown type");
    }
  }
  return WEIR_OK;
}

void add_column(Conn& conn, std::string_view name, std::uint16_t type) {
  weir_column column{};
  column.struct_size = sizeof column;
  column.type = type;
  column.name = {conn.column_bytes.add(name.data(), name.size()), name.size()};
  column.native_type = {"", 0};
  conn.columns.push_back(column);
}

weir_cell integer(std::int64_t value) {
  weir_cell cell{};
  cell.type = WEIR_T_INT64;
  cell.v.i = value;
  return cell;
}

weir_cell text_cell(Conn& conn, std::string_view value) {
  weir_cell cell{};
  cell.type = WEIR_T_TEXT;
  cell.size = static_cast<std::uint32_t>(value.size());
  cell.v.p = conn.bytes.add(value.data(), value.size());
  return cell;
}

weir_cell echo(Conn& conn, weir_cell cell) {
  const bool has_bytes = cell.type >= WEIR_T_TEXT;
  if (has_bytes) cell.v.p = conn.bytes.add(cell.v.p, cell.size);
  return cell;
}

void select(Conn& conn, const Statement& statement, const weir_cell* params) {
  for (std::size_t i = 0; i < statement.items.size(); ++i) {
    const Item& item = statement.items[i];
    add_column(conn, "c" + std::to_string(i + 1), WEIR_T_OTHER);
    switch (item.kind) {
      case Item::Kind::null:
        conn.cells.push_back({});
        break;
      case Item::Kind::integer:
        conn.cells.push_back(integer(item.number));
        break;
      case Item::Kind::session:
        conn.cells.push_back(integer(static_cast<std::int64_t>(conn.id)));
        break;
      case Item::Kind::text:
        conn.cells.push_back(text_cell(conn, item.text));
        break;
      case Item::Kind::parameter:
        conn.cells.push_back(echo(conn, *params++));
        break;
    }
  }
}

// The next rows of ROWS n. True if none are left.
bool fill_rows(Conn& conn) {
  conn.cells.clear();
  conn.bytes.clear();
  Result& result = conn.result;
  const std::int64_t end = std::min<std::int64_t>(result.last, result.next + result.rows_max);
  for (; result.next < end; ++result.next) {
    conn.cells.push_back(integer(result.next + 1));
    conn.cells.push_back(text_cell(conn, "row " + std::to_string(result.next + 1)));
  }
  return result.next == result.last;
}

weir_status transact(Conn& conn, Verb verb, weir_error* error) {
  const bool wants_open = verb != Verb::begin;
  if (conn.in_tx != wants_open && verb != Verb::rollback) {
    return conn.refuse(error, WEIR_E_INVALID_STATE,
                       wants_open ? "no transaction is open" : "a transaction is open already");
  }
  if (conn.source.remote) {
    weir_sim_request request{};
    request.kind = verb == Verb::begin    ? WEIR_SIM_BEGIN
                   : verb == Verb::commit ? WEIR_SIM_COMMIT
                                          : WEIR_SIM_ROLLBACK;
    return conn.ask(request, error);
  }
  const bool failed = conn.tx_failed && verb == Verb::commit;
  conn.in_tx = verb == Verb::begin;
  conn.tx_failed = false;
  if (!failed) return WEIR_OK;
  return fail(error, conn.facts(WEIR_E_SERIALIZATION, WEIR_EFFECT_DEFINITE),
              {"the transaction had failed and was rolled back"});
}

void make_rows(Conn& conn, const Statement& statement, const weir_cell* params) {
  if (statement.verb == Verb::select) return select(conn, statement, params);
  add_column(conn, "n", WEIR_T_INT64);
  add_column(conn, "text", WEIR_T_TEXT);
  conn.result.next = 0;
  conn.result.last = statement.number;
}

// The simulated server judges the statement; the rows of our own verbs are made here.
weir_status run_remote(Conn& conn, const Statement& statement, const weir_cell* params,
                       weir_exec_out& out, weir_error* error) {
  weir_sim_request request{};
  request.kind = WEIR_SIM_STATEMENT;
  request.text = backend::text(statement.text);
  request.params = params;
  request.param_count = statement.parameters;
  if (const auto bad = conn.ask(request, error)) return bad;
  const weir_sim_reply& reply = conn.reply;
  if ((reply.flags & WEIR_SIM_HAS_AFFECTED) != 0) {
    out.flags = WEIR_EXEC_HAS_AFFECTED | WEIR_EXEC_HAS_LAST_ID;
    out.affected = reply.affected;
    out.last_id = reply.last_id;
  }
  if (statement.verb == Verb::select || statement.verb == Verb::rows) {
    make_rows(conn, statement, params);
  } else if ((reply.flags & WEIR_SIM_HAS_VALUE) != 0) {
    add_column(conn, "value", WEIR_T_OTHER);
    conn.cells.push_back(echo(conn, reply.value));
  }
  return WEIR_OK;
}

// Everything but the rows, which are left in conn.result (ROWS) or conn.cells (SELECT).
weir_status run(Conn& conn, const Statement& statement, const weir_cell* params,
                std::uint32_t count, weir_exec_out& out, weir_error* error) {
  if (const auto bad = check_params(conn, statement, params, count, error)) return bad;
  if (conn.source.remote) return run_remote(conn, statement, params, out, error);
  if (conn.tx_failed && statement.verb != Verb::rollback && statement.verb != Verb::commit) {
    return conn.refuse(error, WEIR_E_INVALID_STATE,
                       "the transaction has failed and accepts only a rollback");
  }
  if (const auto bad = conn.act(Act::exec, error)) return bad;
  switch (statement.verb) {
    case Verb::select:
    case Verb::rows:
      make_rows(conn, statement, params);
      return WEIR_OK;
    case Verb::insert:
      out.flags = WEIR_EXEC_HAS_AFFECTED | WEIR_EXEC_HAS_LAST_ID;
      out.affected = 1;
      out.last_id = conn.source.script.next_id();
      return WEIR_OK;
    case Verb::sleep:
      return conn.pause(std::min<std::int64_t>(statement.number, INT32_MAX) * 1'000'000, error);
    case Verb::fail:
      return conn.answer(error, static_cast<weir_status>(statement.number));
    case Verb::dirty:
      conn.dirty = true;
      return WEIR_OK;
    case Verb::break_off:
      return conn.answer(error, WEIR_E_CONN_LOST);
    case Verb::begin:
    case Verb::commit:
    case Verb::rollback:
      return transact(conn, statement.verb, error);
    case Verb::foreign:
      break;
  }
  return conn.refuse(error, WEIR_E_INTERNAL, "a verb without a meaning");
}

void lend_batch(const Conn& conn, bool end, weir_batch* out) {
  weir_batch batch{};
  batch.flags = end ? WEIR_BATCH_END : 0;
  batch.cells = conn.cells.data();
  batch.columns = static_cast<std::uint32_t>(conn.columns.size());
  batch.row_stride = batch.columns;
  batch.rows = batch.columns == 0 ? 0 : conn.cells.size() / batch.columns;
  backend::write_out(out, batch);
}

weir_status understand(const Conn& conn, weir_text sql, Statement& statement, weir_error* error) {
  const Facts facts = conn.facts(WEIR_E_OTHER, WEIR_EFFECT_NOT_SENT);
  const auto parser = conn.source.remote ? &parse_for_server : &parse;
  return parser(backend::view(sql), statement, facts, error);
}

// The statement to run: the prepared one, or the text's, parsed into `local`.
weir_status choose(Conn& conn, weir_text sql, weir_stmt* prepared, Statement& local,
                   const Statement*& chosen, weir_error* error) {
  if (conn.result.lent) {
    return conn.refuse(error, WEIR_E_INVALID_STATE,
                       "the result of an earlier statement is still open: close it first");
  }
  chosen = &local;
  if (prepared == nullptr) {
    return understand(conn, sql, local, error);
  }
  const Stmt& stmt = *reinterpret_cast<Stmt*>(prepared);
  if (stmt.conn != &conn) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT,
                       "the statement belongs to another connection");
  }
  if (stmt.gone) {
    return conn.refuse(error, WEIR_E_INVALID_STATE,
                       "a reset has ended this statement: prepare it again");
  }
  chosen = &stmt.statement;
  return WEIR_OK;
}

weir_status refused(const Conn& conn, std::string_view call, weir_error* error) {
  if (!conn.source.script.refuses(call)) return WEIR_OK;
  return conn.refuse(error, WEIR_E_UNSUPPORTED, "the option refuse says so");
}

}  // namespace

weir_status execute(weir_conn* handle, const weir_call* call, const weir_exec_args* raw,
                    weir_exec_out* out, weir_result** result, weir_batch* batch,
                    weir_error* error) {
  Conn& conn = conn_of(handle);
  const backend::Input args(raw);
  Op op(conn, call, WEIR_STAGE_EXECUTE, error);
  if (op.status() != WEIR_OK) return op.status();
  if (const auto bad = backend::check_bits(args->must_understand, "weir_exec_args",
                                           conn.facts(WEIR_E_OTHER, WEIR_EFFECT_NOT_SENT), error)) {
    return bad;
  }
  Statement local;
  const Statement* statement = nullptr;
  if (const auto bad = choose(conn, args->sql, args->stmt, local, statement, error)) return bad;
  conn.cells.clear();
  conn.columns.clear();
  conn.bytes.clear();
  conn.column_bytes.clear();
  weir_exec_out filled{};
  if (const auto bad = run(conn, *statement, args->params, args->param_count, filled, error)) {
    return bad;
  }
  bool end = true;
  const bool wanted = (args->flags & WEIR_EXEC_NO_ROWS) == 0;
  if (statement->verb == Verb::rows && wanted) {
    const bool one = (args->flags & WEIR_EXEC_ONE_BATCH) != 0;
    conn.result.rows_max = args->batch_rows == 0 ? default_batch_rows : args->batch_rows;
    if (one) conn.result.rows_max = UINT32_MAX;
    end = fill_rows(conn);
  }
  if (!wanted) conn.cells.clear();
  filled.columns = conn.columns.data();
  filled.column_count = static_cast<std::uint32_t>(conn.columns.size());
  filled.column_stride = sizeof(weir_column);
  backend::write_out(out, filled);
  lend_batch(conn, end, batch);
  conn.result.lent = !end;
  *result = end ? nullptr : reinterpret_cast<weir_result*>(&conn.result);
  return WEIR_OK;
}

weir_status fetch(weir_result* handle, const weir_call* call, weir_batch* batch,
                  weir_error* error) {
  Result& result = *reinterpret_cast<Result*>(handle);
  Conn& conn = *result.conn;
  Op op(conn, call, WEIR_STAGE_FETCH, error);
  if (op.status() != WEIR_OK) return op.status();
  if (result.failed) {
    return conn.refuse(error, WEIR_E_INVALID_STATE, "the result has failed: close it");
  }
  if (const auto bad = conn.pause(0, error)) {
    result.failed = true;
    return bad;
  }
  lend_batch(conn, fill_rows(conn), batch);
  return WEIR_OK;
}

void result_close(weir_result* handle, const weir_call*) {
  Result& result = *reinterpret_cast<Result*>(handle);
  result.lent = result.failed = false;
}

weir_status execute_many(weir_conn* handle, const weir_call* call, const weir_many_args* raw,
                         weir_many_out* out, weir_error* error) {
  Conn& conn = conn_of(handle);
  const weir_many_args args = backend::read_in(raw);
  Op op(conn, call, WEIR_STAGE_EXECUTE, error);
  if (op.status() != WEIR_OK) return op.status();
  if (const auto bad = backend::check_bits(args.must_understand, "weir_many_args",
                                           conn.facts(WEIR_E_OTHER, WEIR_EFFECT_NOT_SENT), error)) {
    return bad;
  }
  Statement local;
  const Statement* statement = nullptr;
  weir_many_out done{};
  weir_status status = choose(conn, args.sql, args.stmt, local, statement, error);
  while (status == WEIR_OK && done.rows_done < args.row_count) {
    weir_exec_out one{};
    const weir_cell* row =
        args.cells == nullptr ? nullptr : args.cells + done.rows_done * args.row_stride;
    conn.cells.clear();
    conn.columns.clear();
    conn.bytes.clear();
    conn.column_bytes.clear();
    status = run(conn, *statement, row, args.param_count, one, error);
    if (status != WEIR_OK) break;
    done.affected += one.affected;
    ++done.rows_done;
  }
  if (status != WEIR_OK && done.rows_done > 0) backend::tell_of_earlier_rows(error);
  backend::write_out(out, done);
  return status;
}

weir_status prepare(weir_conn* handle, const weir_call* call, weir_text sql, weir_stmt** out_stmt,
                    weir_prepare_out* out, weir_error* error) {
  Conn& conn = conn_of(handle);
  Op op(conn, call, WEIR_STAGE_PREPARE, error);
  if (op.status() != WEIR_OK) return op.status();
  if (const auto bad = refused(conn, "prepare", error)) return bad;
  Stmt stmt;
  stmt.conn = &conn;
  if (const auto bad = understand(conn, sql, stmt.statement, error)) return bad;
  weir_prepare_out filled{};
  filled.param_count = stmt.statement.parameters;
  conn.stmts.push_front(std::move(stmt));
  backend::write_out(out, filled);
  *out_stmt = reinterpret_cast<weir_stmt*>(&conn.stmts.front());
  return WEIR_OK;
}

void stmt_close(weir_stmt* handle, const weir_call*) {
  const Stmt* stmt = reinterpret_cast<Stmt*>(handle);
  stmt->conn->stmts.remove_if([stmt](const Stmt& other) { return &other == stmt; });
}

weir_status begin(weir_conn* handle, const weir_call* call, const weir_begin_args* raw,
                  weir_error* error) {
  Conn& conn = conn_of(handle);
  const weir_begin_args args = backend::read_in(raw);
  Op op(conn, call, WEIR_STAGE_BEGIN, error);
  if (op.status() != WEIR_OK) return op.status();
  const Facts facts = conn.facts(WEIR_E_OTHER, WEIR_EFFECT_NOT_SENT);
  if (const auto bad = backend::check_bits(args.must_understand, "weir_begin_args", facts, error)) {
    return bad;
  }
  if (const auto bad = refused(conn, "begin", error)) return bad;
  if ((args.flags & ~WEIR_BEGIN_WRITE) != 0 || args.isolation < WEIR_ISOLATION_DEFAULT ||
      args.isolation > WEIR_ISOLATION_SERIALIZABLE) {
    return conn.refuse(error, WEIR_E_UNSUPPORTED, "the mock has no such transaction");
  }
  return transact(conn, Verb::begin, error);
}

weir_status commit(weir_conn* handle, const weir_call* call, weir_error* error) {
  Conn& conn = conn_of(handle);
  Op op(conn, call, WEIR_STAGE_COMMIT, error);
  return op.status() != WEIR_OK ? op.status() : transact(conn, Verb::commit, error);
}

weir_status rollback(weir_conn* handle, const weir_call* call, weir_error* error) {
  Conn& conn = conn_of(handle);
  Op op(conn, call, WEIR_STAGE_ROLLBACK, error);
  return op.status() != WEIR_OK ? op.status() : transact(conn, Verb::rollback, error);
}

}  // namespace weir::mock
