// SPDX-License-Identifier: MIT
//
// state.cpp: looking at a conn.
#include "backends/mysql/calls.hpp"
#include "backends/mysql/conn.hpp"

namespace weir::mysql {

void state(const weir_conn* handle, weir_conn_state* out) {
  const Conn& conn = *reinterpret_cast<const Conn*>(handle);
  weir_conn_state now{};
  const auto set = [&now](bool condition, std::uint32_t flag) {
    now.flags |= backend::flag_if(condition, flag);
  };
  set(conn.broken || conn.canceller->aborted(), WEIR_STATE_BROKEN);
  set(conn.result.lent, WEIR_STATE_RESULT_OPEN);
  set(!conn.canceller->settled(), WEIR_STATE_CANCEL_PENDING);
  if (conn.session != nullptr) {
    const Session& session = *conn.session;
    set(session.in_tx, WEIR_STATE_IN_TX);
    set(session.read_only, WEIR_STATE_READ_ONLY);
    // What waits for the next transaction is none yet.
    set(session.dirty || (session.needs_rollback && !session.in_tx), WEIR_STATE_DIRTY);
    now.backend_id = session.name.id;
  }
  backend::write_out(out, now);
}

weir_status ping(weir_conn* handle, std::int32_t depth, const weir_call* call, std::int32_t* alive,
                 weir_error* error) {
  Conn& conn = conn_of(handle);
  if (depth != WEIR_PING_STATE && depth != WEIR_PING_PROTOCOL && depth != WEIR_PING_SESSION) {
    return fail(error, {.kind = WEIR_E_UNSUPPORTED, .stage = WEIR_STAGE_PING},
                {"this depth of ping is not offered: the socket is the client library's"});
  }
  if (conn.broken || conn.canceller->aborted()) {
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
  const auto status = conn.perform(
      [depth](Session& session, Failure&) {
        // isClosed() tells what this side did, not whether the server is there. isValid() asks; so
        // does a query, which also needs a thread of the server that works.
        if (depth == WEIR_PING_PROTOCOL) {
          if (!session.link->isValid()) session.broken = true;
        } else {
          ask(*session.link, "SELECT 1");
        }
        return WEIR_OK;
      },
      error);
  if (status == WEIR_OK || status == WEIR_E_CONN_LOST) {
    *alive = conn.broken ? WEIR_ALIVE_NO : WEIR_ALIVE_YES;
    return WEIR_OK;
  }
  return status;
}

}  // namespace weir::mysql
