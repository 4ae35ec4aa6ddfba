// SPDX-License-Identifier: MIT
//
// What a pool counts: as JSON for a person or a log, and as the page that Prometheus reads, which a
// host serves beside its own.
#include <weir/weir.hpp>

#include <cstdio>

int main() {
  auto pools = weir::Pools::from_string(R"toml(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = ":memory:"
  )toml");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();

  weir::Pool& db = (*pools)["main"];
  for (int i = 0; i < 10; ++i) {
    if (auto rows = db.query("select ?", i); !rows) {
      return std::fputs(rows.error().what().c_str(), stderr), 1;
    }
  }
  std::fprintf(stderr, "%s\n", db.stats().to_json().c_str());

  auto page = weir::prometheus_text(pools->stats());
  if (!page) return std::fputs(page.error().what().c_str(), stderr), page.error().exit_code();
  std::fputs(page->c_str(), stdout);
}
