// SPDX-License-Identifier: MIT
//
// gate.hpp: how a call is ended from outside. The gate is what the host knows as the canceller: it
// is there before its conn, shared with it, and outlives it where the host keeps it.
//
// Shape:       one per conn; two owners, host and conn, counted.
// Threads:     start, finish, attach, detach, close: the conn's. All else: any. The mutex is held
// for
//              a few stores and `interrupt`, which must not block; never across I/O or a host call.
// Invariants:  1. cancel(op) acts only while `op` is the running operation, because both look at
//                 op_ under the mutex. What it sets is cleared when that operation ends: no later
//                 operation can be hit, so a cancel is settled when cancel() returns.
//              2. `interrupt` never meets a session that closes: detach takes the mutex.
//              3. finish() tells whether a cancel came. A client library that remembers an
//              interrupt
//                 beyond the operation is the caller's to settle then.
#pragma once

#include <weir/driver.h>

#include <atomic>
#include <mutex>

namespace weir::backend {

class Gate {
 public:
  Gate(const weir_host& host, std::uint64_t conn_tag) noexcept;

  // ---- the conn's side
  void retain() noexcept;
  void attach(void* session, void (*interrupt)(void* session)) noexcept;
  void detach() noexcept;  // before the session is closed
  void close() noexcept;   // the conn is gone: nothing to end any more, the host may be, too
  void start(std::uint64_t op_id) noexcept;
  bool finish() noexcept;  // whether the operation had been cancelled
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  bool aborted() const noexcept { return aborted_.load(std::memory_order_relaxed); }

  // ---- anybody's
  void cancel(std::uint64_t op_id) noexcept;
  void abort() noexcept;
  void release() noexcept;  // either owner's last word

 private:
  ~Gate() = default;

  // Constant after construction.
  const weir_host host_;
  const std::uint64_t conn_tag_;

  std::mutex mutex_;

  // Guarded by mutex_.
  void* session_ = nullptr;
  void (*interrupt_)(void*) = nullptr;
  std::uint64_t op_ = 0;  // 0: none runs
  bool closed_ = false;

  // Written under mutex_, read by the running call without it: relaxed, because they guard no other
  // data.
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> aborted_{false};
  std::atomic<int> owners_{1};  // the host, who made it
};

}  // namespace weir::backend
