// SPDX-License-Identifier: MIT
//
// Goal: the driver that ships runs on the simulated disk and waits in its host's virtual time.
// Method: the driver linked in, seen through the ABI, under a host whose clock is the world's.
#include "backends/sqlite/weir_sqlite.h"
#include "tests/backends/client.hpp"
#include "tests/sim/sqlite/support.hpp"

#include <cstring>

namespace weir::test {
namespace {

// Time and waiting from the environment: one clock for the pool's side and for the disk's.
class WorldHost {
 public:
  explicit WorldHost(FakeEnvironment& environment) : environment_(environment) {
    host_.struct_size = sizeof host_;
    host_.abi_major = WEIR_ABI_MAJOR;
    host_.abi_minor = WEIR_ABI_MINOR;
    host_.ctx = this;
    host_.now = [](void* ctx) noexcept -> weir_time {
      return self(ctx).environment_.now().time_since_epoch().count();
    };
    host_.wait = [](void* ctx, std::uint64_t, std::int32_t, std::uint32_t,
                    weir_time until) noexcept -> std::int32_t {
      ++self(ctx).waits;
      self(ctx).environment_.sleep_until(Instant(Duration(until)));
      return WEIR_WAIT_TIMEOUT;
    };
    host_.wake = [](void*, std::uint64_t) noexcept {};
    host_.log = [](void*, std::int32_t, std::uint64_t, weir_text) noexcept {};
    host_.event = [](void*, std::uint64_t, const weir_event*) noexcept {};
    host_.random = [](void*, void* out, std::size_t size) noexcept { std::memset(out, 7, size); };
    host_.extension = [](void*, const char*) noexcept -> const void* { return nullptr; };
  }
  const weir_host* abi() const { return &host_; }
  int waits = 0;

