// SPDX-License-Identifier: MIT
//
// transaction.cpp: begin, commit, rollback. What state the transaction is in the server says after
// each statement; the one thing it does not say loudly is that a COMMIT was a ROLLBACK.
#include "backends/postgres/calls.hpp"
#include "backends/postgres/conn.hpp"
#include "backends/postgres/statements.hpp"

namespace weir::postgres {
namespace {

const char* isolation_of(std::int32_t level) {
  switch (level) {
    case WEIR_ISOLATION_DEFAULT:
      return "";
    case WEIR_ISOLATION_READ_UNCOMMITTED:  // the server makes it read committed, which is more
      return " ISOLATION LEVEL READ UNCOMMITTED";
    case WEIR_ISOLATION_READ_COMMITTED:
      return " ISOLATION LEVEL READ COMMITTED";
    case WEIR_ISOLATION_REPEATABLE_READ:
      return " ISOLATION LEVEL REPEATABLE READ";
    case WEIR_ISOLATION_SERIALIZABLE:
      return " ISOLATION LEVEL SERIALIZABLE";
    default:
      return nullptr;
  }
}

weir_status check_begin(const Conn& conn, const weir_begin_args& args, weir_error* error) {
  if (const auto bad = backend::check_bits(args.must_understand, "weir_begin_args",
                                           {.stage = WEIR_STAGE_BEGIN}, error)) {
    return bad;
  }
  if (isolation_of(args.isolation) == nullptr) {
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
  return WEIR_OK;
}

// The server took the COMMIT for a ROLLBACK because an earlier statement had failed.
weir_status report_rolled_back(Conn& conn, weir_error* error) {
  const weir_status first = conn.tx_failure;
  const bool conflict = first == WEIR_E_SERIALIZATION || first == WEIR_E_DEADLOCK;
  Facts facts;
  facts.kind = conflict ? first : WEIR_E_INVALID_STATE;
  facts.stage = WEIR_STAGE_COMMIT;
  facts.effect = WEIR_EFFECT_DEFINITE;
  facts.tx_fate = WEIR_TX_GONE;
  facts.flags = conflict ? WEIR_ERROR_TRANSIENT : 0;
  return fail(error, facts,
              {"nothing was committed: a statement of the transaction had failed, and the "
               "transaction was rolled back"});
}

}  // namespace

weir_status begin(weir_conn* handle, const weir_call* call, const weir_begin_args* raw,
                  weir_error* error) {
  Conn& conn = conn_of(handle);
  const weir_begin_args args = backend::read_in(raw);
  Op op(conn, call, WEIR_STAGE_BEGIN, error);
  if (op.status() != WEIR_OK) return op.status();
  if (const auto bad = check_begin(conn, args, error)) return bad;
  if (const auto bad = check_no_result(conn, error)) return bad;
  if (conn.in_tx()) {
    return conn.refuse(error, WEIR_E_INVALID_STATE, {"a transaction is open already"});
  }
  if (const auto bad = check_alive(conn, error)) return bad;
  std::string sql = "BEGIN";
  sql += isolation_of(args.isolation);
  if ((args.flags & WEIR_BEGIN_READ_ONLY) != 0) sql += " READ ONLY";
  if ((args.flags & WEIR_BEGIN_WRITE) != 0) sql += " READ WRITE";
  conn.used = true;
  return conn.run(sql.c_str(), nullptr, error);
}

weir_status commit(weir_conn* handle, const weir_call* call, weir_error* error) {
  Conn& conn = conn_of(handle);
  Op op(conn, call, WEIR_STAGE_COMMIT, error);
  if (op.status() != WEIR_OK) return op.status();
  if (const auto bad = check_no_result(conn, error)) return bad;
  if (!conn.in_tx()) {
    return conn.refuse(error, WEIR_E_INVALID_STATE, {"nothing to commit: no transaction is open"});
  }
  if (const auto bad = check_alive(conn, error)) return bad;
  Answer answer;
  if (const auto bad = conn.run(conn.tx_doomed ? "ROLLBACK" : "COMMIT", &answer, error)) return bad;
  const std::string_view tag = PQcmdStatus(answer.get());
  return tag == "COMMIT" ? WEIR_OK : report_rolled_back(conn, error);
}

weir_status rollback(weir_conn* handle, const weir_call* call, weir_error* error) {
  Conn& conn = conn_of(handle);
  Op op(conn, call, WEIR_STAGE_ROLLBACK, error);
  if (op.status() != WEIR_OK) return op.status();
  if (const auto bad = check_no_result(conn, error)) return bad;
  if (!conn.in_tx()) return WEIR_OK;
  if (const auto bad = check_alive(conn, error)) return bad;
  return conn.run("ROLLBACK", nullptr, error);
}

}  // namespace weir::postgres
