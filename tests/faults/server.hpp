// SPDX-License-Identifier: MIT
//
// server.hpp: a real server as the faults need it, whichever it is: how a pool gets to it, how it
// is restarted, and the few statements in which the servers differ. And the pool on it.
//
// Called by: the tests in this folder. Threads: the main one, since a server ends with the thread
// that has started it.
#pragma once

#include <weir/weir.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace weir::test {

struct Server {
  std::string name;                     // of its driver
  const weir_driver* (*driver)();       // linked in
  std::string (*missing)();             // why there is none here; empty if there is one
  std::string (*url)();                 // of an empty database; starts the server
  void (*restart)(bool crash);          // or in good order; what was committed stays
  void (*allow_sessions)(int at_most);  // may restart it
  std::string insert;                   // a row of one bigint into the table ledger
  std::string session_id;               // a query for the number of the session that asks
  std::string end_session;              // a statement, less the number of the session
  std::string sessions;         // a query for the count of sessions with a number, less that
  std::string endless;          // a query that runs until it is stopped
  std::string running_endless;  // as `sessions`, of those in the midst of `endless`
};

const std::vector<Server>& servers();
std::string name_of(const testing::TestParamInfo<Server>& info);
inline void PrintTo(const Server& server, std::ostream* os) { *os << server.name; }

// The pool "main" of the result. `keys`: lines of [pool.main].
Result<Pools> open_pool(const weir_driver* driver, const std::string& name, const std::string& url,
                        const std::string& keys);

// One number from a query, on a pool of its own.
std::int64_t ask(Pool& db, const std::string& query);
// Asks until that is the answer. Fails the test after a minute: who waits for it would hang.
void await(Pool& db, const std::string& query, std::int64_t answer);

// How long after a server is well again the pool may take to lend to everybody. The next attempt to
// connect begins at most 1.2 * create_retry_max after the start of the last one (the backoff's cap
// and its jitter), or when that one, which may have met the server in its worst moment, has come to
// its create_timeout. It succeeds within create_timeout. The others follow in steps of 2 and 4 and
// are, like the threads' turns, a matter of milliseconds.
inline Duration recovery_bound(const PoolConfig& config) {
  return std::max(config.create_retry_max * 12 / 10, config.create_timeout) + config.create_timeout;
}

}  // namespace weir::test
