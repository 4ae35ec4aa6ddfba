// SPDX-License-Identifier: MIT
#include "sim/server/session.hpp"

#include <algorithm>
#include <utility>

namespace weir::sim {

Answer failure(weir_status kind, std::string text) {
  Answer answer;
  answer.status = kind;
  answer.text = std::move(text);
  return answer;
}

std::uint32_t Session::flags() const noexcept {
  std::uint32_t flags = 0;
  if (in_tx) flags |= WEIR_STATE_IN_TX;
  if (tx_failed) flags |= WEIR_STATE_TX_FAILED;
  if (!pieces.empty()) flags |= WEIR_STATE_DIRTY;
  return flags;
}

void Database::note(const Record& about, What what, const std::string& text) {
  Record record = about;
  record.what = what;
  record.text = text;
  ledger_.add(std::move(record));
}

// A driver's own begin carries no comment; the first statement with one says whose it was.
void Database::hand_over(Session& session, const LeaseMark& lease, const Record& about) {
  if (session.in_tx && !session.tx_owner) session.tx_owner = lease;
  if (session.lease == lease) return;
  session.lease = lease;
  if (session.in_tx && session.tx_owner != lease) note(about, What::leftover, "transaction");
  for (const auto& [name, piece] : session.pieces) {
    if (piece.owner && piece.owner != lease) note(about, What::leftover, name);
  }
}

Answer Database::run(Session& session, const Command& command, bool read_only,
                     const Record& about) {
  if (session.tx_failed && command.verb != Verb::rollback && command.verb != Verb::commit) {
    return failure(WEIR_E_INVALID_STATE, "the transaction has failed and accepts only a rollback");
  }
  const auto keep = [&](const std::string& name) {
    session.pieces[name] = {command.value, command.lease};
    return Answer{};
  };
  switch (command.verb) {
    case Verb::unknown:
      return failure(WEIR_E_SYNTAX, "the simulated server does not understand this statement");
    case Verb::fail:
      return failure(static_cast<weir_status>(command.number), "the statement asks for it");
    case Verb::break_off:
      return failure(WEIR_E_CONN_LOST, "the statement asks for it");
    case Verb::write:
      return write(session, {}, read_only, about);
    case Verb::put:
      return write(session, {command.name, command.value, true}, read_only, about);
    case Verb::add:
      return write(session, {command.name, "", false}, read_only, about);
    case Verb::get:
      return get(session, command.name);
    case Verb::show:
      return show(session, command, about);
    case Verb::set:
      return keep("set " + command.name);
    case Verb::temp:
      return keep("temp " + command.name);
    case Verb::listen:
      return keep("listen " + command.name);
    case Verb::role:
      session.pieces["role"] = {command.name, command.lease};
      return {};
    case Verb::dirty:
      return keep("dirty");
    case Verb::lock:
    case Verb::unlock:
      return lock(session, command);
    case Verb::begin:
      return begin(session, command);
    case Verb::commit:
      return commit(session, read_only, about);
    case Verb::rollback:
      return rollback(session);
    case Verb::query:
    case Verb::sleep:
      break;
  }
  return {};
}

// INSERT comes without a key: it is a write that nobody asks for again.
Answer Database::write(Session& session, Write write, bool read_only, const Record& about) {
  if (read_only) return failure(WEIR_E_READ_ONLY, "the server accepts no writes");
  const auto same_key = [&write](const Write& other) { return other.key == write.key; };
  const bool exists = rows_.contains(write.key) ||
                      std::any_of(session.writes.begin(), session.writes.end(), same_key);
  if (write.unique && !write.key.empty() && exists) {
    return failure(WEIR_E_CONSTRAINT, "the key '" + write.key + "' exists");
  }
  Answer answer;
  answer.has_affected = true;
  answer.last_id = ++last_id_;
  if (write.key.empty()) return answer;
  if (session.in_tx) {
    session.writes.push_back(std::move(write));
  } else {
    apply(write, about);
  }
  return answer;
}

void Database::apply(const Write& write, const Record& about) {
  rows_[write.key] = write.value;
  note(about, What::applied, write.key);
}

Answer Database::get(const Session& session, const std::string& key) const {
  Answer answer;
  answer.has_value = true;
  const auto own = std::find_if(session.writes.rbegin(), session.writes.rend(),
                                [&key](const Write& write) { return write.key == key; });
  const auto row = rows_.find(key);
  if (own != session.writes.rend()) {
    answer.value = own->value;
  } else if (row != rows_.end()) {
    answer.value = row->second;
  } else {
    answer.value_is_null = true;
  }
  return answer;
}

Answer Database::show(const Session& session, const Command& command, const Record& about) {
  Answer answer;
  answer.has_value = true;
  const bool all = command.name == "STATE" || command.name == "state";
  bool found = false;
  for (const auto& [name, piece] : session.pieces) {
    if (!all && name != "set " + command.name && name != command.name) continue;
    found = true;
    const bool foreign = piece.owner && piece.owner != command.lease;
    if (foreign) note(about, What::observed, name);
    if (!all) {
      answer.value = piece.value;
    } else {
      answer.value += (answer.value.empty() ? "" : ", ") + name;
    }
  }
  answer.value_is_null = !found && !all;
  return answer;
}

Answer Database::lock(Session& session, const Command& command) {
  const auto held = locks_.find(command.name);
  const bool ours = held != locks_.end() && held->second == session.id;
  if (command.verb == Verb::unlock) {
    if (!ours) return failure(WEIR_E_INVALID_STATE, "the session does not hold this lock");
    locks_.erase(held);
    session.pieces.erase("lock " + command.name);
    return {};
  }
  if (held != locks_.end() && !ours) {
    return failure(WEIR_E_LOCK_TIMEOUT, "another session holds the lock");
  }
  locks_[command.name] = session.id;
  session.pieces["lock " + command.name] = {"", command.lease};
  return {};
}

Answer Database::begin(Session& session, const Command& command) {
  if (session.in_tx) return failure(WEIR_E_INVALID_STATE, "a transaction is open already");
  session.in_tx = true;
  session.tx_owner = command.lease;
  return {};
}

Answer Database::rollback(Session& session) {
  session.in_tx = session.tx_failed = false;
  session.tx_owner = {};
  session.writes.clear();
  return {};
}

Answer Database::commit(Session& session, bool read_only, const Record& about) {
  if (!session.in_tx) return failure(WEIR_E_INVALID_STATE, "no transaction is open");
  const bool failed = session.tx_failed;
  const std::vector<Write> writes = std::exchange(session.writes, {});
  rollback(session);
  if (failed) {
    return failure(WEIR_E_SERIALIZATION, "the transaction had failed and was rolled back");
  }
  if (read_only && !writes.empty()) {
    return failure(WEIR_E_READ_ONLY, "the server accepts no writes: rolled back");
  }
  const auto taken = [this](const Write& write) {
    return write.unique && rows_.contains(write.key);
  };
  if (std::any_of(writes.begin(), writes.end(), taken)) {
    return failure(WEIR_E_SERIALIZATION, "another transaction wrote the same key: rolled back");
  }
  for (const Write& write : writes) apply(write, about);
  return {};
}

void Database::reset(Session& session, std::int32_t level) {
  rollback(session);
  if (level < WEIR_RESET_SESSION) return;
  session.pieces.clear();
  session.lease = {};
  std::erase_if(locks_, [&session](const auto& held) { return held.second == session.id; });
}

void Database::end(Session& session) {
  reset(session, WEIR_RESET_FULL);
  session.id = 0;
}

}  // namespace weir::sim
