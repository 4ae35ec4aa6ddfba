// SPDX-License-Identifier: MIT
//
// Goal: opening and closing real connections leaves nothing behind: no descriptor, no thread, no
// memory. Method: each query is followed by evict(), so that the next one needs a new connection;
// what the process holds is read from /proc after a tenth of them and again at the end.
// Scale: 500 connections; with WEIR_TEST_SCALE=full 10 000.
#include "tests/backends/client.hpp"
#include "tests/faults/server.hpp"

#include <filesystem>
#include <fstream>
#include <numeric>
#include <thread>
#include <unistd.h>

namespace weir::test {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool memory_is_ours = false;  // a sanitizer keeps what was freed
#elif defined(__has_feature)
constexpr bool memory_is_ours =
    !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
constexpr bool memory_is_ours = true;
#endif

std::ptrdiff_t entries(const char* directory) {
  return std::distance(std::filesystem::directory_iterator(directory), {});
}

struct Holdings {
  std::ptrdiff_t files = entries("/proc/self/fd");
  std::ptrdiff_t threads = entries("/proc/self/task");
  long resident = [] {
    long all = 0;
    long resident_pages = 0;
    std::ifstream("/proc/self/statm") >> all >> resident_pages;
    return resident_pages * ::sysconf(_SC_PAGESIZE);
  }();
};

// Returns when all of them are closed.
void open_and_close(Pool& db, int times) {
  for (int i = 0; i < times; ++i) {
    const auto rows = db.query("SELECT 1");
    ASSERT_TRUE(rows) << rows.error().what();
    ASSERT_TRUE(db.evict());
  }
  const Instant end = db.now() + 60s;
  for (PoolCounts now = db.stats().now; now.idle + now.connecting + now.other > 0;
       now = db.stats().now) {
    ASSERT_LT(db.now(), end) << db.stats().to_json();
    std::this_thread::yield();
  }
}

class Opens : public testing::TestWithParam<Server> {};

TEST_P(Opens, leave_nothing_behind) {
  const Server& server = GetParam();
  if (const std::string why = server.missing(); !why.empty()) GTEST_SKIP() << why;
  auto pools = open_pool(server.driver(), server.name, server.url(), "max = 1\n");
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  const int total = scaled(10'000, 500);
  ASSERT_NO_FATAL_FAILURE(open_and_close(db, total / 10));
  const Holdings before;
  ASSERT_NO_FATAL_FAILURE(open_and_close(db, total - total / 10));
  const Holdings after;
  EXPECT_EQ(db.stats().created, static_cast<std::uint64_t>(total));
  EXPECT_EQ(after.files, before.files);
  // Idle threads linger for seconds, so how many there are just now is chance: some for the pool
  // and some for a driver that blocks.
  EXPECT_LE(after.threads, before.threads + 4);
  // 9000 connections that leave 120 bytes each. The allocator alone moves by a quarter of that.
  if (memory_is_ours) {
    EXPECT_LT(after.resident - before.resident, 1024 * 1024);
  }
  std::printf("%s: %d opened, %td files, %td threads, %+ld bytes\n", server.name.c_str(), total,
              after.files, after.threads, after.resident - before.resident);
}

INSTANTIATE_TEST_SUITE_P(On, Opens, testing::ValuesIn(servers()), name_of);

}  // namespace
}  // namespace weir::test
