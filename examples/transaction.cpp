// SPDX-License-Identifier: MIT
//
// A transaction that is run again if another one was in its way, with a part that may fail alone:
// inside a transaction, transaction() is a savepoint.
#include <weir/weir.hpp>

#include <cstdio>

using namespace std::chrono_literals;

namespace {

weir::Result<void> order(weir::Connection& c, const char* item) {
  auto taken = c.execute("update stock set count = count - 1 where item = ?", item);
  if (!taken) return weir::fail(taken.error());  // the stock is empty: nothing of this order stays

  auto wrapped = c.transaction([](weir::Connection& inner) -> weir::Result<void> {
    auto paper = inner.execute("update stock set count = count - 1 where item = 'gift paper'");
    if (!paper) return weir::fail(paper.error());
    return {};
  });
  if (!wrapped) std::printf("%s: without gift paper\n", item);  // the order itself goes on
  return {};
}

}  // namespace

int main() {
  auto pools = weir::Pools::from_string(R"toml(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = ":memory:"
    init_sql = ["create table stock (item text, count integer check (count >= 0))",
                "insert into stock values ('book', 2), ('gift paper', 1)"]
  )toml");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();

  weir::Pool& db = (*pools)["main"];
  for (int i = 0; i < 3; ++i) {
    const auto done = weir::retry_transaction(
        db, [](weir::Connection& c) { return order(c, "book"); }, {.timeout = 2s});
    std::printf("order %d: %s\n", i + 1, done ? "done" : "refused");
  }
  auto rows = db.query("select item, count from stock order by item");
  if (!rows) return std::fputs(rows.error().what().c_str(), stderr), rows.error().exit_code();
  for (const auto& row : *rows) {
    std::printf("%s %d\n", row.get<std::string>(0).c_str(), row.get<int>(1));
  }
}
