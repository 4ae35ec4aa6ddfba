// SPDX-License-Identifier: MIT
//
// pgbouncer.hpp: a PgBouncer of this program's own, in transaction mode, in front of a PostgreSQL
// server: its configuration and a unix socket are in a directory of its own, everybody is let in,
// and it ends with the program.
//
// Called by: bench_query. Threads: the main one.
#pragma once

#include "bench/query/directory.hpp"

#include <string>
#include <sys/types.h>

namespace weir::bench::query {

class PgBouncer {
 public:
  // Where it is installed; empty if it is not.
  static std::string program();

  // With at most so many connections to `server`, which is spelt as libpq does. Ends this program
  // if it does not start.
  PgBouncer(const std::string& server, int connections);
  ~PgBouncer();
  PgBouncer(const PgBouncer&) = delete;
  PgBouncer& operator=(const PgBouncer&) = delete;

  // What libpq connects with.
  std::string conninfo() const;

 private:
  void await_ready() const;

  Directory directory_{"pgbouncer", "postgres"};
  pid_t pid_ = 0;
};

}  // namespace weir::bench::query
