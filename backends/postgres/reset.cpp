// SPDX-License-Identifier: MIT
//
// reset.cpp: makes a session as it was after open. DISCARD ALL does it in one round trip, and
// dearer ways that keep prepared statements on the server are not worth it: statements are made
// there again when they are used.
#include "backends/postgres/calls.hpp"
#include "backends/postgres/conn.hpp"

namespace weir::postgres {
namespace {

weir_status end_transaction(Conn& conn, weir_error* error) {
  const Waited how = conn.finish_result();
  conn.result.lent = conn.result.failed = false;
  if (how != Waited::ready) return conn.give_up(how, error);
  if (!conn.in_tx()) return WEIR_OK;
  if (const auto bad = conn.run("ROLLBACK", nullptr, error))
    return backend::broken_by(conn, bad, error);
  return WEIR_OK;
}

weir_status clean_session(Conn& conn, weir_error* error) {
  if (!conn.used && !conn.native_out) return WEIR_OK;
  if (const auto bad = conn.run("DISCARD ALL", nullptr, error))
    return backend::broken_by(conn, bad, error);
  ++conn.epoch;
  conn.dirty = conn.maybe_dirty = conn.used = false;
  if (const auto bad = set_up(conn, error)) return backend::broken_by(conn, bad, error);
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
    if (const auto bad = clean_session(conn, error)) return bad;
    // What was done to the client library's handle nobody can tell.
    if (conn.native_out) done |= WEIR_RESET_NOT_PROVEN;
  }
  if (level == WEIR_RESET_FULL && conn.stmts != nullptr) {
    end_statements(conn);
    done |= WEIR_RESET_STMTS_GONE;
  }
  if (out_done != nullptr) *out_done = done;
  return WEIR_OK;
}

}  // namespace weir::postgres