 private:
  static WorldHost& self(void* ctx) { return *static_cast<WorldHost*>(ctx); }
  FakeEnvironment& environment_;
  weir_host host_{};
};

struct DriverWorld : World {
  explicit DriverWorld(std::uint64_t seed = 1) : World(seed), host(environment) {}
  WorldHost host;
};

// The driver closes its files after the world does, unless it goes first.
struct Opened {
  explicit Opened(DriverWorld& world, const Options& options = {}, std::uint64_t tag = 1)
      : source(weir_sqlite_driver(), world.host.abi(), "file:/sim/app.db", options),
        session(source, tag) {
    EXPECT_EQ(WEIR_OK, source.status) << source.error.what();
    EXPECT_EQ(WEIR_OK, session.open()) << session.error.what();
  }
  Source source;
  Session session;
};

TEST(SimSqliteDriver, opens_inserts_and_selects_on_the_simulated_disk) {
  DriverWorld world;
  {
    Opened opened(world);
    Session& s = opened.session;
    EXPECT_EQ(Value::str("wal"), s.one("PRAGMA journal_mode"));
    ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(x)")) << s.error.what();
    ASSERT_EQ(WEIR_OK, s.query("INSERT INTO t VALUES (?)", {Value::integer(42)}));
    EXPECT_EQ(Value::integer(42), s.one("SELECT x FROM t"));
    EXPECT_EQ(WEIR_OK, s.reset());
    EXPECT_EQ(WEIR_OK, s.ping(WEIR_PING_SESSION));
  }
  EXPECT_GT(world.vfs->calls(sim::DiskOp::write), 0U);
  EXPECT_NE(nullptr, world.disk.find("/sim/app.db"));
}

TEST(SimSqliteDriver, waits_for_a_lock_in_the_hosts_virtual_time) {
  for (const char* mode : journal_modes) {
    DriverWorld world;
    Opened a(world, {{"journal_mode", mode}, {"busy_timeout", "300000000"}});
    Opened b(world, {{"journal_mode", mode}, {"busy_timeout", "300000000"}}, 2);
    ASSERT_EQ(WEIR_OK, a.session.query("CREATE TABLE t(x)"));
    ASSERT_EQ(WEIR_OK, a.session.begin(WEIR_BEGIN_WRITE));
    const Instant start = world.environment.clock;
    EXPECT_EQ(WEIR_E_LOCK_TIMEOUT, b.session.query("INSERT INTO t VALUES (1)"));
    EXPECT_EQ(start + std::chrono::milliseconds(300), world.environment.clock);
    EXPECT_GT(world.host.waits, 100);
    // It is let go meanwhile: the waiter goes on.
    const std::size_t slept = world.environment.sleeps.size();
    world.environment.on_sleep = [&] {
      if (world.environment.sleeps.size() != slept + 7) return;
      running_thread = 2;
      EXPECT_EQ(WEIR_OK, a.session.commit());
      running_thread = 1;
    };
    EXPECT_EQ(WEIR_OK, b.session.query("INSERT INTO t VALUES (1)")) << b.session.error.what();
    EXPECT_EQ(slept + 7, world.environment.sleeps.size());
  }
}

TEST(SimSqliteDriver, a_deadline_ends_a_busy_wait_to_the_nanosecond) {
  DriverWorld world;
  Opened a(world), b(world, {}, 2);
  ASSERT_EQ(WEIR_OK, a.session.query("CREATE TABLE t(x)"));
  ASSERT_EQ(WEIR_OK, a.session.begin(WEIR_BEGIN_WRITE));
  const weir_time start = world.environment.clock.time_since_epoch().count();
  b.session.deadline = start + 12'345'678;
  EXPECT_EQ(WEIR_E_TIMEOUT, b.session.query("INSERT INTO t VALUES (1)"));
  EXPECT_EQ(start + 12'345'678, world.environment.clock.time_since_epoch().count());
}

TEST(SimSqliteDriver, a_failing_disk_speaks_through_the_driver) {
  DriverWorld world;
  Opened opened(world);
  Session& s = opened.session;
  ASSERT_EQ(WEIR_OK, s.query("CREATE TABLE t(x)"));
  world.vfs->set_faults({{.at = sim::DiskOp::write, .kind = sim::DiskFaultKind::full}});
  EXPECT_EQ(WEIR_E_RESOURCE, s.query("INSERT INTO t VALUES (1)"));
  EXPECT_EQ(SQLITE_FULL, s.error.native_code);
  world.vfs->set_faults({{.at = sim::DiskOp::sync, .file_suffix = "-wal"}});
  ASSERT_EQ(WEIR_OK, s.query("PRAGMA synchronous=full"));
  EXPECT_EQ(WEIR_E_RESOURCE, s.query("INSERT INTO t VALUES (1)"));
  EXPECT_EQ(SQLITE_IOERR_FSYNC, s.error.native_code);
  EXPECT_EQ(WEIR_EFFECT_UNKNOWN, s.error.effect);
  world.vfs->set_faults({});
  EXPECT_EQ(WEIR_OK, s.reset());
  EXPECT_EQ(WEIR_OK, s.query("INSERT INTO t VALUES (1)")) << s.error.what();
}

std::uint64_t hash_of_driver_run(std::uint64_t seed) {
  DriverWorld world(seed);
  world.vfs->set_latency([](sim::DiskOp) { return Duration(10'000); });
  Opened opened(world);
  opened.session.query("CREATE TABLE t(x)");
  for (int i = 0; i < 10; ++i) {
    opened.session.query("INSERT INTO t VALUES (randomblob(2000))");
    opened.session.reset();
  }
  return world.environment.hash;
}

TEST(SimSqliteDriver, two_runs_of_a_seed_are_equal) {
  EXPECT_EQ(hash_of_driver_run(3), hash_of_driver_run(3));
  EXPECT_NE(hash_of_driver_run(3), hash_of_driver_run(4));
}

// Real files would be reached by it: the driver must not let a world be left.
TEST(SimSqliteDriver, nobody_leaves_the_world_by_another_vfs) {
  DriverWorld world;
  const Source source(weir_sqlite_driver(), world.host.abi(), "file:/sim/app.db?vfs=unix");
  EXPECT_EQ(WEIR_E_CONFIG, source.status);
  Opened opened(world);
  EXPECT_EQ(WEIR_E_PERMISSION, opened.session.query("ATTACH 'file:/tmp/x?vfs=unix' AS x"));
}

}  // namespace
}  // namespace weir::test
