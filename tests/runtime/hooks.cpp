// SPDX-License-Identifier: MIT
//
// Goal: hooks are told what happens, as often as the statistics say; they may use the pool, and
// cannot break it; on_create has a say in whether a connection is one.
#include "tests/runtime/world.hpp"

#include <atomic>
#include <stdexcept>

namespace weir::runtime {
namespace {

using HooksOf = PoolTest;

std::size_t index_of(CloseReason reason) { return static_cast<std::size_t>(reason); }

TEST_F(HooksOf, leases_are_told_as_they_are_counted) {
  std::atomic<std::uint64_t> acquired{0};
  std::atomic<std::uint64_t> released{0};
  std::atomic<std::uint64_t> waited{0};
  hooks.on_acquire = [&](const AcquireEvent& event) {
    ++acquired;
    if (event.waited > 0ns) ++waited;
    EXPECT_EQ(event.lease.tag, "report");
    EXPECT_GT(event.lease.site.line, 0);
  };
  hooks.on_release = [&](const ReleaseEvent& event) {
    ++released;
    EXPECT_EQ(event.lease.tag, "report");
    EXPECT_GT(event.held, 0ns);
  };
  auto pool = open(small(2));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        auto lease = pool->acquire({.timeout = 1h, .tag = "report"});
        ASSERT_TRUE(lease);
        lease->release();
        lease->release();  // is none
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const PoolStats stats = pool->stats();
  EXPECT_EQ(acquired, 200U);
  EXPECT_EQ(acquired, stats.leases);
  EXPECT_EQ(released, stats.returned);
  EXPECT_EQ(waited, stats.waited);
}

TEST_F(HooksOf, a_wait_is_told_when_it_begins_and_when_it_ends_in_vain) {
  std::atomic<int> waits{0};
  std::atomic<int> timeouts{0};
  hooks.on_wait = [&](const WaitEvent& event) {
    ++waits;
    EXPECT_EQ(event.pool, "main");
    EXPECT_EQ(event.tag, event.now.lent == 0 ? "" : "late");
    EXPECT_EQ(event.now.waiting, 1U);
  };
  hooks.on_timeout = [&](const TimeoutEvent& event) {
    ++timeouts;
    EXPECT_EQ(event.tag, "late");
    EXPECT_EQ(event.error.code(), Code::acquire_timeout);
    ASSERT_NE(event.error.acquire(), nullptr);
    EXPECT_EQ(event.error.acquire()->reason, AcquireClass::self_deadlock);
  };
  auto pool = open(small(1));
  auto held = pool->acquire({.timeout = 1h});  // waits for its connect
  EXPECT_EQ(waits, 1);
  EXPECT_FALSE(pool->try_acquire());  // neither waits nor times out
  EXPECT_FALSE(pool->acquire({.timeout = 1ms, .tag = "late"}));
  EXPECT_EQ(waits, 2);
  EXPECT_EQ(timeouts, 1);
  EXPECT_EQ(pool->stats().timeouts, 1U);
}

// What is offered or handed over while the hook runs is not lost.
TEST_F(HooksOf, a_connection_that_comes_while_a_wait_is_told_is_taken) {
  for (const Fairness fairness : {Fairness::bounded, Fairness::strict}) {
    Lease held;
    hooks.on_wait = [&](const WaitEvent& event) {
      if (event.tag == "second") held.release();
    };
    PoolConfig config = small(1);
    config.fairness = fairness;
    config.fair_after = 1min;  // nothing but the offer brings it
    auto pool = open(config);
    held = *pool->acquire({.timeout = 1h});
    EXPECT_TRUE(pool->acquire({.timeout = 1h, .tag = "second"}));
  }
}

TEST_F(HooksOf, closed_connections_are_told_with_the_reason) {
  std::atomic<int> evicted{0};
  std::atomic<int> others{0};
  hooks.on_destroy = [&](const DestroyEvent& event) {
    ++(event.reason == CloseReason::evicted ? evicted : others);
  };
  auto pool = open(small(2));
  ASSERT_TRUE(pool->query("SELECT 1"));
  ASSERT_TRUE(pool->evict());
  eventually([&] { return evicted == 1; });
  EXPECT_FALSE(pool->query("BREAK"));
  eventually([&] { return others == 1; });
  ASSERT_TRUE(pool->query("SELECT 1"));
  ASSERT_TRUE(pool->drain(1h));
  EXPECT_EQ(others, 2) << "drain returns after the last hook";
}

// S15
// The host has accepted it, whatever the pool makes of it then.
TEST_F(HooksOf, a_connection_that_is_given_up_while_it_is_accepted_is_told_of_as_destroyed) {
  std::vector<std::uint64_t> accepted;
  std::vector<std::uint64_t> destroyed;
  std::mutex mutex;
  Pool* gives_up = nullptr;
  hooks.on_create = [&](Connection&, const CreateEvent& event) -> Result<void> {
    const std::lock_guard lock(mutex);
    accepted.push_back(event.connection);
    if (accepted.size() == 1) {
      EXPECT_TRUE(gives_up->evict());
    }
    return {};
  };
  hooks.on_destroy = [&](const DestroyEvent& event) {
    const std::lock_guard lock(mutex);
    destroyed.push_back(event.connection);
  };
  auto pool = open(small(1));
  gives_up = pool.get();
  ASSERT_TRUE(pool->query("SELECT 1"));
  ASSERT_TRUE(pool->drain(1h));
  EXPECT_GT(accepted.size(), 1U) << "the first was to be replaced";
  EXPECT_EQ(destroyed, accepted);
}

TEST_F(HooksOf, a_connection_is_created_once_before_it_is_destroyed_once) {
  std::mutex mutex;
  std::vector<std::uint64_t> up;
  std::uint64_t last = 0;
  int accepted = 0;
  int destroyed = 0;
  hooks.on_create = [&](Connection&, const CreateEvent& event) -> Result<void> {
    const std::lock_guard lock(mutex);
    if (event.after_reset) return {};
    EXPECT_GT(event.connection, 0U);
    last = std::max(last, event.connection);
    if (event.connection % 5 == 0) return fail(Code::internal, "not this one");
    up.push_back(event.connection);
    ++accepted;
    return {};
  };
  hooks.on_destroy = [&](const DestroyEvent& event) {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(std::erase(up, event.connection), 1U) << event.connection;
    ++destroyed;
  };
  PoolConfig config = small(4);
  config.create_retry_interval = config.create_retry_max = 1ms;
  auto pool = open(config);
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(pool->execute(i % 3 == 0 ? "DIRTY" : "INSERT 1"));
    if (i % 4 == 0) {
      EXPECT_FALSE(pool->query("BREAK"));
    }
    if (i % 5 == 0) {
      ASSERT_TRUE(pool->evict());
    }
  }
  ASSERT_TRUE(pool->drain(1h));
  EXPECT_EQ(accepted, destroyed);
  EXPECT_TRUE(up.empty());
  EXPECT_GT(last, 5U);
}

TEST_F(HooksOf, queries_are_told_with_their_outcome) {
  std::vector<std::string> told;
  hooks.on_query = [&](const QueryEvent& event) {
    told.push_back(std::string(to_string(event.kind)) + " " + std::string(event.sql) + " " +
                   (event.done.rows ? "r" + std::to_string(*event.done.rows) : "") +
                   (event.done.affected ? "a" + std::to_string(*event.done.affected) : "") +
                   (event.error == nullptr ? "" : std::string(event.error->name())));
    EXPECT_GT(event.done.took, 0ns);
    EXPECT_EQ(event.lease.tag, "report");
  };
  auto pool = open(small(1));
  ASSERT_TRUE(pool->with({.tag = "report"}, [](Connection& c) {
    return c.transaction([](Connection& own) -> Result<void> {
      EXPECT_TRUE(own.query("ROWS 300"));
      EXPECT_TRUE(own.execute("INSERT 1"));
      EXPECT_TRUE(own.prepare("SELECT 1")->query());
      EXPECT_FALSE(own.query("FAIL syntax"));
      return {};
    });
  }));
  EXPECT_EQ(told, (std::vector<std::string>{"begin  ", "query ROWS 300 r300", "execute INSERT 1 a1",
                                            "prepare SELECT 1 ", "query SELECT 1 r1",
                                            "query FAIL syntax sql_error", "commit  "}));
}

TEST_F(HooksOf, what_a_hook_throws_is_dropped_and_logged_once) {
  hooks.on_acquire = [](const AcquireEvent&) { throw std::runtime_error("oh"); };
  hooks.on_release = [](const ReleaseEvent&) { throw 42; };
  hooks.on_wait = [](const WaitEvent&) { throw std::runtime_error("oh"); };
  hooks.on_query = [](const QueryEvent&) { throw std::runtime_error("oh"); };
  hooks.on_destroy = [](const DestroyEvent&) { throw std::runtime_error("oh"); };
  hooks.on_timeout = [](const TimeoutEvent&) { throw std::runtime_error("oh"); };
  auto pool = open(small(1));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(pool->query("SELECT 1"));
    ASSERT_TRUE(pool->evict());
  }
  auto held = pool->acquire({.timeout = 1h});
  EXPECT_EQ(pool->acquire({.timeout = 1ms}).error().code(), Code::acquire_timeout);
  held->release();
  ASSERT_TRUE(pool->drain(1h));
  for (const char* hook : {"acquire", "wait", "query", "destroy", "timeout"}) {
    EXPECT_EQ(times_logged("the hook on_" + std::string(hook) + " threw: oh"), 1U) << hook;
  }
  EXPECT_EQ(times_logged("the hook on_release threw: something that is no"), 1U);
}

