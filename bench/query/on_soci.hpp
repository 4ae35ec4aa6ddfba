// SPDX-License-Identifier: MIT
//
// The work on SOCI's pool, as its documentation has it: each cycle takes a session, session(pool),
// and prepares what it sends. A SOCI statement belongs to the session object, so there is nowhere
// to keep one while the session is back in the pool. A statement that is used once can do without:
// `session << ...` asks PostgreSQL once and not three times, and is the faster form there.
//
// Used by: the databases of bench_query. Threads: those of load.hpp.
#pragma once

#include "bench/query/work.hpp"

#include <soci/soci.h>

namespace weir::bench::query {

class OnSoci {
 public:
  OnSoci(soci::session& session, const Texts& texts) : session_(session), texts_(texts) {}

  template <class... Numbers>
  void change(Step step, Numbers... numbers) {
    auto prepared = session_.prepare << text_of(texts_, step);
    (static_cast<void>((prepared, soci::use(numbers))), ...);
    soci::statement statement = prepared;
    statement.execute(true);
  }
  int select(int account) {
    int balance = 0;
    soci::statement statement = (session_.prepare << text_of(texts_, Step::select),
                                 soci::use(account), soci::into(balance));
    statement.execute(true);
    return balance;
  }

 private:
  soci::session& session_;
  const Texts& texts_;
};

inline Outcome run_soci(const Load& load, std::chrono::duration<double> time, bool transactions,
                        const std::string& backend, const std::string& options) {
  const Texts sql = texts(colon);
  soci::connection_pool pool(load.connections);
  try {
    for (unsigned i = 0; i < load.connections; ++i) pool.at(i).open(backend, options);
  } catch (const soci::soci_error& e) {
    // It loads its backends by itself, each from a library of its own.
    throw CannotRun("SOCI's backend " + backend + " does not connect: " + e.what());
  }
  return run_each(load, time, [&](unsigned thread) {
    return [&, draw = Draw(thread)](auto&&) mutable {
      soci::session session(pool);
      OnSoci client(session, sql);
      if (!transactions) return keep(client.select(draw.account()));
      soci::transaction whole(session);
      keep(transfer(client, draw.transfer()));
      whole.commit();
    };
  });
}

}  // namespace weir::bench::query
