// SPDX-License-Identifier: MIT
//
// weir-probe: loads a plugin on trial, for a host that does not want to die of it.
// core/loader/probe.hpp starts it and says why it is a program.
//
//   weir-probe LIBRARY TIMEOUT_MS FLAVOUR
//
// stdout: one line, "passed", "refused REASON", "died HOW", "hung" or "skipped WHY"; then what the
// plugin wrote meanwhile. Exit status: 0 whenever there is a line, 64 for wrong arguments.
#include "core/loader/entry.hpp"
#include "core/loader/probe.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr rlim_t output_size_max = 1U << 20U;
constexpr std::size_t output_shown_max = 2048;

// _exit everywhere: an exit handler that the plugin left behind is not part of the question.
[[noreturn]] void answer(const std::string& line, int output_fd) {
  std::array<char, output_shown_max> output{};
  ssize_t size = output_fd < 0 ? 0 : ::pread(output_fd, output.data(), output.size(), 0);
  if (size < 0) size = 0;
  const std::string text = line + "\n" + std::string(output.data(), static_cast<std::size_t>(size));
  // One write below PIPE_BUF: whole or not at all.
  const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
  ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : EXIT_FAILURE);
}

// The child: loads, and tells through `done` that it got to the end, because a plugin may also end
// the process with status 0.
[[noreturn]] void load_on_trial(const char* path, int done, int output_fd) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  // A plugin that writes without end meets an error, not SIGXFSZ, and fills no memory.
  const rlimit output_limit{output_size_max, output_size_max};
  ::setrlimit(RLIMIT_FSIZE, &output_limit);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &ignore, nullptr);
  if (output_fd >= 0) {
    ::dup2(output_fd, STDOUT_FILENO);
    ::dup2(output_fd, STDERR_FILENO);
  }

  std::string said = "p";
  if (auto library = weir::loader::open_library(path, path); !library) {
    said = "r" + library.error().message();
  } else if (auto table = weir::loader::enter(*library, path); !table) {
    said = "r" + table.error().message();
  }
  for (char& c : said) c = c == '\n' ? ' ' : c;
  const ssize_t written = ::write(done, said.data(), said.size());
  ::_exit(written < 0 ? EXIT_FAILURE : 0);
}

// Waits for the child; false if it had to be killed.
bool wait_for(pid_t child, const sigset_t& signals, long timeout_ms, int& status) {
  timespec start{};
  ::clock_gettime(CLOCK_MONOTONIC, &start);
  while (true) {
    if (::waitpid(child, &status, WNOHANG) == child) return true;
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const long spent_ms =
        (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1'000'000;
    const long left_ms = timeout_ms - spent_ms;
    if (left_ms <= 0) break;
    const timespec wait{left_ms / 1000, left_ms % 1000 * 1'000'000};
    ::sigtimedwait(&signals, nullptr, &wait);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return false;
}

std::string how_it_died(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return "of signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
  }
  return "by ending its process with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs(
        "usage: weir-probe LIBRARY TIMEOUT_MS FLAVOUR\n"
        "Loads a Weir plugin on trial. Weir runs it by itself; see weir driver list.\n",
        stderr);
    return 64;
  }
  const char* const path = argv[1];
  const long timeout_ms = std::strtol(argv[2], nullptr, 10);
  if (std::strcmp(argv[3], weir::loader::process_flavour()) != 0) {
    answer(std::string("skipped weir-probe is built \"") + weir::loader::process_flavour() +
               "\", the host \"" + argv[3] + "\"",
           -1);
  }

  const int output_fd = ::memfd_create("weir-probe-output", MFD_CLOEXEC);
  std::array<int, 2> done{-1, -1};
  // Non-blocking: a process that the plugin left behind may hold the other end.
  if (::pipe2(done.data(), O_CLOEXEC | O_NONBLOCK) != 0) answer("skipped no pipe", -1);
  sigset_t child_ends;
  ::sigemptyset(&child_ends);
  ::sigaddset(&child_ends, SIGCHLD);
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &child_ends, &before);
  const pid_t child = ::fork();
  if (child < 0) answer("skipped fork failed", -1);
  if (child == 0) {
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    ::close(done[0]);
    load_on_trial(path, done[1], output_fd);
  }
  ::close(done[1]);
  int status = 0;
  if (!wait_for(child, child_ends, timeout_ms, status)) answer("hung", output_fd);
  if (!WIFEXITED(status)) answer("died " + how_it_died(status), output_fd);

  std::array<char, 1024> said{};
  const ssize_t size = ::read(done[0], said.data(), said.size());
  if (size <= 0) answer("died " + how_it_died(status), output_fd);
  const std::string reason(said.data() + 1, static_cast<std::size_t>(size) - 1);
  answer(said[0] == 'p' ? std::string("passed") : "refused " + reason, output_fd);
}
