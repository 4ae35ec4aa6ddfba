// SPDX-License-Identifier: MIT
//
// A pool that is used up: callers queue and are served in turn, and one whose time is over is told
// who has the connection for longest, and where in the source that was taken.
#include <weir/weir.hpp>

#include <chrono>
#include <cstdio>
#include <thread>

using namespace std::chrono_literals;

int main() {
  auto pools = weir::Pools::from_string(R"toml(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = ":memory:"
    max = 1
    acquire_timeout = "20ms"
  )toml");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();
  weir::Pool& db = (*pools)["main"];

  auto held = db.acquire({.timeout = 5s, .tag = "monthly report"});
  if (!held) return std::fputs(held.error().what().c_str(), stderr), held.error().exit_code();
  const auto late = db.acquire({.tag = "checkout"});
  if (late) return 1;
  std::printf("%s: %s\n", std::string(late.error().id()).c_str(),
              late.error().acquire()->holders.at(0).tag.c_str());

  // The same, but that the connection comes back in time: who waits gets it, without trying again.
  std::thread waiting([&db] {
    const auto served = db.acquire({.timeout = 5s});
    std::puts(served ? "served" : served.error().what().c_str());
  });
  while (db.stats().now.waiting == 0) std::this_thread::sleep_for(1ms);
  held->release();
  waiting.join();

  // Who will not wait at all.
  auto again = db.acquire({.timeout = 5s});
  const auto refused = db.try_acquire();
  std::puts(refused ? "lent" : std::string(refused.error().name()).c_str());
}
