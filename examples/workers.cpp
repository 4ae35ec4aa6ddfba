// SPDX-License-Identifier: MIT
//
// Threads with stop tokens: a worker that waits for a connection ends as soon as it is asked to,
// and one piece of work takes two connections at once.
#include <weir/weir.hpp>

#include <cstdio>
#include <thread>
#include <vector>

int main() try {
  using namespace std::chrono_literals;
  const auto pools = weir::or_throw(weir::Pools::from_string(R"toml(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = "workers.db"
    max = 2
    log = []
  )toml"));
  weir::Pool& db = pools["main"];

  // All or nothing: two callers that each held one and waited for the next would wait for ever.
  auto both = weir::or_throw(db.acquire_n(2, {.tag = "compare"}));
  std::printf("%zu connections\n", both.size());

  std::vector<std::jthread> workers;
  std::vector<const char*> ended(3);
  workers.reserve(ended.size());
  for (const char*& how : ended) {
    workers.emplace_back([&](std::stop_token stop) {
      const auto lease = db.acquire({.timeout = 1h, .tag = "worker", .stop = std::move(stop)});
      how = lease ? "lent" : lease.error().name().data();
    });
  }
  while (db.stats().now.waiting < workers.size()) std::this_thread::sleep_for(1ms);
  workers.clear();  // asks each to stop, and joins it
  for (const char* how : ended) std::printf("%s\n", how);
} catch (const weir::Exception& error) {
  return std::fputs(error.what(), stderr), error.error().exit_code();
}
