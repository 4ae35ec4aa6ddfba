// SPDX-License-Identifier: MIT
//
// The public API over real SQLite on the simulated disk, with a weir.toml that names SQLite: the
// host's own statements, its own faults, and a bug that only an order of steps shows.
#include "tests/sim/api/support.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class Shop : public testing::Test {
 protected:
  Shop() {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "weir.toml")
        << "version = 1\n[pool.shop]\ndriver = \"sqlite\"\nurl = \"shop.db\"\nmax = 3\n";
  }
  ~Shop() override { std::filesystem::remove_all(folder_); }
  std::string folder() const { return folder_.string(); }

 private:
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / "weir-sim-api-sqlite";
};

constexpr const char* scenario = R"toml(
format = 1
duration = "500ms"
pool_file = "weir.toml"
setup = ["CREATE TABLE stock(item INTEGER PRIMARY KEY, n INTEGER NOT NULL)", "INSERT INTO stock VALUES (1, 0)"]
[pool]
name = "shop"
driver = "sqlite"
[disk]
sync = "exp(1ms)"
[[client]]
count = 4
every = "exp(10ms)"
)toml";

Result<std::int64_t> stock(Connection& c) {
  auto rows = c.query("SELECT n FROM stock WHERE item = 1");
  if (!rows) return fail(std::move(rows).error());
  return (*rows)[0].get<std::int64_t>(0);
}

// Deliveries, each one more. What is told of them in memory is set back by prepare.
struct Store {
  bool careful = false;
  std::int64_t delivered = 0;

  Host host() {
    return {.prepare = [this](Pool&) { return delivered = 0, Result<void>(); },
            .work = [this](Pool& pool) { return deliver(pool); },
            .check = [this](Pool& pool) { return compare(pool); }};
  }

 private:
  static Result<void> add_one(Connection& c) {
    const auto before = stock(c);
    if (!before) return fail(before.error());
    auto done = c.execute("UPDATE stock SET n = ? WHERE item = 1", *before + 1);
    return done ? Result<void>() : fail(std::move(done).error());
  }
  Result<void> deliver(Pool& pool) {
    auto done = careful ? pool.transaction(add_one) : pool.with(add_one);
    if (done) ++delivered;
    return done;
  }
  Result<void> compare(Pool& pool) const {
    const auto now = pool.with(stock);
    if (!now) return fail(now.error());
    require(*now == delivered, "all that was delivered is there",
            std::to_string(*now) + " of " + std::to_string(delivered));
    return {};
  }
};

TEST_F(Shop, runs_on_sqlite_as_its_file_says) {
  Store store{.careful = true};
  const auto outcome = simulate(scenario, store.host(), {.base_dir = folder()});
  ASSERT_TRUE(outcome) << outcome.error().what();
  EXPECT_TRUE(outcome->ok()) << outcome->text();
  EXPECT_EQ(outcome->stats().driver, "sqlite");
  EXPECT_EQ(outcome->stats().now.max, 3U);
  EXPECT_GT(outcome->rounds(), 20U);
}

TEST_F(Shop, a_bug_is_found_and_its_file_is_the_case) {
  Store store;
  Search search;
  search.scenario = scenario;
  search.base_dir = folder();
  search.budget = 60s;
  search.faults = false;
  const auto findings = explore(search, store.host());
  ASSERT_TRUE(findings) << findings.error().what();
  ASSERT_EQ(findings->found.size(), 1U) << findings->text();
  const Outcome& found = findings->found.front();
  EXPECT_EQ(found.property(), "all that was delivered is there");
  EXPECT_THAT(found.scenario(), ContainsRegex("rounds = [1-8]\n"));
  EXPECT_THAT(found.scenario(), Not(HasSubstr("pool_file")));
  const auto again = simulate(found.scenario(), store.host());
  ASSERT_TRUE(again) << again.error().what();
  EXPECT_EQ(again->trace_hash(), found.trace_hash());
  Store mended{.careful = true};
  EXPECT_TRUE(simulated(found.scenario(), mended.host()).ok());
}

TEST_F(Shop, its_own_faults_are_told_to_the_work) {
  Store store{.careful = true};
  const std::string full = std::string(scenario) +
                           "[[disk_fault]]\nwhat = \"full\"\non = \"write\"\nat = \"100ms\"\n"
                           "for = \"200ms\"\n";
  const auto outcome = simulate(full, store.host(), {.base_dir = folder()});
  ASSERT_TRUE(outcome) << outcome.error().what();
  EXPECT_TRUE(outcome->ok()) << outcome->text();
  EXPECT_GT(outcome->failures(), 0U);
  EXPECT_EQ(outcome->failures(), outcome->failures(Code::resource));
}

TEST_F(Shop, a_fault_that_does_not_exist_is_an_error) {
  const auto outcome =
      simulate(std::string(scenario) + "[[disk_fault]]\nwhat = \"fire\"\non = \"write\"\n", {},
               {.base_dir = folder()});
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().message(), HasSubstr("fire"));
}

TEST_F(Shop, setup_that_fails_ends_the_run) {
  std::string broken = scenario;
  broken.replace(broken.find("CREATE TABLE"), 12, "CREATE TABEL");
  const auto outcome = simulate(broken, {}, {.base_dir = folder()});
  ASSERT_TRUE(outcome) << outcome.error().what();
  EXPECT_EQ(outcome->property(), "setup");
  EXPECT_THAT(outcome->story(), HasSubstr("syntax error"));
}

}  // namespace
}  // namespace weir::sim
