// SPDX-License-Identifier: MIT
//
// Goal: SQLite works on the simulated disk as on a real one, in virtual time, the same in each run.
// Method: plain sqlite3 calls; a second connection runs in the hooks of the environment.
#include "tests/sim/sqlite/support.hpp"

namespace weir::test {
namespace {

using namespace std::chrono_literals;

TEST(SimSqlite, a_database_is_found_again_by_the_next_connection) {
  for (const std::string mode : journal_modes) {
    World world;
    {
      Db db;
      EXPECT_EQ(mode, db.text("PRAGMA journal_mode=" + mode));
      db.must("CREATE TABLE t(x); INSERT INTO t VALUES (1), (2)");
    }
    EXPECT_EQ(0, world.vfs->open_files());
    EXPECT_EQ(2, Db().number("SELECT count(*) FROM t")) << mode;
    EXPECT_EQ(mode, Db().text("PRAGMA journal_mode"));
    EXPECT_GT(world.vfs->calls(sim::DiskOp::sync), 0U);
    EXPECT_EQ(mode == "wal", world.vfs->calls(sim::DiskOp::shm_lock) > 0);
  }
}

TEST(SimSqlite, nothing_reaches_the_real_disk_and_names_stay_apart) {
  World world;
  Db("/weir-sim-nowhere.db").must("CREATE TABLE t(x)");
  Db("/weir-sim-other.db").must("CREATE TABLE u(x)");
  EXPECT_EQ("error 1", Db("/weir-sim-other.db").text("SELECT * FROM t"));
  EXPECT_NE(nullptr, world.disk.find("/weir-sim-nowhere.db"));
  EXPECT_EQ(nullptr, std::fopen("/weir-sim-nowhere.db", "r"));
}

TEST(SimSqlite, temporary_files_and_vacuum_and_attach_work) {
  World world;
  Db db;
  db.must("PRAGMA temp_store=1; PRAGMA cache_size=2; CREATE TABLE t(x)");
  db.must(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000)"
      " INSERT INTO t SELECT printf('%0200d', i*7919%2000) FROM n");
  db.must("CREATE TEMP TABLE u AS SELECT x FROM t ORDER BY x; VACUUM");
  db.must("ATTACH '/second.db' AS s; CREATE TABLE s.v AS SELECT * FROM u");
  EXPECT_EQ(2000, db.number("SELECT count(*) FROM s.v"));
  EXPECT_EQ("ok", db.text("PRAGMA integrity_check"));
}

TEST(SimSqlite, a_busy_wait_sleeps_in_virtual_time_by_sqlites_own_steps) {
  for (const std::string mode : journal_modes) {
    World world;
    Db holder;
    holder.must("PRAGMA journal_mode=" + mode + "; CREATE TABLE t(x); BEGIN IMMEDIATE");
    Db waiter;
    sqlite3_busy_timeout(waiter.handle(), 1000);
    EXPECT_EQ(SQLITE_BUSY, waiter.run("INSERT INTO t VALUES (1)"));
    const std::vector<std::int64_t> steps = {1,  2,   5,   10,  15,  20,  25,  25,  25, 50,
                                             50, 100, 100, 100, 100, 100, 100, 100, 72};
    EXPECT_EQ(steps, world.environment.sleeps_ms());
    EXPECT_EQ(Instant{} + 1s, world.environment.clock);
    holder.must("COMMIT");
  }
}

TEST(SimSqlite, a_busy_wait_ends_when_the_lock_is_let_go) {
  World world;
  Db holder;
  holder.must("CREATE TABLE t(x); BEGIN EXCLUSIVE; INSERT INTO t VALUES (1)");
  Db waiter;
  sqlite3_busy_timeout(waiter.handle(), 1000);
  world.environment.on_sleep = [&] {
    if (world.environment.sleeps.size() != 4) return;
    running_thread = 2;
    holder.must("COMMIT");
    running_thread = 1;
  };
  waiter.must("INSERT INTO t VALUES (2)");
  EXPECT_EQ((std::vector<std::int64_t>{1, 2, 5, 10}), world.environment.sleeps_ms());
  EXPECT_EQ(2, waiter.number("SELECT count(*) FROM t"));
}

// At each scheduling point of a transaction in turn, a second virtual thread does one of its own.
TEST(SimSqlite, another_thread_may_run_at_every_point_inside_sqlite) {
  for (const std::string mode : journal_modes) {
    std::uint64_t at = 0;
    int worked = 0, busy = 0;
    for (bool reached = true; reached; ++at) {
      World world(at);
      Db first, second;
      first.must("PRAGMA journal_mode=" + mode + "; CREATE TABLE t(x)");
      EXPECT_EQ(0, second.number("SELECT count(*) FROM t"));
      reached = false;
      std::uint64_t point = 0;
      int acknowledged = 0;
      world.environment.on_point = [&] {
        if (point++ != at) return;
        reached = true;
        running_thread = 2;
        const int code = second.run("INSERT INTO t VALUES (2)");
        running_thread = 1;
        if (code == SQLITE_OK) ++acknowledged, ++worked;
        // PROTOCOL is WAL's BUSY, where the first holds a lock that is meant for an instant.
        const bool waits = code == SQLITE_BUSY || code == SQLITE_PROTOCOL;
        if (waits) ++busy;
        EXPECT_TRUE(code == SQLITE_OK || waits) << code;
      };
      const int code = first.run("INSERT INTO t VALUES (1)");
      EXPECT_TRUE(code == SQLITE_OK || (code & 0xFF) == SQLITE_BUSY) << code;
      if (code == SQLITE_OK) ++acknowledged;
      world.environment.on_point = nullptr;
      EXPECT_EQ(acknowledged, second.number("SELECT count(*) FROM t")) << mode << " " << at;
      EXPECT_EQ("ok", first.text("PRAGMA integrity_check"));
    }
    EXPECT_GT(at, 8U);
    EXPECT_GT(worked, 0);
    EXPECT_GT(busy, 1);
  }
}

std::uint64_t hash_of_run(std::uint64_t seed, const std::string& mode) {
  World world(seed);
  world.vfs->set_latency(
      [](sim::DiskOp op) { return op == sim::DiskOp::sync ? Duration(2ms) : Duration(20us); });
  world.vfs->set_faults({{.at = sim::DiskOp::write, .probability = 0.01}});
  Db db;
  db.run("PRAGMA journal_mode=" + mode);
  db.run("CREATE TABLE t(id INTEGER PRIMARY KEY, x)");
  for (int i = 0; i < 20; ++i) {
    const int code = db.run("INSERT INTO t(x) VALUES (hex(randomblob(300)) || datetime('now'))");
    world.environment.note(static_cast<std::uint64_t>(code));
  }
  return world.environment.hash;
}

TEST(SimSqlite, two_runs_of_a_seed_are_equal_and_another_seed_differs) {
  for (const char* mode : journal_modes) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const std::uint64_t hash = hash_of_run(seed, mode);
      std::vector<char> shift(static_cast<std::size_t>(seed) * 1000);  // moves addresses
      EXPECT_EQ(hash, hash_of_run(seed, mode)) << mode;
      EXPECT_NE(hash, hash_of_run(seed + 100, mode)) << mode;
    }
  }
}