TEST_F(HooksOf, each_may_use_the_pool) {
  std::shared_ptr<OsPool> pool;
  std::atomic<int> used{0};
  const auto use = [&](std::string_view tag) {
    if (tag == "hook" || !pool) return;  // its own, or not open yet
    ++used;
    EXPECT_EQ(pool->stats().name, "main");
    EXPECT_TRUE(pool->with({.timeout = 1h, .tag = "hook"},
                           [](Connection& c) { return c.query("SELECT 1"); }));
  };
  hooks.on_acquire = [&](const AcquireEvent& event) { use(event.lease.tag); };
  hooks.on_release = [&](const ReleaseEvent& event) { use(event.lease.tag); };
  hooks.on_query = [&](const QueryEvent& event) { use(event.lease.tag); };
  std::vector<Lease> held;
  hooks.on_timeout = [&](const TimeoutEvent& event) {
    held.clear();
    use(event.tag);
  };
  hooks.on_create = [&](Connection&, const CreateEvent&) -> Result<void> {
    EXPECT_EQ(pool->stats().name, "main");
    return {};
  };
  std::atomic<bool> told{false};
  hooks.on_destroy = [&](const DestroyEvent&) {
    if (told.exchange(true)) return;
    use("");
  };
  pool = open(small(4));
  ASSERT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(used, 3);
  ASSERT_TRUE(pool->evict());
  eventually([&] { return used >= 4; });
  for (int i = 0; i < 4; ++i) held.push_back(*pool->acquire({.timeout = 1h, .tag = "hook"}));
  const int before = used;
  EXPECT_FALSE(pool->acquire({.timeout = 1ms}));
  EXPECT_EQ(used, before + 1);
}

