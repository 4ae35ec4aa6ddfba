// SPDX-License-Identifier: MIT
//
// A transaction that others may get in the way of, run again if they did. weir::retry repeats by
// itself only what the database cannot have acted on; a conflict is listed here because the
// function is one whole transaction, of which the database has undone everything when it reports
// one.
#include <weir/weir.hpp>

#include <cstdio>

using namespace std::chrono_literals;

namespace {

weir::Result<void> move_money(weir::Pool& db, int from, int to, int amount) {
  weir::RetryPolicy policy = db.config().retry;  // [pool.main.retry]
  policy.on.conflict = true;
  return weir::retry(db, weir::RetryOptions{.policy = policy, .timeout = 2s}, [&](weir::Pool& p) {
    return p.transaction([&](weir::Connection& c) -> weir::Result<void> {
      const char* sql = "update account set balance = balance + ? where id = ?";
      if (auto taken = c.execute(sql, -amount, from); !taken) return weir::fail(taken.error());
      if (auto given = c.execute(sql, amount, to); !given) return weir::fail(given.error());
      return {};
    });
  });
}

}  // namespace

int main() {
  auto pools = weir::Pools::from_string(R"toml(
    version = 1
    [pool.main]
    driver = "sqlite"
    url = ":memory:"
    init_sql = ["create table account (id integer primary key, balance integer)",
                "insert into account values (1, 100), (2, 0)"]
    [pool.main.retry]
    attempts = 5
    base = "20ms"
  )toml");
  if (!pools) return std::fputs(pools.error().what().c_str(), stderr), pools.error().exit_code();

  weir::Pool& db = (*pools)["main"];
  if (auto moved = move_money(db, 1, 2, 40); !moved) {
    return std::fputs(moved.error().what().c_str(), stderr), moved.error().exit_code();
  }
  auto rows = db.query("select balance from account order by id");
  if (!rows) return std::fputs(rows.error().what().c_str(), stderr), rows.error().exit_code();
  std::printf("%d %d\n", (*rows)[0].get<int>(0), (*rows)[1].get<int>(0));
}
