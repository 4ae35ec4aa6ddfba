// SPDX-License-Identifier: MIT
//
// Goal: a pool whose URL names primary and standby follows a promotion within its bound, and with
// synchronous replication no row that was acknowledged is missing on the new primary. Method: 8
// threads commit rows and keep a ledger, while the primary crashes and its standby is promoted.
// Scale: 1 run; with WEIR_TEST_SCALE=full 10, each with servers of its own.
#include "tests/backends/client.hpp"
#include "tests/backends/drivers.hpp"
#include "tests/backends/postgres_server.hpp"
#include "tests/faults/server.hpp"
#include "tests/faults/writers.hpp"

namespace weir::test {
namespace {

using namespace std::chrono_literals;

Result<Pools> open(const std::string& url, const std::string& keys) {
  return open_pool(linked_postgres(), "postgres", url, keys);
}

void promote(const PostgresServer& standby) {
  auto pools = open(standby.url(), "max = 1\n");
  ASSERT_TRUE(pools) << pools.error().what();
  EXPECT_EQ(ask((*pools)["main"], "SELECT pg_promote()::int"), 1);  // waits until it is done
}

void run() {
  PostgresServer primary;
  // A commit is acknowledged only when the standby has it on disk, too.
  primary.restart("synchronous_commit = on\nsynchronous_standby_names = '*'\n");
  const auto standby = PostgresServer::standby_of(primary);
  auto pools = open("postgresql://weir@/postgres?host=" + primary.directory() + "," +
                        standby->directory() + "&port=" + std::to_string(primary.port()) + "," +
                        std::to_string(standby->port()) + "&target_session_attrs=read-write",
                    "max = 4\nacquire_timeout = \"500ms\"\ncreate_timeout = \"2s\"\n"
                    "create_retry_interval = \"50ms\"\ncreate_retry_max = \"500ms\"\n");
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  const auto created = db.execute("CREATE TABLE ledger (id bigint)");
  ASSERT_TRUE(created) << created.error().what();
  Writers writers(db, "INSERT INTO ledger VALUES ($1)", 8);
  ASSERT_TRUE(writers.all_commit_again(60s)) << "nothing was wrong yet";
  primary.crash();
  ASSERT_NO_FATAL_FAILURE(promote(*standby));
  const auto took = writers.all_commit_again(recovery_bound(db.config()));
  ASSERT_TRUE(took) << "not back; " << db.stats().to_json() << "\n" << writers.summary();
  writers.stop();
  writers.expect_truth_in(db);
  EXPECT_LE(writers.count(Fate::unknown), 8U) << "one commit a thread was under way";
  std::printf("back %lld ms after the promotion\n", static_cast<long long>(*took / 1ms));
  std::printf("%s", writers.summary().c_str());
}

TEST(Promotion, under_load) {
  if (const std::string why = PostgresServer::missing(); !why.empty()) GTEST_SKIP() << why;
  for (int n = scaled(10, 1); n > 0 && !HasFatalFailure(); --n) run();
}

}  // namespace
}  // namespace weir::test
