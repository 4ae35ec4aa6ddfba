// SPDX-License-Identifier: MIT
//
// A host that carries its driver with it: nothing is searched for, nothing is loaded from disk. The
// driver is linked in and registered under its own name; weir.toml looks the same as with a plugin.
#include <weir/weir.hpp>

#include <cstdio>
#include <weir_sqlite.h>

int main() {
  auto pools = weir::Pools::builder()
                   .driver(weir_sqlite_driver())
                   .string(R"(
                     version = 1
                     [pool.main]
                     driver = "sqlite"
                     url = ":memory:"
                     max = 1
                   )")
                   .open();
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();

  auto rows = (*pools)["main"].query("select sqlite_version() as version, ? as answer", 42);
  if (!rows) return std::fputs(rows.error().what().c_str(), stderr), rows.error().exit_code();
  const weir::RowView row = (*rows)[0];
  std::printf("SQLite %s says %d\n", row.get<std::string>("version").c_str(),
              row.get<int>("answer"));
}
