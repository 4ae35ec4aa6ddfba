// SPDX-License-Identifier: MIT
//
// The work on a pool of Weir, as a host would write it: each cycle borrows a connection, prepares
// what it sends, which the connection remembers, and gives the connection back. The pool is as it
// is configured by default but for its size and its log.
//
// Used by: the databases of bench_query. Threads: those of load.hpp.
#pragma once

#include "bench/query/work.hpp"

#include <weir/weir.hpp>

namespace weir::bench::query {

// What Pool::transaction or Pool::with lends, for transfer().
class OnWeir {
 public:
  OnWeir(Connection& connection, const Texts& texts) : connection_(connection), texts_(texts) {}

  template <class... Numbers>
  void change(Step step, Numbers... numbers) {
    or_throw(or_throw(connection_.prepare(text_of(texts_, step))).execute(numbers...));
  }
  int select(int account) {
    auto statement = or_throw(connection_.prepare(text_of(texts_, Step::select)));
    return or_throw(statement.query(account))[0].template get<int>(0);
  }

 private:
  Connection& connection_;
  const Texts& texts_;
};

inline Pools open_pools(const weir_driver* driver, const std::string& name, const std::string& url,
                        unsigned connections) {
  const std::string size = std::to_string(connections);
  return or_throw(Pools::builder()
                      .driver(driver)
                      .string("version = 1\n[pool.main]\ndriver = \"" + name + "\"\nurl = \"" +
                              url + "\"\nmin = " + size + "\nmax = " + size +
                              "\nstart = \"eager\"\nlog = [\"warn\", \"error\"]\n")
                      .open());
}

inline Outcome run_weir(const Load& load, std::chrono::duration<double> time, bool transactions,
                        const Pools& pools) {
  Pool& pool = pools["main"];
  const Texts sql = texts([&](int n) { return pool.placeholder(n); });
  // The others have prepared everything when the time begins.
  for (Lease& lease : or_throw(pool.acquire_n(load.connections))) {
    for (std::size_t i = 0; i < steps; ++i) {
      const bool sent = transactions || i == static_cast<std::size_t>(Step::select);
      if (sent) or_throw(lease->prepare(sql[i]));
    }
  }
  return run_each(load, time, [&](unsigned thread) {
    return [&, draw = Draw(thread)](auto&&) mutable {
      if (transactions) {
        const Transfer t = draw.transfer();
        keep(or_throw(pool.transaction([&](Connection& c) {
          OnWeir client(c, sql);
          return transfer(client, t);
        })));
      } else {
        const int account = draw.account();
        keep(or_throw(pool.with([&](Connection& c) { return OnWeir(c, sql).select(account); })));
      }
    };
  });
}

}  // namespace weir::bench::query
