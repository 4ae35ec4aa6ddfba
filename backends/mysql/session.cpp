// SPDX-License-Identifier: MIT
#include "backends/mysql/session.hpp"

namespace weir::mysql {
namespace {

constexpr int lock_timeout = 1205;  // ER_LOCK_WAIT_TIMEOUT

// A row if a lock timeout undoes the whole transaction. A server without InnoDB has no such
// variable, which a SELECT of it would fail for.
constexpr const char* if_undoes =
    "SHOW VARIABLES WHERE Variable_name = 'innodb_rollback_on_timeout' AND Value = 'ON'";

}  // namespace

Session::Session(std::shared_ptr<const Config> from, Canceller& shared)
    : config(std::move(from)), canceller(shared) {
  canceller.retain();
}

Session::~Session() {
  shut();
  canceller.release();
}

void Session::shut() noexcept {
  // Statements before the link that they belong to.
  result = {};
  statements.clear();
  link.reset();
  canceller.detach();
}

std::uint8_t Session::tx_fate() const noexcept {
  if (!in_tx_before) return WEIR_TX_NONE;
  if (in_tx && !broken) return WEIR_TX_OPEN;
  return may_commit ? WEIR_TX_NONE : WEIR_TX_GONE;
}

void Session::start_work() noexcept {
  unsure = commits_first = false;
  dirty_before = dirty;
}

void Session::before(const SqlTraits& traits) noexcept {
  touched = true;
  // A statement that does not parse changes nothing; one inside of another may follow on some that
  // did.
  unsure =
      traits.opaque || traits.autocommit || traits.verb == Verb::call || traits.verb == Verb::other;
  dirty_before = dirty || (traits.changes_session && (traits.opaque || traits.verb == Verb::call));
  dirty = dirty || traits.changes_session;
  needs_rollback = needs_rollback || traits.one_shot;
  if (traits.sql_mode || (traits.opaque && traits.changes_session)) mode.known = false;
}

void Session::before_execution(const SqlTraits& traits) noexcept {
  commits_first = traits.commits || (traits.verb == Verb::define && !traits.temporary);
}

// MySQL has no @@in_transaction, and what it has instead needs rights that an account rarely has.
// There the text decides alone, and where it does not tell, a rollback is owed.
bool Session::ask_in_tx() {
  try {
    if (mariadb) {
      const std::string flags = ask(*link, "SELECT @@in_transaction + 2 * (@@autocommit = 0)");
      autocommit_off = flags == "2" || flags == "3";
      return flags != "0";
    }
    autocommit_off = ask(*link, "SELECT @@autocommit") == "0";
  } catch (const sql::SQLException& e) {
    // Between XA END and its commit the server answers no question.
    if (meaning_of(e.getErrorCode(), e.getSQLState()).conn_fate == WEIR_CONN_BROKEN) throw;
  }
  needs_rollback = true;
  return in_tx || autocommit_off;
}

bool Session::chains() {
  if (!dirty) return chained;
  try {
    return ask(*link, "SELECT @@completion_type") == "CHAIN";
  } catch (const sql::SQLException&) {
    broken = true;  // it may be RELEASE: the commit went well, and the session ended with it
    return false;
  }
}

void Session::after(const SqlTraits& traits) {
  canceller.calm();
  const bool was = in_tx;
  switch (traits.verb) {
    case Verb::begin:
      in_tx = true;
      read_only = needs_rollback = tx_lost = false;
      return;
    case Verb::commit:
    case Verb::rollback:
      in_tx = traits.says_chain ? traits.chain : chains();
      read_only = read_only && in_tx;
      needs_rollback = tx_lost = false;
      return;
    case Verb::read:
    case Verb::write:
    case Verb::savepoint:
      if (autocommit_off) in_tx = true;  // or may be: a SELECT without a table opens none
      return;
    case Verb::define:
      if (!was) return;
      in_tx = mariadb ? ask_in_tx() : traits.temporary;
      break;
    case Verb::set:
      if (!traits.autocommit && !traits.opaque && !traits.commits) return;
      in_tx = traits.commits && !mariadb ? autocommit_off : ask_in_tx();
      break;
    case Verb::call:
    case Verb::other:
    case Verb::none:
      in_tx = ask_in_tx();
      break;
  }
  if (!in_tx) read_only = false;
}

// Whether one is open after an error, which may have undone it.
bool Session::in_tx_after(bool undone, weir_status kind, int code) {
  if (mariadb) return ask_in_tx();
  needs_rollback = needs_rollback || unsure || commits_first;
  if (undone) return autocommit_off;
  constexpr int read_only_server = 1290;  // ER_OPTION_PREVENTS_STATEMENT
  const bool refused_at_once = kind == WEIR_E_SYNTAX || code == read_only_server;
  return commits_first && !refused_at_once ? autocommit_off : in_tx;
}

Failure Session::explain(const sql::SQLException& e, std::uint8_t stage) {
  const CodeMeaning meaning = meaning_of(e.getErrorCode(), e.getSQLState());
  Failure failure;
  canceller.calm();
  result = {};  // what it holds unread would make the next statement out of sync
  failure.sqlstate = e.getSQLState();
  failure.text = e.what();
  if (*meaning.advice != '\0') failure.text += std::string("; ") + meaning.advice;
  failure.facts = {.kind = meaning.kind,
                   .stage = stage,
                   .conn_fate = meaning.conn_fate,
                   .effect = meaning.effect,
                   .flags = meaning.flags,
                   .native_code = e.getErrorCode()};
  broken = broken || meaning.conn_fate == WEIR_CONN_BROKEN;
  if (e.getErrorCode() == 0) {
    // The library's own word, after the server had answered: a type that it cannot read.
    failure.facts.kind = WEIR_E_UNSUPPORTED;
    failure.facts.effect = WEIR_EFFECT_UNKNOWN;
    failure.text = "the client library cannot do this: " + failure.text;
    broken = broken || !link->isValid();
  }
  if (meaning.kind == WEIR_E_TLS) {
    // TLS of a session that was there: the connection broke, and nobody heard the answer.
    failure.facts.kind = WEIR_E_CONN_LOST;
    failure.facts.effect = WEIR_EFFECT_UNKNOWN;
  }
  if (meaning.kind == WEIR_E_SYNTAX) dirty = dirty_before;
  // A deadlock ends the transaction; a lock timeout does where the server is set so.
  bool undone = rolls_back(e.getErrorCode());
  if (!broken && (in_tx || needs_rollback || unsure)) {
    try {
      undone = undone || (e.getErrorCode() == lock_timeout && !ask(*link, if_undoes).empty());
      // With autocommit off the next statement begins another one; what there was is gone.
      in_tx = in_tx_after(undone, meaning.kind, e.getErrorCode()) && !undone;
      // The server has rolled back and stays in the mode of one: the next statement would begin
      // another transaction, which nobody sees and nobody ends.
      if (!in_tx && (in_tx_before || undone)) {
        tell(*link, "ROLLBACK AND NO CHAIN NO RELEASE");
      }
    } catch (const sql::SQLException&) {
      broken = true;
    }
  }
  if (!in_tx) read_only = false;
  if (broken) failure.facts.conn_fate = WEIR_CONN_BROKEN;
  const bool commit_undone = stage == WEIR_STAGE_COMMIT && !broken && undone;
  failure.facts.tx_fate = commit_undone ? std::uint8_t{WEIR_TX_GONE} : tx_fate();
  tx_lost = tx_lost || failure.facts.tx_fate == WEIR_TX_GONE;
  return failure;
}

void Session::roll_back() {
  tell(*link, "ROLLBACK AND NO CHAIN NO RELEASE");  // whatever completion_type says
  in_tx = read_only = needs_rollback = tx_lost = false;
}

void Session::end_result() {
  result.rows.reset();
  // Further result sets of a procedure, which would make the next statement out of sync.
  sql::Statement* statement = result.statement.get();
  if (statement == nullptr) statement = result.prepared;
  if (statement != nullptr) {
    while (statement->getMoreResults()) {
      const std::unique_ptr<sql::ResultSet> skipped(statement->getResultSet());
    }
  }
  result = {};
  ended = true;
}

}  // namespace weir::mysql
