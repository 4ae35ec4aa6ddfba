// SPDX-License-Identifier: MIT
//
// The shipping pool over the shipping SQLite driver, on a disk that is simulated: the properties
// of timeouts, reaping and retry hold there as they do over the mock, and what a host was told of
// its transactions is what the disk has.
#include "sim/explore/campaign.hpp"
#include "sim/explore/scenario_file.hpp"
#include "tests/sim/explore/scale.hpp"

#include <weir/pool.hpp>
#include <weir/retry.hpp>

#include <string_view>

#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;

Scenario scenario(std::string_view text) { return scenario_from_string(text, "test", ".").value(); }

constexpr std::string_view shop = R"toml(
format = 1
duration = "2s"
setup = ["CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER NOT NULL)", "INSERT INTO t VALUES (1, 0)"]
mode = "adversarial"
[pool]
driver = "sqlite"
max = 3
min = 1
acquire_timeout = "2s"
idle_timeout = "300ms"
reap_interval = "50ms"
[disk]
latency = "exp(50us)"
sync = "exp(2ms)"
[[client]]
count = 4
every = "exp(20ms)"
sql = ["UPDATE t SET n = n + 1 WHERE id = 1"]
transaction = true
[schedule]
kind = "random"
rate = 0.02
)toml";

TEST(SqliteScenario, works_and_is_the_same_twice_and_on_every_engine) {
  const Scenario s = scenario(shop);
  const Report first = run(s);
  ASSERT_TRUE(first.ok()) << first.ending.property << ": " << first.ending.text;
  EXPECT_GT(first.rounds, 100U);
  EXPECT_EQ(compare_runs(s, first, default_engine()), "");
  EXPECT_EQ(run(s, {.engine = Engine::threads}).ending.trace_hash, first.ending.trace_hash);
}

TEST(SqliteScenario, another_seed_is_another_run) {
  Scenario s = scenario(shop);
  const std::uint64_t one = run(s).ending.trace_hash;
  s.seed = 2;
  EXPECT_NE(run(s).ending.trace_hash, one);
}

TEST(SqliteScenario, reaps_to_min_when_nobody_comes) {
  Scenario s = scenario(shop);
  s.clients[0].to = 500ms;
  const Report report = run(s);
  ASSERT_TRUE(report.ok()) << report.ending.text;
  EXPECT_EQ(report.stats.now.idle, 1U);
  EXPECT_GT(report.judgement.checked.at("T3"), 0U);
}

TEST(SqliteScenario, a_full_disk_is_told_and_heals) {
  Scenario s = scenario(shop);
  s.disk.faults.push_back({DiskFaultKind::full, DiskOp::write, 500ms, 1s, 0, 1'000'000, "-wal"});
  const Report report = run(s);
  ASSERT_TRUE(report.ok()) << report.ending.text;
  EXPECT_FALSE(report.failures.empty());
}

TEST(SqliteScenario, setup_that_fails_ends_the_run) {
  Scenario s = scenario(shop);
  s.setup = {"no statement"};
  const Report report = run(s);
  EXPECT_EQ(report.signature(), "setup");
  EXPECT_NE(report.ending.text.find("syntax error"), std::string::npos) << report.ending.text;
}

// Adds one in a transaction, by the pool's retry policy, and keeps account of what it was told.
struct Counter {
  std::int64_t done = 0;
  std::int64_t unknown = 0;  // nobody could say whether it was committed

  Host host() {
    return {.prepare = {},
            .work = [this](Pool& pool) { return add_one(pool); },
            .check = [this](Pool& pool) { return compare(pool); }};
  }

 private:
  Result<void> add_one(Pool& pool) {
    const auto added = retry(pool, [&]() -> Result<void> {
      auto lease = pool.acquire();
      if (!lease) return fail(std::move(lease).error());
      return (*lease)->transaction([](Connection& c) -> Result<void> {
        auto answer = c.query("UPDATE t SET n = n + 1 WHERE id = 1");
        return answer ? Result<void>() : fail(std::move(answer).error());
      });
    });
    if (added) {
      ++done;
    } else if (const auto* db = added.error().database(); db && db->effect == WEIR_EFFECT_UNKNOWN) {
      ++unknown;
    }
    return added;
  }
  Result<void> compare(Pool& pool) const {
    auto lease = pool.acquire();
    if (!lease) return fail(std::move(lease).error());
    auto rows = (*lease)->query("SELECT n FROM t WHERE id = 1");
    if (!rows) return fail(std::move(rows).error());
    const auto n = (*rows)[0].get<std::int64_t>(0);
    if (n >= done && n <= done + unknown) return {};
    return fail(Code::internal, "the disk has " + std::to_string(n) + ", told were " +
                                    std::to_string(done) + " and " + std::to_string(unknown) +
                                    " unknown");
  }
};

