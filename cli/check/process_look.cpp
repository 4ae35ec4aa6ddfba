// SPDX-License-Identifier: MIT
#include "cli/check/process_look.hpp"

#include <algorithm>
#include <array>
#include <cfenv>
#include <charconv>
#include <clocale>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::check {
namespace {

// Numbers that are names in a directory of /proc, without the descriptor that reads it.
std::vector<int> numbers_in(const char* path) {
  std::vector<int> numbers;
  DIR* directory = ::opendir(path);
  if (directory == nullptr) return numbers;
  const int own = ::dirfd(directory);
  while (const dirent* entry = ::readdir(directory)) {
    int number = 0;
    const std::string_view name = entry->d_name;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size() && number != own) {
      numbers.push_back(number);
    }
  }
  ::closedir(directory);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string target_of(int fd) {
  std::array<char, 256> target{};
  const ssize_t size =
      ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), target.data(), target.size());
  return size < 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(size));
}

std::vector<std::string> signal_state() {
  std::vector<std::string> state;
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  for (int number = 1; number < 64; ++number) {
    struct sigaction action {};
    if (::sigaction(number, nullptr, &action) != 0) continue;
    const auto handler = (action.sa_flags & SA_SIGINFO) != 0
                             ? reinterpret_cast<std::uintptr_t>(action.sa_sigaction)
                             : reinterpret_cast<std::uintptr_t>(action.sa_handler);
    if (handler != reinterpret_cast<std::uintptr_t>(SIG_DFL)) {
      const char* const name = ::sigabbrev_np(number);
      state.push_back(fmt::format(
          "signal {} ({}) is {}", number, name == nullptr ? "real-time" : name,
          handler == reinterpret_cast<std::uintptr_t>(SIG_IGN) ? "ignored" : "handled"));
    }
    if (sigismember(&mask, number) == 1) {
      state.push_back(fmt::format("signal {} is blocked", number));
    }
  }
  return state;
}

std::vector<std::string> surroundings_now() {
  std::vector<std::string> state;
  state.push_back(fmt::format("the locale is {}", std::setlocale(LC_ALL, nullptr)));
  const mode_t mask = ::umask(0);
  ::umask(mask);
  state.push_back(fmt::format("the umask is {:03o}", mask));
  std::array<char, 4096> directory{};
  state.push_back(fmt::format(
      "the directory is {}",
      ::getcwd(directory.data(), directory.size()) == nullptr ? "gone" : directory.data()));
  for (char** variable = environ; *variable != nullptr; ++variable) {
    state.push_back(fmt::format("the environment has {}", *variable));
  }
  for (const int resource : {RLIMIT_NOFILE, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_AS, RLIMIT_DATA}) {
    rlimit limit{};
    ::getrlimit(static_cast<__rlimit_resource>(resource), &limit);
    state.push_back(fmt::format("limit {} is {}", resource, limit.rlim_cur));
  }
  state.push_back(fmt::format("rounding mode is {}", std::fegetround()));
  state.push_back(fmt::format("floating-point traps are {}", ::fegetexcept()));
  std::sort(state.begin(), state.end());
  return state;
}

std::string changed(const std::vector<std::string>& before, const std::vector<std::string>& after) {
  std::string text;
  for (const std::string& line : after) {
    if (std::find(before.begin(), before.end(), line) != before.end()) continue;
    text += (text.empty() ? "" : "; ") + line + " now";
  }
  for (const std::string& line : before) {
    if (std::find(after.begin(), after.end(), line) != after.end()) continue;
    text += (text.empty() ? "" : "; ") + line + " no more";
  }
  return text;
}

// A second, all together.
constexpr int looks_max = 200;
void pause_between_looks() {
  const timespec pause{0, 5'000'000};
  ::nanosleep(&pause, nullptr);
}

std::string descriptors_changed(const ProcessLook& before, const ProcessLook& after) {
  std::string text;
  for (const auto& [fd, target] : after.descriptors) {
    if (before.descriptors.count(fd) != 0) continue;
    text += fmt::format("{}descriptor {} ({}) is open now", text.empty() ? "" : "; ", fd, target);
  }
  for (const auto& [fd, target] : before.descriptors) {
    if (after.descriptors.count(fd) != 0) continue;
    text += fmt::format("{}descriptor {} ({}) was closed", text.empty() ? "" : "; ", fd, target);
  }
  return text;
}

}  // namespace

ProcessLook ProcessLook::take() {
  ProcessLook look;
  for (const int fd : numbers_in("/proc/self/fd")) {
    const std::string target = target_of(fd);
    if (!target.empty()) look.descriptors[fd] = target;
  }
  look.threads = thread_count();
  look.signals = signal_state();
  look.surroundings = surroundings_now();
  return look;
}

std::string descriptors_changed_since(const ProcessLook& before) {
  std::string changed = descriptors_changed(before, ProcessLook::take());
  for (int i = 0; i < looks_max && !changed.empty(); ++i) {
    pause_between_looks();
    changed = descriptors_changed(before, ProcessLook::take());
  }
  return changed;
}

std::string signals_changed(const ProcessLook& before, const ProcessLook& after) {
  return changed(before.signals, after.signals);
}

std::string surroundings_changed(const ProcessLook& before, const ProcessLook& after) {
  return changed(before.surroundings, after.surroundings);
}

std::string inheritable_descriptors() {
  std::string text;
  for (const int fd : numbers_in("/proc/self/fd")) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (fd <= STDERR_FILENO || flags < 0 || (flags & FD_CLOEXEC) != 0) continue;
    text += fmt::format("{}descriptor {} ({})", text.empty() ? "" : "; ", fd, target_of(fd));
  }
  return text;
}

std::size_t thread_count() { return numbers_in("/proc/self/task").size(); }

std::size_t settled_thread_count(std::size_t most) {
  for (int i = 0; i < looks_max && thread_count() > most; ++i) pause_between_looks();
  return thread_count();
}

std::size_t mapping_count() {
  std::ifstream maps("/proc/self/maps");
  return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(maps), {}, '\n'));
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace weir::check
