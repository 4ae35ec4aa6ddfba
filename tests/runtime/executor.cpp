// SPDX-License-Identifier: MIT
//
// Goal: the executor runs everything once, keeps its timers while tasks hang, and has no threads
// when there is nothing to do. Goal of the host part: no wake-up is lost.
#include "tests/runtime/world.hpp"

#include <atomic>
#include <chrono>
#include <unistd.h>

namespace weir::runtime {
namespace {

// Somebody may set the time of day, or a leap second may: no deadline of ours moves (T8).
TEST(Clock, is_the_one_that_nobody_can_set) {
  const auto steady = [] { return Instant(std::chrono::steady_clock::now().time_since_epoch()); };
  const Instant before = steady();
  const Instant now = OsRuntime::now();
  EXPECT_LE(before, now);
  EXPECT_LE(now, steady());
}

TEST(Executor, has_no_thread_before_there_is_work) {
  OsExecutor executor;
  const auto timer = executor.add_timer([] {});
  EXPECT_EQ(executor.thread_count(), 0U);
  executor.remove_timer(timer);
}

TEST(Executor, runs_every_task_even_those_queued_at_the_end) {
  std::atomic<int> ran{0};
  {
    OsExecutor executor;
    for (int i = 0; i < 1000; ++i) executor.post([&] { ++ran; });
  }
  EXPECT_EQ(ran, 1000);
}

TEST(Executor, starts_a_thread_for_each_task_that_needs_one_and_no_more) {
  std::atomic<bool> go{false};
  std::atomic<std::size_t> ran{0};
  OsExecutor executor;
  for (int i = 0; i < 10; ++i) {
    executor.post([&] {
      ++ran;
      eventually([&] { return go.load(); });
    });
  }
  eventually([&] { return ran == 10; });
  EXPECT_EQ(executor.thread_count(), 10U);
  go = true;
}

TEST(Executor, tasks_that_hang_do_not_stop_others_nor_timers) {
  std::atomic<bool> go{false};
  std::atomic<bool> fired{false};
  std::atomic<bool> ran{false};
  OsExecutor executor;
  const auto timer = executor.add_timer([&] { fired = true; });
  executor.arm(timer, OsRuntime::now() + 3ms);
  for (int i = 0; i < 4; ++i) executor.post([&] { eventually([&] { return go.load(); }); });
  executor.post([&] { ran = true; });
  eventually([&] { return fired && ran; });
  go = true;
}

// Their deadlines are timers, too: what ends them must not wait for them.
TEST(Executor, as_many_hanging_tasks_as_there_may_be_do_not_stop_timers) {
  constexpr int most = 256;
  std::atomic<bool> go{false};
  std::atomic<int> begun{0};
  std::atomic<int> fired{0};
  OsExecutor executor;
  const auto early = executor.add_timer([&] { ++fired; });
  const auto late = executor.add_timer([&] { ++fired; });
  executor.arm(early, OsRuntime::now() + 1h);
  for (int i = 0; i < most + 10; ++i) {
    executor.post([&] {
      ++begun;
      go.wait(false);
    });
  }
  eventually([&] { return begun == most; });
  executor.arm(early, OsRuntime::now() + 1ms);
  executor.arm(late, OsRuntime::now() + 2ms);
  eventually([&] { return fired == 2; });
  EXPECT_EQ(begun, most) << "the thread of the timers took a task";
  go = true;
  go.notify_all();
  eventually([&] { return begun == most + 10; });
}

TEST(Executor, a_timer_fires_at_its_latest_time_and_once) {
  std::atomic<int> fired{0};
  OsExecutor executor;
  const Instant start = OsRuntime::now();
  std::atomic<std::int64_t> after_ns{0};
  const auto timer = executor.add_timer([&] {
    after_ns = (OsRuntime::now() - start).count();
    ++fired;
  });
  executor.arm(timer, no_deadline);
  executor.arm(timer, start + 1h);
  executor.arm(timer, start + 4ms);
  eventually([&] { return fired == 1; });
  EXPECT_GE(Duration(after_ns), 4ms);
  executor.arm(timer, OsRuntime::now());
  eventually([&] { return fired == 2; });
  executor.arm(timer, start + 1h);
  executor.remove_timer(timer);
}

TEST(Executor, removing_a_timer_waits_for_each_firing_of_it) {
  std::atomic<int> entered{0};
  std::atomic<int> left{0};
  std::atomic<bool> go{false};
  OsExecutor executor;
  const auto timer = executor.add_timer([&] {
    ++entered;
    eventually([&] { return go.load(); });
    ++left;
  });
  executor.arm(timer, OsRuntime::now());
  eventually([&] { return entered == 1; });
  executor.arm(timer, OsRuntime::now());  // while it fires: a second firing beside the first
  eventually([&] { return entered == 2; });
  std::thread releaser([&] { go = true; });
  executor.remove_timer(timer);
  EXPECT_EQ(left, 2);
  releaser.join();
}

TEST(Executor, may_be_destroyed_by_its_own_task) {
  auto executor = std::make_shared<OsExecutor>();
  std::atomic<bool> done{false};
  executor->post([&done, last = executor]() mutable {
    last.reset();
    done = true;
  });
  executor.reset();
  eventually([&] { return done.load(); });
}

TEST(Host, keeps_a_wake_up_for_the_next_wait) {
  BasicHost<OsRuntime> host([](std::int32_t, std::uint64_t, std::string_view) {});
  const weir_host& h = *host.table();
  host.add_cell(7);
  h.wake(h.ctx, 7);
  EXPECT_EQ(h.wait(h.ctx, 7, -1, 0, WEIR_NO_DEADLINE), WEIR_WAIT_INTERRUPTED);
  EXPECT_EQ(h.wait(h.ctx, 7, -1, 0, h.now(h.ctx) + 1000), WEIR_WAIT_TIMEOUT);
  h.wake(h.ctx, 7);  // between two waits, as before the first
  EXPECT_EQ(h.wait(h.ctx, 7, -1, 0, WEIR_NO_DEADLINE), WEIR_WAIT_INTERRUPTED);
  h.wake(h.ctx, 8);  // unknown: ignored
  EXPECT_EQ(h.wait(h.ctx, 8, -1, 0, WEIR_NO_DEADLINE), WEIR_WAIT_INTERRUPTED);
}

TEST(Host, waits_for_a_descriptor_a_deadline_or_a_wake_up) {
  BasicHost<OsRuntime> host([](std::int32_t, std::uint64_t, std::string_view) {});
  const weir_host& h = *host.table();
  host.add_cell(1);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_EQ(h.wait(h.ctx, 1, ends[0], WEIR_WAIT_READ, h.now(h.ctx) + 1000), WEIR_WAIT_TIMEOUT);
  EXPECT_EQ(h.wait(h.ctx, 1, ends[1], WEIR_WAIT_WRITE, WEIR_NO_DEADLINE), WEIR_WAIT_READY);
  std::thread waker([&] { h.wake(h.ctx, 1); });
  EXPECT_EQ(h.wait(h.ctx, 1, ends[0], WEIR_WAIT_READ, WEIR_NO_DEADLINE), WEIR_WAIT_INTERRUPTED);
  waker.join();
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  EXPECT_EQ(h.wait(h.ctx, 1, ends[0], WEIR_WAIT_READ, WEIR_NO_DEADLINE), WEIR_WAIT_READY);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace weir::runtime
