// SPDX-License-Identifier: MIT
//
// Goal: a crash loses no commit that was acknowledged, tears none, and leaves no damage, in both
// journal modes, wherever it comes; and a disk that lies is found out, so that the first half means
// something. Method: a workload on seeds, power lost at a point drawn from the seed.
#include "tests/sim/sqlite/support.hpp"

namespace weir::test {
namespace {

int scaled(int full, int reduced) {
  const char* scale = std::getenv("WEIR_TEST_SCALE");
  return scale != nullptr && std::string_view(scale) == "full" ? full : reduced;
}

struct Outcome {
  bool damaged = false;
  std::int64_t lost = 0;  // transactions that were acknowledged
  std::int64_t torn = 0;  // transactions of which a part is there
  bool pending = false;   // there was something that the crash could take
};

constexpr int rows_per_transaction = 3;

// Transactions until the power goes; how many were acknowledged.
int work(World& world, const std::string& setup, std::uint64_t crash_at) {
  Db db;
  // A small cache, so that transactions reach the disk before they are over; a short WAL, so that
  // checkpoints are among the victims.
  db.must(setup + "; PRAGMA cache_size=4; PRAGMA wal_autocheckpoint=12;" +
          "CREATE TABLE t(n INTEGER, x)");
  std::uint64_t point = 0;
  world.environment.on_point = [&] {
    if (point++ == crash_at) world.disk.crash();
  };
  int acknowledged = 0;
  for (int n = 0; !world.disk.crashed() && n < 1000; ++n) {
    std::string sql = "BEGIN;";
    for (int row = 0; row < rows_per_transaction; ++row) {
      sql += "INSERT INTO t VALUES (" + std::to_string(n) + ", randomblob(2500));";
    }
    sql += n % 3 == 2 ? "UPDATE t SET x = randomblob(2500) WHERE n % 5 = 0; COMMIT" : "COMMIT";
    if (db.run(sql) == SQLITE_OK) ++acknowledged;
  }
  world.environment.on_point = nullptr;
  return acknowledged;
}

Outcome crash_once(std::uint64_t seed, const std::string& setup, bool lie = false,
                   sim::DiskOptions options = {}) {
  World world(seed, options);
  if (lie) world.vfs->set_faults({{.at = sim::DiskOp::sync, .kind = sim::DiskFaultKind::lie}});
  base::Random random(seed);
  const int acknowledged = work(world, setup, random.next() % 400);
  EXPECT_TRUE(world.disk.crashed());
  EXPECT_EQ(0, world.vfs->open_files());
  world.vfs->set_faults({});
  Outcome outcome;
  if (const auto file = world.disk.find("/app.db")) outcome.pending = file->pending() > 0;
  world.disk.settle();
  Db db;
  outcome.damaged = db.text("PRAGMA integrity_check") != "ok";
  if (outcome.damaged) return outcome;
  const std::int64_t there =
      db.number("SELECT count(DISTINCT n) FROM t WHERE n < " + std::to_string(acknowledged));
  outcome.lost = acknowledged - there;
  outcome.torn = db.number("SELECT count(*) FROM (SELECT n FROM t GROUP BY n HAVING count(*) <> " +
                           std::to_string(rows_per_transaction) + ")");
  return outcome;
}

std::string setup_of(const std::string& mode, const std::string& synchronous = "full") {
  return "PRAGMA journal_mode=" + mode + "; PRAGMA synchronous=" + synchronous;
}

struct Totals {
  int damaged = 0;
  std::int64_t lost = 0;
  std::int64_t torn = 0;
  int with_pending = 0;
};

Totals crash_often(int seeds, const std::string& setup, bool lie = false,
                   sim::DiskOptions options = {}) {
  Totals totals;
  for (int seed = 1; seed <= seeds; ++seed) {
    const Outcome outcome = crash_once(static_cast<std::uint64_t>(seed), setup, lie, options);
    totals.damaged += outcome.damaged ? 1 : 0;
    totals.lost += outcome.lost;
    totals.torn += outcome.torn;
    totals.with_pending += outcome.pending ? 1 : 0;
  }
  return totals;
}

TEST(SimSqliteCrash, loses_no_acknowledged_commit_in_either_journal_mode) {
  const int seeds = scaled(2000, 100);
  for (const std::string mode : {"delete", "truncate", "persist", "wal"}) {
    const Totals totals = crash_often(seeds, setup_of(mode));
    EXPECT_EQ(0, totals.damaged) << mode;
    EXPECT_EQ(0, totals.lost) << mode;
    EXPECT_EQ(0, totals.torn) << mode;
    EXPECT_GT(totals.with_pending, 0) << mode;
  }
}

TEST(SimSqliteCrash, with_synchronous_normal_wal_loses_commits_but_tears_none) {
  const Totals totals = crash_often(scaled(500, 60), setup_of("wal", "normal"));
  EXPECT_EQ(0, totals.damaged);
  EXPECT_EQ(0, totals.torn);
  EXPECT_GT(totals.lost, 0);
}

TEST(SimSqliteCrash, a_disk_whose_sync_lies_is_found_out) {
  for (const std::string mode : journal_modes) {
    const Totals totals = crash_often(scaled(200, 40), setup_of(mode), true);
    EXPECT_GT(totals.damaged + totals.lost, 10) << mode;
  }
}

TEST(SimSqliteCrash, a_deletion_that_comes_back_undoes_commits_unless_synchronous_is_extra) {
  const sim::DiskOptions options{.deletions_may_be_lost = true};
  const int seeds = scaled(500, 80);
  const Totals full = crash_often(seeds, setup_of("delete", "full"), false, options);
  EXPECT_EQ(0, full.damaged + full.torn);
  EXPECT_GT(full.lost, 0);
  const Totals extra = crash_often(seeds, setup_of("delete", "extra"), false, options);
  EXPECT_EQ(0, extra.damaged + extra.lost + extra.torn);
}

TEST(SimSqliteCrash, every_call_fails_until_the_disk_has_settled) {
  World world;
  {
    Db db;
    db.must("CREATE TABLE t(x)");
    world.disk.crash();
    EXPECT_EQ(SQLITE_IOERR, db.run("INSERT INTO t VALUES (1)") & 0xFF);
    EXPECT_EQ(SQLITE_CANTOPEN, Db().opened);
  }
  world.disk.settle();
  EXPECT_EQ(0, Db().number("SELECT count(*) FROM t"));
}

TEST(SimSqliteCrash, two_crashes_of_a_seed_leave_the_same_bytes) {
  const auto left = [](std::uint64_t seed) {
    World world(seed);
    work(world, setup_of("wal"), 100);
    world.disk.settle();
    std::vector<std::byte> bytes(world.disk.find("/app.db-wal")->size());
    world.disk.find("/app.db-wal")->read(0, bytes);
    return bytes;
  };
  EXPECT_EQ(left(5), left(5));
  EXPECT_NE(left(5), left(6));
}

}  // namespace
}  // namespace weir::test
