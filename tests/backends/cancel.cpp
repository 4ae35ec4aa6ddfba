// SPDX-License-Identifier: MIT
//
// Goal: a cancel never hits a later operation, whenever it comes; abort and close may race with it.
// Method: two threads on the real clock; the cancel is swept over the end of a short query. Run
// under ThreadSanitizer, too.
#include "tests/backends/abi_host.hpp"
#include "tests/backends/client.hpp"
#include "tests/backends/drivers.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

#include <gmock/gmock.h>

namespace weir::test {
namespace {

class Cancel : public ::testing::TestWithParam<Quirks> {
 protected:
  Cancel() : source(GetParam().driver(), host.abi(), GetParam().url_now(), {}, dir.path) {}
  void SetUp() override {
    const Quirks& quirks = GetParam();
    if (quirks.missing != nullptr && !quirks.missing().empty()) GTEST_SKIP() << quirks.missing();
  }
  TempDir dir;
  RealHost host;
  Source source;
};

std::vector<Quirks> one_of_each() {
  std::vector<Quirks> all = all_drivers();
  std::erase_if(all, [](const Quirks& q) {
    // The same code again.
    return q.name == "sqlite_plugin" || q.name == "mock_plugin" || q.name == "postgres_plugin" ||
           q.name == "mysql_plugin";
  });
  return all;
}

INSTANTIATE_TEST_SUITE_P(Drivers, Cancel, ::testing::ValuesIn(one_of_each()),
                         [](const auto& one) { return one.param.name; });

void spin(std::int64_t ns) {
  const weir_time until = RealHost::now() + ns;
  while (RealHost::now() < until) {
  }
}

// S14
TEST_P(Cancel, swept_over_the_end_of_a_query_never_hits_the_next) {
  Session s(source);
  ASSERT_EQ(WEIR_OK, s.open()) << s.error.what();
  if (!GetParam().create.empty()) {
    ASSERT_EQ(WEIR_OK, s.query(GetParam().create));
  }
  const std::string rows = GetParam().rows_1000;
  const int rounds = scaled(3'000, 300);
  const weir_time begun = RealHost::now();
  ASSERT_EQ(WEIR_OK, s.query(rows));
  const auto sweep_ns = static_cast<int>(2 * (RealHost::now() - begun));
  std::atomic<std::uint64_t> target{0};  // op id to cancel; pairs the threads round by round
  std::atomic<bool> settled{true};
  std::atomic<int> delay_ns{0};
  std::thread canceller([&] {
    const weir_call call{sizeof call, 0, 1, WEIR_NO_DEADLINE};
    unsigned idle = 0;
    for (std::uint64_t last = 0;;) {
      const std::uint64_t op = target.load(std::memory_order_acquire);
      if (op == UINT64_MAX) return;
      if (op == last) {
        if (++idle % 10'000 == 0) std::this_thread::yield();  // the other one may need this core
        continue;
      }
      last = op;
      spin(delay_ns.load(std::memory_order_relaxed));
      s.driver->cancel(s.canceller, op, &call, nullptr);
      settled.store(true, std::memory_order_release);
    }
  });
  int hits = 0;
  for (int i = 0; i < rounds; ++i) {
    settled.store(false, std::memory_order_relaxed);
    delay_ns.store(static_cast<int>(std::int64_t{sweep_ns} * (i * 61 % 300) / 300),
                   std::memory_order_relaxed);
    const std::uint64_t op = s.op + 1;  // of the execute that comes
    target.store(op, std::memory_order_release);
    // In one batch, or in two: then the cancel may come when the first is done and the result open.
    // Now and then one that lasts until it is hit, so that a busy machine finds its mark, too.
    weir_status status = WEIR_OK;
    if (i % 10 == 9 && is_coarse(s.driver)) {  // a deadline that passes would break the conn
      status = s.query(GetParam().lasting);
    } else if (i % 10 == 9) {
      s.deadline = RealHost::now() + 50'000'000;
      status = s.query(GetParam().endless);
      s.deadline = WEIR_NO_DEADLINE;
      if (status == WEIR_E_TIMEOUT) status = WEIR_OK;
    } else {
      status = s.query(rows, {}, 0, nullptr, i % 2 == 0 ? 1001 : 500);
    }
    ASSERT_TRUE(status == WEIR_OK || (status == WEIR_E_CANCELLED && s.op == op)) << s.error.what();
    if (status == WEIR_E_CANCELLED) ++hits;
    // Not waiting for the cancel: it comes during these, and names another operation.
    ASSERT_EQ(WEIR_OK, s.query(GetParam().select_one)) << s.error.what();
    ASSERT_EQ(WEIR_OK, s.query(rows)) << s.error.what();
    while (!settled.load(std::memory_order_acquire)) std::this_thread::yield();
  }
  target.store(UINT64_MAX, std::memory_order_release);
  canceller.join();
  EXPECT_GT(hits, 0) << "the sweep missed its mark";
}

TEST_P(Cancel, ends_a_query_that_would_run_for_ever) {
  Session s(source);
  ASSERT_EQ(WEIR_OK, s.open());
  std::atomic<std::uint64_t> op{s.op + 1};
  std::thread other([&] {
    const weir_call call{sizeof call, 0, 1, WEIR_NO_DEADLINE};
    while (op.load() != 0) {  // a cancel that comes before its operation does nothing
      s.driver->cancel(s.canceller, op.load(), &call, nullptr);
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(WEIR_E_CANCELLED, s.query(GetParam().endless));
  op.store(0);
  other.join();
  EXPECT_EQ(WEIR_OK, s.query(GetParam().select_one));
}

TEST_P(Cancel, abort_races_with_open_run_and_close) {
  for (int i = 0; i < scaled(2'000, 200); ++i) {
    auto s = std::make_unique<Session>(source, static_cast<std::uint64_t>(i) + 1);
    std::thread other([&s, i] {
      spin((i * 991) % 300'000);
      s->driver->abort(s->canceller);
    });
    if (s->open() == WEIR_OK) {
      const weir_status status = s->query(GetParam().rows_1000);
      EXPECT_TRUE(status == WEIR_OK || status == WEIR_E_CONN_LOST) << s->error.what();
      s->close();
    } else if (s->status == WEIR_E_CONNECT) {
      // The server has not got round yet to those that have left, and its queue is full.
      EXPECT_THAT(s->error.what(), ::testing::HasSubstr(std::strerror(EAGAIN)));
    } else {
      EXPECT_EQ(WEIR_E_CANCELLED, s->status) << s->error.what();
    }
    other.join();
  }
}

// Q4
TEST_P(Cancel, sessions_of_one_source_work_on_many_threads) {
  std::vector<std::thread> threads;
  for (std::uint64_t tag = 1; tag <= 4; ++tag) {
    threads.emplace_back([this, tag] {
      for (int i = 0; i < scaled(200, 30); ++i) {
        Session s(source, tag * 1000);
        ASSERT_EQ(WEIR_OK, s.open()) << s.error.what();
        ASSERT_EQ(WEIR_OK, s.query(GetParam().rows_1000)) << s.error.what();
        ASSERT_EQ(WEIR_OK, s.query(GetParam().dirty)) << s.error.what();
        ASSERT_EQ(WEIR_OK, s.reset()) << s.error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace weir::test
