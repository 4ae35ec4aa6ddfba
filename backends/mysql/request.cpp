// SPDX-License-Identifier: MIT
//
// request.cpp: results are fetched whole by the library before the first row is handed out. It
// could stream those of text statements, but then it takes an error for their end: a query that was
// killed or failed half-way would look complete.
#include "backends/mysql/request.hpp"

#include <cmath>

namespace weir::mysql {
namespace {

// What the text alone could not tell: an unusual sql_mode, or comments with code.
void check_wanted(const Session& session, sql::PreparedStatement& statement, std::size_t given) {
  const unsigned wanted = statement.getParameterMetaData()->getParameterCount();
  if (wanted == given) return;
  Failure failure;
  failure.facts = {.kind = WEIR_E_INVALID_ARGUMENT,
                   .stage = WEIR_STAGE_PREPARE,
                   .effect = WEIR_EFFECT_DEFINITE,
                   .tx_fate = session.tx_fate()};
  failure.text = "the statement has " + std::to_string(wanted) + " parameters, but " +
                 std::to_string(given) + " values were given";
  throw Failed(std::move(failure));
}

// One of the session's, made anew where it has to be.
sql::PreparedStatement& kept(Session& session, const Request& request,
                             std::span<const Param> params) {
  Prepared& known = session.statements.at(request.stmt);
  if (known.made == nullptr || !fits(known.was_unsigned, params)) {
    known.made.reset(session.link->prepareStatement(to_library(known.sql)));
    known.was_unsigned.clear();
    check_wanted(session, *known.made, params.size());
  }
  note_unsigned(known.was_unsigned, params);
  return *known.made;
}

// One for this execution.
sql::PreparedStatement& prepare_once(Session& session, const Request& request, std::size_t given) {
  session.result.once.reset(session.link->prepareStatement(to_library(request.sql)));
  check_wanted(session, *session.result.once, given);
  return *session.result.once;
}

void execute_prepared(Session& session, const Request& request, std::span<const Param> params) {
  sql::PreparedStatement& statement = request.stmt != 0
                                          ? kept(session, request, params)
                                          : prepare_once(session, request, params.size());
  Binder binder;
  binder.bind(statement, params);
  session.before_execution(request.traits);
  // The library tells how many rows a statement changed or that it has a result, not both, and has
  // to be asked for the right one.
  if (request.traits.verb == Verb::write && !request.traits.returning) {
    session.affected = static_cast<std::uint64_t>(statement.executeUpdate());
    session.has_affected = true;
    return;
  }
  if (!statement.execute()) return;
  session.result.prepared = &statement;
  session.result.rows.reset(statement.getResultSet());
}

// Other columns are no news to a SELECT, which can be run once more.
void run_prepared(Session& session, const Request& request, std::span<const Param> params) {
  try {
    return execute_prepared(session, request, params);
  } catch (const sql::SQLException& e) {
    if (request.stmt == 0 || e.getErrorCode() != other_columns) throw;
    session.result = {};                               // may name it
    session.statements.at(request.stmt).made.reset();  // which reads its rows away
    if (request.traits.verb != Verb::read || request.traits.changes_session) throw;
  }
  execute_prepared(session, request, params);
}

void run_text(Session& session, const Request& request) {
  session.result.statement.reset(session.link->createStatement());
  sql::Statement& statement = *session.result.statement;
  statement.setResultSetType(sql::ResultSet::TYPE_SCROLL_INSENSITIVE);
  session.before_execution(request.traits);
  if (statement.execute(to_library(request.sql))) {
    session.result.rows.reset(statement.getResultSet());
  } else if (request.traits.verb == Verb::write) {
    session.affected = statement.getUpdateCount();
    session.has_affected = true;
  }
}

bool may_commit(Verb verb) {
  switch (verb) {
    case Verb::read:
    case Verb::write:
    case Verb::savepoint:
    case Verb::rollback:
      return false;
    default:
      return true;
  }
}

// To the library, the head of an answer whose bytes were turned may look like "done".
Failure no_rows(const Session& session) {
  Failure failure;
  failure.facts = {.kind = WEIR_E_PROTOCOL,
                   .stage = WEIR_STAGE_EXECUTE,
                   .conn_fate = WEIR_CONN_BROKEN,
                   .effect = WEIR_EFFECT_UNKNOWN,
                   .tx_fate = session.tx_fate()};
  failure.text = "the server answered a SELECT without a result";
  return failure;
}

}  // namespace

weir_status check_sql(const Conn& conn, std::string_view sql, SqlTraits& traits,
                      weir_error* error) {
  const auto refuse = [&conn, error](std::string_view why) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT, {"the SQL text ", why});
  };
  // The protocol carries it, but the library's own scanners stop there.
  if (sql.find('\0') != std::string_view::npos) return refuse("contains a NUL byte");
  if (!is_utf8(sql)) return refuse("is not UTF-8: hand over bytes as parameters");
  const SqlMode& mode = conn.session->mode;
  traits = scan(sql, mode);
  if (traits.verb == Verb::none) return refuse("holds no statement");
  if (mode.known && traits.many && !traits.opaque) {
    return refuse("holds more than one statement: run them one by one");
  }
  if (sql.size() + 1 >= conn.session->max_packet) {
    return conn.refuse(error, WEIR_E_DATA,
                       {"the SQL text is longer than the server's max_allowed_packet, ",
                        std::to_string(conn.session->max_packet), " bytes"});
  }
  return WEIR_OK;
}

