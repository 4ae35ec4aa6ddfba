// SPDX-License-Identifier: MIT
//
// statement.cpp: from text to exactly one statement, and statements that stay prepared.
//
// A prepared statement is kept as text and made on the server when it is first needed, again when a
// reset has dropped it there, and again when the cells that come are of other types than before.
// Its types are the server's own inference; only where that has nothing to go by and says text does
// a number count as what it is.
#include "backends/postgres/calls.hpp"
#include "backends/postgres/params.hpp"
#include "backends/postgres/statements.hpp"
#include "backends/postgres/types.hpp"

#include <cstdio>
#include <memory>
#include <utility>

namespace weir::postgres {
namespace {

// Answers that belong to one request, to their end.
weir_status finish_request(Conn& conn, Answer& last, weir_error* error) {
  Waited how = conn.flush();
  if (how == Waited::ready) how = conn.finish(&last);
  if (how != Waited::ready) return conn.give_up(how, error);
  if (last == nullptr) return conn.lost(WEIR_EFFECT_UNKNOWN, error);
  if (PQresultStatus(last.get()) == PGRES_FATAL_ERROR) return conn.report(error, last.get());
  return WEIR_OK;
}

void name_anew(Conn& conn, Stmt& stmt) {
  char name[32];
  std::snprintf(name, sizeof name, "weir_%llu",
                static_cast<unsigned long long>(++conn.statements_made));
  stmt.name = name;
}

weir_status parse(Conn& conn, Stmt& stmt, const std::vector<Oid>& types, weir_error* error) {
  name_anew(conn, stmt);
  if (PQsendPrepare(conn.pg, stmt.name.c_str(), stmt.sql.c_str(), static_cast<int>(types.size()),
                    types.data()) == 0) {
    return conn.lost(WEIR_EFFECT_UNKNOWN, error);
  }
  Answer last;
  if (const auto bad = finish_request(conn, last, error)) return bad;
  stmt.epoch = conn.epoch;
  return WEIR_OK;
}

// Asks the server what it made of the parameters.
weir_status infer(Conn& conn, Stmt& stmt, weir_error* error) {
  if (PQsendDescribePrepared(conn.pg, stmt.name.c_str()) == 0) {
    return conn.lost(WEIR_EFFECT_UNKNOWN, error);
  }
  Answer last;
  if (const auto bad = finish_request(conn, last, error)) return bad;
  stmt.inferred.clear();
  for (int i = 0; i < PQnparams(last.get()); ++i) {
    stmt.inferred.push_back(PQparamtype(last.get(), i));
  }
  stmt.declared.assign(stmt.inferred.size(), 0);
  return WEIR_OK;
}

// Drops it on the server, if it is there. Whatever comes of that, the name is not used again: one
// that the server does not know would make a transaction fail. A simple statement, which a failed
// transaction refuses: then it stays until the session is cleaned.
weir_status drop(Conn& conn, Stmt& stmt, weir_error* error) {
  const bool there = std::exchange(stmt.epoch, 0) == conn.epoch;
  if (!there || conn.tx_failed()) return WEIR_OK;
  const std::string sql = "DEALLOCATE " + stmt.name;
  return conn.run(sql.c_str(), nullptr, error);
}

// What parameter `i` has to be declared as for `cell`; 0: nothing.
Oid wanted_type(const Stmt& stmt, std::uint32_t i, const weir_cell& cell) {
  if (cell.type == WEIR_T_NULL) return stmt.declared[i];  // fits everything
  const Oid own = declared_type(cell);
  // A blob travels in binary, so the server must know it for one.
  const bool must_say = own == bytea_type || stmt.inferred[i] == text_type;
  return must_say && stmt.inferred[i] != own ? own : 0;
}

weir_status declare(Conn& conn, Stmt& stmt, std::vector<Oid> wanted, weir_error* error) {
  if (const auto bad = drop(conn, stmt, error)) {
    if (conn.broken || conn.unsettled || conn.tx_failed()) return bad;
    conn.statement_is_stale = false;  // somebody else has dropped it, which is as good
  }
  if (const auto bad = parse(conn, stmt, wanted, error)) return bad;
  stmt.declared = std::move(wanted);
  return WEIR_OK;
}

// The server would take the text for another one. What may end that state is let through.
weir_status check_encoding(const Conn& conn, const Scan& traits, weir_error* error) {
  if (traits.verb == Verb::session || traits.rolls_back) return WEIR_OK;
  const std::string_view encoding = pg_encoding_to_char(PQclientEncoding(conn.pg));
  if (encoding == "UTF8") return WEIR_OK;
  return conn.refuse(error, WEIR_E_INVALID_STATE,
                     {"the client_encoding of this session is ", encoding,
                      ", and text here is UTF-8: RESET client_encoding first"});
}

}  // namespace

weir_status take_text(Conn& conn, std::string_view sql, Scan& traits, weir_error* error) {
  if (sql.find('\0') != std::string_view::npos) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT, {"the SQL text contains a NUL byte"});
  }
  if (sql.size() >= (std::size_t{1} << 30) - 65536) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT, {"the SQL text is too long"});
  }
  traits = scan(sql, conn.plain_strings());
  if (traits.verb == Verb::none) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT, {"the SQL text holds no statement"});
  }
  if (traits.several) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT,
                       {"the SQL text holds more than one statement: run them one by one"});
  }
  conn.sql.assign(sql);
  return WEIR_OK;
}

