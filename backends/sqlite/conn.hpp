// SPDX-License-Identifier: MIT
//
// conn.hpp: one session with a SQLite database, and what one call on it needs. The other files of
// this folder are the calls: open, execute, statement, transaction, reset, state.
//
// Shape:      Env -> Source -> Conn -> {Stmt list, at most one open Result}. A conn keeps its
//             identity while reset() replaces the handle underneath (`db`).
// Threads:    [conn] of the ABI: one call at a time. Only `gate` is touched from elsewhere.
// Lifetime:   made by open, ended by close; abandon leaks it, because in a forked child even
//             sqlite3_close would drop the locks of the parent.
// Invariants: 1. every call on a conn has exactly one Op, whose end the gate knows.
//             2. between two calls no SQLite statement is active but that of the open result.
//             3. what a batch or a column array points to lives in `batch_bytes` / `column_bytes`
//                and is cleared by the next call that makes one.
//             4. `described` has a compiled handle: who ends a Stmt's handle takes it out there.
#pragma once

#include "backends/common/abi.hpp"
#include "backends/common/arena.hpp"
#include "backends/common/gate.hpp"
#include "backends/sqlite/config.hpp"
#include "backends/sqlite/pragmas.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <sqlite3.h>

namespace weir::sqlite {

using backend::Facts;
using backend::fail;
using backend::Gate;

struct Conn;

struct Env {
  weir_host host;
};

struct Source {
  Env* env;
  Config config;
};

// What the authorizer saw while a statement was compiled.
struct StmtTraits {
  bool changes_rows = false;  // INSERT, UPDATE, DELETE of the caller, no trigger, no DDL
  bool inserts = false;
  bool upserts = false;       // updates rows of the table it inserts into
  bool generates_id = false;  // inserts into a table with a rowid, and updates none
  bool ends_tx = false;       // ROLLBACK
  bool commits = false;       // COMMIT, END; RELEASE, which does if its savepoint began it all
  bool attaches = false;      // ATTACH; of VACUUM INTO it is seen when that runs
};

struct Stmt {
  Conn* conn = nullptr;
  sqlite3_stmt* handle = nullptr;  // null: a reset ended it
  StmtTraits traits;
  Stmt* next = nullptr;  // list of the conn
  Stmt* previous = nullptr;
};

struct Result {
  Conn* conn = nullptr;
  sqlite3_stmt* handle = nullptr;  // null: none is open
  Stmt* owner = nullptr;           // null: the handle is the result's own
  bool lent = false;               // the host holds it and has not closed it
  bool failed = false;             // only close is left
  std::uint32_t rows_max = 0;      // of a batch
  std::uint32_t bytes_max = 0;
};

// Statements that the driver itself runs often; compiled once per handle.
enum class Own : std::uint8_t { begin, begin_immediate, commit, rollback, schema_version, count };

struct Conn {
  Conn(Source& from, std::uint64_t conn_tag, Gate& shared);
  ~Conn();
  Conn(const Conn&) = delete;
  Conn& operator=(const Conn&) = delete;

  // Constant after construction.
  Source& source;
  const weir_host& host;
  const std::uint64_t tag;
  Gate* const gate;

  // The session.
  sqlite3* db = nullptr;
  sqlite3_stmt* own[static_cast<std::size_t>(Own::count)] = {};
  std::int64_t busy_timeout_ns = 0;  // as configured, or as PRAGMA busy_timeout says since
  std::int64_t changes_at_start = 0;
  std::vector<std::string> pragma_values;  // in memory only: as after open, to restore
  Stmt* stmts = nullptr;
  Result result;
  // The INSERT of an insert_many, compiled once for its chunks; it ends with the transaction.
  Stmt insert;
  std::string insert_sql;

  // What is known about it.
  bool broken = false;
  bool read_only = false;
  bool dirty = false;
  bool native_out = false;
  bool tx_failed = false;      // SERIALIZATION was answered: only ROLLBACK helps
  bool tx_lost = false;        // SQLite rolled back by itself, and nobody called rollback since
  bool tx_query_only = false;  // begin() set PRAGMA query_only
  PragmaSet pragmas_touched;

