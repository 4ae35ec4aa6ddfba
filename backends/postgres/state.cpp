// SPDX-License-Identifier: MIT
//
// state.cpp: looking at a conn, and handing out what is underneath.
#include "backends/postgres/calls.hpp"
#include "backends/postgres/conn.hpp"

#include <cstring>

namespace weir::postgres {
namespace {

constexpr const char* native_name = "PGconn*";

bool is_dead(const Conn& conn) {
  return conn.broken || conn.gate->aborted() || PQstatus(conn.pg) == CONNECTION_BAD;
}

// A server that has become a standby since, or stopped being one, cannot do the session's work.
weir_status serves(Conn& conn, bool& yes, weir_error* error) {
  Answer answer;
  if (const auto bad = conn.run("SELECT 1 FROM pg_catalog.pg_class LIMIT 1", &answer, error)) {
    return bad;
  }
  const Target wanted = conn.source.config.target;
  if (wanted == Target::any || wanted == Target::prefer_standby) {
    yes = true;
    return WEIR_OK;
  }
  return check_target(conn, wanted, yes, error);
}

weir_status ask(Conn& conn, std::int32_t depth, bool& yes, weir_error* error) {
  weir_status status = WEIR_OK;
  yes = conn.hear();
  if (yes && depth == WEIR_PING_PROTOCOL) status = conn.run("", nullptr, error);
  if (yes && depth == WEIR_PING_SESSION) status = serves(conn, yes, error);
  if (status != WEIR_E_CONN_LOST || conn.gate->aborted()) return status;
  yes = false;  // that is the answer
  return WEIR_OK;
}

}  // namespace

void state(const weir_conn* handle, weir_conn_state* out) {
  const Conn& conn = *reinterpret_cast<const Conn*>(handle);
  weir_conn_state now{};
  const auto set = [&now](bool condition, std::uint32_t flag) {
    now.flags |= backend::flag_if(condition, flag);
  };
  set(is_dead(conn), WEIR_STATE_BROKEN);
  set(conn.result.lent, WEIR_STATE_RESULT_OPEN);
  set(conn.in_tx(), WEIR_STATE_IN_TX);
  set(conn.tx_failed(), WEIR_STATE_TX_FAILED);
  set(conn.reads_only, WEIR_STATE_READ_ONLY);
  set(conn.dirty, WEIR_STATE_DIRTY);
  set(conn.maybe_dirty || conn.native_out, WEIR_STATE_DIRTY_UNKNOWN);
  set(conn.unsettled, WEIR_STATE_CANCEL_PENDING);
  now.backend_id = static_cast<std::uint64_t>(PQbackendPID(conn.pg));
  backend::write_out(out, now);
}

weir_status ping(weir_conn* handle, std::int32_t depth, const weir_call* call, std::int32_t* alive,
                 weir_error* error) {
  Conn& conn = conn_of(handle);
  if (depth < WEIR_PING_STATE || depth > WEIR_PING_SESSION) {
    return fail(error, {.kind = WEIR_E_UNSUPPORTED, .stage = WEIR_STAGE_PING},
                {"this depth of ping is not known here"});
  }
  bool yes = !is_dead(conn);
  if (yes && depth != WEIR_PING_STATE) {
    Op op(conn, call, WEIR_STAGE_PING, error);
    if (op.status() != WEIR_OK) {
      if (op.status() == WEIR_E_CONN_LOST && !conn.gate->aborted()) {
        *alive = WEIR_ALIVE_NO;  // found while an earlier statement was being called off
        return WEIR_OK;
      }
      if (op.status() == WEIR_E_TIMEOUT) return backend::broken_by(conn, op.status(), error);
      return op.status();
    }
    if (const auto bad = ask(conn, depth, yes, error)) return bad;
    if (!yes) conn.broken = true;
  }
  *alive = yes ? WEIR_ALIVE_YES : WEIR_ALIVE_NO;
  return WEIR_OK;
}

weir_status native(weir_conn* handle, const char* id, void** out, weir_error* error) {
  Conn& conn = conn_of(handle);
  if (std::strcmp(id, native_name) != 0) {
    return fail(error, {.kind = WEIR_E_UNSUPPORTED},
                {"no native handle '", id, "' here; there is '", native_name, "'"});
  }
  if (is_dead(conn)) {
    return fail(error, {.kind = WEIR_E_INVALID_STATE, .conn_fate = WEIR_CONN_BROKEN},
                {"the connection is broken: close it"});
  }
  if (conn.unsettled || conn.result.lent) {
    return fail(error, {.kind = WEIR_E_INVALID_STATE},
                {"a statement is still running on the connection: close its result first"});
  }
  conn.native_out = true;
  *out = conn.pg;
  return WEIR_OK;
}

}  // namespace weir::postgres
