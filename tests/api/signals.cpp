// SPDX-License-Identifier: MIT
//
// Goal: a signal that ends the process drains its pools first, reaches whoever was to have it, and
// at the second time ends the process at once; SIGHUP reloads; and without a guard, or in a forked
// child, signals are what they always were. Method: real signals, in a process of its own where it
// ends.
#include "tests/api/forks.hpp"
#include "tests/api/support.hpp"

#include <csignal>
#include <mutex>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>

namespace weir::test {
namespace {

using testing::ElementsAre;
using testing::ExitedWithCode;
using testing::HasSubstr;
using testing::KilledBySignal;

class Signals : public ApiTest {
 protected:
  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    // Under nohup, say, SIGHUP is ignored, and handle_signals() leaves it at that.
    for (const int number : {SIGHUP, SIGINT, SIGTERM}) std::signal(number, SIG_DFL);
    // The child that is to die begins the test anew, and would leave a directory of its own behind.
    if (const std::string parents = env(parents_dir); !parents.empty()) {
      dir = parents;
      return;
    }
    ApiTest::SetUp();
    ::setenv(parents_dir, dir.c_str(), 1);
  }
  void TearDown() override { ::unsetenv(parents_dir); }
  static constexpr const char* parents_dir = "WEIR_TEST_PARENTS_DIR";
  // Pools that log to stderr how their connections close.
  Pools talkative() const { return or_throw(open_with("[\"info\"]")); }
  Result<Pools> open_with(const std::string& log) const {
    std::string text = toml("url = \"test.db\"\ndrain_timeout = \"1h\"");
    const std::string silent = "log = []";
    text.replace(text.find(silent), silent.size(), "log = " + log);
    return Pools::builder().string(text, dir.string()).open();
  }
  [[noreturn]] static void wait_for_the_end() {
    for (;;) ::pause();
  }
  static void await_state(Pool& pool, const std::string& state) {
    while (pool.stats().state != state) std::this_thread::yield();
  }
  static void (*handler_of(int signal))(int) {
    struct sigaction now {};
    ::sigaction(signal, nullptr, &now);
    return now.sa_handler;
  }
};
using SignalsDeathTest = Signals;

TEST_F(SignalsDeathTest, that_end_the_process_drain_the_pools_first) {
  for (const int signal : {SIGINT, SIGTERM}) {
    EXPECT_EXIT(
        {
          Pools pools = talkative();
          static_cast<void>(pools["main"].query("select 1"));
          const SignalGuard guard = or_throw(handle_signals(pools));
          ::kill(::getpid(), signal);
          wait_for_the_end();
        },
        KilledBySignal(signal), "closed: shutdown");
  }
}

TEST_F(SignalsDeathTest, let_leases_finish) {
  EXPECT_EXIT(
      {
        Pools pools = talkative();
        Pool& db = pools["main"];
        std::optional<Lease> lease = or_throw(db.acquire());
        const SignalGuard guard = or_throw(handle_signals(pools));
        ::kill(::getpid(), SIGTERM);
        await_state(db, "draining");
        const auto rows = (*lease)->query("select 'still works'");
        std::fprintf(stderr, "%s\n", (*rows)[0].get<std::string>(0).c_str());
        lease.reset();
        wait_for_the_end();
      },
      KilledBySignal(SIGTERM), "still works\n(.|\n)*closed: shutdown");
}

TEST_F(SignalsDeathTest, the_second_one_ends_the_process_at_once) {
  EXPECT_EXIT(
      {
        Pools pools = talkative();
        const Lease lease = or_throw(pools["main"].acquire());  // the drain waits an hour for it
        const SignalGuard guard = or_throw(handle_signals(pools));
        ::kill(::getpid(), SIGINT);
        await_state(pools["main"], "draining");
        ::kill(::getpid(), SIGTERM);
        wait_for_the_end();
      },
      KilledBySignal(SIGTERM), "");
}

TEST_F(SignalsDeathTest, the_drain_gives_up_at_its_timeout_and_says_who_held_on) {
  EXPECT_EXIT(
      {
        Pools pools = talkative();
        const Lease lease = or_throw(pools["main"].acquire({.tag = "stubborn"}));
        const SignalGuard guard = or_throw(handle_signals(pools, {.drain_timeout = 1ms}));
        ::kill(::getpid(), SIGINT);
        wait_for_the_end();
      },
      KilledBySignal(SIGINT), "weir: warn: main: .*stubborn");
}

TEST_F(SignalsDeathTest, go_on_to_the_handler_that_was_there_before) {
  EXPECT_EXIT(
      {
        std::signal(SIGINT, [](int) { ::_exit(42); });
        Pools pools = talkative();
        static_cast<void>(pools["main"].query("select 1"));
        const SignalGuard guard = or_throw(handle_signals(pools));
        ::kill(::getpid(), SIGINT);
        wait_for_the_end();
      },
      ExitedWithCode(42), "closed: shutdown");
}

TEST_F(SignalsDeathTest, that_the_process_ignores_stay_ignored) {
  EXPECT_EXIT(
      {
        std::signal(SIGINT, SIG_IGN);
        Pools pools = talkative();
        const SignalGuard guard = or_throw(handle_signals(pools));
        ::raise(SIGINT);
        const bool works = pools["main"].query("select 1").has_value();
        ::_exit(works ? 7 : 8);
      },
      ExitedWithCode(7), "");
}

TEST_F(SignalsDeathTest, after_the_guard_are_what_they_were) {
  EXPECT_EXIT(
      {
        Pools pools = talkative();
        { const SignalGuard guard = or_throw(handle_signals(pools)); }
        ::raise(SIGTERM);
      },
      KilledBySignal(SIGTERM), "");
}

TEST_F(SignalsDeathTest, in_a_forked_child_are_what_they_were) {
  if (!can_fork) GTEST_SKIP() << cannot_fork;
  Pools pools = or_throw(open_with("[]"));
  static_cast<void>(pools["main"].query("select 1"));
  const SignalGuard guard = or_throw(handle_signals(pools));
  const pid_t child = fork_when_quiet();
  if (child == 0) {
    ::raise(SIGTERM);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) << status;
  EXPECT_EQ(pools["main"].stats().state, "open") << "the parent's pools are not the child's";
}

TEST_F(SignalsDeathTest, after_the_drain_are_the_hosts_again_all_of_them) {
  EXPECT_EXIT(
      {
        static volatile std::sig_atomic_t told = 0;
        std::signal(SIGTERM, [](int) { told = 1; });
        std::signal(SIGINT, [](int) { ::_exit(43); });
        Pools pools = talkative();
        const SignalGuard guard = or_throw(handle_signals(pools));
        ::kill(::getpid(), SIGTERM);
        // Not a loop that spins: ThreadSanitizer calls a handler in a call that blocks.
        while (told == 0) ::usleep(1000);
        ::kill(::getpid(), SIGINT);
        wait_for_the_end();
      },
      ExitedWithCode(43), "");
}

TEST_F(SignalsDeathTest, in_a_forked_child_with_a_guard_of_its_own_reach_the_same_handler) {
  if (!can_fork) GTEST_SKIP() << cannot_fork;
  EXPECT_EXIT(
      {
        std::signal(SIGTERM, [](int) { ::_exit(42); });
        Pools pools = or_throw(open_with("[]"));
        std::optional<SignalGuard> guard = or_throw(handle_signals(pools));
        if (fork_when_quiet() != 0) {
          int status = 0;
          ::wait(&status);
          ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
        }
        Pools own = talkative();
        static_cast<void>(own["main"].query("select 1"));
        std::optional<SignalGuard> second = or_throw(handle_signals(own));
        // Neither the end of the one that was inherited nor that of its own takes a signal away.
        guard.reset();
        second.reset();
        second.emplace(or_throw(handle_signals(own)));
        ::kill(::getpid(), SIGTERM);
        wait_for_the_end();
      },
      ExitedWithCode(42), "closed: shutdown");
}

// The parent's thread is not in a child, where another one may have got its handle.
TEST_F(SignalsDeathTest, leave_the_threads_of_a_forked_child_alone) {
  if (!can_fork) GTEST_SKIP() << cannot_fork;
  EXPECT_EXIT(
      {
        Pools pools = or_throw(open_with("[]"));
        std::optional<SignalGuard> guard = or_throw(handle_signals(pools));
        if (fork_when_quiet() != 0) {
          int status = 0;
          ::wait(&status);
          ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
        }
        std::vector<std::thread> own;
        own.reserve(8);
        for (int i = 0; i < 8; ++i) own.emplace_back([] {});
        guard.reset();
        for (std::thread& thread : own) thread.join();  // throws if it was detached
        ::_exit(7);
      },
      ExitedWithCode(7), "");
}

class Reports {
 public:
  SignalOptions with(SignalOptions options) {
    options.report = [this](LogLevel level, std::string_view line) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(std::string(to_string(level)) + ": " + std::string(line));
    };
    return options;
  }
  std::vector<std::string> await(std::size_t count) {
    for (;;) {
      const std::lock_guard lock(mutex_);
      if (lines_.size() >= count) return lines_;
      std::this_thread::yield();
    }
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

TEST_F(Signals, reload_the_pools_if_asked_to) {
  const std::string file = (dir / "weir.toml").string();
  std::ofstream(file) << toml("url = \"test.db\"\nmax = 3");
  Pools pools = or_throw(Pools::from_file(file));
  Reports reports;
  const SignalGuard guard =
      or_throw(handle_signals(pools, reports.with({.drain = false, .reload = true})));
  std::ofstream(file) << toml("url = \"test.db\"\nmax = 5");
  ::kill(::getpid(), SIGHUP);
  EXPECT_THAT(reports.await(1), ElementsAre(HasSubstr("info: reloaded: ")));
  EXPECT_EQ(pools["main"].config().max, 5U);
  ::kill(::getpid(), SIGHUP);
  EXPECT_THAT(reports.await(2).back(), HasSubstr("nothing has changed"));
  std::ofstream(file) << toml("url = \"test.db\"\nmax = \"many\"");
  ::kill(::getpid(), SIGHUP);
  EXPECT_THAT(reports.await(3).back(), HasSubstr("error: the reload was refused"));
  EXPECT_EQ(pools["main"].config().max, 5U);
  EXPECT_EQ(handler_of(SIGINT), SIG_DFL) << "not asked for";
}

TEST_F(Signals, have_one_guard_at_a_time) {
  Pools pools = or_throw(open_with("[]"));
  const auto before = handler_of(SIGTERM);
  std::optional<SignalGuard> first = or_throw(handle_signals(pools));
  EXPECT_NE(handler_of(SIGTERM), before);
  const auto second = handle_signals(pools);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::invalid_state);
  first.reset();
  EXPECT_EQ(handler_of(SIGTERM), before);
  EXPECT_TRUE(handle_signals(pools));
}

TEST_F(Signals, leave_a_handler_alone_that_came_after_the_guard) {
  Pools pools = or_throw(open_with("[]"));
  const auto mine = [](int) {};
  {
    const SignalGuard guard = or_throw(handle_signals(pools));
    std::signal(SIGTERM, mine);
  }
  EXPECT_EQ(handler_of(SIGTERM), static_cast<void (*)(int)>(mine));
  std::signal(SIGTERM, SIG_DFL);
}

}  // namespace
}  // namespace weir::test
