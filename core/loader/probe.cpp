// SPDX-License-Identifier: MIT
#include "core/loader/probe.hpp"

#include "core/loader/text.hpp"
#include "core/loader/trust.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string_view>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::loader {

namespace {

constexpr int library_fd = 3;  // where weir-probe finds the descriptor, after stdin to stderr
constexpr std::size_t answer_size_max = 8192;

// What posix_spawn is told. Its two objects need destroying on every path.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  int prepare(int answer_fd, int fd) {
    // The host's blocked and ignored signals would be inherited, SIGCHLD among them.
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

    int rc = ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (rc == 0) rc = ::posix_spawn_file_actions_adddup2(&actions, answer_fd, 1);
    if (rc == 0) rc = ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    if (rc == 0 && fd >= 0) rc = ::posix_spawn_file_actions_adddup2(&actions, fd, library_fd);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    // Not every library of a host opens its descriptors close-on-exec.
    const int first_unused = fd >= 0 ? library_fd + 1 : library_fd;
    if (rc == 0) rc = ::posix_spawn_file_actions_addclosefrom_np(&actions, first_unused);
#endif
    return rc;
  }

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

// Moves fd out of the way of the numbers that the file actions write to: a dup2 onto itself would
// keep close-on-exec, one onto another source would lose it.
File above_standard(File file) {
  if (file.fd() > library_fd) return file;
  return File(::fcntl(file.fd(), F_DUPFD_CLOEXEC, library_fd + 1));
}

// Reads until the writers are gone. False: time is up.
bool read_answer(int fd, Duration timeout, std::string& answer) {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  const auto whole = duration_cast<seconds>(timeout);
  itimerspec at{};
  at.it_value.tv_sec = whole.count();
  at.it_value.tv_nsec = (timeout - whole).count();
  const File timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer.is_open() || ::timerfd_settime(timer.fd(), 0, &at, nullptr) != 0) return false;

  std::array<char, 1024> block{};
  while (true) {
    std::array<pollfd, 2> fds{pollfd{fd, POLLIN, 0}, pollfd{timer.fd(), POLLIN, 0}};
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return false;
    if (fds[0].revents != 0) {
      const ssize_t size = ::read(fd, block.data(), block.size());
      if (size == 0) return true;
      if (size < 0 && errno != EINTR) return false;
      if (size > 0 && answer.size() < answer_size_max) {
        answer.append(block.data(), static_cast<std::size_t>(size));
      }
    } else if (fds[1].revents != 0) {
      return false;
    }
  }
}

// The host may have reaped it already (SIGCHLD ignored, or a handler that waits for everybody);
// that is as good.
void reap(pid_t child) noexcept {
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Verdict parse_answer(std::string_view answer) {
  const std::size_t line_end = answer.find('\n');
  if (line_end == std::string_view::npos) {
    return {Trial::skipped, "weir-probe ended without a verdict", {}};
  }
  const std::string_view line = answer.substr(0, line_end);
  const std::size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  Verdict verdict;
  if (space != std::string_view::npos) verdict.detail = one_line(line.substr(space + 1), 400);
  verdict.output = one_line(answer.substr(line_end + 1), 400);
  if (word == "passed") {
    verdict.trial = Trial::passed;
  } else if (word == "refused") {
    verdict.trial = Trial::refused;
  } else if (word == "died") {
    verdict.trial = Trial::died;
  } else if (word == "hung") {
    verdict.trial = Trial::hung;
  }
  return verdict;
}

}  // namespace

const char* process_flavour() noexcept {
  if (::dlsym(RTLD_DEFAULT, "__asan_init") != nullptr) return "asan";
  if (::dlsym(RTLD_DEFAULT, "__tsan_init") != nullptr) return "tsan";
  if (::dlsym(RTLD_DEFAULT, "__msan_init") != nullptr) return "msan";
  return "plain";
}

Verdict try_library(const std::string& program, const std::string& path, int fd, Duration timeout) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {Trial::skipped, errno_text(errno), {}};
  const File from_probe(ends[0]);
  File to_host = above_standard(File(ends[1]));
  const File library = fd < 0 ? File() : above_standard(File(::fcntl(fd, F_DUPFD_CLOEXEC, 4)));
  if (!to_host.is_open() || (fd >= 0 && !library.is_open())) {
    return {Trial::skipped, errno_text(errno), {}};
  }
  SpawnPlan plan;
  int rc = plan.prepare(to_host.fd(), library.fd());
  if (rc != 0) return {Trial::skipped, errno_text(rc), {}};

  using std::chrono::milliseconds;
  std::string name = "weir-probe";
  std::string target = fd < 0 ? path : fmt::format("/proc/self/fd/{}", library_fd);
  std::string limit = fmt::format("{}", std::chrono::duration_cast<milliseconds>(timeout).count());
  std::string flavour = process_flavour();
  std::array<char*, 5> argv{name.data(), target.data(), limit.data(), flavour.data(), nullptr};
  pid_t child = -1;
  rc =
      ::posix_spawn(&child, program.c_str(), &plan.actions, &plan.attributes, argv.data(), environ);
  if (rc != 0) {
    return {Trial::skipped, fmt::format("{} cannot be started: {}", program, errno_text(rc)), {}};
  }
  to_host = File();  // the child's copy is the last one: its end is our end of file

  // weir-probe keeps the time itself; this is for a weir-probe that hangs.
  std::string answer;
  const bool ended = read_answer(from_probe.fd(), timeout + std::chrono::seconds(1), answer);
  if (!ended) ::kill(child, SIGKILL);
  reap(child);
  if (!ended) return {Trial::hung, {}, {}};
  return parse_answer(answer);
}

}  // namespace weir::loader
