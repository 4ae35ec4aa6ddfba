// SPDX-License-Identifier: MIT
//
// Goal: `max = "auto"` becomes this pool's share of what its server admits. Method: real servers,
// whose limit is asked for beside the pool.
#include "tests/api/databases.hpp"

#include <atomic>

#include <gmock/gmock.h>

namespace weir::test {
namespace {

using testing::HasSubstr;

constexpr const char* shared = "max = \"auto\"\n[pool.main.auto]\ninstances = 3\nreserve = 4\n";

class AutoSize : public EachDatabase {
 protected:
  // What a third of the server is, less four connections; 10 where there is no limit.
  std::uint32_t share() {
    if (is("sqlite")) return 10;
    const long long limit =
        number(is("mysql") ? "select @@max_connections"
                           : "select current_setting('max_connections')::bigint");
    return static_cast<std::uint32_t>((limit - 4) / 3);  // the tests' role is a superuser
  }
  // Once the first connection has told.
  static std::uint32_t max_of(Pool& pool) {
    EXPECT_TRUE(pool.acquire());
    return pool.stats().now.max;
  }
};

TEST_P(AutoSize, is_a_share_of_what_the_server_admits) {
  auto pools = open(shared);
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& pool = (*pools)["main"];
  EXPECT_EQ(max_of(pool), share());
  EXPECT_EQ(pool.config().max, share());
}

TEST_P(AutoSize, lends_more_than_the_connection_that_asked) {
  auto pools = open(shared);
  ASSERT_TRUE(pools) << pools.error().what();
  std::vector<Lease> leases;
  for (int i = 0; i < 5; ++i) leases.push_back(or_throw((*pools)["main"].acquire()));
  EXPECT_EQ((*pools)["main"].stats().now.lent, 5U);
}

TEST_P(AutoSize, is_never_below_min) {
  auto pools = open("min = 2\nmax = \"auto\"\n[pool.main.auto]\nreserve = 10000\n");
  ASSERT_TRUE(pools) << pools.error().what();
  EXPECT_EQ(max_of((*pools)["main"]), is("sqlite") ? 10U : 2U);
}

TEST_P(AutoSize, gives_way_to_a_number) {
  auto pools = open(shared);
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& pool = (*pools)["main"];
  ASSERT_TRUE(pool.resize(0, 7));
  EXPECT_EQ(max_of(pool), 7U);
  EXPECT_EQ(pool.config().max, 7U);
}

TEST_P(AutoSize, can_be_turned_on_in_a_running_pool) {
  auto pools = open("max = 2\n");
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& pool = (*pools)["main"];
  ASSERT_EQ(max_of(pool), 2U);
  PoolConfig config = pool.config();
  config.max = max_auto;
  config.auto_size = {3, 4};
  Config all;
  all.pools.emplace("main", config);
  const auto reloaded = pools->reload(all);
  ASSERT_TRUE(reloaded) << reloaded.error().what();
  // What the new connections are made of is new, so the first of them asks.
  EXPECT_EQ(max_of(pool), share());
}

TEST_P(AutoSize, keeps_the_size_of_a_running_pool_until_it_is_told) {
  auto pools = open(std::string("max = 2\n[pool.main.auto]\ninstances = 3\nreserve = 4\n"));
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& pool = (*pools)["main"];
  ASSERT_EQ(max_of(pool), 2U);
  ASSERT_TRUE(pool.resize(0, max_auto));
  const std::uint32_t until_told = is("sqlite") ? 10 : 2;
  EXPECT_EQ(max_of(pool), until_told);
  ASSERT_TRUE(pool.evict());
  EXPECT_EQ(max_of(pool), share());
}

// The session ends when on_create has seen it, so that the question finds it gone.
using AutoSizeOnServer = AutoSize;

TEST_P(AutoSizeOnServer, is_asked_for_again_where_the_connection_that_asked_was_lost) {
  std::atomic<int> made{0};
  Hooks hooks;
  hooks.on_create = [&](Connection& c, const CreateEvent&) -> Result<void> {
    if (++made > 1) return {};
    const std::string own = is("postgres") ? "select pg_backend_pid()" : "select connection_id()";
    const auto id = std::to_string(or_throw(c.query(own))[0].get<long long>(0));
    run(is("postgres") ? "select pg_terminate_backend(" + id + ", 60000)" : "kill " + id);
    return {};
  };
  auto pools = open(shared, std::move(hooks));
  ASSERT_TRUE(pools) << pools.error().what();
  EXPECT_EQ(max_of((*pools)["main"]), share());
  EXPECT_EQ(made, 2);
}

INSTANTIATE_TEST_SUITE_P(Databases, AutoSize, testing::ValuesIn(databases()), name_of);
INSTANTIATE_TEST_SUITE_P(Databases, AutoSizeOnServer, testing::ValuesIn(servers()), name_of);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AutoSizeOnServer);

}  // namespace
}  // namespace weir::test
