// SPDX-License-Identifier: MIT
//
// Goal: a process that used SQLite before it simulates is told so. A program of its own, because
// the mistake can be made once in a process.
#include "sim/sqlite/configure.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace weir::test {
namespace {

TEST(SimSqliteLate, configuring_after_a_use_says_what_to_do) {
  sqlite3* db = nullptr;
  ASSERT_EQ(SQLITE_OK, sqlite3_open(":memory:", &db));
  const std::string why = sim::configure_sqlite([]() noexcept { return std::uint64_t{1}; });
  EXPECT_NE(std::string::npos, why.find("in use in this process already")) << why;
  EXPECT_NE(std::string::npos, why.find("top of main()")) << why;
  EXPECT_FALSE(sim::sqlite_is_configured());
  sqlite3_close(db);
}

}  // namespace
}  // namespace weir::test
