// SPDX-License-Identifier: MIT
//
// transaction.cpp: begin, commit, rollback. SQLite has one isolation level, serializable. A weaker
// one is refused although a stronger one would be allowed elsewhere: who asks for READ COMMITTED
// means to see what others commit meanwhile, and here would not.
#include "backends/sqlite/calls.hpp"
#include "backends/sqlite/conn.hpp"

namespace weir::sqlite {
namespace {

weir_status check_begin(const Conn& conn, const weir_begin_args& args, weir_error* error) {
  if (const auto bad = backend::check_bits(args.must_understand, "weir_begin_args",
                                           {.stage = WEIR_STAGE_BEGIN}, error)) {
    return bad;
  }
  if (args.isolation != WEIR_ISOLATION_DEFAULT && args.isolation != WEIR_ISOLATION_SERIALIZABLE) {
    return conn.refuse(error, WEIR_E_UNSUPPORTED,
                       {"SQLite's transactions are serializable; other levels are not offered"});
  }
  constexpr std::uint32_t known = WEIR_BEGIN_READ_ONLY | WEIR_BEGIN_WRITE;
  if ((args.flags & ~known) != 0) {
    return conn.refuse(error, WEIR_E_UNSUPPORTED, {"begin has a flag that is not known here"});
  }
  if ((args.flags & known) == known) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT,
                       {"a transaction is for reading only or for writing, not both"});
  }
  if ((args.flags & WEIR_BEGIN_WRITE) != 0 && conn.read_only) {
    // SQLite would make it a reading transaction without a word.
    return conn.refuse(error, WEIR_E_READ_ONLY, {"the database is open for reading only"});
  }
  if (conn.in_tx()) {
    return conn.refuse(error, WEIR_E_INVALID_STATE, {"a transaction is open already"});
  }
  if (conn.result.lent) {
    return conn.refuse(error, WEIR_E_INVALID_STATE,
                       {"the result of an earlier statement is still open: close it first"});
  }
  return WEIR_OK;
}

// SQLite has no read-only transaction; query_only refuses every write until it is taken back.
int set_query_only(Conn& conn) {
  std::string before;
  if (const int code = conn.run("PRAGMA query_only", &before)) return code;
  if (before == "1") return SQLITE_OK;  // the user's own wish, which outlives the transaction
  conn.tx_query_only = true;
  return conn.run("PRAGMA query_only=1");
}

}  // namespace

void undo_query_only(Conn& conn) noexcept {
  conn.tx_query_only = false;
  if (conn.run("PRAGMA query_only=0") != SQLITE_OK) conn.broken = true;
}

weir_status begin(weir_conn* handle, const weir_call* call, const weir_begin_args* raw,
                  weir_error* error) {
  Conn& conn = conn_of(handle);
  const weir_begin_args args = backend::read_in(raw);
  Op op(conn, call, WEIR_STAGE_BEGIN, error);
  if (op.status() != WEIR_OK) return op.status();
  if (const auto bad = check_begin(conn, args, error)) return bad;
  conn.tx_lost = false;
  if ((args.flags & WEIR_BEGIN_READ_ONLY) != 0) {
    if (const int code = set_query_only(conn)) return conn.report(error, code);
  }
  const bool write = (args.flags & WEIR_BEGIN_WRITE) != 0;
  const int code = conn.run_own(write ? Own::begin_immediate : Own::begin);
  return code == SQLITE_OK ? WEIR_OK : conn.report(error, code);
}

weir_status commit(weir_conn* handle, const weir_call* call, weir_error* error) {
  Conn& conn = conn_of(handle);
  Op op(conn, call, WEIR_STAGE_COMMIT, error);
  if (op.status() != WEIR_OK) return op.status();
  if (conn.result.lent) {
    return conn.refuse(error, WEIR_E_INVALID_STATE,
                       {"the result of an earlier statement is still open: close it first"});
  }
  Facts facts;
  facts.stage = WEIR_STAGE_COMMIT;
  facts.kind = WEIR_E_INVALID_STATE;
  facts.effect = WEIR_EFFECT_DEFINITE;
  if (!conn.in_tx()) {
    facts.tx_fate = conn.tx_lost ? WEIR_TX_GONE : WEIR_TX_NONE;
    const bool lost = conn.tx_lost;
    conn.tx_lost = false;
    return fail(error, facts,
                {lost ? "nothing to commit: an earlier error rolled the transaction back"
                      : "nothing to commit: no transaction is open"});
  }
  if (conn.tx_failed) {
    const int code = conn.run_own(Own::rollback);
    if (code != SQLITE_OK) return conn.report(error, code);
    facts.kind = WEIR_E_SERIALIZATION;
    facts.flags = WEIR_ERROR_TRANSIENT;
    facts.tx_fate = WEIR_TX_GONE;
    return fail(error, facts, {"the transaction had failed and was rolled back: run it again"});
  }
  conn.may_commit = true;
  const int code = conn.run_own(Own::commit);
  return code == SQLITE_OK ? WEIR_OK : conn.report(error, code);
}

weir_status rollback(weir_conn* handle, const weir_call* call, weir_error* error) {
  Conn& conn = conn_of(handle);
  Op op(conn, call, WEIR_STAGE_ROLLBACK, error);
  if (op.status() != WEIR_OK) return op.status();
  if (conn.result.lent) {
    return conn.refuse(error, WEIR_E_INVALID_STATE,
                       {"the result of an earlier statement is still open: close it first"});
  }
  conn.tx_lost = false;
  if (!conn.in_tx()) return WEIR_OK;
  const int code = conn.run_own(Own::rollback);
  return code == SQLITE_OK ? WEIR_OK : conn.report(error, code);
}

}  // namespace weir::sqlite
