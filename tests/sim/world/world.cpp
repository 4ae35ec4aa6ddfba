// SPDX-License-Identifier: MIT
//
// What a world promises beside its primitives: it ends and says why, the clock is one more thread,
// schedules find what they are there to find, and the real world does not leak in.
#include "sim/world/sync.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <set>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

WorldOptions options(Mode mode = Mode::ideal, std::uint64_t seed = 1) {
  WorldOptions o;
  o.mode = mode;
  o.seed = seed;
  return o;
}

ScheduleSpec schedule(ScheduleSpec::Kind kind) {
  ScheduleSpec s;
  s.kind = kind;
  s.steps = 60;
  return s;
}

TEST(World, time_is_virtual_and_starts_where_it_says) {
  World world(options(), ScheduleSpec{});
  const Ending ending = world.run([] {
    EXPECT_EQ(World::current().now(), World::beginning);
    World::current().sleep_until(World::beginning + 24h);
  });
  EXPECT_TRUE(ending.ok());
  EXPECT_EQ(ending.at, World::beginning + 24h);
}

TEST(World, a_deadlock_ends_with_who_waits_for_what) {
  World world(options(), ScheduleSpec{});
  Mutex a;
  Mutex b;
  const Ending ending = world.run([&] {
    const std::lock_guard first(a);
    Thread other([&] {
      World::current().name_thread("the other");
      const std::lock_guard second(b);
      const std::lock_guard both(a);
    });
    World::current().sleep_until(World::current().now() + 1ms);
    const std::lock_guard both(b);
    other.join();
  });
  EXPECT_EQ(ending.kind, Ending::Kind::hang);
  EXPECT_THAT(ending.text, HasSubstr("main waits in lock of object"));
  EXPECT_THAT(ending.text, HasSubstr("the other waits in lock of object"));
}

TEST(World, a_run_that_does_not_end_meets_a_limit) {
  WorldOptions few = options();
  few.steps_max = 1000;
  World steps(few, ScheduleSpec{});
  EXPECT_THAT(steps
                  .run([] {
                    Atomic<int> count{0};
                    for (;;) count.fetch_add(1);
                  })
                  .text,
              HasSubstr("still running after 1000 steps"));

  WorldOptions brief = options();
  brief.time_max = 1h;
  World time(brief, ScheduleSpec{});
  EXPECT_THAT(time.run([] {
                    for (;;) World::current().sleep_until(World::current().now() + 1s);
                  })
                  .text,
              HasSubstr("longest virtual time"));
}

TEST(World, an_exception_that_escapes_is_a_failure_with_its_text) {
  World world(options(), ScheduleSpec{});
  const Ending ending = world.run([] {
    Thread thread([] { throw std::runtime_error("so it goes"); });
    thread.join();
  });
  EXPECT_EQ(ending.kind, Ending::Kind::failed);
  EXPECT_EQ(ending.property, "exception");
  EXPECT_THAT(ending.text, HasSubstr("so it goes"));
}

TEST(World, locking_twice_and_unlocking_what_is_not_held_are_named) {
  World twice(options(), ScheduleSpec{});
  EXPECT_THAT(twice
                  .run([] {
                    Mutex mutex;
                    mutex.lock();
                    mutex.lock();
                  })
                  .text,
              HasSubstr("locks a mutex that it holds"));
  World never_held(options(), ScheduleSpec{});
  EXPECT_THAT(never_held.run([] { Mutex().unlock(); }).text, HasSubstr("does not hold"));
}

TEST(World, locals_are_one_for_each_thread) {
  World world(options(), ScheduleSpec{});
  EXPECT_TRUE(world
                  .run([] {
                    Local<int> local;
                    *local = 1;
                    Thread thread([&] {
                      EXPECT_EQ(*local, 0);
                      *local = 2;
                    });
                    thread.join();
                    EXPECT_EQ(*local, 1);
                  })
                  .ok());
}

TEST(World, streams_are_keyed) {
  World world(options(), ScheduleSpec{});
  EXPECT_EQ(world.stream("client", 8).next(), world.stream("client", 8).next());
  EXPECT_NE(world.stream("client", 8).next(), world.stream("client", 7).next());
  EXPECT_NE(world.stream("client", 8).next(), world.stream("server", 8).next());
}

TEST(Clock, steps_between_two_operations_only_if_it_is_adversarial) {
  const auto fires_in_between = [](Mode mode) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      bool early = false;
      World world(options(mode, seed), schedule(ScheduleSpec::Kind::random));
      EXPECT_TRUE(world
                      .run([&] {
                        Atomic<int> flag{0};
                        Thread sleeper([&] {
                          World::current().sleep_until(World::beginning + 1h);
                          flag.store(1);
                        });
                        for (int i = 0; i < 20; ++i) early = early || flag.load() == 1;
                        sleeper.join();
                      })
                      .ok());
      if (early) {
        EXPECT_GT(world.stalled(), 0ns);  // and the ledger says so
        return true;
      }
    }
    return false;
  };
  EXPECT_TRUE(fires_in_between(Mode::adversarial));
  EXPECT_FALSE(fires_in_between(Mode::ideal));
}

// A read and a write with a window in between: two threads may lose an increment.
int lost_update(World& world, Ending* told = nullptr) {
  int result = 0;
  const Ending ending = world.run([&] {
    Atomic<int> value{0};
    const auto increment = [&] { value.store(value.load() + 1); };
    Thread a(increment);
    Thread b(increment);
    a.join();
    b.join();
    result = value.load();
  });
  EXPECT_TRUE(ending.ok()) << ending.text;
  if (told != nullptr) *told = ending;
  return result;
}

