// SPDX-License-Identifier: MIT
//
// How many connections there are: none until somebody needs one, up to max; when the burst is over,
// down to min. And how many there may be can be changed while they work.
#include <weir/weir.hpp>

#include <chrono>
#include <cstdio>
#include <thread>

using namespace std::chrono_literals;

namespace {

std::uint32_t open_in(const weir::Pool& db) {
  const weir::PoolCounts now = db.stats().now;
  return now.lent + now.idle;
}

void await(const weir::Pool& db, std::uint32_t connections) {
  while (open_in(db) != connections) std::this_thread::sleep_for(1ms);
  std::printf("%u open\n", connections);
}

}  // namespace

int main() {
  auto pools = weir::Pools::from_string(R"toml(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = "limits.db"
    min = 1
    max = 4
    idle_timeout = "50ms"     # minutes, where it is not an example
    reap_interval = "10ms"
    validate_after = "10ms"
    log = []
  )toml");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();
  weir::Pool& db = (*pools)["main"];

  auto burst = db.acquire_n(4, {.timeout = 5s});
  if (!burst) return std::fputs(burst.error().what().c_str(), stderr), burst.error().exit_code();
  await(db, 4);
  burst->clear();
  await(db, 1);
  constexpr auto idle = static_cast<std::size_t>(weir::CloseReason::idle);
  while (db.stats().closed[idle] < 3)
    std::this_thread::sleep_for(1ms);  // the last may take a while
  std::printf("%llu idle for too long\n", static_cast<unsigned long long>(db.stats().closed[idle]));

  if (auto resized = db.resize(2, 8); !resized) return 1;
  await(db, 2);
}
