// SPDX-License-Identifier: MIT
//
// Hooks and middleware in virtual time: whatever schedule and whatever fault, they run without the
// pool's lock and are told what is counted.
#include "tests/sim/api/support.hpp"

#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view rough = R"toml(
format = 1
duration = "200ms"
mode = "adversarial"
steps_max = 2000000

[pool]
max = 2
acquire_timeout = "4ms"
create_timeout = "20ms"
create_retry_interval = "2ms"
create_retry_max = "10ms"

[server]
statement = "exp(1ms)"

[[client]]
number = 1
count = 4
every = "exp(2ms)"

[[fault]]
what = "restart"
at = "80ms"
for = "20ms"

[schedule]
kind = "random"
rate = 0.05
)toml";

// Uses its pool from every hook, and counts.
struct Busybody {
  Pool* pool = nullptr;
  std::uint64_t created = 0;
  std::uint64_t destroyed = 0;
  std::uint64_t acquired = 0;
  std::uint64_t released = 0;
  std::uint64_t waits = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t queries = 0;

  void use(std::string_view tag) {
    static_cast<void>(pool->stats());
    if (tag == "hook") return;  // its own
    // Ignored: what matters is that it comes to an end.
    static_cast<void>(pool->with({.timeout = 3ms, .tag = "hook"},
                                 [](Connection& c) { return c.within(5ms).query("SELECT 1"); }));
  }

  Hooks hooks() {
    Hooks h;
    h.on_create = [this](Connection& c, const CreateEvent& event) -> Result<void> {
      if (!event.after_reset) ++created;
      use("");
      return c.query("SELECT 1").map([](const auto&) {});
    };
    h.on_destroy = [this](const DestroyEvent&) { ++destroyed, use(""); };
    h.on_acquire = [this](const AcquireEvent& event) { ++acquired, use(event.lease.tag); };
    h.on_release = [this](const ReleaseEvent& event) { ++released, use(event.lease.tag); };
    h.on_wait = [this](const WaitEvent& event) { ++waits, use(event.tag); };
    h.on_timeout = [this](const TimeoutEvent& event) { ++timeouts, use(event.tag); };
    h.on_query = [this](const QueryEvent& event) { ++queries, use(event.lease.tag); };
    return h;
  }

  Host host() {
    return {.prepare = [this](Pool& p) -> Result<void> {
              created = destroyed = acquired = released = waits = timeouts = queries = 0;
              pool = &p;
              return {};
            },
            .work = [](Pool& p) -> Result<void> {
              return p.with([](Connection& c) {
                return c.within(50ms).query("SELECT 1").map([](const auto&) {});
              });
            },
            .check = [this](Pool& p) -> Result<void> {
              const PoolStats stats = p.stats();
              require(acquired == stats.leases, "told_leases");
              require(released == stats.returned, "told_returns");
              require(timeouts == stats.timeouts, "told_timeouts");
              return {};
            },
            .hooks = hooks()};
  }
};

// S9: a hook that ran under the pool's lock would wait for itself, which ends the run.
TEST(HooksInVirtualTime, may_use_the_pool_and_are_told_what_is_counted) {
  bool each = false;
  for (int seed = 1; seed <= 12; ++seed) {
    Busybody one;
    const Outcome outcome =
        simulated("seed = " + std::to_string(seed) + "\n" + std::string(rough), one.host());
    ASSERT_TRUE(outcome.ok()) << outcome.text() << outcome.scenario();
    each = each || (one.created > 0 && one.destroyed > 0 && one.waits > 0 && one.timeouts > 0 &&
                    one.queries > 0);
  }
  EXPECT_TRUE(each) << "otherwise nothing was tried";
}

// Whoever is handed a connection may be long in waking, here in a hook. If that counted for the
// lease, the next waiter would be handed it as well, and nobody could pass those who sleep (F1).
TEST(HooksInVirtualTime, that_are_slow_do_not_make_a_lease_a_long_one) {
  Pool* pool = nullptr;
  Lease held;
  bool handed_over = false;
  bool passed = false;
  Hooks hooks;
  hooks.on_wait = [&](const WaitEvent& event) {
    if (event.tag != "asleep" && event.tag != "awake") return;  // for the connection to be made
    held.release();
    const Result<Lease> second = pool->try_acquire();
    if (event.tag == "asleep") {
      handed_over = !second;
      pool->sleep_until(pool->now() + 1s);
    } else {
      passed = second.has_value();
    }
  };
  const Host host{.work = [&](Pool& p) -> Result<void> {
                    pool = &p;
                    held = or_throw(p.acquire());
                    p.sleep_until(p.now() + 410us);  // an estimate of 51 us: no offers
                    Lease second = or_throw(p.acquire({.tag = "asleep"}));
                    or_throw(second->execute("BEGIN"));  // so that its return is looked at
                    second.release();                    // an estimate of 45 us: offers
                    held = or_throw(p.acquire());
                    or_throw(p.acquire({.tag = "awake"})).release();
                    return {};
                  },
                  .hooks = hooks};
  const Outcome outcome = simulated(R"toml(
format = 1
duration = "10s"
mode = "ideal"
[pool]
max = 1
[[client]]
every = "6s"
)toml",
                                    host);
  ASSERT_TRUE(outcome.ok()) << outcome.text();
  EXPECT_TRUE(handed_over);
  EXPECT_TRUE(passed);
}

TEST(MiddlewareInVirtualTime, has_the_clock_and_the_order_of_the_run) {
  Duration longest{};
  int calls = 0;
  const Host host{.prepare = [&](Pool& pool) -> Result<void> {
                    longest = {};
                    calls = 0;
                    pool.use([&](Call& call, Next& next) {
                      ++calls;
                      const Instant start = call.now();
                      auto done = next();
                      longest = std::max(longest, call.now() - start);
                      return done;
                    });
                    return {};
                  },
                  .work = one_statement};
  const Outcome outcome = simulated(R"toml(
format = 1
duration = "1s"
mode = "ideal"
[pool]
max = 2
[server]
statement = "7ms"
[[client]]
every = "50ms"
)toml",
                                    host);
  ASSERT_TRUE(outcome.ok()) << outcome.text();
  EXPECT_GT(calls, 10);
  EXPECT_GE(longest, 7ms);
  EXPECT_LT(longest, 20ms);
}

}  // namespace
}  // namespace weir::sim
