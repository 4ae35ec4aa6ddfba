// SPDX-License-Identifier: MIT
//
// Where the database is comes from the environment, as a URL with the parameters that other pools
// take there, too; how many connections, from a variable with a default.
#include <weir/weir.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>

int main() {
  // A service manager or a container sets it.
  ::setenv("DATABASE_URL", "file:environment.db?connection_limit=3&pool_timeout=2", 1);

  auto pools = weir::Pools::from_string(R"toml(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = { env = "DATABASE_URL" }
    min = { env = "POOL_MIN", default = 1 }
  )toml");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();
  const weir::PoolConfig config = (*pools)["main"].config();
  std::printf(
      "%u to %u, waiting for %lld s at most\n", config.min, config.max,
      static_cast<long long>(
          std::chrono::duration_cast<std::chrono::seconds>(config.acquire_timeout).count()));

  // What is missing is said before anything is connected to, with the line that needs it.
  const auto wrong = weir::Config::from_string(R"toml(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = { env = "DATABSE_URL" }
  )toml");
  std::puts(wrong ? "accepted" : std::string(wrong.error().name()).c_str());
}
