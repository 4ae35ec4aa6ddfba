// SPDX-License-Identifier: MIT
//
// Goal: what of a pool's settings its database does not allow is in the log when the pool starts,
// once, with the fix. Method: SQLite files in the journal mode that keeps readers waiting. Servers
// are asked in tests/cli/server_test.py, by the doctor, with the same questions.
#include "backends/sqlite/weir_sqlite.h"
#include "tests/api/support.hpp"

#include <mutex>
#include <vector>

#include <gmock/gmock.h>

namespace weir::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Advice : public ApiTest {
 protected:
  // What a pool logs until it has lent three connections at once.
  std::vector<std::string> lines_of(const std::string& settings) {
    std::mutex mutex;
    std::vector<std::string> lines;
    auto pools = Pools::builder()
                     .driver(weir_sqlite_driver())
                     .string(
                         "version = 1\n[pool.main]\ndriver = \"sqlite\"\nurl = \"test.db\"\n"
                         "max = 4\n" +
                             settings,
                         dir.string())
                     .log([&](LogLevel, std::string_view, std::string_view line) {
                       const std::lock_guard lock(mutex);
                       lines.emplace_back(line);
                     })
                     .open();
    EXPECT_TRUE(pools) << pools.error().what();
    if (!pools) return {};
    Pool& pool = (*pools)["main"];
    std::vector<Lease> leases;
    for (int i = 0; i < 3; ++i) {
      auto lease = pool.acquire();
      EXPECT_TRUE(lease) << lease.error().what();
      if (lease) leases.push_back(*std::move(lease));
    }
    EXPECT_TRUE(leases.empty() || leases[0]->query("select 1"));
    const std::lock_guard lock(mutex);
    return lines;
  }
};

constexpr const char* slow = "[pool.main.options]\njournal_mode = \"delete\"\n";

TEST_F(Advice, what_will_not_do_is_logged_once_with_the_fix) {
  const auto warning = AllOf(HasSubstr("journal mode delete"), HasSubstr("3 other connections"),
                             HasSubstr("better: journal_mode = \"wal\""));
  EXPECT_THAT(lines_of(std::string("log = [\"warn\"]\n") + slow), ElementsAre(warning));
  EXPECT_THAT(
      lines_of(std::string("log = [\"warn\"]\ninit_sql = [\"PRAGMA cache_size = 100\"]\n") + slow),
      ElementsAre(warning));
}

TEST_F(Advice, nothing_is_asked_where_nobody_listens_or_nothing_is_wrong) {
  EXPECT_THAT(lines_of(std::string("log = [\"error\"]\n") + slow), IsEmpty());
  EXPECT_THAT(lines_of("log = [\"warn\"]\n[pool.main.options]\njournal_mode = \"wal\"\n"),
              IsEmpty());
}

}  // namespace
}  // namespace weir::test
