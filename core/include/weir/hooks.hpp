// SPDX-License-Identifier: MIT
//
// Hooks: a host's functions that a pool tells what happens to it. Given to PoolsBuilder::hooks,
// before the pool exists, for the pool's life; those that are empty cost a test of a pointer.
//
// Each takes plain data, whose texts are borrowed for the call.
//
// Threads: those named below. Several may run at once, the same one included; what one thread tells
//   comes in order. Under no lock of Weir: a hook may use the pool. What it does there is told to
//   it, too, so let it know its own by LeaseInfo::tag.
// Blocks:  whom is named below; nobody else.
// Throws:  an exception is swallowed, and logged as a warning the first time for each hook; one of
//   on_create refuses the connection.
// Destroying the Pools in a hook is allowed if nobody else uses them then: they are closed at once,
//   after 6 s at most, and before that drain_timeout if a lease of acquire() is out, this thread's
//   own, too; and the pool ends when the hook has returned.
// Lifetime: once drain() or the destructor of Pools has returned no hook is begun any more, whoever
//   gives a lease back then.
#pragma once

#include <weir/connection.hpp>
#include <weir/middleware.hpp>
#include <weir/stats.hpp>

namespace weir {

struct CreateEvent {
  std::string_view pool;
  std::uint64_t connection = 0;  // counts up in the pool; never used again
  std::uint32_t slot = 0;        // LeaseInfo::slot; used again for another connection
  bool after_reset = false;      // the connection is not new: its session was reset
};

struct DestroyEvent {
  std::string_view pool;
  std::uint64_t connection = 0;
  std::uint32_t slot = 0;
  CloseReason reason{};
  PoolCounts now;
};

struct AcquireEvent {
  std::string_view pool;
  LeaseInfo lease;
  Duration waited{};  // zero if it was lent at once
};

struct ReleaseEvent {
  std::string_view pool;
  LeaseInfo lease;
  Duration held{};
};

struct WaitEvent {
  std::string_view pool;
  std::string_view tag;
  CallSite site;
  PoolCounts now;
};

struct TimeoutEvent {
  std::string_view pool;
  std::string_view tag;
  CallSite site;
  const Error& error;  // what the caller gets: error.acquire() has the report
};

struct QueryEvent {
  std::string_view pool;
  LeaseInfo lease;
  CallKind kind{};
  std::string_view sql;  // as it was sent; empty for begin, commit and rollback
  CallSite site;
  CallDone done;                 // `took` in any case, the rest if it succeeded
  const Error* error = nullptr;  // null if it succeeded
};

// What the server says unasked.
struct NoticeEvent {
  std::string_view pool;
  std::uint32_t slot = 0;
  std::string_view name;  // SQLSTATE, or the name of a parameter
  std::string_view text;
};

// LISTEN / NOTIFY.
struct NotifyEvent {
  std::string_view pool;
  std::uint32_t slot = 0;
  std::string_view channel;
  std::string_view payload;
};

struct Hooks {
  // A new connection, after init_sql: may set up its session, and refuse it with an error. Then the
  // attempt has failed as with init_sql, which counts, is logged, and is retried with backoff. Its
  // deadline is that of the attempt (create_timeout), and its statements keep it. Runs again after
  // each reset, which takes away what it had set: a counter skips those by after_reset. Refused,
  // too, is a session that it leaves in a transaction or with an open result. The Connection is
  // good until it returns. A thread of the pool; blocks this connection.
  std::function<Result<void>(Connection&, const CreateEvent&)> on_create = {};
  // A connection that on_create has accepted was closed; once for each, so that the two make a
  // gauge. That includes one that was given up while on_create ran, or that it left in a
  // transaction. Not told of attempts that never got so far. The thread that closed it, one of the
  // pool's.
  std::function<void(const DestroyEvent&)> on_destroy = {};

  // A lease begins, or has ended; as many as PoolStats::leases and returned. The thread of
  // acquire() or of the release; blocks that call. When on_release runs the connection is back
  // already, and may be in other hands.
  std::function<void(const AcquireEvent&)> on_acquire = {};
  std::function<void(const ReleaseEvent&)> on_release = {};
  // A caller begins to wait in the queue. Its thread; blocks it, and a connection that is handed to
  // it meanwhile. An acquire of the same pool in it waits behind the one it tells of.
  std::function<void(const WaitEvent&)> on_wait = {};
  // A wait ended with acquire_timeout; as many as PoolStats::timeouts, less those of waits without
  // a thread (weir/async.hpp) whose answer nobody takes. The thread of acquire(), or the one that
  // takes the answer; blocks that call.
  std::function<void(const TimeoutEvent&)> on_timeout = {};

  // A call was made to the database, after all middleware: what was vetoed is not told. The thread
  // of the call; blocks it.
  std::function<void(const QueryEvent&)> on_query = {};

  // In the order in which a connection heard them. A thread of the pool, one at a time; blocks
  // those that follow. Beyond 1024 that wait to be told further ones are lost, with a warning.
  std::function<void(const NoticeEvent&)> on_notice = {};
  std::function<void(const NotifyEvent&)> on_notify = {};
};

}  // namespace weir
