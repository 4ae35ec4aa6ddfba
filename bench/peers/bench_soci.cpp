// SPDX-License-Identifier: MIT
//
// The loads of bench/load.hpp on SOCI's pool of SQLite sessions in memory: its bare lease(), which
// is an index, and session(pool), which is how it is meant to be used. No query is sent.
//
// Called by hand and by bench/peers/run.py.
#include "bench/subjects.hpp"

#include <soci/soci.h>
#include <soci/version.h>

namespace {

using weir::bench::Load;
using weir::bench::Outcome;

// Neither copied nor moved, so it is filled in place.
struct Pool {
  explicit Pool(unsigned connections) : pool(connections) {
    for (unsigned i = 0; i < connections; ++i) pool.at(i).open("sqlite3", ":memory:");
  }
  soci::connection_pool pool;
};

Outcome run_lease(const Load& load, std::chrono::duration<double> time) {
  Pool pool(load.connections);
  return weir::bench::run(load, time, [&](auto&& held) {
    const std::size_t mine = pool.pool.lease();
    held();
    pool.pool.give_back(mine);
  });
}

Outcome run_session(const Load& load, std::chrono::duration<double> time) {
  Pool pool(load.connections);
  return weir::bench::run(load, time, [&](auto&& held) {
    const soci::session mine(pool.pool);
    held();
  });
}

std::string version() {
  return "SOCI " + std::to_string(SOCI_VERSION / 100000) + "." +
         std::to_string(SOCI_VERSION / 100 % 1000) + "." + std::to_string(SOCI_VERSION % 100);
}

}  // namespace

int main(int argc, char** argv) {
  return weir::bench::measure(argc, argv, version(),
                              {{"soci-lease", run_lease}, {"soci-session", run_session}});
}