weir_status choose(Conn& conn, weir_text sql, weir_stmt* prepared, Run& run, weir_error* error) {
  if (const auto bad = check_no_result(conn, error)) return bad;
  if (prepared == nullptr) {
    if (const auto bad = take_text(conn, backend::view(sql), run.traits, error)) return bad;
  } else {
    run.stmt = reinterpret_cast<Stmt*>(prepared);
    if (run.stmt->conn != &conn) {
      return conn.refuse(error, WEIR_E_INVALID_ARGUMENT,
                         {"the statement belongs to another connection"});
    }
    if (run.stmt->ended) {
      return conn.refuse(error, WEIR_E_INVALID_STATE,
                         {"a reset has ended this statement: prepare it again"});
    }
    run.traits = run.stmt->traits;
  }
  // COMMIT, END; PREPARE TRANSACTION.
  conn.may_commit = run.traits.verb == Verb::other || run.traits.verb == Verb::session;
  if (conn.tx_doomed && conn.in_tx() && !run.traits.rolls_back) {
    return conn.refuse(error, WEIR_E_INVALID_STATE,
                       {"a statement of this transaction was given up while it ran: the "
                        "transaction accepts only a rollback"});
  }
  return check_encoding(conn, run.traits, error);
}

weir_status check_count(const Conn& conn, const Run& run, std::uint32_t given, weir_error* error) {
  const std::size_t wanted = run.stmt == nullptr ? run.traits.params : run.stmt->inferred.size();
  if (wanted == given) return WEIR_OK;
  return conn.refuse(error, WEIR_E_INVALID_ARGUMENT,
                     {"the statement has ", std::to_string(wanted), " parameters, but ",
                      std::to_string(given), " values were given"});
}

void note_sent(Conn& conn, const Scan& traits) noexcept {
  conn.used = true;
  if (traits.temporary || traits.verb == Verb::session) conn.dirty = true;
  if (traits.calls || traits.verb == Verb::code) conn.maybe_dirty = true;
  if (traits.calls || (traits.verb != Verb::query && traits.verb != Verb::change)) {
    conn.may_set = true;
  }
}

void note_tag(Conn& conn, const PGresult* answer) noexcept {
  const std::string_view tag = PQcmdStatus(const_cast<PGresult*>(answer));
  // What takes prepared statements away takes ours, too.
  if (tag == "DISCARD ALL" || tag == "DEALLOCATE ALL" || tag == "DISCARD") ++conn.epoch;
}

