// SPDX-License-Identifier: MIT
//
// state.cpp: looking at a conn, and handing out what is underneath.
#include "backends/sqlite/calls.hpp"
#include "backends/sqlite/conn.hpp"

#include <cstring>

namespace weir::sqlite {
namespace {

bool is_dead(int code) {
  const int primary = code & 0xFF;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_IOERR ||
         primary == SQLITE_CANTOPEN;
}

}  // namespace

void state(const weir_conn* handle, weir_conn_state* out) {
  const Conn& conn = *reinterpret_cast<const Conn*>(handle);
  weir_conn_state now{};
  const auto set = [&now](bool condition, std::uint32_t flag) {
    now.flags |= backend::flag_if(condition, flag);
  };
  set(conn.broken || conn.gate->aborted(), WEIR_STATE_BROKEN);
  set(conn.result.lent, WEIR_STATE_RESULT_OPEN);
  set(conn.in_tx(), WEIR_STATE_IN_TX);
  set(conn.in_tx() && conn.tx_failed, WEIR_STATE_TX_FAILED);
  set(conn.read_only || conn.tx_query_only, WEIR_STATE_READ_ONLY);
  set(conn.dirty, WEIR_STATE_DIRTY);
  set(conn.native_out, WEIR_STATE_DIRTY_UNKNOWN);
  // A statement made with the native handle, half-read: it holds a lock that nobody here can see.
  set(conn.native_out && conn.db != nullptr && !conn.result.lent &&
          sqlite3_txn_state(conn.db, nullptr) != SQLITE_TXN_NONE,
      WEIR_STATE_IN_TX);
  backend::write_out(out, now);
}

weir_status ping(weir_conn* handle, std::int32_t depth, const weir_call* call, std::int32_t* alive,
                 weir_error* error) {
  Conn& conn = conn_of(handle);
  if (depth != WEIR_PING_STATE && depth != WEIR_PING_PROTOCOL && depth != WEIR_PING_SESSION) {
    return fail(error, {.kind = WEIR_E_UNSUPPORTED, .stage = WEIR_STAGE_PING},
                {"this depth of ping is not offered: there is no socket"});
  }
  if (conn.broken || conn.gate->aborted()) {
    *alive = WEIR_ALIVE_NO;
    return WEIR_OK;
  }
  if (depth == WEIR_PING_STATE) {
    *alive = WEIR_ALIVE_YES;
    return WEIR_OK;
  }
  Op op(conn, call, WEIR_STAGE_PING, error);
  if (op.status() != WEIR_OK) {
    if (op.status() == WEIR_E_TIMEOUT) return backend::broken_by(conn, op.status(), error);
    return op.status();
  }
  // Writes to a file that was deleted or moved succeed, and vanish with the handle.
  int code = file_moved(conn) ? SQLITE_CANTOPEN : SQLITE_OK;
  if (code == SQLITE_OK && depth == WEIR_PING_SESSION) code = conn.run_own(Own::schema_version);
  if (code == SQLITE_OK) {
    *alive = WEIR_ALIVE_YES;
    return WEIR_OK;
  }
  if (is_dead(code)) {
    conn.broken = true;
    *alive = WEIR_ALIVE_NO;
    return WEIR_OK;
  }
  const weir_status status = conn.report(error, code);
  return conn.deadline_met ? backend::broken_by(conn, status, error) : status;
}

weir_status native(weir_conn* handle, const char* id, void** out, weir_error* error) {
  Conn& conn = conn_of(handle);
  if (std::strcmp(id, "sqlite3*") != 0) {
    return fail(error, {.kind = WEIR_E_UNSUPPORTED},
                {"no native handle '", id, "' here; there is 'sqlite3*'"});
  }
  if (conn.db == nullptr || conn.broken || conn.gate->aborted()) {
    return fail(error, {.kind = WEIR_E_INVALID_STATE, .conn_fate = WEIR_CONN_BROKEN},
                {"the connection is broken: close it"});
  }
  conn.native_out = true;
  *out = conn.db;
  return WEIR_OK;
}

}  // namespace weir::sqlite
