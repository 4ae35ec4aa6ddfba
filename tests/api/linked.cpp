// SPDX-License-Identifier: MIT
//
// Goal: a driver that is linked in needs no plugin file, and the native handle comes through.
#include "backends/sqlite/weir_sqlite.h"
#include "tests/api/support.hpp"

namespace weir::test {
namespace {

TEST_F(ApiTest, a_registered_driver_is_used_without_any_file) {
  auto pools =
      Pools::builder()
          .driver(weir_sqlite_driver())
          .string("version = 1\n[pool.main]\ndriver = \"sqlite\"\nurl = \":memory:\"\nlog = []",
                  dir.string())
          .open();
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  EXPECT_EQ((*db.query("select 40 + 2"))[0].get<int>(0), 42);
  EXPECT_EQ(db.placeholder(3), "?");
  auto handle = db.with([](Connection& c) { return c.native("sqlite3*"); });
  ASSERT_TRUE(handle) << handle.error().what();
  EXPECT_NE(*handle, nullptr);
  EXPECT_FALSE(db.with([](Connection& c) { return c.native("PGconn*"); }));
}

TEST_F(ApiTest, several_pools_are_opened_and_drained_together) {
  auto pools = Pools::builder()
                   .driver(weir_sqlite_driver())
                   .string(
                       "version = 1\n[pool.a]\ndriver = \"sqlite\"\nurl = \"a.db\"\nlog = []\n"
                       "[pool.b]\ndriver = \"sqlite\"\nurl = \"b.db\"\nlog = []",
                       dir.string())
                   .open();
  ASSERT_TRUE(pools) << pools.error().what();
  EXPECT_EQ(pools->names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE((*pools)["a"].query("select 1"));
  EXPECT_TRUE(pools->drain(30s));
  EXPECT_EQ((*pools)["b"].query("select 1").error().code(), Code::pool_closed);
}

// Not one after another: with a lease of each still out that would be their sum.
TEST_F(ApiTest, the_end_of_several_pools_takes_as_long_as_the_longest) {
  std::string text = "version = 1\n";
  for (const char* name : {"a", "b", "c", "d"}) {
    text += std::string("[pool.") + name + "]\ndriver = \"sqlite\"\nurl = \"" + name +
            ".db\"\nlog = []\ndrain_timeout = \"1s\"\n";
  }
  std::vector<Lease> still_out;
  std::optional<Pools> pools(
      or_throw(Pools::builder().driver(weir_sqlite_driver()).string(text, dir.string()).open()));
  for (const std::string& name : pools->names()) {
    still_out.push_back(or_throw((*pools)[name].acquire()));
  }
  const auto begun = std::chrono::steady_clock::now();
  pools.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 3500ms);
}

}  // namespace
}  // namespace weir::test
