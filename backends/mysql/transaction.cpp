// SPDX-License-Identifier: MIT
//
// transaction.cpp: begin, commit, rollback, as SQL of the driver's own. The library's setAutoCommit
// and setTransactionIsolation keep client-side copies that SQL of the user makes untrue.
#include "backends/mysql/calls.hpp"
#include "backends/mysql/conn.hpp"

namespace weir::mysql {
namespace {

const char* set_isolation(std::int32_t level) {
  switch (level) {
    case WEIR_ISOLATION_READ_UNCOMMITTED:
      return "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED";
    case WEIR_ISOLATION_READ_COMMITTED:
      return "SET TRANSACTION ISOLATION LEVEL READ COMMITTED";
    case WEIR_ISOLATION_REPEATABLE_READ:
      return "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
    case WEIR_ISOLATION_SERIALIZABLE:
      return "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE";
    default:
      return nullptr;
  }
}

weir_status refuse_open_result(const Conn& conn, weir_error* error) {
  if (!conn.result.lent) return WEIR_OK;
  return conn.refuse(error, WEIR_E_INVALID_STATE,
                     {"the result of an earlier statement is still open: close it first"});
}

weir_status check_begin(const Conn& conn, const weir_begin_args& args, weir_error* error) {
  if (const auto bad = backend::check_bits(args.must_understand, "weir_begin_args",
                                           {.stage = WEIR_STAGE_BEGIN}, error)) {
    return bad;
  }
  if (args.isolation != WEIR_ISOLATION_DEFAULT && set_isolation(args.isolation) == nullptr) {
    return conn.refuse(error, WEIR_E_UNSUPPORTED, {"this isolation level is not known here"});
  }
  constexpr std::uint32_t known = WEIR_BEGIN_READ_ONLY | WEIR_BEGIN_WRITE;
  if ((args.flags & ~known) != 0) {
    return conn.refuse(error, WEIR_E_UNSUPPORTED, {"begin has a flag that is not known here"});
  }
  if ((args.flags & known) == known) {
    return conn.refuse(error, WEIR_E_INVALID_ARGUMENT,
                       {"a transaction is for reading only or for writing, not both"});
  }
  if (conn.in_tx()) {
    return conn.refuse(error, WEIR_E_INVALID_STATE, {"a transaction is open already"});
  }
  return refuse_open_result(conn, error);
}

// InnoDB locks rows as they are met, so WRITE has nothing to lock ahead; it overrides a session
// that is read only by default.
const char* start(std::uint32_t flags) {
  if ((flags & WEIR_BEGIN_READ_ONLY) != 0) return "START TRANSACTION READ ONLY";
  if ((flags & WEIR_BEGIN_WRITE) != 0) return "START TRANSACTION READ WRITE";
  return "START TRANSACTION";
}

}  // namespace

weir_status begin(weir_conn* handle, const weir_call* call, const weir_begin_args* raw,
                  weir_error* error) {
  Conn& conn = conn_of(handle);
  const weir_begin_args args = backend::read_in(raw);
  Op op(conn, call, WEIR_STAGE_BEGIN, error);
  if (op.status() != WEIR_OK) return op.status();
  if (const auto bad = check_begin(conn, args, error)) return bad;
  return conn.perform(
      [level = set_isolation(args.isolation), flags = args.flags](Session& session, Failure&) {
        session.touched = session.needs_rollback = true;  // until it has begun
        session.tx_lost = false;
        if (level != nullptr) tell(*session.link, level);
        tell(*session.link, start(flags));
        session.in_tx = true;
        session.needs_rollback = false;
        session.read_only = (flags & WEIR_BEGIN_READ_ONLY) != 0;
        return WEIR_OK;
      },
      error);
}

weir_status commit(weir_conn* handle, const weir_call* call, weir_error* error) {
  Conn& conn = conn_of(handle);
  Op op(conn, call, WEIR_STAGE_COMMIT, error);
  if (op.status() != WEIR_OK) return op.status();
  if (const auto bad = refuse_open_result(conn, error)) return bad;
  if (!conn.in_tx()) {
    // The server would say OK to a commit of nothing, also where it rolled back before.
    const bool lost = conn.session->tx_lost;
    conn.session->tx_lost = false;
    return fail(error,
                {.kind = WEIR_E_INVALID_STATE,
                 .stage = WEIR_STAGE_COMMIT,
                 .effect = WEIR_EFFECT_DEFINITE,
                 .tx_fate = static_cast<std::uint8_t>(lost ? WEIR_TX_GONE : WEIR_TX_NONE)},
                {lost ? "nothing to commit: an earlier error rolled the transaction back"
                      : "nothing to commit: no transaction is open"});
  }
  return conn.perform(
      [](Session& session, Failure&) {
        tell(*session.link, "COMMIT AND NO CHAIN NO RELEASE");  // whatever completion_type says
        session.in_tx = session.read_only = session.needs_rollback = false;
        return WEIR_OK;
      },
      error);
}

weir_status rollback(weir_conn* handle, const weir_call* call, weir_error* error) {
  Conn& conn = conn_of(handle);
  Op op(conn, call, WEIR_STAGE_ROLLBACK, error);
  if (op.status() != WEIR_OK) return op.status();
  if (const auto bad = refuse_open_result(conn, error)) return bad;
  conn.session->tx_lost = false;
  if (!conn.in_tx() && !conn.session->needs_rollback) return WEIR_OK;
  return conn.perform(
      [](Session& session, Failure&) {
        session.roll_back();
        return WEIR_OK;
      },
      error);
}

}  // namespace weir::mysql
