// SPDX-License-Identifier: MIT
//
// statement.cpp: prepared statements. They live in the session, where only its work touches them;
// the host holds a number.
#include "backends/mysql/calls.hpp"
#include "backends/mysql/request.hpp"

#include <algorithm>

namespace weir::mysql {

weir_status prepare(weir_conn* handle, const weir_call* call, weir_text text, weir_stmt** out_stmt,
                    weir_prepare_out* out, weir_error* error) {
  Conn& conn = conn_of(handle);
  Op op(conn, call, WEIR_STAGE_PREPARE, error);
  if (op.status() != WEIR_OK) return op.status();
  auto stmt = std::make_unique<Stmt>();
  if (const auto bad = check_sql(conn, backend::view(text), stmt->traits, error)) return bad;
  conn.stmts.reserve(conn.stmts.size() + 1);
  // So that stmt_close cannot fail.
  conn.closed_stmts.reserve(conn.closed_stmts.size() + conn.stmts.size() + 1);
  const std::uint64_t id = ++conn.last_stmt;
  const auto status = conn.perform(
      [id, sql = std::string(backend::view(text))](Session& session, Failure&) {
        session.touched = true;  // by what SHOW WARNINGS tells of it
        std::unique_ptr<sql::PreparedStatement> made(
            session.link->prepareStatement(to_library(sql)));
        session.param_count = made->getParameterMetaData()->getParameterCount();
        session.statements.insert_or_assign(id, Prepared{sql, std::move(made), {}});
        return WEIR_OK;
      },
      error);
  if (status != WEIR_OK) return status;
  stmt->conn = &conn;
  stmt->id = id;
  stmt->param_count = conn.session->param_count;
  weir_prepare_out filled{};
  filled.param_count = stmt->param_count;
  backend::write_out(out, filled);
  *out_stmt = reinterpret_cast<weir_stmt*>(stmt.get());
  conn.stmts.push_back(std::move(stmt));
  return WEIR_OK;
}

// The server is told with the next job: closing has no answer to wait for.
void stmt_close(weir_stmt* handle, const weir_call*) {
  Stmt* stmt = reinterpret_cast<Stmt*>(handle);
  Conn& conn = *stmt->conn;
  if (stmt->id != 0) conn.closed_stmts.push_back(stmt->id);
  const auto at = std::find_if(conn.stmts.begin(), conn.stmts.end(),
                               [stmt](const auto& known) { return known.get() == stmt; });
  if (at != conn.stmts.end()) conn.stmts.erase(at);
}

}  // namespace weir::mysql
