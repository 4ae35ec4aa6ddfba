// SPDX-License-Identifier: MIT
//
// conn.hpp: one session with a PostgreSQL server, and what one call on it needs. The other files of
// this folder are the calls: open, execute, many, statement, transaction, reset, state.
//
// Shape:      Env -> Source -> Conn -> {Stmt list, at most one open Result}.
// Threads:    [conn] of the ABI: one call at a time. Only `gate` is touched from elsewhere.
// Waiting:    libpq is used without blocking; every wait is weir_host.wait, in talk.cpp.
// Lifetime:   made by open, ended by close; abandon frees it without a byte to the server.
// Invariants: 1. every call on a conn has exactly one Op, whose end the gate knows.
//             2. `unsettled`: the server still works on, or has sent answers to, a statement that
//                nobody waits for any more. The next Op first settles it (cancel passed on, answers
//                read to their end), so a cancel can hit no later statement.
//                `cancel_again` is set while what runs was called off and has not ended: between
//                two calls only if `unsettled`.
//             3. what a batch or a column array points to lives in `batch_bytes` / `column_bytes`
//                and is cleared by the next call that makes another one.
#pragma once

#include "backends/common/abi.hpp"
#include "backends/common/arena.hpp"
#include "backends/common/gate.hpp"
#include "backends/postgres/cancel_request.hpp"
#include "backends/postgres/config.hpp"
#include "backends/postgres/params.hpp"
#include "backends/postgres/resolve.hpp"
#include "backends/postgres/scan.hpp"

#include <cstdint>
#include <libpq-fe.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weir::postgres {

using backend::Facts;
using backend::fail;
using backend::Gate;

struct Conn;

struct Env {
  weir_host host;
  Resolver resolver;
};

struct Source {
  Env* env;
  Config config;
};

struct ClearAnswer {
  void operator()(PGresult* answer) const noexcept { PQclear(answer); }
};
using Answer = std::unique_ptr<PGresult, ClearAnswer>;

// A prepared statement. It survives a reset of the session: it is prepared again when it is used.
struct Stmt {
  Conn* conn = nullptr;
  std::string sql;
  std::string name;  // on the server
  Scan traits;
  std::vector<Oid> inferred;  // what the server makes of each parameter when it is told nothing
  std::vector<Oid> declared;  // what it was told when it was last prepared; 0: nothing
  std::uint64_t epoch = 0;    // of the conn when it was prepared; another one: it is gone
  bool ended = false;         // by a full reset
  Stmt* next = nullptr;       // list of the conn
  Stmt* previous = nullptr;
};

struct Result {
  Conn* conn = nullptr;
  bool lent = false;     // the host holds it and has not closed it
  bool running = false;  // the server has not said its end
  bool failed = false;   // only close is left
  bool only_reads = false;
  std::uint32_t rows_max = 0;  // of a batch
  std::uint32_t bytes_max = 0;
};

