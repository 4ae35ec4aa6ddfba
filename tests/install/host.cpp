#include <weir/weir.hpp>
#include <cstdio>

int main() {
  auto pools = weir::Pools::from_file("weir.toml");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();

  weir::Pool& db = (*pools)["main"];
  auto rows = db.with([](weir::Connection& c) {               // the lease lives as long as the lambda
    return c.query("select id, name from users where team = ?", 42);
  });
  if (!rows) return std::fputs(rows.error().what().c_str(), stderr), 1;
  for (const auto& row : *rows) std::printf("%lld %s\n", row.get<long long>(0), row.get<std::string>(1).c_str());
}                                                              // drain, close, done
