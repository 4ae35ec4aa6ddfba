// SPDX-License-Identifier: MIT
//
// The loads of bench/load.hpp on POCO's pool of SQLite sessions in memory. It has no queue: get()
// throws when all are out. Whoever uses it writes the loop that is written here. No query is sent.
//
// Called by hand and by bench/peers/run.py.
#include "bench/subjects.hpp"

#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SessionPool.h>
#include <Poco/Version.h>

namespace {

using Poco::Data::Session;
using Poco::Data::SessionPool;
using weir::bench::Load;
using weir::bench::Outcome;

Session get(SessionPool& pool) {
  for (;;) {
    try {
      return pool.get();
    } catch (const Poco::Data::SessionPoolExhaustedException&) {
      std::this_thread::yield();
    }
  }
}

Outcome run(const Load& load, std::chrono::duration<double> time) {
  const int most = static_cast<int>(load.connections);
  SessionPool pool("SQLite", ":memory:", most, most);
  {
    // It connects when one is asked for; that is not what is measured.
    std::vector<Session> all;
    for (int i = 0; i < most; ++i) all.push_back(pool.get());
  }
  return weir::bench::run(load, time, [&](auto&& held) {
    const Session mine = get(pool);
    held();
  });
}

std::string version() {
  return "POCO " + std::to_string(POCO_VERSION >> 24) + "." +
         std::to_string(POCO_VERSION >> 16 & 0xff) + "." + std::to_string(POCO_VERSION >> 8 & 0xff);
}

}  // namespace

int main(int argc, char** argv) {
  Poco::Data::SQLite::Connector::registerConnector();
  return weir::bench::measure(argc, argv, version(), {{"poco", run}});
}