TEST_F(HooksOf, drain_waits_for_those_that_run) {
  std::atomic<bool> entered{false};
  std::atomic<bool> left{false};
  std::shared_ptr<OsPool> pool;
  hooks.on_release = [&](const ReleaseEvent&) {
    entered = true;
    eventually([&] { return pool->stats().state == "closed"; });
    for (int i = 0; i < 50; ++i) std::this_thread::yield();
    left = true;
  };
  pool = open(small(1));
  std::thread user([&] { EXPECT_TRUE(pool->query("SELECT 1")); });
  eventually([&] { return entered.load(); });
  EXPECT_TRUE(pool->drain(1h));
  EXPECT_TRUE(left);
  user.join();
}

TEST_F(HooksOf, one_that_drains_does_not_wait_for_itself) {
  std::shared_ptr<OsPool> pool;
  std::optional<Result<void>> drained;
  hooks.on_release = [&](const ReleaseEvent&) { drained = pool->drain(1h); };
  pool = open(small(1));
  ASSERT_TRUE(pool->query("SELECT 1"));
  ASSERT_TRUE(drained);
  EXPECT_TRUE(*drained) << drained->error().what();
}

// ---------------------------------------------------------------- on_create

TEST_F(HooksOf, on_create_sets_a_session_up_after_init_sql_and_again_after_a_reset) {
  std::vector<std::string> seen;
  hooks.on_create = [&](Connection& c, const CreateEvent& event) -> Result<void> {
    EXPECT_EQ(event.pool, "main");
    seen.push_back((event.after_reset ? "again " : "new ") + std::to_string(event.connection));
    auto rows = c.query("SELECT SESSION");
    if (!rows) return fail(rows.error());
    EXPECT_EQ(rows->size(), 1U);
    return {};
  };
  int passed = 0;
  for (const bool with_init : {true, false}) {
    seen.clear();
    PoolConfig config = small(1);
    if (with_init) config.init_sql = {"SELECT 1"};
    auto pool = open(config);
    pool->use([&](Call&, Next& next) { return ++passed, next(); });
    ASSERT_TRUE(pool->execute("INSERT 1"));
    ASSERT_TRUE(pool->execute("DIRTY"));
    eventually([&] { return pool->stats().resets == 1 && pool->stats().now.idle == 1; });
    EXPECT_EQ(seen, (std::vector<std::string>{"new 1", "again 1"}));
    EXPECT_EQ(pool->stats().created, 1U);
  }
  EXPECT_EQ(passed, 4) << "what it says does not pass through middleware";
}

