// SPDX-License-Identifier: MIT
//
// session.hpp: one session with the pretended server, and what one call on it needs.
//
// Shape:      Env -> Source (with its Script) -> Conn -> {Stmt list, at most one open Result}.
// Threads:    [conn] of the ABI: one call at a time. Only `gate` is touched from elsewhere.
// Invariants: all waiting is in pause(), hang() and, with a simulated server, await(). They wait in
//             the host only; so virtual time works, and each looks at cancel, abort and deadline.
#pragma once

#include "backends/common/arena.hpp"
#include "backends/common/gate.hpp"
#include "backends/mock/language.hpp"
#include "backends/mock/remote.hpp"
#include "backends/mock/script.hpp"

#include <list>
#include <vector>

namespace weir::mock {

using backend::Facts;
using backend::fail;
using backend::Gate;

struct Env {
  weir_host host;
};

struct Source {
  Env* env = nullptr;
  Script script;
  Remote remote;  // takes over from the script, if it is there
};

struct Conn;

struct Stmt {
  Conn* conn = nullptr;
  Statement statement;
  bool gone = false;  // a reset ended it
};

struct Result {
  Conn* conn = nullptr;
  std::int64_t next = 0;  // row to come
  std::int64_t last = 0;
  std::uint32_t rows_max = 0;  // of a batch
  bool lent = false;           // the host holds it and has not closed it
  bool failed = false;
};

struct Conn {
  Conn(Source& from, std::uint64_t conn_tag, Gate& shared);
  ~Conn();
  Conn(const Conn&) = delete;
  Conn& operator=(const Conn&) = delete;

  // Constant after construction.
  Source& source;
  const weir_host& host;
  const std::uint64_t tag;
  Gate& gate;

  // The session.
  std::uint64_t id = 0;  // 0: the server has not let it in
  bool broken = false;
  bool leave_gate = false;  // abandoned: its lock may be held for ever
  bool dirty = false;
  bool in_tx = false;
  bool tx_failed = false;
  bool read_only = false;  // by a simulated server's word
  std::uint64_t link = 0;  // to a simulated server; 0: none
  weir_sim_reply reply{};  // its last one
  Result result;
  std::list<Stmt> stmts;

  // The call that runs.
  bool opening = true;
  bool in_tx_before = false;
  std::uint8_t stage = WEIR_STAGE_NONE;
  std::uint64_t op_id = 0;
  weir_time deadline = WEIR_NO_DEADLINE;

  // What is lent to the host.
  std::vector<weir_cell> cells;
  std::vector<weir_column> columns;
  backend::Arena bytes;         // of cells, until the next batch
  backend::Arena column_bytes;  // until the result ends

  std::uint8_t tx_fate() const noexcept;
  Facts facts(weir_status kind, std::uint8_t effect) const noexcept;
  // Refuses a call before anything was done.
  weir_status refuse(weir_error* error, weir_status kind, std::string_view text) const noexcept;
  // The server answers with a failure of this kind.
  weir_status answer(weir_error* error, weir_status kind) noexcept;

  // What the script or the simulated server has for this call: waits, hangs, fails. `level` is a
  // reset's.
  weir_status act(Act which, weir_error* error, std::int32_t level = 0) noexcept;
  weir_status pause(std::int64_t ns, weir_error* error) noexcept;
  weir_status hang(weir_error* error) noexcept;

  // remote.cpp: with a simulated server.
  weir_status dial(weir_error* error) noexcept;
  weir_status ask(weir_sim_request request, weir_error* error) noexcept;
  void hang_up() noexcept;

 private:
  weir_status stopped(weir_error* error, weir_status kind, std::string_view text) noexcept;
  weir_status await(weir_error* error) noexcept;
  weir_status take_reply(weir_error* error) noexcept;
  weir_status leave(weir_error* error, weir_status kind, std::string_view text) noexcept;
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

 private:
  Conn& conn_;
  weir_status status_;
};

// execute.cpp: slots of the table.
weir_status execute(weir_conn*, const weir_call*, const weir_exec_args*, weir_exec_out*,
                    weir_result**, weir_batch*, weir_error*);
weir_status fetch(weir_result*, const weir_call*, weir_batch*, weir_error*);
void result_close(weir_result*, const weir_call*);
weir_status execute_many(weir_conn*, const weir_call*, const weir_many_args*, weir_many_out*,
                         weir_error*);
weir_status prepare(weir_conn*, const weir_call*, weir_text, weir_stmt**, weir_prepare_out*,
                    weir_error*);
void stmt_close(weir_stmt*, const weir_call*);
weir_status begin(weir_conn*, const weir_call*, const weir_begin_args*, weir_error*);
weir_status commit(weir_conn*, const weir_call*, weir_error*);
weir_status rollback(weir_conn*, const weir_call*, weir_error*);

}  // namespace weir::mock
