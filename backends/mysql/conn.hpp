// SPDX-License-Identifier: MIT
//
// conn.hpp: the host's side of a session, and where the work of a call is done. The other files of
// this folder are the calls: execute, statement, transaction, reset, state.
//
// The client library blocks, and what ends a call of it is the end of its link. Where that can be
// cut (link_socket.hpp), by an abort or by the watchdog at the deadline, the call is made on its
// caller's thread. Else it goes to the crew and back (crew.hpp), so that the caller can leave it
// behind; which costs as much as a small query. Those that make a link or end one always do.
//
// Shape:      Env -> Source -> Conn -> Session (session.hpp), which the jobs share.
// Threads:    [conn] of the ABI: one call at a time. Only `canceller` is touched from elsewhere.
// Lifetime:   made by open, ended by close; abandon leaks it, because the client library cannot
//             free a link without a goodbye to the server.
// Invariants: 1. every call on a conn has exactly one Op, whose end the canceller knows.
//             2. a call leaves at its deadline and at an abort, whatever its job does, and the
//                server is told to end the session. A job on the crew is then alone with it, and
//                the conn is broken.
#pragma once

#include "backends/common/abi.hpp"
#include "backends/mysql/canceller.hpp"
#include "backends/mysql/config.hpp"
#include "backends/mysql/session.hpp"
#include "backends/mysql/watchdog.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace weir::mysql {

using backend::Facts;
using backend::fail;

struct Env {
  weir_host host;
  std::shared_ptr<Crew> crew;
  std::shared_ptr<Watchdog> watchdog;
};

struct Source {
  Env* env;
  std::shared_ptr<const Config> config;
};

struct Conn;

struct Stmt {
  Conn* conn = nullptr;
  std::uint64_t id = 0;  // in Session::statements; not there any more: a reset ended it
  SqlTraits traits;
  std::uint32_t param_count = 0;
};

struct Result {
  Conn* conn = nullptr;
  bool lent = false;    // the host holds it and has not closed it
  bool failed = false;  // only close is left
  std::uint32_t rows_max = 0;
  std::uint32_t bytes_max = 0;
};

// What a job does with the session. Fills the failure and returns its kind, or WEIR_OK. It may
// throw what the client library throws, and Failed.
using Work = std::function<weir_status(Session&, Failure&)>;

struct Conn {
  Conn(Source& from, std::uint64_t conn_tag, Canceller& shared);
  ~Conn();
  Conn(const Conn&) = delete;
  Conn& operator=(const Conn&) = delete;

  // Constant after construction.
  Source& source;
  const weir_host& host;
  const std::uint64_t tag;
  Canceller* const canceller;

  std::shared_ptr<Session> session;  // null: a job that nobody waits for has it; the conn is broken
  bool opening = true;               // it is open()
  bool broken = false;
  Result result;
  std::vector<std::unique_ptr<Stmt>> stmts;  // of the host; ended by stmt_close
  std::vector<std::uint64_t> closed_stmts;   // the next job ends these
  std::uint64_t last_stmt = 0;

  // The call that runs.
  weir_time deadline = WEIR_NO_DEADLINE;
  std::uint8_t stage = WEIR_STAGE_NONE;

  bool in_tx() const noexcept { return session != nullptr && session->in_tx; }
  // Refuses a call before anything was done.
  weir_status refuse(weir_error* error, weir_status kind,
                     std::initializer_list<std::string_view> text) const noexcept;
  // Runs `work`, here or on the crew.
  weir_status perform(Work work, weir_error* error);
  // The same for work that makes or ends the link, which cannot be cut meanwhile.
  weir_status perform_on_crew(Work work, weir_error* error);
  // Time left to the call that runs, and no more than `most`.
  std::chrono::nanoseconds time_left(std::int64_t most) const noexcept;
  void drop_stmts() noexcept;  // a reset ended them; the host still closes the handles

 private:
  weir_status perform_here(const Work& work, weir_error* error);
  weir_status answer(weir_status status, const Failure& failure, weir_error* error);
  weir_status give_up(Facts gone, weir_error* error);
};

inline Conn& conn_of(weir_conn* handle) noexcept { return *reinterpret_cast<Conn*>(handle); }

// One call on a conn. Check status() first: the call may be refused (broken, aborted, too late, a
// cancel of an earlier one not settled in time).
class Op {
 public:
  Op(Conn& conn, const weir_call* call, std::uint8_t stage, weir_error* error) noexcept;
  ~Op();
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;

  weir_status status() const noexcept { return status_; }
  bool finish() noexcept;  // true if a cancel was meant for this operation

 private:
  weir_status await_settled(std::uint8_t stage, weir_error* error) noexcept;

  Conn& conn_;
  weir_status status_;
  bool running_ = false;
};

}  // namespace weir::mysql