  // The call that runs.
  bool opening = true;  // it is open()
  weir_time deadline = WEIR_NO_DEADLINE;
  weir_time busy_since = 0;
  std::uint8_t stage = WEIR_STAGE_NONE;
  bool in_tx_before = false;
  bool may_commit = false;         // the statement that runs
  bool attaches = false;           // likewise: what cannot be opened or read may be another file
  bool rehearsing = false;         // the text may yet be refused: no pragma may act
  bool pragma_held = false;        // one wanted to
  bool deadline_met = false;       // a handler ended the call for its deadline
  bool asked_to_wait = false;      // the busy handler was called
  bool internal = false;           // the driver's own SQL: the authorizer looks away
  bool busy_handler_gone = false;  // PRAGMA busy_timeout replaced it
  const char* denied = nullptr;    // the authorizer's reason, constant text
  StmtTraits seen;                 // by the authorizer, since the last prepare
  bool ddl_seen = false;           // likewise
  std::string insert_table;
  std::string insert_schema;

  // What is lent to the host; reused, so that a repeated query allocates nothing here.
  backend::Arena batch_bytes;
  backend::Arena column_bytes;
  backend::Arena param_bytes;
  std::vector<weir_cell> cells;
  std::vector<weir_column> columns;
  const Stmt* described = nullptr;  // whose columns these are; null: of no prepared statement
  int described_compiled = 0;       // how often that had been compiled anew
  std::string sql;                  // terminated copy of the text that is compiled

  bool in_tx() const noexcept { return db != nullptr && sqlite3_get_autocommit(db) == 0; }
  std::uint8_t tx_fate() const noexcept;

  // Refuses a call before anything was done.
  weir_status refuse(weir_error* error, weir_status kind,
                     std::initializer_list<std::string_view> text) const noexcept;
  // The call was cancelled when its work was done, but its result cannot be kept.
  weir_status refuse_cancelled(weir_error* error) const noexcept;
  // Reports SQLite's answer `code` to the running call, in the words of the ABI.
  weir_status report(weir_error* error, int code, std::string_view context = {}) noexcept;

  // Runs one of the driver's own statements to its end; returns SQLite's code.
  int run_own(Own which) noexcept;
  // Compiles and runs SQL of the driver; the first column of the last row goes to *value.
  int run(const char* text, std::string* value = nullptr);

  // Ends statements and results, keeps the conn. `db` is null afterwards.
  void close_handle() noexcept;
  void finish_result() noexcept;
  void end_insert() noexcept;
};

inline Conn& conn_of(weir_conn* handle) noexcept { return *reinterpret_cast<Conn*>(handle); }

// One call on a conn. Check status() first: the call may be refused (broken, aborted, too late).
class Op {
 public:
  Op(Conn& conn, const weir_call* call, std::uint8_t stage, weir_error* error) noexcept;
  ~Op();
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;

  weir_status status() const noexcept { return status_; }
  // Ends the operation for cancel(). True if a cancel hit it: with a result open, the result has to
  // be given up, or SQLite would apply the interrupt to the next fetch.
  bool finish() noexcept;

 private:
  Conn& conn_;
  weir_status status_;
  bool running_ = false;
};

// hooks.cpp: makes `db` wait in the host, stop when told to, and tell what it compiles.
void install_hooks(Conn& conn) noexcept;
void install_busy_handler(Conn& conn) noexcept;

// open.cpp: opens and sets up conn.db. `again`: for a reset, which never creates a file.
weir_status connect(Conn& conn, bool again, weir_error* error);
// From here on cancel and abort interrupt conn.db.
void attach_gate(Conn& conn) noexcept;
// Whether the path leads elsewhere now: what is written would vanish with the handle.
bool file_moved(Conn& conn) noexcept;

// execute.cpp: execute_many within a call. Fills `done` on failure, too.
weir_status run_many(Conn& conn, const weir_many_args& args, weir_many_out& done,
                     weir_error* error);

// statement.cpp: compiles exactly one statement into *handle, traits in conn.seen.
weir_status compile(Conn& conn, std::string_view sql, unsigned flags, sqlite3_stmt** handle,
                    weir_error* error);
void end_statements(Conn& conn) noexcept;  // all Stmts of the conn become invalid
bool has_rowid(Conn& conn);                // the table in conn.insert_table

// transaction.cpp: PRAGMA query_only of a read-only transaction that is over.
void undo_query_only(Conn& conn) noexcept;

}  // namespace weir::sqlite