// How a wait for the server ended.
enum class Waited : std::uint8_t { ready, timeout, cancelled, aborted, lost };

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
  PGconn* pg = nullptr;
  std::optional<CancelKey> cancel_key;
  PeerAddress peer;
  CancelRequest cancel_request;
  Stmt* stmts = nullptr;
  Result result;
  std::uint64_t epoch = 1;            // counts what ends prepared statements
  std::uint64_t statements_made = 0;  // for names

  // What is known about it.
  bool broken = false;
  bool unsettled = false;
  bool dirty = false;
  bool maybe_dirty = false;  // something ran that may have changed the session without a trace
  bool used = false;         // since open or the last full clean-up
  bool native_out = false;
  // As settings were when they last may have changed. Told late, with the next error or ping: one
  // that an administrator sets for all sessions, and one that is set in a trigger.
  bool reads_only = false;
  bool leave_gate = false;           // abandoned
  bool tx_doomed = false;            // a statement in it was given up: only a rollback makes sense
  weir_status tx_failure = WEIR_OK;  // the kind of the error that made the transaction fail

  // The call that runs.
  bool opening = true;  // it is open()
  weir_time deadline = WEIR_NO_DEADLINE;
  weir_time cancel_again = WEIR_NO_DEADLINE;  // when; none: what runs was not called off
  std::uint8_t stage = WEIR_STAGE_NONE;
  bool in_tx_before = false;
  bool may_commit = false;          // it, or the statement in it, may end the transaction so
  bool cancel_seen = false;         // a cancel of this call was passed on
  bool statement_is_stale = false;  // its last error says so of a prepared one
  bool may_set = true;              // what ran may have changed settings, or will with its end

  // What is lent to the host, and to libpq; reused, so that a repeated query allocates little here.
  backend::Arena batch_bytes;
  backend::Arena column_bytes;
  std::vector<weir_cell> cells;
  std::vector<weir_column> columns;  // of the last result that had any
  std::vector<Oid> column_types;     // theirs
  bool described = false;            // they are those of the statement that runs
  Params params;
  std::string sql;      // terminated copy of the text that is sent
  std::string scratch;  // a blob while it is read

  bool in_tx() const noexcept;
  bool tx_failed() const noexcept;
  void forget_tx() noexcept;  // what is noted of one that is over
  bool plain_strings() const noexcept;
  bool is_read_only() const noexcept;  // as the server says; dear: libpq looks through a list
  void note_settings() noexcept;       // after a call: looks if they may have changed
  std::uint8_t tx_fate() const noexcept;

  // Refuses a call before anything was done.
  weir_status refuse(weir_error* error, weir_status kind,
                     std::initializer_list<std::string_view> text) const noexcept;
  // Reports an error that the server answered to the running call.
  weir_status report(weir_error* error, const PGresult* answer);
  // Reports a wait that did not end with an answer. What runs is given up, or the conn is.
  weir_status give_up(Waited why, weir_error* error);
  // Reports a conn that was found dead. `effect`: NOT_SENT if nothing left since.
  weir_status lost(std::uint8_t effect, weir_error* error);

  // ---- talk.cpp: the conversation with the server
  Waited wait_on(int fd, std::uint32_t events, weir_time until);
  // Waits for the session's socket, and reads. A cancel is passed on meanwhile.
  Waited wait_for_server(std::uint32_t events);
  Waited flush();
  // The next answer to what runs; null when all has been said.
  Waited next(Answer& answer);
  // Reads answers to their end. The last one that is an error or has a tag goes to *last.
  Waited finish(Answer* last);
  Waited drop_copy();  // of a COPY TO STDOUT
  // Sends one of the driver's own statements by the simple protocol and reads to its end.
  weir_status run(const char* text, Answer* answer, weir_error* error);
  // Looks at the socket without waiting; false if the server is gone.
  bool hear();
  void tell_notifications();

  // ---- settle.cpp
  bool begin_cancel() noexcept;
  Waited drive_cancel();
  Waited settle();
  // Reads what is left of a pipeline, up to its synchronisation point.
  Waited finish_pipeline();
  // Drops the rest of the open result, if there is one.
  Waited finish_result();
};

inline Conn& conn_of(weir_conn* handle) noexcept { return *reinterpret_cast<Conn*>(handle); }

// conn.cpp: what the server says unasked: warnings, the last words of a server that shuts down. A
// notice receiver of libpq; `context` is the Conn.
void on_notice(void* context, const PGresult* notice) noexcept;

// One call on a conn. Check status() first: the call may be refused (broken, aborted, too late).
class Op {
 public:
  Op(Conn& conn, const weir_call* call, std::uint8_t stage, weir_error* error) noexcept;
  ~Op();
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;

  weir_status status() const noexcept { return status_; }

 private:
  Conn& conn_;
  weir_status status_;
  bool running_ = false;
};

// open.cpp: connects conn.pg and sets the session up.
weir_status connect(Conn& conn, weir_error* error);
// What has to be so in every session and may not be so by default; after open and each reset.
weir_status set_up(Conn& conn, weir_error* error);
// Whether the server is of the kind that the configuration wants. OK with *fits, or an error.
weir_status check_target(Conn& conn, Target wanted, bool& fits, weir_error* error);

// statement.cpp
void end_statements(Conn& conn) noexcept;  // all Stmts of the conn become invalid
// Sees to it that the server has `stmt`, with parameters declared as `params` want it.
weir_status make_ready(Conn& conn, Stmt& stmt, const weir_cell* params, std::uint32_t count,
                       weir_error* error);
bool is_ready(const Conn& conn, const Stmt& stmt, const weir_cell* params, std::uint32_t count);

}  // namespace weir::postgres
