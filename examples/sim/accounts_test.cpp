// SPDX-License-Identifier: MIT
//
// The accounts under the simulator: the program's own functions, with its own weir.toml, on real
// SQLite over a disk that is simulated. Whatever the order in which clients get their turn, and
// whatever fails: no money is made or lost. The first test shows how a bug is found; in a program
// of yours it would be the bug report, and the second one would be the test that stays.
#include "accounts.hpp"

#include <weir/sim.hpp>
#include <weir/sim_rapidcheck.hpp>

#include <cstdio>
#include <functional>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace std::chrono_literals;

namespace {

using Transfer = std::function<weir::Result<void>(weir::Pool&, int from, int to, int amount)>;

// Up to four clients; how the disk behaves, when they come and which thread goes on is drawn.
weir::sim::Search search() {
  weir::sim::Search search;
  search.base_dir = ACCOUNTS_DIR;
  search.scenario = R"toml(
    format = 1
    duration = "1s"
    pool_file = "weir.toml"
    setup = [
      "CREATE TABLE account(id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)",
      "INSERT INTO account VALUES (1, 100), (2, 100), (3, 100)",
    ]

    [pool]
    name = "bank"
    driver = "sqlite"

    [[client]]
    count = 4
    every = "exp(5ms)"
    rounds = 10
  )toml";
  search.statements = false;  // what clients do is below
  return search;
}

weir::sim::Host bank(const Transfer& transfer) {
  return {.work =
              [transfer](weir::Pool& db) {
                weir::sim::Random random;
                const int from = 1 + static_cast<int>(random() % 3);
                const int to = 1 + from % 3;
                return transfer(db, from, to, 1 + static_cast<int>(random() % 50));
              },
          .check = [](weir::Pool& db) -> weir::Result<void> {
            const auto total = accounts::total(db);
            if (!total) return weir::fail(total.error());
            weir::sim::require(*total == 300, "no money is made or lost",
                               "there were 300, and now there are " + std::to_string(*total));
            return {};
          }};
}

TEST(Accounts, in_haste_make_or_lose_money) {
  weir::sim::Search s = search();
  s.budget = 60s;  // it is found in the first second
  const auto findings = weir::sim::explore(s, bank(accounts::transfer_hastily));
  ASSERT_TRUE(findings) << findings.error().what();
  ASSERT_EQ(findings->found.size(), 1U) << findings->text();
  std::fputs(findings->text().c_str(), stdout);

  // The file that is shown is the case: in this build it is the same run, step by step.
  const weir::sim::Outcome& found = findings->found.front();
  const auto again = weir::sim::simulate(found.scenario(), bank(accounts::transfer_hastily));
  ASSERT_TRUE(again) << again.error().what();
  EXPECT_EQ(again->property(), "no money is made or lost");
  EXPECT_EQ(again->trace_hash(), found.trace_hash());

  // And what was found in one version is asked of the next.
  const auto mended = weir::sim::simulate(found.scenario(), bank(accounts::transfer));
  ASSERT_TRUE(mended) << mended.error().what();
  EXPECT_TRUE(mended->ok()) << mended->text();
}

RC_GTEST_PROP(Accounts, in_transactions_keep_every_cent, ()) {
  const auto scenario = *weir::sim::scenarios(search()).as("scenario");
  const auto outcome = weir::or_throw(weir::sim::simulate(scenario.text, bank(accounts::transfer)));
  if (!outcome.ok()) RC_FAIL(outcome.text());
}

}  // namespace