TEST(SqliteScenario, what_was_told_is_what_the_disk_has) {
  const std::uint64_t runs = full() ? 200 : 20;
  std::uint64_t with_commits = 0;
  int unknown = 0;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    Scenario s = scenario(shop);
    s.seed = seed;
    s.duration = 500ms;
    s.pool.options = {{"synchronous", Secret("full")}};  // a commit is a sync
    s.disk.faults.push_back({DiskFaultKind::io_error, DiskOp::sync, 100ms, 300ms, 0, 300'000, ""});
    s.disk.faults.push_back({DiskFaultKind::full, DiskOp::write, 200ms, 350ms, 0, 500'000, "-wal"});
    Counter counter;
    const Report report = run(s, {}, counter.host());
    ASSERT_TRUE(report.ok()) << "seed " << seed << ": " << report.ending.text;
    if (counter.done > 0) ++with_commits;
    unknown += static_cast<int>(counter.unknown);
  }
  // Early steps of the clock may take all of a run's time before anybody has committed.
  EXPECT_GE(with_commits, runs * 9 / 10);
  EXPECT_GT(unknown, 0) << "no commit was ever in doubt: the faults miss what this is about";
}

// A host that reads, thinks, and writes what it thought: the lost update.
TEST(SqliteScenario, a_lost_update_is_found_and_made_small) {
  Scenario s = scenario(shop);
  std::int64_t done = 0;
  const Host host{.prepare = [&](Pool&) -> Result<void> { return done = 0, Result<void>(); },
                  .work = [&](Pool& pool) -> Result<void> {
                    auto lease = pool.acquire();
                    if (!lease) return fail(std::move(lease).error());
                    auto rows = (*lease)->query("SELECT n FROM t WHERE id = 1");
                    if (!rows) return fail(std::move(rows).error());
                    const auto n = (*rows)[0].get<std::int64_t>(0);
                    auto answer = (*lease)->query("UPDATE t SET n = ? WHERE id = 1", n + 1);
                    if (!answer) return fail(std::move(answer).error());
                    ++done;
                    return {};
                  },
                  .check = [&](Pool& pool) -> Result<void> {
                    auto lease = pool.acquire();
                    if (!lease) return fail(std::move(lease).error());
                    auto rows = (*lease)->query("SELECT n FROM t WHERE id = 1");
                    if (!rows) return fail(std::move(rows).error());
                    if ((*rows)[0].get<std::int64_t>(0) == done) return {};
                    return fail(Code::internal, "an update was lost");
                  }};
  const Report report = run(s, {}, host);
  ASSERT_EQ(report.signature(), "host") << report.ending.text;
  const CaseFound found = minimize(s, report, 30s, default_engine(), {}, host);
  EXPECT_EQ(found.report.signature(), "host");
  EXPECT_EQ(found.minimal.clients.at(0).count, 2U);
  EXPECT_LE(found.minimal.clients.at(0).rounds == 0 ? 2U : found.minimal.clients.at(0).rounds, 2U);
}

TEST(SqliteExplore, timeouts_reaping_and_retry_hold_here_too) {
  CampaignOptions options;
  options.budget = full() ? 120s : 15s;
  options.generator.driver = "sqlite";
  const CampaignState state = explore(options);
  for (const CaseFound& found : state.found) {
    ADD_FAILURE() << found.minimal.expected.property << ": " << found.minimal.expected.story << "\n"
                  << to_toml(found.minimal);
  }
  for (const std::string& differs : state.nondeterministic) ADD_FAILURE() << differs;
  EXPECT_GE(state.runs, 50U);
  for (const char* property :
       {"F1", "F2", "L1", "L3",  "L5",  "L7",  "L8", "O1", "R1", "R3", "S1",  "S3",
        "S5", "S8", "S9", "S11", "S12", "S19", "T2", "T3", "T4", "T9", "T10", "T11"}) {
    EXPECT_GT(state.judgement.checked.count(property), 0U) << property;
  }
}

}  // namespace
}  // namespace weir::sim
