// SPDX-License-Identifier: MIT
//
// Goal: when the server is restarted under load, the pool tells each caller the truth about its
// transaction, and is back within its bound (R1). Method: 16 threads commit rows through a pool of
// 8 and keep a ledger, while the server is stopped in good order and started, then crashed and
// started. Scale: 2 runs; with WEIR_TEST_SCALE=full 20.
#include "tests/backends/client.hpp"
#include "tests/faults/server.hpp"
#include "tests/faults/writers.hpp"

namespace weir::test {
namespace {

using namespace std::chrono_literals;

constexpr int threads = 16;

class Restart : public testing::TestWithParam<Server> {};

void run(const Server& server, const std::string& url) {
  auto pools = open_pool(server.driver(), server.name, url,
                         "max = 8\nacquire_timeout = \"500ms\"\ncreate_timeout = \"2s\"\n"
                         "create_retry_interval = \"50ms\"\ncreate_retry_max = \"500ms\"\n");
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  ASSERT_TRUE(db.execute("DROP TABLE IF EXISTS ledger"));
  ASSERT_TRUE(db.execute("CREATE TABLE ledger (id bigint)"));
  const Duration bound = recovery_bound(db.config());
  Writers writers(db, server.insert, threads);
  for (const bool crash : {false, true}) {
    ASSERT_TRUE(writers.all_commit_again(60s)) << "nothing was wrong yet";
    server.restart(crash);
    const auto took = writers.all_commit_again(bound);
    ASSERT_TRUE(took) << "not back after " << (crash ? "the crash" : "the stop") << "; "
                      << db.stats().to_json() << "\n"
                      << writers.summary();
    std::printf("%s: back %lld ms after %s\n", server.name.c_str(),
                static_cast<long long>(*took / 1ms), crash ? "a crash" : "a stop");
  }
  writers.stop();
  writers.expect_truth_in(db);
  // Each thread has at most one commit under way when the server stops.
  EXPECT_LE(writers.count(Fate::unknown), 2U * threads);
  std::printf("%s", writers.summary().c_str());
  EXPECT_EQ(db.stats().now.lent, 0U);
}

TEST_P(Restart, under_load) {
  const Server& server = GetParam();
  if (const std::string why = server.missing(); !why.empty()) GTEST_SKIP() << why;
  const std::string url = server.url();
  for (int n = scaled(20, 2); n > 0 && !HasFatalFailure(); --n) run(server, url);
}

INSTANTIATE_TEST_SUITE_P(On, Restart, testing::ValuesIn(servers()), name_of);

}  // namespace
}  // namespace weir::test
