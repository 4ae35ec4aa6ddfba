// SPDX-License-Identifier: MIT
//
// reset.cpp: makes a session as it was after open. For a file, a session that changed is opened
// anew underneath the conn: 0.1 ms, and true whatever was done to it. What lives in memory would be
// lost with its handle, so there the changes are taken back one by one, and where that cannot be
// proven the answer says so.
#include "backends/sqlite/calls.hpp"
#include "backends/sqlite/conn.hpp"

#include <memory>

namespace weir::sqlite {
namespace {

weir_status end_transaction(Conn& conn, weir_error* error) {
  conn.finish_result();
  conn.result.lent = conn.result.failed = false;
  conn.tx_lost = false;
  if (conn.in_tx()) {
    if (const int code = conn.run_own(Own::rollback)) {
      return backend::broken_by(conn, conn.report(error, code), error);
    }
  }
  conn.tx_failed = false;
  if (conn.tx_query_only) undo_query_only(conn);
  return WEIR_OK;
}

// Also the counters changes() and total_changes() tell of the earlier user.
bool session_changed(const Conn& conn) {
  return conn.dirty || conn.native_out || sqlite3_total_changes64(conn.db) != conn.changes_at_start;
}

std::uint32_t drop_statements(Conn& conn) {
  if (conn.stmts == nullptr) return 0;
  end_statements(conn);
  return WEIR_RESET_STMTS_GONE;
}

weir_status open_again(Conn& conn, std::uint32_t& done, weir_error* error) {
  if (file_moved(conn)) {
    const Facts facts{.kind = WEIR_E_CONN_LOST, .stage = WEIR_STAGE_RESET};
    return backend::broken_by(
        conn,
        fail(error, facts, {"'", conn.source.config.path, "' was moved or deleted while open"}),
        error);
  }
  done |= drop_statements(conn);
  conn.close_handle();
  if (const auto bad = connect(conn, true, error)) {
    conn.close_handle();
    return backend::broken_by(conn, bad, error);
  }
  return WEIR_OK;
}

struct Freed {
  void operator()(char* text) const noexcept { sqlite3_free(text); }
};

// Runs a statement made of `format` and one name, quoted by SQLite's own rules (%w).
int run_with_name(Conn& conn, const char* format, const std::string& name) {
  const std::unique_ptr<char, Freed> sql(sqlite3_mprintf(format, name.c_str()));
  return sql == nullptr ? SQLITE_NOMEM : conn.run(sql.get());
}

int detach_all(Conn& conn) {
  while (const char* name = sqlite3_db_name(conn.db, 2)) {
    if (const int code = run_with_name(conn, "DETACH \"%w\"", name)) return code;
  }
  return SQLITE_OK;
}

// Each DROP may take others with it, so look again after each.
int drop_temp_objects(Conn& conn) {
  struct Kind {
    const char* find;
    const char* drop;
  };
  constexpr Kind kinds[] = {
      {"SELECT name FROM sqlite_temp_schema WHERE type='trigger' LIMIT 1",
       "DROP TRIGGER temp.\"%w\""},
      {"SELECT name FROM sqlite_temp_schema WHERE type='view' LIMIT 1", "DROP VIEW temp.\"%w\""},
      {"SELECT name FROM sqlite_temp_schema WHERE type='table' AND name NOT LIKE 'sqlite_%' "
       "LIMIT 1",
       "DROP TABLE temp.\"%w\""},
  };
  for (const Kind& kind : kinds) {
    for (;;) {
      std::string name;
      if (const int code = conn.run(kind.find, &name)) return code;
      if (name.empty()) break;
      if (const int code = run_with_name(conn, kind.drop, name)) return code;
    }
  }
  return SQLITE_OK;
}

int restore_pragmas(Conn& conn) {
  for (std::size_t i = 0; i < pragmas().size(); ++i) {
    if (!conn.pragmas_touched.has(i)) continue;
    const Pragma& pragma = pragmas()[i];
    const char* schema = pragma.scope == PragmaScope::data ? "temp." : "";
    const std::string sql =
        std::string("PRAGMA ") + schema + pragma.name + "=" + conn.pragma_values[i];
    if (const int code = conn.run(sql.c_str())) return code;
  }
  conn.busy_timeout_ns = conn.source.config.busy_timeout_ns;
  install_hooks(conn);
  return SQLITE_OK;
}

// A DELETE of no rows sets changes() to 0. total_changes() counts on: it belongs to the handle, and
// with it to the data.
int forget_counters(Conn& conn) {
  sqlite3_set_last_insert_rowid(conn.db, 0);
  if (sqlite3_changes64(conn.db) == 0) return SQLITE_OK;
  for (const char* sql : {"CREATE TEMP TABLE weir_reset(x)", "DELETE FROM temp.weir_reset",
                          "DROP TABLE temp.weir_reset"}) {
    if (const int code = conn.run(sql)) return code;
  }
  return SQLITE_OK;
}

weir_status clean_memory(Conn& conn, std::uint32_t& done, weir_error* error) {
  int code = SQLITE_OK;
  if (conn.dirty || conn.native_out) {
    done |= drop_statements(conn);
    code = restore_pragmas(conn);
    if (code == SQLITE_OK) code = detach_all(conn);
    if (code == SQLITE_OK) code = drop_temp_objects(conn);
  }
  if (code == SQLITE_OK) code = forget_counters(conn);
  if (code != SQLITE_OK) return backend::broken_by(conn, conn.report(error, code), error);
  std::string left;
  if (conn.dirty) code = conn.run("SELECT name FROM sqlite_temp_schema LIMIT 1", &left);
  if (code != SQLITE_OK) return backend::broken_by(conn, conn.report(error, code), error);
  if (conn.native_out || conn.pragmas_touched.others || !left.empty()) {
    done |= WEIR_RESET_NOT_PROVEN;
    return WEIR_OK;
  }
  conn.dirty = false;
  conn.pragmas_touched = {};
  return WEIR_OK;
}

weir_status clean_file(Conn& conn, std::uint32_t& done, weir_error* error) {
  if (!session_changed(conn)) {
    sqlite3_set_last_insert_rowid(conn.db, 0);
    return WEIR_OK;
  }
  if (const auto bad = open_again(conn, done, error)) return bad;
  conn.dirty = conn.native_out = false;
  conn.pragmas_touched = {};
  return WEIR_OK;
}

}  // namespace

weir_status reset(weir_conn* handle, std::int32_t level, const weir_call* call,
                  std::uint32_t* out_done, weir_error* error) {
  Conn& conn = conn_of(handle);
  Op op(conn, call, WEIR_STAGE_RESET, error);
  if (op.status() != WEIR_OK) return op.status();
  if (level < WEIR_RESET_TX || level > WEIR_RESET_FULL) {
    return conn.refuse(error, WEIR_E_UNSUPPORTED, {"this level of reset is not known here"});
  }
  std::uint32_t done = 0;
  if (const auto bad = end_transaction(conn, error)) return bad;
  if (level >= WEIR_RESET_SESSION) {
    const bool memory = conn.source.config.memory;
    const auto bad = memory ? clean_memory(conn, done, error) : clean_file(conn, done, error);
    if (bad != WEIR_OK) return bad;
  }
  if (level == WEIR_RESET_FULL) done |= drop_statements(conn);
  if (out_done != nullptr) *out_done = done;
  return WEIR_OK;
}

}  // namespace weir::sqlite
