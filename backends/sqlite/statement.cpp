// SPDX-License-Identifier: MIT
//
// statement.cpp: from text to exactly one compiled statement.
#include "backends/sqlite/calls.hpp"
#include "backends/sqlite/conn.hpp"

#include <memory>

namespace weir::sqlite {
namespace {

// What may follow a statement: blanks, comments, semicolons.
bool only_comments(const char* at) {
  for (;;) {
    if (*at == '\0') return true;
    if (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r' || *at == '\f' || *at == ';') {
      ++at;
    } else if (at[0] == '-' && at[1] == '-') {
      while (*at != '\0' && *at != '\n') ++at;
    } else if (at[0] == '/' && at[1] == '*') {
      at += 2;
      while (*at != '\0' && !(at[0] == '*' && at[1] == '/')) ++at;
      if (*at != '\0') at += 2;
    } else {
      return false;
    }
  }
}

// Compiles the first statement; *tail is what follows it. The rest is for compile().
int compile_first(Conn& conn, unsigned flags, sqlite3_stmt** handle, const char** tail) {
  conn.seen = {};
  conn.ddl_seen = false;
  *tail = conn.sql.c_str();
  int code = SQLITE_OK;
  do {  // more than once only for a text that starts with an empty statement
    const auto left = conn.sql.c_str() + conn.sql.size() - *tail;
    code = sqlite3_prepare_v3(conn.db, *tail, static_cast<int>(left) + 1, flags, handle, tail);
  } while (code == SQLITE_OK && *handle == nullptr && **tail != '\0');
  return code;
}

weir_status settle(Conn& conn, sqlite3_stmt* handle, const char* tail, weir_error* error) {
  if (handle == nullptr && !conn.pragma_held) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT, {"the SQL text holds no statement"});
  }
  if (!only_comments(tail)) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT,
                       {"the SQL text holds more than one statement: run them one by one"});
  }
  if (conn.tx_failed && !conn.seen.ends_tx) {
    return conn.refuse(error, WEIR_E_INVALID_STATE,
                       {"the transaction has failed and accepts only a rollback"});
  }
  return WEIR_OK;
}

// While a result is open, SQLite is not interrupted: what is meant for the statement that is
// compiled would end the next fetch. The handlers look at the flags as ever.
class ResultSpared {
 public:
  explicit ResultSpared(Conn& conn) noexcept : conn_(conn), open_(conn.result.handle != nullptr) {
    if (open_) conn.gate->detach();
  }
  ~ResultSpared() {
    if (open_) attach_gate(conn_);
  }
  ResultSpared(const ResultSpared&) = delete;
  ResultSpared& operator=(const ResultSpared&) = delete;

 private:
  Conn& conn_;
  const bool open_;
};

}  // namespace

weir_status compile(Conn& conn, std::string_view sql, unsigned flags, sqlite3_stmt** handle,
                    weir_error* error) {
  if (sql.find('\0') != std::string_view::npos) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT, {"the SQL text contains a NUL byte"});
  }
  if (sql.size() >= INT32_MAX) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT, {"the SQL text is too long"});
  }
  conn.sql.assign(sql);
  sqlite3_stmt* compiled = nullptr;
  const char* tail = nullptr;
  const std::uint8_t stage = conn.stage;
  conn.stage = WEIR_STAGE_PREPARE;
  // A pragma may act while it is compiled, so the first time it is denied: the text may be refused.
  conn.pragma_held = false;
  conn.rehearsing = true;
  int code = compile_first(conn, flags, &compiled, &tail);
  conn.rehearsing = false;
  weir_status status = code == SQLITE_OK || conn.pragma_held ? settle(conn, compiled, tail, error)
                                                             : conn.report(error, code);
  if (status == WEIR_OK && conn.pragma_held) {
    code = compile_first(conn, flags, &compiled, &tail);
    if (code != SQLITE_OK) status = conn.report(error, code);
  }
  if (conn.busy_handler_gone) install_busy_handler(conn);
  conn.stage = stage;
  if (status != WEIR_OK) {
    sqlite3_finalize(compiled);
    return status;
  }
  // Read-only, and yet seen to change rows: the statements that a virtual table keeps for itself.
  if (conn.ddl_seen || sqlite3_stmt_isexplain(compiled) != 0 ||
      sqlite3_stmt_readonly(compiled) != 0) {
    conn.seen.changes_rows = conn.seen.inserts = false;
  }
  conn.seen.generates_id = conn.seen.inserts && !conn.seen.upserts && has_rowid(conn);
  *handle = compiled;
  return WEIR_OK;
}

bool has_rowid(Conn& conn) {
  // A table WITHOUT ROWID leaves last_insert_rowid() at the value of somebody else's insert. It may
  // have a column of such a name; a rowid has all of them, unless columns take them.
  for (const char* name : {"rowid", "_rowid_", "oid"}) {
    if (sqlite3_table_column_metadata(conn.db, conn.insert_schema.c_str(),
                                      conn.insert_table.c_str(), name, nullptr, nullptr, nullptr,
                                      nullptr, nullptr) != SQLITE_OK) {
      return false;
    }
  }
  return true;
}

void end_statements(Conn& conn) noexcept {
  for (Stmt* stmt = conn.stmts; stmt != nullptr; stmt = stmt->next) {
    sqlite3_finalize(stmt->handle);
    stmt->handle = nullptr;
  }
  conn.described = nullptr;
}

weir_status prepare(weir_conn* handle, const weir_call* call, weir_text sql, weir_stmt** out_stmt,
                    weir_prepare_out* out, weir_error* error) {
  Conn& conn = conn_of(handle);
  const ResultSpared spared(conn);
  Op op(conn, call, WEIR_STAGE_PREPARE, error);
  if (op.status() != WEIR_OK) return op.status();
  auto stmt = std::make_unique<Stmt>();
  if (const auto bad =
          compile(conn, backend::view(sql), SQLITE_PREPARE_PERSISTENT, &stmt->handle, error)) {
    return bad;
  }
  stmt->conn = &conn;
  stmt->traits = conn.seen;
  stmt->next = conn.stmts;
  if (conn.stmts != nullptr) conn.stmts->previous = stmt.get();
  conn.stmts = stmt.get();
  weir_prepare_out filled{};
  filled.param_count = static_cast<std::uint32_t>(sqlite3_bind_parameter_count(stmt->handle));
  backend::write_out(out, filled);
  *out_stmt = reinterpret_cast<weir_stmt*>(stmt.release());
  return WEIR_OK;
}

void stmt_close(weir_stmt* handle, const weir_call*) {
  Stmt* stmt = reinterpret_cast<Stmt*>(handle);
  Conn& conn = *stmt->conn;
  if (conn.result.owner == stmt) conn.finish_result();
  if (conn.described == stmt) conn.described = nullptr;
  sqlite3_finalize(stmt->handle);
  if (stmt->previous != nullptr) stmt->previous->next = stmt->next;
  if (stmt->next != nullptr) stmt->next->previous = stmt->previous;
  if (conn.stmts == stmt) conn.stmts = stmt->next;
  delete stmt;
}

}  // namespace weir::sqlite
