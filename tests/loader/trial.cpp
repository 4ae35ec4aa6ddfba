// SPDX-License-Identifier: MIT
//
// Goal: a plugin that dies or hangs while loading costs an error, never the host. Method: the
// deadly part of the zoo through load(), under the conditions that a host may have: threads that
// allocate, SIGCHLD ignored or taken by somebody else, few descriptors, signals blocked.
#include "core/loader/probe.hpp"
#include "tests/loader/support.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <dirent.h>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::loader {
namespace {

using test::TempDir;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

int open_descriptors() {
  int count = 0;
  DIR* dir = ::opendir("/proc/self/fd");
  while (::readdir(dir) != nullptr) ++count;
  ::closedir(dir);
  return count;
}

Surroundings with_timeout(Duration timeout) {
  Surroundings around = test::bare_surroundings();
  around.probe_timeout = timeout;
  return around;
}

TEST(Trial, a_crash_becomes_an_error_that_names_file_and_signal) {
  for (const char* animal : {"crash_constructor", "crash_entry"}) {
    const TempDir dir;
    test::put_plugin(dir, animal);
    EXPECT_THAT(test::load_outcome(test::search_in(dir.path())),
                AllOf(StartsWith("W203 driver \"minimal\": " + dir / "plugin.so" +
                                 " crashes when it is loaded"),
                      HasSubstr("it died of signal 11 (Segmentation fault)"),
                      HasSubstr("looked at, in this order")));
  }
}

TEST(Trial, a_wild_table_pointer_is_met_there_too) {
  const TempDir dir;
  test::put_plugin(dir, "wild_table");
  // A sanitizer catches the fault, reports, and aborts.
  EXPECT_THAT(test::load_outcome(test::search_in(dir.path())),
              AllOf(StartsWith("W203 "), HasSubstr("crashes when it is loaded"),
                    AnyOf(HasSubstr("signal 11"), HasSubstr("signal 6"), HasSubstr("status"))));
}

TEST(Trial, what_the_plugin_said_last_is_shown_harmlessly) {
  const TempDir dir;
  test::put_plugin(dir, "abort_constructor");
  const std::string text = test::load_outcome(test::search_in(dir.path()));
  EXPECT_THAT(text, AllOf(HasSubstr("signal 6 (Aborted)"), HasSubstr("it wrote: zoo: licence file"),
                          testing::Not(HasSubstr("\x1b"))));
}

TEST(Trial, an_entry_that_throws_ends_its_own_process_only) {
  const TempDir dir;
  test::put_plugin(dir, "throw_entry");
  EXPECT_THAT(test::load_outcome(test::search_in(dir.path())),
              AllOf(StartsWith("W203 driver \"minimal\": " + dir / "plugin.so"),
                    HasSubstr("crashes when it is loaded"), HasSubstr("signal 6 (Aborted)"),
                    HasSubstr("zoo: no configuration")));
}

TEST(Trial, an_exit_with_status_0_does_not_pass) {
  const TempDir dir;
  test::put_plugin(dir, "exit_constructor");
  EXPECT_THAT(test::load_outcome(test::search_in(dir.path())),
              AllOf(StartsWith("W203 "), HasSubstr("ending its process with status 0")));
}

TEST(Trial, a_hang_ends_at_the_timeout) {
  for (const char* animal : {"hang_constructor", "hang_entry"}) {
    const TempDir dir;
    test::put_plugin(dir, animal);
    EXPECT_THAT(test::load_outcome(test::search_in(dir.path()),
                                   with_timeout(std::chrono::milliseconds(300))),
                AllOf(StartsWith("W203 "), HasSubstr(dir / "plugin.so" + " hangs"),
                      HasSubstr("within 0.3 s")));
  }
}

TEST(Trial, survives_a_host_that_ignores_or_takes_the_signal_of_its_children) {
  const TempDir dir;
  test::put_plugin(dir, "crash_entry");
  const auto check = [&] {
    EXPECT_THAT(test::load_outcome(test::search_in(dir.path())), HasSubstr("signal 11"));
  };
  struct sigaction before {};
  struct sigaction other {};
  other.sa_handler = SIG_IGN;
  ::sigaction(SIGCHLD, &other, &before);
  check();
  other.sa_handler = [](int) {
    const int before_call = errno;
    ::waitpid(-1, nullptr, WNOHANG);
    errno = before_call;
  };
  ::sigaction(SIGCHLD, &other, nullptr);
  check();
  ::sigaction(SIGCHLD, &before, nullptr);

  sigset_t all;
  sigset_t mask;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, &mask);
  check();
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
}

TEST(Trial, works_while_other_threads_allocate) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&stop] {
      while (!stop) delete new std::string(1000, 'x');
    });
  }
  for (int round = 0; round < 5; ++round) {
    const TempDir dir;
    test::put_plugin(dir, round % 2 == 0 ? "good" : "crash_constructor");
    const std::string text = test::load_outcome(test::search_in(dir.path()));
    EXPECT_THAT(text, round % 2 == 0 ? StartsWith("ok ") : StartsWith("W203 "));
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST(Trial, works_where_standard_descriptors_are_closed) {
  const TempDir dir;
  test::put_plugin(dir, "crash_entry");
  const pid_t child = ::fork();
  if (child == 0) {
    for (int fd = 0; fd < 3; ++fd) ::close(fd);
    const std::string text = test::load_outcome(test::search_in(dir.path()));
    const bool right = text.find("signal 11") != std::string::npos;
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(Trial, leaves_no_descriptor_and_no_child_behind) {
  const TempDir dir;
  test::put_plugin(dir, "crash_entry");
  (void)test::load_outcome(test::search_in(dir.path()));
  const int before = open_descriptors();
  for (int i = 0; i < 3; ++i) (void)test::load_outcome(test::search_in(dir.path()));
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(Trial, without_the_helper_a_plugin_is_loaded_and_a_note_says_so) {
  const TempDir dir;
  test::put_plugin(dir, "good");
  Surroundings around = test::bare_surroundings();
  around.probe_program.clear();
  auto loaded = load("minimal", test::search_in(dir.path()), "/", {}, around);
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_FALSE((*loaded)->probed);
  EXPECT_THAT((*loaded)->notes, testing::ElementsAre(HasSubstr("without a trial")));

  const TempDir other;
  test::put_plugin(other, "good");
  around.probe_program = other.write("no-program", "not a program");
  loaded = load("minimal", test::search_in(other.path()), "/", {}, around);
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_THAT((*loaded)->notes, testing::ElementsAre(HasSubstr("cannot be started: Permission")));
}

TEST(Trial, a_helper_that_says_nothing_is_no_verdict) {
  const Verdict verdict = try_library("/bin/true", "/none", -1, std::chrono::seconds(5));
  EXPECT_EQ(verdict.trial, Trial::skipped);
  EXPECT_THAT(verdict.detail, HasSubstr("without a verdict"));
}

TEST(Trial, an_orderly_error_is_not_a_crash) {
  const TempDir dir;
  const Verdict verdict = try_library(test::probe_program(), test::put_library(dir, "no_symbol"),
                                      -1, std::chrono::seconds(30));
  EXPECT_EQ(verdict.trial, Trial::refused);
  EXPECT_THAT(verdict.detail, HasSubstr("no Weir plugin"));
}

}  // namespace
}  // namespace weir::loader
