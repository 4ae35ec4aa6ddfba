// SPDX-License-Identifier: MIT
//
// A readiness probe: what a host answers it, while the check of its pool fails and once it passes.
#include <weir/weir.hpp>

#include <chrono>
#include <cstdio>
#include <thread>

// What the host's HTTP server would send. A pool that is degraded still serves.
static int answer(const weir::PoolHealth& health) {
  return health.status == weir::HealthStatus::not_ready ? 503 : 200;
}

// For a program that is over in a moment; a probe just asks.
static weir::PoolHealth await(const weir::Pool& db, weir::HealthStatus status) {
  weir::PoolHealth health = db.health();
  for (; health.status != status; health = db.health()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return health;
}

int main() {
  auto pools = weir::Pools::from_string(R"toml(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = ":memory:"
    log = []
    reap_interval = "1ms"
    [pool.main.health]
    interval = "5ms"      # of the order of 30s where it is not an example
    sql = "select id from users limit 1"
  )toml");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();
  weir::Pool& db = (*pools)["main"];

  if (auto one = db.query("select 1"); !one)
    return std::fputs(one.error().what().c_str(), stderr), 1;
  const weir::PoolHealth bad = await(db, weir::HealthStatus::degraded);
  std::printf("%d %s\n", answer(bad), bad.reasons[0].text.c_str());

  auto made = db.execute("create table users (id integer primary key)");
  if (!made) return std::fputs(made.error().what().c_str(), stderr), 1;
  std::printf("%d ready\n", answer(await(db, weir::HealthStatus::ready)));

  if (auto done = db.drain(std::chrono::seconds(5)); !done) return 1;
  std::printf("%d closed\n", answer(db.health()));
}