bool forget_stale(Conn& conn, const Run& run) noexcept {
  if (!std::exchange(conn.statement_is_stale, false) || run.stmt == nullptr) return false;
  run.stmt->epoch = 0;
  return run.traits.verb != Verb::code && !conn.broken && !conn.in_tx_before;
}

weir_status check_no_result(const Conn& conn, weir_error* error) {
  if (!conn.result.lent) return WEIR_OK;
  return conn.refuse(error, WEIR_E_INVALID_STATE,
                     {"the result of an earlier statement is still open: close it first"});
}

weir_status check_alive(Conn& conn, weir_error* error) {
  return conn.hear() ? WEIR_OK : conn.lost(WEIR_EFFECT_NOT_SENT, error);
}

weir_status make_ready(Conn& conn, Stmt& stmt, const weir_cell* params, std::uint32_t count,
                       weir_error* error) {
  if (is_ready(conn, stmt, params, count)) return WEIR_OK;
  std::vector<Oid> wanted = stmt.declared;
  for (std::uint32_t i = 0; i < count; ++i) wanted[i] = wanted_type(stmt, i, params[i]);
  const std::uint8_t stage = std::exchange(conn.stage, std::uint8_t{WEIR_STAGE_PREPARE});
  const weir_status status = declare(conn, stmt, std::move(wanted), error);
  conn.stage = stage;
  return status;
}

bool is_ready(const Conn& conn, const Stmt& stmt, const weir_cell* params, std::uint32_t count) {
  if (stmt.epoch != conn.epoch) return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (wanted_type(stmt, i, params[i]) != stmt.declared[i]) return false;
  }
  return true;
}

void end_statements(Conn& conn) noexcept {
  for (Stmt* stmt = conn.stmts; stmt != nullptr; stmt = stmt->next) stmt->ended = true;
}

weir_status prepare(weir_conn* handle, const weir_call* call, weir_text sql, weir_stmt** out_stmt,
                    weir_prepare_out* out, weir_error* error) {
  Conn& conn = conn_of(handle);
  Op op(conn, call, WEIR_STAGE_PREPARE, error);
  if (op.status() != WEIR_OK) return op.status();
  if (const auto bad = check_no_result(conn, error)) return bad;
  auto stmt = std::make_unique<Stmt>();
  stmt->conn = &conn;
  if (const auto bad = take_text(conn, backend::view(sql), stmt->traits, error)) return bad;
  if (const auto bad = check_encoding(conn, stmt->traits, error)) return bad;
  stmt->sql = conn.sql;
  if (const auto bad = check_alive(conn, error)) return bad;
  conn.used = true;
  if (const auto bad = parse(conn, *stmt, {}, error)) return bad;
  if (const auto bad = infer(conn, *stmt, error)) return bad;
  stmt->next = conn.stmts;
  if (conn.stmts != nullptr) conn.stmts->previous = stmt.get();
  conn.stmts = stmt.get();
  weir_prepare_out filled{};
  filled.param_count = static_cast<std::uint32_t>(stmt->inferred.size());
  backend::write_out(out, filled);
  *out_stmt = reinterpret_cast<weir_stmt*>(stmt.release());
  return WEIR_OK;
}

void stmt_close(weir_stmt* handle, const weir_call* call) {
  const std::unique_ptr<Stmt> stmt(reinterpret_cast<Stmt*>(handle));
  Conn& conn = *stmt->conn;
  if (stmt->previous != nullptr) stmt->previous->next = stmt->next;
  if (stmt->next != nullptr) stmt->next->previous = stmt->previous;
  if (conn.stmts == stmt.get()) conn.stmts = stmt->next;
  // While a result is open nothing can be sent; then the next clean-up drops it.
  if (conn.result.lent || conn.broken || stmt->ended) return;
  const Op op(conn, call, WEIR_STAGE_PREPARE, nullptr);
  // Ignored: what is not dropped now goes with the session, or with its next clean-up.
  if (op.status() == WEIR_OK) static_cast<void>(drop(conn, *stmt, nullptr));
}

}  // namespace weir::postgres
