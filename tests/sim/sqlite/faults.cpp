// SPDX-License-Identifier: MIT
//
// Goal: each fault reaches SQLite's caller as the code that a real disk would give, and the
// database survives. Method: one fault at the n-th call of one operation, for every n until none is
// hit.
#include "tests/sim/sqlite/support.hpp"

#include <ostream>
#include <set>

namespace weir::test {
namespace {

using sim::DiskFaultKind;
using sim::DiskOp;
using Codes = std::set<int>;

// What a connection was told, over all places where this fault may hit it.
Codes codes_of(const std::string& mode, DiskOp at, DiskFaultKind kind) {
  Codes codes;
  for (std::uint64_t nth = 1;; ++nth) {
    World world(nth);
    Db().must("PRAGMA journal_mode=" + mode + "; CREATE TABLE t(x); INSERT INTO t VALUES (0)");
    int acknowledged = 1;
    {
      world.vfs->set_faults({{.at = at, .kind = kind, .nth = nth}});
      Db db;
      codes.insert(db.opened);
      for (int i = 0; i < 3 && db.opened == SQLITE_OK; ++i) {
        codes.insert(db.run("BEGIN"));
        const int insert = db.run("INSERT INTO t VALUES (1)");
        codes.insert(insert);
        const int commit = db.run("COMMIT");
        codes.insert(commit);
        if (insert == SQLITE_OK && commit == SQLITE_OK) ++acknowledged;
        if (db.in_transaction()) codes.insert(db.run("ROLLBACK"));
      }
    }
    const bool hit = world.vfs->injected() > 0;
    world.vfs->set_faults({});
    Db after;
    EXPECT_EQ("ok", after.text("PRAGMA integrity_check"));
    // A commit that failed may be there all the same; one that was acknowledged must be.
    EXPECT_LE(acknowledged, after.number("SELECT count(*) FROM t")) << name(at) << " " << nth;
    if (!hit) break;
    EXPECT_LT(nth, 200U);
  }
  codes.erase(SQLITE_OK);
  codes.erase(SQLITE_ERROR);  // "no transaction is active", after SQLite ended it by itself
  return codes;
}

struct Case {
  DiskOp at;
  DiskFaultKind kind;
  Codes journal;
  Codes wal;
};

void PrintTo(const Case& c, std::ostream* os) { *os << name(c.at); }

class SimSqliteFault : public ::testing::TestWithParam<Case> {};

TEST_P(SimSqliteFault, gives_the_codes_of_a_real_disk_and_does_no_damage) {
  const Case& c = GetParam();
  EXPECT_EQ(c.journal, codes_of("delete", c.at, c.kind));
  EXPECT_EQ(c.wal, codes_of("wal", c.at, c.kind));
}

const Case cases[] = {
    {DiskOp::read, DiskFaultKind::io_error, {266}, {266}},
    {DiskOp::write, DiskFaultKind::io_error, {778}, {778}},
    {DiskOp::write, DiskFaultKind::full, {13}, {13}},
    {DiskOp::sync, DiskFaultKind::io_error, {1034}, {1034}},
    {DiskOp::lock, DiskFaultKind::io_error, {3850}, {3850}},
    {DiskOp::lock, DiskFaultKind::busy, {5}, {5}},
    {DiskOp::shm_lock, DiskFaultKind::io_error, {}, {5130}},
    {DiskOp::shm_lock, DiskFaultKind::busy, {}, {5}},
    {DiskOp::shm_map, DiskFaultKind::io_error, {}, {5386}},
    {DiskOp::open, DiskFaultKind::io_error, {14}, {14}},
    {DiskOp::open, DiskFaultKind::full, {13}, {13}},
    {DiskOp::size, DiskFaultKind::io_error, {1802}, {1802}},
    {DiskOp::erase, DiskFaultKind::io_error, {2570}, {}},
    {DiskOp::access, DiskFaultKind::io_error, {3338}, {3338}},
    {DiskOp::unlock, DiskFaultKind::io_error, {2058}, {}},
    {DiskOp::check_lock, DiskFaultKind::io_error, {}, {}},
};

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  constexpr const char* kinds[] = {"io_error", "full", "busy", "short_read", "lie"};
  return std::string(name(info.param.at)) + "_" + kinds[static_cast<int>(info.param.kind)];
}

INSTANTIATE_TEST_SUITE_P(each, SimSqliteFault, ::testing::ValuesIn(cases), name_of);

TEST(SimSqlite, a_short_read_is_a_damaged_page_while_it_lasts) {
  World world;
  Db().must("CREATE TABLE t(x); INSERT INTO t VALUES (1)");
  world.vfs->set_faults({{.at = DiskOp::read, .kind = DiskFaultKind::short_read}});
  EXPECT_NE("1", Db().text("SELECT x FROM t"));
  EXPECT_GT(world.vfs->injected(), 0U);
  world.vfs->set_faults({});
  EXPECT_EQ("1", Db().text("SELECT x FROM t"));
  EXPECT_EQ("ok", Db().text("PRAGMA integrity_check"));
}

TEST(SimSqlite, faults_keep_to_their_window_their_file_and_their_probability) {
  using namespace std::chrono_literals;
  World world;
  Db db;
  db.must("CREATE TABLE t(x)");
  const Instant start = world.environment.clock;
  world.vfs->set_faults({{.at = DiskOp::write, .from = start + 1s, .until = start + 2s}});
  db.must("INSERT INTO t VALUES (1)");
  world.environment.clock = start + 1s;
  EXPECT_EQ(SQLITE_IOERR_WRITE, db.run("INSERT INTO t VALUES (1)"));
  world.environment.clock = start + 2s;
  db.must("INSERT INTO t VALUES (1)");
  EXPECT_GT(world.vfs->injected(), 0U);

  world.vfs->set_faults({{.at = DiskOp::write, .file_suffix = "-wal"}});
  db.must("INSERT INTO t VALUES (1)");
  world.vfs->set_faults({{.at = DiskOp::write, .file_suffix = "-journal"}});
  EXPECT_EQ(SQLITE_IOERR_WRITE, db.run("INSERT INTO t VALUES (1)"));

  const std::uint64_t before = world.vfs->injected();
  world.vfs->set_faults({{.at = DiskOp::lock, .kind = DiskFaultKind::busy, .probability = 0.25}});
  for (int i = 0; i < 400; ++i) db.text("SELECT * FROM t");
  const std::uint64_t hits = world.vfs->injected() - before;
  EXPECT_GT(hits, 60U);
  EXPECT_LT(hits, 150U);
}

TEST(SimSqliteDeathTest, a_fault_that_cannot_happen_is_refused) {
  EXPECT_DEATH(sim::FaultPlan({{.at = DiskOp::read, .kind = DiskFaultKind::busy}}), "can_happen");
}

}  // namespace
}  // namespace weir::test
