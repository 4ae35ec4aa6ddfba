// SPDX-License-Identifier: MIT
//
// reset.cpp: makes a session as it was after open, by the cheapest way that is true. The client
// library offers neither COM_RESET_CONNECTION nor COM_CHANGE_USER, and what SQL can restore leaves
// out temporary tables, names of PREPARE and most variables. So a session that may have changed is
// replaced by a fresh one underneath the conn, about a millisecond; one that has not is rolled
// back, if need be, and made to forget its last generated key.
#include "backends/mysql/calls.hpp"
#include "backends/mysql/conn.hpp"

namespace weir::mysql {
namespace {

struct Cleaning {
  std::int32_t level;
  std::chrono::nanoseconds patience;  // for a new connection
};

void clean(Session& session, const Cleaning& cleaning) {
  session.end_result();
  if (cleaning.level >= WEIR_RESET_SESSION && session.dirty) {
    session.connect(cleaning.patience);  // which ends a transaction, too
    return;
  }
  if (session.in_tx || session.needs_rollback || session.autocommit_off) session.roll_back();
  if (cleaning.level < WEIR_RESET_SESSION || !session.touched) return;
  // Also what FOUND_ROWS(), ROW_COUNT() and SHOW WARNINGS say is this query's from now on. The last
  // needs the table: a query without one keeps the messages of the statement before.
  ask(*session.link, "SELECT LAST_INSERT_ID(0) FROM (SELECT 1) AS nothing");
  session.touched = false;
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
  conn.result.lent = conn.result.failed = false;
  const bool stmts_go =
      !conn.stmts.empty() &&
      (level == WEIR_RESET_FULL || (level == WEIR_RESET_SESSION && conn.session->dirty));
  const Cleaning cleaning{level, conn.time_left(conn.source.config->connect_timeout_ns)};
  const auto work = [cleaning](Session& session, Failure&) {
    clean(session, cleaning);
    if (cleaning.level == WEIR_RESET_FULL) session.statements.clear();
    return WEIR_OK;
  };
  const bool new_link = level >= WEIR_RESET_SESSION && conn.session->dirty;
  const auto status = new_link ? conn.perform_on_crew(work, error) : conn.perform(work, error);
  if (status != WEIR_OK) {
    // Half cleaned: nobody may use it as it is.
    conn.broken = true;
    if (error != nullptr) {
      weir_error full = backend::read_in(error);
      full.conn_fate = WEIR_CONN_BROKEN;
      backend::write_out(error, full);
    }
    return status;
  }
  if (stmts_go) conn.drop_stmts();
  if (out_done != nullptr) *out_done = stmts_go ? WEIR_RESET_STMTS_GONE : 0;
  return WEIR_OK;
}

}  // namespace weir::mysql
