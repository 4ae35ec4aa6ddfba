// SPDX-License-Identifier: MIT
//
// Reading a large result in bounded memory: rows come one by one, and the connection is busy until
// the stream is read to its end or destroyed. Compare query(), which returns all rows at once and
// lets the connection go.
#include <weir/weir.hpp>

#include <cstdio>

namespace {

// A million rows that exist nowhere: SQLite makes them while they are read.
constexpr const char* numbers =
    "with recursive n (i) as (select 1 union all select i + 1 from n where i < ?) select i from n";

weir::Result<std::int64_t> sum_of_numbers(weir::Connection& c, std::int64_t up_to) {
  auto rows = c.stream(numbers, up_to);
  if (!rows) return weir::fail(rows.error());
  std::int64_t sum = 0;
  while (true) {
    auto row = rows->next();
    if (!row) return weir::fail(row.error());
    if (!*row) return sum;                // the end
    sum += (*row)->get<std::int64_t>(0);  // valid until the next call of next()
  }
}

}  // namespace

int main() {
  auto pools = weir::Pools::from_string(R"(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = ":memory:"
    max = 1
  )");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();

  auto sum =
      (*pools)["main"].with([](weir::Connection& c) { return sum_of_numbers(c, 1'000'000); });
  if (!sum) return std::fputs(sum.error().what().c_str(), stderr), sum.error().exit_code();
  std::printf("%lld\n", static_cast<long long>(*sum));
}
