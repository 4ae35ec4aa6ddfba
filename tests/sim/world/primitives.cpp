// SPDX-License-Identifier: MIT
//
// What the virtual primitives promise, and that std:: promises the same: each test is one body that
// runs on real threads, and in worlds under every kind of schedule and engine. Where std:: is
// weaker than one would like, the test shows that the virtual primitive is as weak.
#include "sim/world/sync.hpp"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;

struct OnThreads {
  using Mutex = std::mutex;
  using ConditionVariable = std::condition_variable;
  template <class T>
  using Atomic = std::atomic<T>;
  using Thread = std::thread;

  static Instant now() { return Instant(std::chrono::steady_clock::now().time_since_epoch()); }
  static void sleep_until(Instant until) { std::this_thread::sleep_until(on_steady(until)); }
  static std::cv_status wait_until(ConditionVariable& cv, std::unique_lock<Mutex>& lock,
                                   Instant until) {
    return cv.wait_until(lock, on_steady(until));
  }
  static void run(const std::function<void()>& body) {
    for (int i = 0; i < 20; ++i) body();
  }

 private:
  static std::chrono::steady_clock::time_point on_steady(Instant at) {
    return std::chrono::steady_clock::time_point(at.time_since_epoch());
  }
};

void expect_done(const Ending& ending) {
  EXPECT_TRUE(ending.ok()) << ending.property << ": " << ending.text;
}

struct InWorlds {
  using Mutex = sim::Mutex;
  using ConditionVariable = sim::ConditionVariable;
  template <class T>
  using Atomic = sim::Atomic<T>;
  using Thread = sim::Thread;

  static Instant now() { return World::current().now(); }
  static void sleep_until(Instant until) { World::current().sleep_until(until); }
  static std::cv_status wait_until(ConditionVariable& cv, std::unique_lock<Mutex>& lock,
                                   Instant until) {
    return cv.wait_until(lock, until);
  }
  static void run(const std::function<void()>& body) {
    for (const Engine engine : {default_engine(), Engine::threads}) {
      for (const auto kind :
           {ScheduleSpec::Kind::fifo, ScheduleSpec::Kind::random, ScheduleSpec::Kind::pct}) {
        for (const Mode mode : {Mode::ideal, Mode::adversarial, Mode::cpu_model}) {
          const int seeds = engine == Engine::threads ? 3 : 50;
          for (int seed = 1; seed <= seeds; ++seed) {
            WorldOptions options;
            options.seed = static_cast<std::uint64_t>(seed);
            options.mode = mode;
            options.engine = engine;
            ScheduleSpec schedule;
            schedule.kind = kind;
            schedule.steps = 100;
            World world(options, schedule);
            expect_done(world.run(body));
          }
        }
      }
    }
  }
};

template <class T>
class Primitives : public testing::Test {};
using Both = testing::Types<OnThreads, InWorlds>;
TYPED_TEST_SUITE(Primitives, Both);

TYPED_TEST(Primitives, a_mutex_is_held_by_one) {
  TypeParam::run([] {
    typename TypeParam::Mutex mutex;
    typename TypeParam::template Atomic<int> inside{0};
    int count = 0;
    const auto work = [&] {
      for (int i = 0; i < 5; ++i) {
        const std::lock_guard lock(mutex);
        EXPECT_EQ(inside.fetch_add(1), 0);
        ++count;
        inside.fetch_sub(1);
      }
    };
    typename TypeParam::Thread a(work);
    typename TypeParam::Thread b(work);
    work();
    a.join();
    b.join();
    EXPECT_EQ(count, 15);
  });
}

TYPED_TEST(Primitives, try_lock_fails_while_another_holds_it) {
  TypeParam::run([] {
    typename TypeParam::Mutex mutex;
    const std::lock_guard lock(mutex);
    typename TypeParam::Thread other([&] { EXPECT_FALSE(mutex.try_lock()); });
    other.join();
  });
}