weir_status Request::choose(Conn& conn, weir_text text, weir_stmt* prepared, weir_error* error) {
  if (conn.result.lent) {
    return conn.refuse(error, WEIR_E_INVALID_STATE,
                       {"the result of an earlier statement is still open: close it first"});
  }
  if (prepared == nullptr) {
    if (const auto bad = check_sql(conn, backend::view(text), traits, error)) return bad;
    sql = backend::view(text);
    param_count = traits.params;
    conn.session->may_commit = may_commit(traits.verb);
    return WEIR_OK;
  }
  const Stmt& known = *reinterpret_cast<const Stmt*>(prepared);
  if (known.conn != &conn) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT,
                       {"the statement belongs to another connection"});
  }
  if (known.id == 0) {
    return conn.refuse(error, WEIR_E_INVALID_STATE,
                       {"a reset has ended this statement: prepare it again"});
  }
  stmt = known.id;
  traits = known.traits;
  param_count = known.param_count;
  conn.session->may_commit = may_commit(traits.verb);
  return WEIR_OK;
}

weir_status Request::check_count(const Conn& conn, std::uint32_t given, weir_error* error) const {
  const bool certain = stmt != 0 || (conn.session->mode.known && !traits.opaque);
  if (!certain || given == param_count) return WEIR_OK;
  return conn.refuse(error, WEIR_E_INVALID_ARGUMENT,
                     {"the statement has ", std::to_string(param_count), " parameters, but ",
                      std::to_string(given), " values were given"});
}

weir_status Request::check_row(const Conn& conn, const weir_cell* params, std::uint32_t count,
                               weir_error* error) const {
  const Objection objection = check_params(params, count);
  if (objection.kind != WEIR_OK) {
    return conn.refuse(error, objection.kind,
                       {"parameter ", std::to_string(objection.index + 1), " ", objection.text});
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    // It is sent as it is, and answered as 0.
    if (conn.session->mariadb && params[i].type == WEIR_T_DOUBLE && params[i].v.d == 0 &&
        std::signbit(params[i].v.d)) {
      return conn.refuse(
          error, WEIR_E_DATA,
          {"parameter ", std::to_string(i + 1), " is -0, which MariaDB does not tell from 0"});
    }
    if (params[i].type < WEIR_T_TEXT || params[i].size < conn.session->max_packet) continue;
    return conn.refuse(
        error, WEIR_E_DATA,
        {"parameter ", std::to_string(i + 1), " is longer than the server's max_allowed_packet, ",
         std::to_string(conn.session->max_packet), " bytes"});
  }
  return WEIR_OK;
}

void run(Session& session, const Request& request, std::span<const Param> params) {
  session.has_affected = false;
  session.before(request.traits);
  if (request.stmt != 0 || !params.empty()) {
    run_prepared(session, request, params);
  } else {
    run_text(session, request);
  }
  if (session.result.rows == nullptr && request.traits.answers && !request.traits.opaque) {
    throw Failed(no_rows(session));
  }
  session.columns.clear();
  session.column_bytes.clear();
  if (session.result.rows != nullptr) describe_columns(session);
}

void fill(Session& session, const Limits& limits) {
  session.cells.clear();
  session.batch_bytes.clear();
  session.ended = false;
  std::uint64_t rows = 0;
  while (session.result.rows != nullptr && limits.keep && session.result.rows->next()) {
    append_row(session);
    const std::uint64_t bytes =
        session.batch_bytes.used() + session.cells.size() * sizeof(weir_cell);
    if (++rows >= limits.rows || bytes >= limits.bytes) return;
  }
  session.end_result();
}

}  // namespace weir::mysql