TEST_F(HooksOf, on_create_may_refuse_a_connection) {
  int asked = 0;
  hooks.on_create = [&](Connection& c, const CreateEvent&) -> Result<void> {
    if (++asked == 1) return fail(Code::read_only, "a replica");
    if (asked == 2) throw std::runtime_error("oh");
    if (asked == 3) return c.begin();  // and leaves it so
    if (asked == 4) return c.execute("BREAK").map([](auto&&) {});
    if (asked == 5) {
      static_cast<void>(c.query("BREAK"));  // and says nothing
    }
    return {};
  };
  PoolConfig config = small(1);
  config.propagate_create_error = PropagateCreateError::any;
  config.create_retry_interval = config.create_retry_max = 1ms;
  auto pool = open(config);
  std::vector<std::string> whys;
  for (auto lease = pool->acquire({.timeout = 1h}); !lease;
       lease = pool->acquire({.timeout = 1h})) {
    EXPECT_EQ(lease.error().code(), Code::create_failed);
    const std::string& text = lease.error().message();
    if (whys.empty() || text.find(whys.back()) == std::string::npos) {
      const std::size_t at = text.find("on_create: ");
      ASSERT_NE(at, std::string::npos) << text;
      whys.push_back(text.substr(at, text.find(" (seen") - at));
    }
  }
  ASSERT_EQ(whys.size(), 5U);
  EXPECT_EQ(whys[0], "on_create: a replica");
  EXPECT_EQ(whys[1], "on_create: it threw: oh");
  EXPECT_EQ(whys[2], "on_create: it left a transaction or a result open");
  EXPECT_NE(whys[3].find("on_create: while running a statement"), std::string::npos) << whys[3];
  EXPECT_EQ(whys[4], "on_create: the connection broke in it");
  EXPECT_EQ(asked, 6);
  EXPECT_EQ(pool->stats().create_failures, 5U);
  eventually([&] { return pool->stats().closed[index_of(CloseReason::broken)] == 5; });
}

TEST_F(HooksOf, on_create_has_the_deadline_of_the_attempt) {
  hooks.on_create = [](Connection& c, const CreateEvent&) -> Result<void> {
    return c.query("SLEEP 3600000").map([](auto&&) {});
  };
  PoolConfig config = small(1);
  config.create_timeout = 5ms;
  config.propagate_create_error = PropagateCreateError::any;
  auto pool = open(config);
  const auto lease = pool->acquire({.timeout = 1h});
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code(), Code::create_failed) << lease.error().what();
}

// R3: set aside a second after its deadline, when it has not heard of the abort either.
TEST_F(HooksOf, an_attempt_that_hangs_is_not_told_with_the_error_of_another) {
  std::atomic<int> asked = 0;
  hooks.on_create = [&](Connection& c, const CreateEvent&) -> Result<void> {
    if (++asked == 1) return fail(Code::invalid_argument, "a replica");
    return c.query("SELECT 1").map([](auto&&) {});
  };
  PoolConfig config = small(1);
  config.min = 1;
  config.create_timeout = 5ms;
  config.create_retry_interval = config.create_retry_max = 1ms;
  auto pool =
      open(config, {{"hang_exec", "true"}, {"hang_through_abort", "true"}, {"hang_max", "1500ms"}});
  pool->start();
  eventually([&] { return logged("the attempt has not ended in time"); });
  EXPECT_EQ(times_logged("a replica"), 1U);
}

TEST_F(HooksOf, a_connection_of_on_create_is_not_that_of_the_next_one) {
  std::optional<Connection> kept;
  std::atomic<bool> is_worthless = false;
  hooks.on_create = [&](Connection& c, const CreateEvent&) -> Result<void> {
    if (kept) {
      const auto answer = kept->query("SELECT 1");
      is_worthless = !answer && answer.error().code() == Code::lease_returned;
    }
    kept = c;
    return {};
  };
  auto pool = open(small(1));
  ASSERT_TRUE(pool->execute("DIRTY"));
  ASSERT_TRUE(pool->query("SELECT 1")) << "set up again, after the reset";
  EXPECT_TRUE(is_worthless);
}

TEST_F(HooksOf, a_connection_is_not_on_creates_afterwards) {
  std::optional<Connection> kept;
  hooks.on_create = [&](Connection& c, const CreateEvent&) -> Result<void> {
    kept = c;
    return {};
  };
  auto pool = open(small(1));
  auto lease = pool->acquire({.timeout = 1h});
  ASSERT_TRUE(lease);
  EXPECT_EQ(kept->query("SELECT 1").error().code(), Code::lease_returned);
  EXPECT_TRUE((*lease)->query("SELECT 1"));
}

TEST_F(HooksOf, a_session_that_is_refused_after_its_reset_is_replaced) {
  hooks.on_create = [](Connection&, const CreateEvent& event) -> Result<void> {
    if (event.after_reset) return fail(Code::internal, "no more");
    return {};
  };
  auto pool = open(small(1));
  ASSERT_TRUE(pool->execute("DIRTY"));
  ASSERT_TRUE(pool->query("SELECT 1"));
  EXPECT_EQ(pool->stats().closed[index_of(CloseReason::reset_failed)], 1U);
  EXPECT_TRUE(logged("on_create: no more"));
}

}  // namespace
}  // namespace weir::runtime