TYPED_TEST(Primitives, a_wait_ends_by_a_notify_and_holds_the_lock_again) {
  TypeParam::run([] {
    typename TypeParam::Mutex mutex;
    typename TypeParam::ConditionVariable cv;
    bool ready = false;
    bool seen = false;
    typename TypeParam::Thread waiter([&] {
      std::unique_lock lock(mutex);
      while (!ready) cv.wait(lock);
      EXPECT_TRUE(lock.owns_lock());
      seen = true;
    });
    {
      const std::lock_guard lock(mutex);
      ready = true;
    }
    cv.notify_one();
    waiter.join();
    EXPECT_TRUE(seen);
  });
}

TYPED_TEST(Primitives, notify_all_wakes_all) {
  TypeParam::run([] {
    typename TypeParam::Mutex mutex;
    typename TypeParam::ConditionVariable cv;
    bool go = false;
    int gone = 0;
    const auto wait = [&] {
      std::unique_lock lock(mutex);
      while (!go) cv.wait(lock);
      ++gone;
    };
    typename TypeParam::Thread a(wait);
    typename TypeParam::Thread b(wait);
    typename TypeParam::Thread c(wait);
    {
      const std::lock_guard lock(mutex);
      go = true;
    }
    cv.notify_all();
    a.join();
    b.join();
    c.join();
    EXPECT_EQ(gone, 3);
  });
}

TYPED_TEST(Primitives, a_timed_wait_never_ends_as_timed_out_before_its_time) {
  TypeParam::run([] {
    typename TypeParam::Mutex mutex;
    typename TypeParam::ConditionVariable cv;
    std::unique_lock lock(mutex);
    const Instant until = TypeParam::now() + 1ms;
    while (TypeParam::wait_until(cv, lock, until) != std::cv_status::timeout) {
    }
    EXPECT_GE(TypeParam::now(), until);
    EXPECT_TRUE(lock.owns_lock());
  });
}

TYPED_TEST(Primitives, a_wait_until_a_past_time_gives_the_lock_away_and_times_out) {
  TypeParam::run([] {
    typename TypeParam::Mutex mutex;
    typename TypeParam::ConditionVariable cv;
    std::unique_lock lock(mutex);
    const Instant past = TypeParam::now();
    while (TypeParam::wait_until(cv, lock, past) != std::cv_status::timeout) {
    }
    EXPECT_TRUE(lock.owns_lock());
  });
}

TYPED_TEST(Primitives, sleep_takes_at_least_its_time) {
  TypeParam::run([] {
    const Instant until = TypeParam::now() + 1ms;
    TypeParam::sleep_until(until);
    EXPECT_GE(TypeParam::now(), until);
  });
}

TYPED_TEST(Primitives, read_modify_writes_are_not_lost) {
  TypeParam::run([] {
    typename TypeParam::template Atomic<std::uint32_t> count{0};
    const auto work = [&] {
      for (int i = 0; i < 4; ++i) {
        count.fetch_add(1, std::memory_order_relaxed);
        std::uint32_t seen = count.load();
        while (!count.compare_exchange_weak(seen, seen + 1)) {
        }
      }
    };
    typename TypeParam::Thread a(work);
    work();
    a.join();
    EXPECT_EQ(count.load(), 16U);
  });
}

TYPED_TEST(Primitives, an_atomic_wait_ends_when_the_value_has_changed) {
  TypeParam::run([] {
    typename TypeParam::template Atomic<int> flag{0};
    typename TypeParam::Thread waiter([&] {
      flag.wait(0);
      EXPECT_EQ(flag.load(), 1);
    });
    flag.store(1);
    flag.notify_one();
    waiter.join();
  });
}

TYPED_TEST(Primitives, a_thread_can_be_moved_and_is_joined_once) {
  TypeParam::run([] {
    bool ran = false;
    typename TypeParam::Thread first([&] { ran = true; });
    typename TypeParam::Thread second(std::move(first));
    EXPECT_FALSE(first.joinable());  // NOLINT: that is what is asked
    second.join();
    EXPECT_FALSE(second.joinable());
    EXPECT_TRUE(ran);
  });
}

