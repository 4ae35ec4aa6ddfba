// SPDX-License-Identifier: MIT
#include "backends/sqlite/conn.hpp"

#include "backends/sqlite/errors.hpp"

#include <new>

namespace weir::sqlite {
namespace {

constexpr const char* own_sql[] = {"BEGIN", "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK",
                                   "PRAGMA schema_version"};
static_assert(std::size(own_sql) == static_cast<std::size_t>(Own::count));

}  // namespace

Conn::Conn(Source& from, std::uint64_t conn_tag, Gate& shared)
    : source(from),
      host(from.env->host),
      tag(conn_tag),
      gate(&shared),
      busy_timeout_ns(from.config.busy_timeout_ns) {
  gate->retain();
  result.conn = insert.conn = this;
}

Conn::~Conn() {
  close_handle();
  gate->close();
  gate->release();
  while (stmts != nullptr) {  // the host forgot to close them; their handles are gone
    Stmt* stmt = stmts;
    stmts = stmt->next;
    delete stmt;
  }
}

std::uint8_t Conn::tx_fate() const noexcept {
  if (!in_tx_before) return WEIR_TX_NONE;
  if (!in_tx()) return WEIR_TX_GONE;
  return tx_failed ? WEIR_TX_FAILED : WEIR_TX_OPEN;
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

weir_status Conn::refuse_cancelled(weir_error* error) const noexcept {
  Facts facts;
  facts.kind = WEIR_E_CANCELLED;
  facts.stage = stage;
  facts.effect = WEIR_EFFECT_DEFINITE;
  facts.tx_fate = tx_fate();
  return fail(error, facts, {"the call was cancelled"});
}

weir_status Conn::report(weir_error* error, int code, std::string_view context) noexcept {
  const std::string_view message = db == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db);
  const int primary = code & 0xFF;
  const CodeMeaning meaning = meaning_of(code, message, stage);
  Facts facts;
  facts.kind = meaning.kind;
  facts.stage = stage;
  facts.conn_fate = meaning.conn_fate;
  facts.effect = meaning.effect;
  facts.flags = meaning.flags;
  facts.native_code = code;
  // These tell of a file. Where that may be another one, or the database is in memory, the handle
  // is as good as before, and to give it up in memory would be to lose the data.
  const bool of_file =
      primary == SQLITE_CANTOPEN || primary == SQLITE_NOTADB || primary == SQLITE_IOERR;
  if (of_file && !opening && (attaches || source.config.memory)) facts.conn_fate = WEIR_CONN_USABLE;
  std::string_view what = message;
  std::string_view advice = meaning.advice;
  const bool stopped = primary == SQLITE_INTERRUPT || primary == SQLITE_BUSY;
  if (stopped && gate->aborted()) {
    facts.kind = opening ? WEIR_E_CANCELLED : WEIR_E_CONN_LOST;
    facts.flags = 0;
    what = "the connection was aborted by the host";
    advice = "";
  } else if (stopped && gate->cancelled()) {
    facts.kind = WEIR_E_CANCELLED;
    facts.flags = 0;
    what = "the call was cancelled";
    advice = "";
  } else if (stopped && deadline_met) {
    facts.kind = WEIR_E_TIMEOUT;
    facts.flags = WEIR_ERROR_TRANSIENT;
    what = primary == SQLITE_BUSY ? "the deadline came while waiting for somebody else's lock"
                                  : "the deadline came while the statement ran";
    advice = "";
  } else if (code == SQLITE_BUSY && !asked_to_wait && in_tx() && busy_timeout_ns > 0 &&
             sqlite3_txn_state(db, nullptr) == SQLITE_TXN_READ) {
    // SQLite does not even ask to wait where two could wait for each other for ever.
    facts.kind = WEIR_E_DEADLOCK;
    advice =
        "this transaction has read, and another one is writing, so waiting could not help: roll "
        "back and run it again; begin it as a write transaction to avoid this";
  } else if (primary == SQLITE_AUTH && denied != nullptr) {
    what = denied;
  }
  if (facts.kind == WEIR_E_SERIALIZATION && in_tx()) tx_failed = true;
  if (facts.conn_fate == WEIR_CONN_BROKEN) broken = true;
  if (broken || gate->aborted()) facts.conn_fate = WEIR_CONN_BROKEN;
  facts.tx_fate = tx_fate();
  // The disk may have taken all of a commit before it failed, and SQLite does not know either.
  if (may_commit && facts.effect == WEIR_EFFECT_UNKNOWN) facts.tx_fate = WEIR_TX_NONE;
  if (facts.tx_fate == WEIR_TX_GONE) tx_lost = true;
  return fail(error, facts,
              {context, context.empty() ? "" : ": ", what, advice.empty() ? "" : ": ", advice});
}

int Conn::run_own(Own which) noexcept {
  const auto index = static_cast<std::size_t>(which);
  sqlite3_stmt*& handle = own[index];
  internal = true;
  int code = SQLITE_OK;
  if (handle == nullptr) {
    code = sqlite3_prepare_v3(db, own_sql[index], -1, SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  }
  if (code == SQLITE_OK) {
    do {
      code = sqlite3_step(handle);
    } while (code == SQLITE_ROW);
    if (code == SQLITE_DONE) code = SQLITE_OK;
    sqlite3_reset(handle);
  }
  internal = false;
  return code;
}

int Conn::run(const char* text, std::string* value) {
  internal = true;
  sqlite3_stmt* handle = nullptr;
  int code = sqlite3_prepare_v2(db, text, -1, &handle, nullptr);
  while (code == SQLITE_OK || code == SQLITE_ROW) {
    code = sqlite3_step(handle);
    if (code != SQLITE_ROW || value == nullptr) continue;
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle, 0));
    try {
      value->assign(bytes == nullptr ? "" : bytes);
    } catch (const std::bad_alloc&) {
      code = SQLITE_NOMEM;
    }
  }
  sqlite3_finalize(handle);
  internal = false;
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

void Conn::finish_result() noexcept {
  if (result.handle == nullptr) return;
  if (result.owner != nullptr) {
    sqlite3_reset(result.handle);
    sqlite3_clear_bindings(result.handle);
  } else {
    sqlite3_finalize(result.handle);
  }
  result.handle = nullptr;
  result.owner = nullptr;
}

void Conn::end_insert() noexcept {
  sqlite3_finalize(insert.handle);
  insert.handle = nullptr;
}

void Conn::close_handle() noexcept {
  if (db == nullptr) return;
  finish_result();
  end_insert();
  end_statements(*this);
  for (sqlite3_stmt*& handle : own) {
    sqlite3_finalize(handle);
    handle = nullptr;
  }
  gate->detach();
  // BUSY: statements that somebody compiled through the native handle. The zombie goes with them.
  if (sqlite3_close(db) != SQLITE_OK) sqlite3_close_v2(db);
  db = nullptr;
}

Op::Op(Conn& conn, const weir_call* raw, std::uint8_t stage, weir_error* error) noexcept
    : conn_(conn), status_(WEIR_OK) {
  const backend::Input call(raw);
  conn.stage = stage;
  conn.in_tx_before = conn.in_tx();
  conn.may_commit = conn.attaches = false;
  conn.denied = nullptr;
  conn.deadline_met = false;
  conn.asked_to_wait = false;
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
}

bool Op::finish() noexcept {
  if (!running_) return false;
  running_ = false;
  const bool cancelled = conn_.gate->finish();
  conn_.deadline = WEIR_NO_DEADLINE;
  if (conn_.db == nullptr) return cancelled;
  if (conn_.busy_handler_gone) install_busy_handler(conn_);
  if (!conn_.in_tx()) {
    conn_.end_insert();
    conn_.tx_failed = false;
    if (conn_.tx_query_only) undo_query_only(conn_);
  }
  return cancelled;
}

Op::~Op() { finish(); }

}  // namespace weir::sqlite
