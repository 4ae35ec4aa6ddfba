// SPDX-License-Identifier: MIT
//
// canceller.hpp: how a call is ended from outside. It is there before its conn, shared with it and
// with the jobs that do its work, and outlives them where the host keeps it.
//
// A cancel is KILL QUERY on a side link. The server knows sessions and not statements, so the kill
// is fenced: it is sent only while the operation that it is meant for runs, and the conn starts no
// other one before every kill has been answered. It is sent again until the operation ends, since
// one that comes before the server began with the statement does nothing.
//
// An abort cuts the link itself, where its socket is known (link_socket.hpp), and the watchdog does
// at a deadline. Else the call is left alone with the session, which the server is told to end.
//
// Threads:    start, finish, close, can_cut: the conn's, one call at a time. attach, detach,
//             work_ended, calm: where its work runs. cut, cancel, abort, release: any. The mutex is
//             never held across I/O or a host call.
// Invariants: 1. kills_ > 0 while a kill may be on its way: then the conn is not settled.
//             2. after close() the host is not called any more.
#pragma once

#include "backends/mysql/crew.hpp"
#include "backends/mysql/link.hpp"
#include "backends/mysql/link_socket.hpp"

#include <weir/driver.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace weir::mysql {

class Canceller {
 public:
  Canceller(const weir_host& host, std::shared_ptr<Crew> crew, std::shared_ptr<const Config> config,
            std::uint64_t conn_tag);

  // ---- the conn's side
  void retain() noexcept;
  void start(std::uint64_t op_id) noexcept;
  bool finish() noexcept;  // whether the operation had been cancelled
  bool settled() const noexcept { return kills_.load(std::memory_order_acquire) == 0; }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  bool aborted() const noexcept { return aborted_.load(std::memory_order_relaxed); }
  // Whether cut() ends a call that blocks in the client library. Not to be asked while work runs.
  bool can_cut() const noexcept { return static_cast<bool>(socket_); }
  void close() noexcept;
  // Ends the session on the server, whatever it does, and the call that blocks here; nobody waits
  // for it.
  void kill_session() noexcept;

  // ---- the work's
  void attach(SessionName name, LinkSocket socket);
  void detach() noexcept;      // the link is gone
  void work_ended() noexcept;  // the server has answered: there is nothing left to kill
  // Likewise, and waits for a kill that is on its way, before the server is asked for more. Not
  // once the link is of no more use.
  void calm() noexcept;

  // ---- the conn's side, and the watchdog's
  void cut() noexcept;  // the link is of no more use: ends it, if its socket is known

  // ---- anybody's
  weir_status cancel(std::uint64_t op_id, const weir_call& call, weir_error* error);
  void abort() noexcept;
  void release() noexcept;  // each owner's last word

 private:
  ~Canceller() = default;
  void cut_locked() noexcept;
  void kill_until_over(std::uint64_t op_id) noexcept;
  void repeat_kill(std::uint64_t op_id);
  void settle() noexcept;

  // Constant after construction.
  const weir_host host_;
  const std::shared_ptr<Crew> crew_;
  const std::shared_ptr<const Config> config_;
  const std::uint64_t conn_tag_;

  std::mutex mutex_;
  std::condition_variable changed_;

  // Guarded by mutex_.
  SessionName name_;
  LinkSocket socket_;
  std::uint64_t op_ = 0;  // 0: none runs
  bool works_ = false;    // the server may still be busy with op_
  bool cut_ = false;
  bool closed_ = false;
  bool calling_host_ = false;
  Failure failure_;  // of the last kill; facts.kind WEIR_OK if it went well

  // Written under mutex_, read by the running call without it.
  std::atomic<int> kills_{0};
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> aborted_{false};
  std::atomic<int> owners_{1};  // the host, who made it
};

}  // namespace weir::mysql
