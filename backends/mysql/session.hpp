// SPDX-License-Identifier: MIT
//
// session.hpp: one session with the server: the objects of the client library, what is known about
// the session, and what is lent to the host. The library hides the server's own flags, so this
// tracks them: by what statements say (sql.hpp), and by asking where that is not enough.
//
// Shape:      Conn (conn.hpp) -> Session, by shared pointer, because a job that nobody waits for
//             any more goes on with it. Then the conn has let go of it and is broken.
// Threads:    the crew's or the caller's (conn.hpp), one job at a time; between two jobs the conn
//             reads it.
// Invariants: 1. the client library is called on threads that it knows: enter_library().
//             2. between two jobs nothing is left unread on the link but further result sets of the
//                open result: results are fetched whole, see execute.cpp.
//             3. what a batch or a column array points to lives here until the next job.
#pragma once

#include "backends/common/arena.hpp"
#include "backends/mysql/canceller.hpp"
#include "backends/mysql/link.hpp"
#include "backends/mysql/sql.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace weir::mysql {

// A parameter with bytes of its own: the host's are gone when the call returns, and the job may
// still be at work.
struct Param {
  weir_cell cell{};
  std::string bytes;
};

// How a column's values are read.
enum class Reading : std::uint8_t {
  signed_integer,
  unsigned_integer,
  real,
  exact,  // the bytes as they are
  date,   // the next three: as text, made the same for both protocols
  time,
  timestamp,
  nothing,
};

struct ColumnPlan {
  Reading reading = Reading::exact;
  std::uint16_t type = WEIR_T_OTHER;
  unsigned scale = 0;  // digits of a fraction of a second
};

// A statement that stays prepared.
struct Prepared {
  std::string sql;
  std::unique_ptr<sql::PreparedStatement> made;  // null: to be made before it runs
  std::vector<bool> was_unsigned;                // the parameters (values.hpp); empty: none
};

struct OpenResult {
  std::unique_ptr<sql::Statement> statement;     // null: a prepared one
  std::unique_ptr<sql::PreparedStatement> once;  // prepared for this execution only
  sql::PreparedStatement* prepared = nullptr;
  std::unique_ptr<sql::ResultSet> rows;
  std::vector<ColumnPlan> plan;
};

class Session {
 public:
  Session(std::shared_ptr<const Config> config, Canceller& canceller);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // ---- connect.cpp
  // Makes a new link, instead of the one there is. Throws Failed.
  void connect(std::chrono::nanoseconds patience);
  void shut() noexcept;  // says goodbye to the server; the session is of no more use

  // ---- tracking (session.cpp)
  void start_work() noexcept;  // no statement of this call has run yet
  void before(const SqlTraits& traits) noexcept;
  void before_execution(const SqlTraits& traits) noexcept;  // it could be prepared
  void after(const SqlTraits& traits);
  // The failure of a call in progress; finds out what became of link and transaction.
  Failure explain(const sql::SQLException& e, std::uint8_t stage);
  std::uint8_t tx_fate() const noexcept;
  void roll_back();
  void end_result();

  // Constant after construction.
  const std::shared_ptr<const Config> config;
  Canceller& canceller;

  // The library's.
  std::unique_ptr<sql::Connection> link;
  std::map<std::uint64_t, Prepared> statements;  // by Stmt::id
  OpenResult result;

  // The session, as the server knows it.
  SessionName name;
  bool mariadb = false;
  std::uint64_t max_packet = 0;

  // What is known about it. The mode holds for a clean session.
  SqlMode mode;
  bool broken = false;
  bool in_tx = false;
  bool autocommit_off = false;
  bool chained = false;    // a commit begins another one, by the completion_type it opened with
  bool read_only = false;  // begin(READ_ONLY) opened the transaction
  bool tx_lost = false;    // the server rolled back by itself, and nobody called rollback since
  // Something for the next transaction may be pending, or one may be open unseen: see ask_in_tx().
  bool needs_rollback = false;
  bool dirty = false;
  bool dirty_before = false;   // the call that runs: if it should not parse
  bool unsure = false;         // the call that runs: may open or end a transaction, and yet fail
  bool commits_first = false;  // the call that runs: commits what is open, and may fail then
  bool touched = false;        // something ran since open or reset

  // The call that runs. Written by the host's thread before the job begins, which only reads them,
  // as the call does that leaves the job behind.
  bool in_tx_before = false;  // a transaction was open
  bool may_commit = false;    // it, or a statement in it, may have ended that one with a commit

  // What the last job answered; lent to the host.
  backend::Arena batch_bytes;
  backend::Arena column_bytes;
  std::vector<weir_cell> cells;
  std::vector<weir_column> columns;
  bool ended = true;  // no rows follow
  bool has_affected = false;
  std::uint64_t affected = 0;
  std::uint64_t rows_done = 0;
  std::uint32_t param_count = 0;

 private:
  bool ask_in_tx();  // and about autocommit; without it, a transaction counts as open
  bool chains();     // whether a COMMIT that does not say so begins another transaction
  bool in_tx_after(bool undone, weir_status kind, int code);
};

}  // namespace weir::mysql
