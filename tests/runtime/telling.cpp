// SPDX-License-Identifier: MIT
//
// Goal: what a server says unasked comes to its hook, in order and where the pool may be used; and
// a pool that its own hooks end, ends.
#include "tests/runtime/world.hpp"

#include <atomic>
#include <cstring>

namespace weir::runtime {
namespace {

using Telling = PoolTest;

// The mock, but that each statement makes its server talk.
const weir_host* heard_by = nullptr;
std::atomic<std::uint64_t> last_tag{0};
std::function<void(const std::function<void(std::int32_t, const char*, const char*)>& say)> talk;

weir_status env_create(const weir_host* host, weir_env** env, weir_error* error) noexcept {
  heard_by = host;
  return weir_mock_driver()->env_create(host, env, error);
}
weir_status open_conn(weir_source* source, const weir_call* call, const weir_open_args* args,
                      weir_canceller* canceller, weir_conn** conn, weir_error* error) noexcept {
  last_tag = args->conn_tag;
  return weir_mock_driver()->open(source, call, args, canceller, conn, error);
}
weir_status execute(weir_conn* conn, const weir_call* call, const weir_exec_args* args,
                    weir_exec_out* out, weir_result** result, weir_batch* batch,
                    weir_error* error) noexcept {
  talk([](std::int32_t type, const char* name, const char* text) {
    weir_event event{};
    event.struct_size = sizeof event;
    event.type = type;
    event.name = {name, std::strlen(name)};
    event.text = {text, std::strlen(text)};
    heard_by->event(heard_by->ctx, last_tag, &event);
  });
  return weir_mock_driver()->execute(conn, call, args, out, result, batch, error);
}

const weir_driver* talking() {
  static weir_driver table = *weir_mock_driver();
  table.env_create = env_create;
  table.open = open_conn;
  table.execute = execute;
  return &table;
}

TEST_F(Telling, a_notice_and_a_notification_come_whole_and_in_order) {
  driver = talking();
  talk = [](const auto& say) {
    say(WEIR_EVENT_NOTICE, "00000", "one");
    say(WEIR_EVENT_NOTIFICATION, "orders", "two");
    say(WEIR_EVENT_SERVER_GOING_AWAY, "57P01", "three");
  };
  std::shared_ptr<OsPool> pool;
  std::mutex mutex;
  std::vector<std::string> heard;
  std::uint64_t caller = 0;
  const auto add = [&](std::string_view name, std::string_view text, std::uint32_t slot) {
    EXPECT_EQ(slot, 0U);
    EXPECT_NE(OsRuntime::thread_id(), caller) << "not in the middle of the driver's call";
    EXPECT_EQ(pool->stats().name, "main");
    const std::lock_guard lock(mutex);
    heard.push_back(std::string(name) + " " + std::string(text));
  };
  hooks.on_notice = [&](const NoticeEvent& e) { add(e.name, e.text, e.slot); };
  hooks.on_notify = [&](const NotifyEvent& e) { add(e.channel, e.payload, e.slot); };
  pool = open(small(1));
  caller = OsRuntime::thread_id();
  ASSERT_TRUE(pool->query("SELECT 1"));
  ASSERT_TRUE(pool->query("SELECT 1"));
  ASSERT_TRUE(pool->drain(1h));  // waits for what is still to be told
  const std::vector<std::string> once{"00000 one", "orders two", "57P01 three"};
  std::vector<std::string> twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  EXPECT_EQ(heard, twice);
  EXPECT_EQ(times_logged("notification on orders: two"), 2U);
}

TEST_F(Telling, what_nobody_wants_to_hear_is_logged_only) {
  driver = talking();
  talk = [](const auto& say) { say(WEIR_EVENT_NOTICE, "01000", "mind the gap"); };
  auto pool = open(small(1));
  ASSERT_TRUE(pool->query("SELECT 1"));
  EXPECT_TRUE(logged("mind the gap"));
}

TEST_F(Telling, a_hook_that_does_not_keep_up_loses_what_comes_too_much) {
  driver = talking();
  talk = [](const auto& say) {
    for (int i = 0; i < 3000; ++i) say(WEIR_EVENT_NOTICE, "01000", "again");
  };
  std::atomic<bool> go{false};
  std::atomic<int> heard{0};
  hooks.on_notice = [&](const NoticeEvent&) {
    ++heard;
    eventually([&] { return go.load(); });
  };
  auto pool = open(small(1));
  ASSERT_TRUE(pool->query("SELECT 1"));
  go = true;
  ASSERT_TRUE(pool->drain(1h));
  EXPECT_GE(heard, 1024);
  EXPECT_LE(heard, 1025);
  EXPECT_EQ(times_logged("further ones are lost"), 1U);
}

// ---------------------------------------------------------------- a hook ends the pool

TEST_F(Telling, a_hook_on_the_callers_thread_may_end_the_pool) {
  std::shared_ptr<OsPool> pool;
  std::string when;
  const auto end = [&](std::string_view name) {
    if (name != when || !pool) return;
    static_cast<void>(pool->drain(0s));
    pool.reset();
  };
  hooks.on_acquire = [&](const AcquireEvent&) { end("acquire"); };
  hooks.on_query = [&](const QueryEvent&) { end("query"); };
  hooks.on_release = [&](const ReleaseEvent&) { end("release"); };
  hooks.on_wait = [&](const WaitEvent&) { end("wait"); };
  hooks.on_timeout = [&](const TimeoutEvent&) { end("timeout"); };
  for (const char* hook : {"acquire", "query", "release", "wait", "timeout"}) {
    when = "";
    PoolConfig config = small(1);
    config.drain_timeout = 0s;  // nobody knows that this thread has the lease
    pool = open(config);
    ASSERT_TRUE(pool->query("SELECT 1"));
    const std::weak_ptr<OsPool> watch = pool->weak_from_this();
    OsPool& same = *pool;
    when = hook;
    if (when == "wait" || when == "timeout") {
      auto held = same.acquire();
      const auto lease = same.acquire({.timeout = 1ms});
      ASSERT_FALSE(lease) << hook;
      EXPECT_EQ(lease.error().code(), when == "wait" ? Code::pool_closed : Code::acquire_timeout);
    } else {
      const auto rows = same.query("SELECT 1");
      EXPECT_EQ(rows.has_value(), when != "acquire") << hook;
    }
    eventually([&] { return watch.expired(); });
  }
}

// It waits for what runs, itself included, for its grace of six seconds at most.
TEST_F(Telling, a_hook_on_a_thread_of_the_pool_may_end_the_pool) {
  std::shared_ptr<OsPool> pool;
  std::atomic<bool> begun{false};
  std::atomic<bool> ended{false};
  hooks.on_destroy = [&](const DestroyEvent&) {
    if (begun.exchange(true)) return;
    static_cast<void>(pool->drain(0s));
    pool.reset();
    ended = true;
  };
  pool = open(small(1));
  const std::weak_ptr<OsPool> watch = pool->weak_from_this();
  ASSERT_TRUE(pool->query("SELECT 1"));
  ASSERT_TRUE(pool->evict());
  eventually([&] { return ended && watch.expired(); });
}

TEST_F(Telling, nothing_is_told_once_the_pool_was_given_up) {
  int released = 0;
  hooks.on_release = [&](const ReleaseEvent&) { ++released; };
  auto pool = open(small(2));
  auto first = pool->acquire();
  auto second = pool->acquire();
  first->release();
  EXPECT_EQ(released, 1);
  EXPECT_FALSE(pool->drain(0s));
  second->release();
  EXPECT_EQ(released, 1);
}

}  // namespace
}  // namespace weir::runtime