TEST(SimSqlite, the_wall_clock_is_virtual_and_in_utc) {
  World world;
  world.vfs.reset();
  world.vfs.emplace(world.disk, world.environment,
                    sim::SqliteVfsOptions{.wall_clock_start_ms = 951'782'400'000});
  Db db;
  EXPECT_EQ("2000-02-29 00:00:00", db.text("SELECT datetime('now')"));
  world.environment.clock += 90s;
  EXPECT_EQ("2000-02-29 00:01:30", db.text("SELECT datetime('now', 'localtime')"));
}

TEST(SimSqlite, latency_takes_virtual_time_for_each_operation) {
  World world;
  Db db;
  db.must("CREATE TABLE t(x)");
  world.vfs->set_latency(
      [](sim::DiskOp op) { return op == sim::DiskOp::sync ? Duration(3ms) : Duration(0); });
  const std::uint64_t syncs = world.vfs->calls(sim::DiskOp::sync);
  db.must("INSERT INTO t VALUES (1)");
  const auto count = static_cast<std::int64_t>(world.vfs->calls(sim::DiskOp::sync) - syncs);
  EXPECT_GT(count, 0);
  EXPECT_EQ(Instant{} + count * 3ms, world.environment.clock);
}

TEST(SimSqliteDeathTest, a_switch_where_sqlite_holds_a_mutex_is_named) {
  EXPECT_DEATH(
      {
        World world;
        sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, 0, static_cast<sqlite3*>(nullptr));
        char bytes[8];
        world.environment.on_random = [&] {
          world.environment.on_random = nullptr;
          running_thread = 2;
          char others[8];
          sqlite3_randomness(sizeof others, others);
        };
        sqlite3_randomness(sizeof bytes, bytes);
      },
      "virtual thread 2 entered SQLite's mutex STATIC_PRNG, which virtual thread 1 holds");
}

TEST(SimSqliteDeathTest, a_vfs_does_not_go_before_its_connections) {
  EXPECT_DEATH(
      {
        World world;
        Db db;
        db.must("CREATE TABLE t(x)");
        world.vfs.reset();
      },
      "open_files_ == 0");
}

}  // namespace
}  // namespace weir::test
