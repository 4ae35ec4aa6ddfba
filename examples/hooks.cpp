// SPDX-License-Identifier: MIT
//
// What a pool tells its host: a gauge of open connections from two hooks, sessions that are set up
// in C++, and a line for each lease.
#include <weir/weir.hpp>

#include <atomic>
#include <cstdio>

int main() {
  std::atomic<int> open{0};  // outlives the pools

  weir::Hooks hooks;
  hooks.on_create = [&](weir::Connection& c, const weir::CreateEvent& event) -> weir::Result<void> {
    auto made = c.execute("create temp table basket (item text)");
    if (!made) return weir::fail(made.error());  // then this is no connection of the pool
    if (!event.after_reset) ++open;
    return {};
  };
  hooks.on_destroy = [&](const weir::DestroyEvent&) { --open; };
  hooks.on_acquire = [](const weir::AcquireEvent& event) {
    std::printf("lease %llu of %.*s\n", static_cast<unsigned long long>(event.lease.serial),
                static_cast<int>(event.lease.tag.size()), event.lease.tag.data());
  };
  hooks.on_query = [](const weir::QueryEvent& event) {
    std::printf("%.*s\n", static_cast<int>(event.sql.size()), event.sql.data());
  };

  auto pools = weir::Pools::builder()
                   .string(R"toml(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = ":memory:"
  )toml")
                   .hooks(hooks)
                   .open();
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();

  auto rows = (*pools)["main"].with({.tag = "checkout"}, [](weir::Connection& c) {
    return c.query("select count(*) from basket");
  });
  if (!rows) return std::fputs(rows.error().what().c_str(), stderr), rows.error().exit_code();
  std::printf("%d open\n", open.load());
  if (auto drained = pools->drain(std::chrono::seconds(5)); !drained) return 1;
  std::printf("%d open\n", open.load());
}
