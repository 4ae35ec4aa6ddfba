// SPDX-License-Identifier: MIT
//
// How tests fork a process that has threads. Whether they can: a child under ThreadSanitizer
// cannot. And when: a lock that another thread holds at that moment stays locked in the child for
// good. The C library frees its own, AddressSanitizer of GCC 12 does not free its allocator's,
// which even a thread that has only begun takes; so a child that allocates would hang now and then.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>

namespace weir::test {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool can_fork = false;
#elif defined(__has_feature)
inline constexpr bool can_fork = !__has_feature(thread_sanitizer);
#else
inline constexpr bool can_fork = true;
#endif
inline constexpr const char* cannot_fork =
    "ThreadSanitizer does not follow a fork of many threads; run a build without it";

inline bool other_threads_sleep() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (task.path().filename() == std::to_string(::gettid())) continue;
    std::string line;
    std::getline(std::ifstream(task.path() / "stat"), line);
    const auto name_ends = line.rfind(')');
    if (name_ends == std::string::npos || line.compare(name_ends, 3, ") S") != 0) return false;
  }
  return true;
}

// fork() while every other thread sleeps: it waits for something, and holds no lock of an
// allocator. One that wakes between the look and the fork has a few microseconds to take one.
inline pid_t fork_when_quiet() {
  while (!other_threads_sleep()) std::this_thread::yield();
  return ::fork();
}

}  // namespace weir::test