TYPED_TEST(Primitives, an_exception_in_one_thread_does_not_disturb_anothers_handler) {
  struct Pauses {
    typename TypeParam::template Atomic<int>& turn;
    ~Pauses() { turn.fetch_add(1); }  // switches while the exception is in flight
  };
  TypeParam::run([] {
    typename TypeParam::template Atomic<int> turn{0};
    const auto throws = [&](int what) {
      for (int i = 0; i < 3; ++i) {
        try {
          const Pauses pauses{turn};
          throw what + i;
        } catch (int caught) {
          turn.load();
          EXPECT_EQ(caught, what + i);
          try {
            turn.load();
            throw;
          } catch (int again) {
            EXPECT_EQ(again, what + i);
          }
        }
        EXPECT_EQ(std::uncaught_exceptions(), 0);
      }
    };
    typename TypeParam::Thread a([&] { throws(10); });
    typename TypeParam::Thread b([&] { throws(20); });
    throws(30);
    a.join();
    b.join();
  });
}

// ---------------------------------------------------------------- only virtual threads can show it

// Runs `body` under random schedules until `seen` answers true.
bool happens(const std::function<void()>& body, const std::function<bool()>& seen) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    WorldOptions options;
    options.seed = seed;
    options.mode = Mode::adversarial;
    ScheduleSpec schedule;
    schedule.kind = ScheduleSpec::Kind::random;
    World world(options, schedule);
    expect_done(world.run(body));
    if (seen()) return true;
  }
  return false;
}

TEST(Weakness, a_wait_may_end_for_no_reason) {
  bool ended = false;
  EXPECT_TRUE(happens(
      [&] {
        Mutex mutex;
        ConditionVariable cv;
        std::unique_lock lock(mutex);
        ended = cv.wait_until(lock, World::current().now() + 1ms) == std::cv_status::no_timeout;
      },
      [&] { return ended; }));
}

TEST(Weakness, a_mutex_may_be_taken_by_one_who_came_later) {
  std::string order;
  EXPECT_TRUE(happens(
      [&] {
        order.clear();
        Mutex mutex;
        mutex.lock();
        Thread early([&] {
          const std::lock_guard lock(mutex);
          order += 'e';
        });
        World::current().sleep_until(World::current().now() + 1ms);
        mutex.unlock();
        mutex.lock();
        order += 'l';
        mutex.unlock();
        early.join();
      },
      [&] { return order == "le"; }));
}

TEST(Weakness, notify_one_may_wake_any_waiter) {
  int woken = 0;
  EXPECT_TRUE(happens(
      [&] {
        woken = 0;
        Mutex mutex;
        ConditionVariable cv;
        int tokens = 0;
        const auto wait = [&](int who) {
          std::unique_lock lock(mutex);
          while (tokens == 0) cv.wait(lock);
          --tokens;
          if (woken == 0) woken = who;
        };
        Thread a([&] { wait(1); });
        World::current().sleep_until(World::current().now() + 1ms);
        Thread b([&] { wait(2); });
        World::current().sleep_until(World::current().now() + 1ms);
        for (int i = 0; i < 2; ++i) {
          {
            const std::lock_guard lock(mutex);
            ++tokens;
          }
          cv.notify_one();
        }
        a.join();
        b.join();
      },
      [&] { return woken == 2; }));
}

TEST(Weakness, a_weak_exchange_may_fail_for_no_reason) {
  bool failed = false;
  EXPECT_TRUE(happens(
      [&] {
        Atomic<int> value{1};
        int expected = 1;
        failed = !value.compare_exchange_weak(expected, 2) && expected == 1;
      },
      [&] { return failed; }));
}

}  // namespace
}  // namespace weir::sim
