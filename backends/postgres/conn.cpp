// SPDX-License-Identifier: MIT
#include "backends/postgres/conn.hpp"

#include "backends/postgres/errors.hpp"
#include "backends/postgres/sqlstates.hpp"

#include <string_view>

namespace weir::postgres {
namespace {

constexpr std::string_view query_canceled = "57014";

std::string_view field(const PGresult* answer, int code) {
  const char* text = PQresultErrorField(answer, code);
  return text == nullptr ? "" : text;
}

bool is_on(PGconn* pg, const char* parameter) {
  const char* value = PQparameterStatus(pg, parameter);
  return value != nullptr && std::string_view(value) == "on";
}

}  // namespace

// Called from C: nothing here may throw.
void on_notice(void* context, const PGresult* notice) noexcept {
  Conn& conn = *static_cast<Conn*>(context);
  const weir_host& host = conn.host;
  if (host.event == nullptr) return;
  const std::string_view state = field(notice, PG_DIAG_SQLSTATE);
  weir_event event{};
  event.struct_size = sizeof event;
  event.type = state.starts_with("57P") ? WEIR_EVENT_SERVER_GOING_AWAY : WEIR_EVENT_NOTICE;
  event.name = backend::text(state);
  event.text = backend::text(field(notice, PG_DIAG_MESSAGE_PRIMARY));
  host.event(host.ctx, conn.tag, &event);
}

Conn::Conn(Source& from, std::uint64_t conn_tag, Gate& shared)
    : source(from), host(from.env->host), tag(conn_tag), gate(&shared) {
  gate->retain();
  result.conn = this;
}

Conn::~Conn() {
  if (pg != nullptr) PQfinish(pg);
  while (stmts != nullptr) {  // the host forgot to close them
    Stmt* stmt = stmts;
    stmts = stmt->next;
    delete stmt;
  }
  if (leave_gate) return;
  gate->close();
  gate->release();
}

bool Conn::in_tx() const noexcept {
  switch (PQtransactionStatus(pg)) {
    case PQTRANS_INTRANS:
    case PQTRANS_INERROR:
      return true;
    case PQTRANS_ACTIVE:  // a result is open, or what was given up is not settled
      return in_tx_before;
    default:
      return false;
  }
}

bool Conn::tx_failed() const noexcept {
  return in_tx() && (tx_doomed || PQtransactionStatus(pg) == PQTRANS_INERROR);
}

void Conn::forget_tx() noexcept {
  tx_doomed = false;
  tx_failure = WEIR_OK;
}

bool Conn::plain_strings() const noexcept { return is_on(pg, "standard_conforming_strings"); }

bool Conn::is_read_only() const noexcept {
  return is_on(pg, "in_hot_standby") || is_on(pg, "default_transaction_read_only");
}

void Conn::note_settings() noexcept {
  if (!may_set) return;
  reads_only = is_read_only();
  // It has not said its end, or that of the transaction may take it back.
  may_set = result.running || unsettled || in_tx();
}

std::uint8_t Conn::tx_fate() const noexcept {
  if (!in_tx_before) return WEIR_TX_NONE;
  // Of a commit whose answer was lost, or has not come, nobody knows.
  if (may_commit && (broken || unsettled)) return WEIR_TX_NONE;
  if (broken) return WEIR_TX_GONE;  // without a commit the server rolls back
  if (!in_tx()) return WEIR_TX_GONE;
  return tx_failed() ? WEIR_TX_FAILED : WEIR_TX_OPEN;
}

weir_status Conn::refuse(weir_error* error, weir_status kind,
                         std::initializer_list<std::string_view> text) const noexcept {
  Facts facts;
  facts.kind = kind;
  facts.stage = stage;
  facts.conn_fate = broken || gate->aborted() ? WEIR_CONN_BROKEN : WEIR_CONN_USABLE;
  facts.tx_fate = tx_fate();
  return fail(error, facts, text);
}

weir_status Conn::report(weir_error* error, const PGresult* answer) {
  const std::string_view state = field(answer, PG_DIAG_SQLSTATE);
  if (state.empty()) {  // the client library's own: the connection is gone
    if (PQstatus(pg) == CONNECTION_BAD) return lost(WEIR_EFFECT_UNKNOWN, error);
    Facts facts{.kind = WEIR_E_PROTOCOL, .stage = stage, .conn_fate = WEIR_CONN_BROKEN};
    facts.effect = WEIR_EFFECT_UNKNOWN;
    broken = true;
    facts.tx_fate = tx_fate();
    return fail(error, facts, {one_line(PQresultErrorMessage(answer))});
  }
  may_set = true;
  // These are the words of a session's end, too; as a mere error they are about another server, one
  // that a foreign table is on, or what a function has raised.
  static constexpr StateMeaning elsewhere{"", WEIR_E_OTHER, WEIR_CONN_USABLE, 0, ""};
  const StateMeaning& listed = meaning_of(state);
  const bool goes_on = field(answer, PG_DIAG_SEVERITY_NONLOCALIZED) == "ERROR" &&
                       listed.conn_fate == WEIR_CONN_BROKEN;
  const StateMeaning& meaning = goes_on ? elsewhere : listed;
  // The server's own words for "prepare it again": unknown there, or for other columns by now. The
  // name of the function is the one part of the second that no language changes.
  statement_is_stale =
      state == "26000" ||
      (state == "0A000" && field(answer, PG_DIAG_SOURCE_FUNCTION) == "RevalidateCachedQuery");
  Facts facts;
  facts.kind = meaning.kind;
  // Nobody here asked for it: a statement_timeout, or an administrator.
  if (state == query_canceled && !cancel_seen) facts.kind = WEIR_E_TIMEOUT;
  facts.stage = stage;
  facts.conn_fate = meaning.conn_fate;
  facts.effect = WEIR_EFFECT_DEFINITE;
  facts.flags = meaning.flags;
  if (facts.conn_fate == WEIR_CONN_BROKEN || PQstatus(pg) == CONNECTION_BAD) broken = true;
  // An order to end hits a statement that may just have done its work.
  if (broken) facts.effect = WEIR_EFFECT_UNKNOWN;
  if (broken || gate->aborted()) facts.conn_fate = WEIR_CONN_BROKEN;
  if (in_tx_before && tx_failure == WEIR_OK) tx_failure = facts.kind;
  facts.tx_fate = tx_fate();
  const std::string_view detail = field(answer, PG_DIAG_MESSAGE_DETAIL);
  const std::string_view hint = field(answer, PG_DIAG_MESSAGE_HINT);
  std::string_view context = field(answer, PG_DIAG_CONTEXT);
  if (!context.starts_with("COPY ")) context = {};  // which of the rows
  const weir_status kind =
      fail(error, facts,
           {field(answer, PG_DIAG_MESSAGE_PRIMARY), detail.empty() ? "" : "; ", detail,
            hint.empty() ? "" : "; hint: ", hint, context.empty() ? "" : "; ", context,
            meaning.advice.empty() ? "" : ": ", meaning.advice});
  set_sqlstate(error, state);
  return kind;
}

weir_status Conn::lost(std::uint8_t effect, weir_error* error) {
  broken = true;
  if (effect == WEIR_EFFECT_NOT_SENT && !unsettled) may_commit = false;
  Facts facts;
  facts.kind = WEIR_E_CONN_LOST;
  facts.stage = stage;
  facts.conn_fate = WEIR_CONN_BROKEN;
  facts.effect = effect;
  facts.flags = WEIR_ERROR_TRANSIENT;
  facts.tx_fate = tx_fate();
  return fail(error, facts,
              {"the connection to the server was lost: ", one_line(PQerrorMessage(pg))});
}

weir_status Conn::give_up(Waited why, weir_error* error) {
  if (why == Waited::lost) return lost(WEIR_EFFECT_UNKNOWN, error);
  Facts facts;
  facts.stage = stage;
  facts.effect = WEIR_EFFECT_UNKNOWN;
  if (why == Waited::aborted) {
    broken = true;
    facts.kind = opening ? WEIR_E_CANCELLED : WEIR_E_CONN_LOST;
    facts.conn_fate = WEIR_CONN_BROKEN;
    facts.tx_fate = tx_fate();
    return fail(error, facts, {"the connection was aborted by the host"});
  }
  facts.kind = why == Waited::cancelled ? WEIR_E_CANCELLED : WEIR_E_TIMEOUT;
  facts.flags = why == Waited::timeout ? WEIR_ERROR_TRANSIENT : 0;
  // What only runs statements can be called off and used again. In the middle of a commit or a
  // clean-up nobody could tell afterwards where the session is.
  const bool statement =
      stage == WEIR_STAGE_EXECUTE || stage == WEIR_STAGE_FETCH || stage == WEIR_STAGE_PREPARE;
  if (!statement || !begin_cancel()) broken = true;
  unsettled = true;
  if (in_tx_before) tx_doomed = true;
  facts.conn_fate = broken ? WEIR_CONN_BROKEN : WEIR_CONN_USABLE;
  facts.tx_fate = tx_fate();
  return fail(error, facts,
              {why == Waited::cancelled ? "the call was cancelled" : "the deadline came",
               " while the server was at work"});
}

Op::Op(Conn& conn, const weir_call* raw, std::uint8_t stage, weir_error* error) noexcept
    : conn_(conn), status_(WEIR_OK) {
  const backend::Input call(raw);
  conn.stage = stage;
  if (!conn.broken && !conn.unsettled) {  // else it is still about what was given up
    if (!conn.result.running) conn.in_tx_before = conn.in_tx();
    // A failure that a savepoint has undone is not what the commit will fail for.
    if (PQtransactionStatus(conn.pg) == PQTRANS_INTRANS) conn.tx_failure = WEIR_OK;
    conn.may_commit = stage == WEIR_STAGE_COMMIT;
  }
  conn.cancel_seen = false;
  conn.statement_is_stale = false;
  // One that only reads may have become another one by itself: a standby that was promoted.
  if (stage == WEIR_STAGE_PING || stage == WEIR_STAGE_RESET || conn.reads_only || conn.native_out) {
    conn.may_set = true;
  }
  if (conn.gate->aborted()) {
    status_ = conn.refuse(error, conn.opening ? WEIR_E_CANCELLED : WEIR_E_CONN_LOST,
                          {"the connection was aborted by the host"});
    return;
  }
  if (conn.broken) {
    status_ = conn.refuse(error, WEIR_E_INVALID_STATE, {"the connection is broken: close it"});
    return;
  }
  Facts facts;
  facts.stage = stage;
  facts.tx_fate = conn.tx_fate();
  status_ = backend::check_call(conn.host, *call, facts, error);
  if (status_ != WEIR_OK) return;
  conn.deadline = call->deadline;
  conn.gate->start(call->op_id);
  running_ = true;
  if (!conn.unsettled) return;
  const Waited how = conn.settle();
  if (how == Waited::ready) {
    conn.in_tx_before = conn.in_tx();
    if (!conn.in_tx_before) conn.forget_tx();
    conn.may_commit = stage == WEIR_STAGE_COMMIT;
    conn.cancel_seen = false;
    if (!conn.gate->cancelled()) return;
    status_ = conn.refuse(error, WEIR_E_CANCELLED, {"the call was cancelled before it began"});
    return;
  }
  if (how == Waited::lost) {
    status_ = conn.lost(WEIR_EFFECT_NOT_SENT, error);
  } else if (how == Waited::aborted) {
    status_ = conn.give_up(how, error);
  } else {
    const bool timeout = how == Waited::timeout;
    status_ = conn.refuse(error, timeout ? WEIR_E_TIMEOUT : WEIR_E_CANCELLED,
                          {timeout ? "the deadline came" : "the call was cancelled",
                           " while an earlier statement was still being called off"});
  }
}

Op::~Op() {
  if (!running_) return;
  // Whether a cancel came does not matter any more: it was passed on within the call, or not at
  // all.
  static_cast<void>(conn_.gate->finish());
  conn_.deadline = WEIR_NO_DEADLINE;
  if (!conn_.unsettled) conn_.cancel_again = WEIR_NO_DEADLINE;
  conn_.note_settings();
  if (conn_.broken || conn_.unsettled || conn_.result.running || conn_.in_tx()) return;
  conn_.forget_tx();
}

}  // namespace weir::postgres