TEST(Schedules, fifo_runs_each_thread_to_its_end) {
  World world(options(), ScheduleSpec{});
  EXPECT_EQ(lost_update(world), 2);
}

TEST(Schedules, each_of_the_others_finds_a_lost_update) {
  for (const auto kind : {ScheduleSpec::Kind::random, ScheduleSpec::Kind::pct}) {
    int found = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      World world(options(Mode::adversarial, seed), schedule(kind));
      found += lost_update(world) == 1 ? 1 : 0;
    }
    EXPECT_GT(found, 0);
    EXPECT_LT(found, 200);
  }
}

TEST(Schedules, all_of_them_are_tried_and_each_once) {
  Exhaustive all(2);
  std::set<std::uint64_t> hashes;
  std::set<int> results;
  do {
    World world(options(Mode::adversarial), all.next_schedule());
    Ending ending;
    results.insert(lost_update(world, &ending));
    hashes.insert(ending.trace_hash);
  } while (all.advance() && all.paths() < 100'000);
  // Some differ in nothing that anybody could see: who is preempted before it blocks, say.
  EXPECT_GT(hashes.size(), all.paths() / 2);
  EXPECT_EQ(results, (std::set<int>{1, 2}));
  EXPECT_LT(all.paths(), 100'000U);
  EXPECT_GT(all.paths(), 10U);
  RecordProperty("paths", static_cast<int>(all.paths()));
}

TEST(Schedules, a_deviation_is_text_that_reads_back) {
  const Deviation d{3, 17, Question::notify, 5};
  EXPECT_EQ(to_string(d), "3.17w5");
  Deviation read;
  ASSERT_TRUE(parse("3.17w5", read));
  EXPECT_EQ(read, d);
  for (const char* wrong : {"", "3", "3.", "3.17", "3.17x5", "3.17p", "3.17p5 ", "-1.2p3"}) {
    EXPECT_FALSE(parse(wrong, read)) << wrong;
  }
}

#if !defined(__SANITIZE_THREAD__)
using TripwireDeathTest = testing::Test;

TEST(TripwireDeathTest, the_real_world_does_not_leak_in) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto in_world = [](const std::function<void()>& body) {
    World world(options(), ScheduleSpec{});
    static_cast<void>(world.run(body));
  };
  EXPECT_DEATH(in_world([] { static_cast<void>(std::chrono::steady_clock::now()); }),
               "main called clock_gettime");
  EXPECT_DEATH(in_world([] { std::this_thread::sleep_for(1ms); }), "called (clock_)?nanosleep");
  EXPECT_DEATH(in_world([] { std::thread([] {}).join(); }), "called pthread_create");
  EXPECT_DEATH(in_world([] { static_cast<void>(std::rand()); }), "called rand");
  EXPECT_DEATH(Mutex().lock(), "belongs to no world");
}

TEST(WatchdogDeathTest, a_thread_that_comes_to_no_point_is_named) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto in_world = [](const std::function<void()>& body) {
    WorldOptions o = options();
    o.stuck_after = 50ms;
    World world(o, ScheduleSpec{});
    static_cast<void>(world.run(body));
  };
  const char* const named = "main has not come to a scheduling point for 0.05 s of real time";
  EXPECT_DEATH(in_world([] {
                 int ends[2];
                 char byte;
                 if (::pipe(ends) == 0) static_cast<void>(!::read(ends[0], &byte, 1));
               }),
               named);
  EXPECT_DEATH(in_world([] {
                 for (volatile const bool on = true; on;) {
                 }
               }),
               named);
}

TEST(Watchdog, lets_a_long_run_be) {
  WorldOptions o = options();
  o.stuck_after = 20ms;
  o.guard = false;  // it looks at the real clock
  World world(o, ScheduleSpec{});
  const auto end = std::chrono::steady_clock::now() + 200ms;
  const Ending ending = world.run([&] {
    while (std::chrono::steady_clock::now() < end) World::current().point(Op::yield, 0);
  });
  EXPECT_TRUE(ending.ok());
  EXPECT_GT(ending.steps, 1000U);
}

volatile std::sig_atomic_t came = 0;

TEST(WatchdogDeathTest, leaves_the_signal_of_others_to_them) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto program = [] {
    static_cast<void>(std::signal(SIGVTALRM, [](int) { came = 1; }));
    World world(options(), ScheduleSpec{});
    static_cast<void>(world.run([] {}));
    static_cast<void>(::raise(SIGVTALRM));
    std::_Exit(came == 1 ? 0 : 1);
  };
  EXPECT_EXIT(program(), testing::ExitedWithCode(0), "");
}

TEST(WallClock, is_the_time_of_the_world) {
  WorldOptions o = options();
  o.wall_clock = true;
  World world(o, ScheduleSpec{});
  const auto begin = std::chrono::steady_clock::now();
  Duration other{};
  const Ending ending = world.run([&] {
    Thread sleeper([&] {
      const Instant before = World::current().now();
      World::current().sleep_until(before + 20ms);
      other = World::current().now() - before;
    });
    std::this_thread::sleep_for(50ms);  // nobody else can run meanwhile
    World::current().sleep_until(World::current().look_at_clock() + 30ms);
    sleeper.join();
  });
  EXPECT_TRUE(ending.ok());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 80ms);
  EXPECT_GE(ending.at - World::beginning, 80ms);
  EXPECT_GE(other, 20ms);
  EXPECT_GE(world.stalled(), 50ms);
}

TEST(Tripwire, is_not_in_the_way_elsewhere) {
  EXPECT_GT(std::chrono::steady_clock::now().time_since_epoch().count(), 0);
  std::thread([] {}).join();
}
#endif

}  // namespace
}  // namespace weir::sim
