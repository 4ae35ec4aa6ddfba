// SPDX-License-Identifier: MIT
//
// session.hpp: what a session of a simulated server remembers, what all of them share, and what one
// statement does to both.
//
// Called by: the server, at the moment when a statement has its effect. Owned by the server.
// Threads: one at a time; pure but for the ledger.
// Invariants: 1. Every piece of a session's state has the lease that made it, so that whoever meets
//                it later can be told whose it is. Nobody's (the pool's own set-up) is baseline.
//             2. The writes of a transaction are in the store after its commit or never.
#pragma once

#include "sim/server/language.hpp"
#include "sim/server/ledger.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace weir::sim {

// What the client is told.
struct Answer {
  weir_status status = WEIR_OK;
  std::uint8_t stage = WEIR_STAGE_NONE;
  std::uint8_t conn_fate = WEIR_CONN_USABLE;
  std::uint8_t effect = WEIR_EFFECT_DEFINITE;
  bool has_value = false;
  bool value_is_null = false;
  bool has_affected = false;
  std::int64_t last_id = 0;
  std::string value;
  std::string text;
};

struct Write {
  std::string key;
  std::string value;
  bool unique = true;
};

struct Piece {
  std::string value;
  LeaseMark owner;
};

struct Session {
  std::uint64_t id = 0;
  LeaseMark lease;                      // who ran a statement last
  std::map<std::string, Piece> pieces;  // "set x", "temp t", "lock l", "role", "listen c", "dirty"
  bool in_tx = false;
  bool tx_failed = false;
  LeaseMark tx_owner;
  std::vector<Write> writes;  // of the open transaction

  [[nodiscard]] std::uint32_t flags() const noexcept;  // WEIR_STATE_*
};

class Database {
 public:
  explicit Database(Ledger& ledger) noexcept : ledger_(ledger) {}

  // `about` says when, on which link and for which request; records are made from it.
  Answer run(Session& session, const Command& command, bool read_only, const Record& about);
  Answer begin(Session& session, const Command& command);
  Answer commit(Session& session, bool read_only, const Record& about);
  Answer rollback(Session& session);
  void reset(Session& session, std::int32_t level);  // WEIR_RESET_*
  void end(Session& session);

  // The lease of a statement meets what is left of others.
  void hand_over(Session& session, const LeaseMark& lease, const Record& about);

  [[nodiscard]] const std::map<std::string, std::string>& rows() const noexcept { return rows_; }

 private:
  Answer write(Session& session, Write write, bool read_only, const Record& about);
  Answer get(const Session& session, const std::string& key) const;
  Answer show(const Session& session, const Command& command, const Record& about);
  Answer lock(Session& session, const Command& command);
  void apply(const Write& write, const Record& about);
  void note(const Record& about, What what, const std::string& text);

  Ledger& ledger_;
  std::map<std::string, std::string> rows_;
  std::map<std::string, std::uint64_t> locks_;  // name -> session
  std::int64_t last_id_ = 0;
};

// The server refuses, and says so.
Answer failure(weir_status kind, std::string text);

}  // namespace weir::sim
