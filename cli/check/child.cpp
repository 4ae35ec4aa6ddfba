// SPDX-License-Identifier: MIT
//
// The command's side: starts, watches, reads what became of it.
#include "cli/check/child.hpp"

#include "cli/check/journal.hpp"
#include "cli/check/subject.hpp"
#include "core/base/text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weir::check {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int job_fd = 3;
constexpr int journal_fd = 4;
constexpr std::size_t output_shown_max = 2000;

class File {
 public:
  explicit File(int fd) noexcept : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

// A memory file that lies above the numbers which the child's file actions write to.
int memory_file(const char* name) {
  const int fd = ::memfd_create(name, MFD_CLOEXEC);
  const int high = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
  ::close(fd);
  return high;
}

std::string start_child(int job, int journal, int output, pid_t& child) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, job, job_fd);
  ::posix_spawn_file_actions_adddup2(&actions, journal, journal_fd);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
  ::posix_spawn_file_actions_addclosefrom_np(&actions, journal_fd + 1);
#endif
  std::string name = "weir";
  std::string word(child_word);
  std::array<char*, 3> argv{name.data(), word.data(), nullptr};
  const int rc =
      ::posix_spawn(&child, "/proc/self/exe", &actions, &attributes, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  return rc == 0 ? std::string()
                 : fmt::format("a process for the rule cannot be started: {}", std::strerror(rc));
}

// Waits until it ends, time is up or `stop` says so, and ends its whole group. Returns: its status;
// `in_time` is false if it had to be killed.
int watch(pid_t child, unsigned seconds, const std::function<bool()>& stop, bool& in_time) {
  const auto until = Clock::now() + std::chrono::seconds(seconds);
  const File process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  in_time = false;
  while (Clock::now() < until && !stop()) {
    pollfd end{process.fd(), POLLIN, 0};
    // Without pidfd (an old kernel) the sleep is the poll's, and waitid does the looking.
    ::poll(&end, 1, process.fd() >= 0 ? 100 : 5);
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == child) {
      in_time = true;
      break;
    }
  }
  ::kill(-child, SIGKILL);  // before it is reaped: its number is still its own
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string read_output(int fd) {
  std::array<char, output_shown_max> output{};
  const ssize_t size = ::pread(fd, output.data(), output.size(), 0);
  return size <= 0 ? std::string() : printable({output.data(), static_cast<std::size_t>(size)});
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(printable(text.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

void judge(int status, bool in_time, unsigned seconds, const Journal& journal, Outcome& outcome) {
  const Verdict verdict = journal.verdict();
  outcome.text = printable(journal.text());
  if (!in_time) {
    outcome.ending = Ending::hung;
    outcome.text = fmt::format("no end within {} s", seconds);
  } else if (WIFSIGNALED(status)) {
    outcome.ending = WTERMSIG(status) == SIGXCPU ? Ending::hung : Ending::crashed;
    outcome.text = fmt::format("the process died of signal {} ({})", WTERMSIG(status),
                               ::strsignal(WTERMSIG(status)));
  } else if (WEXITSTATUS(status) != 0 || verdict == Verdict::none) {
    outcome.ending = Ending::crashed;
    outcome.text = fmt::format("the process ended with status {}{}", WEXITSTATUS(status),
                               verdict == Verdict::none ? "" : ", in its exit handlers");
  } else {
    constexpr std::array<Ending, 6> endings{Ending::crashed, Ending::passed, Ending::failed,
                                            Ending::skipped, Ending::unable, Ending::passed};
    outcome.ending = endings.at(static_cast<std::size_t>(verdict));
    return;
  }
  outcome.doing = printable(journal.step_text());
}

}  // namespace

Outcome run_in_child(const Job& job, unsigned seconds, const std::function<bool()>& stop) {
  Outcome outcome;
  const auto begun = Clock::now();
  const File job_file(memory_file("weir-check-job"));
  const File output(memory_file("weir-check-output"));
  Journal journal;
  const std::string text = to_text(job);
  const bool written =
      ::write(job_file.fd(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::lseek(job_file.fd(), 0, SEEK_SET);
  // Above the numbers that the child's own descriptors get.
  const File shared(::fcntl(journal.fd(), F_DUPFD_CLOEXEC, 10));
  if (!written || shared.fd() < 0 || output.fd() < 0) {
    outcome.text = "the system gives no memory file for a rule";
    return outcome;
  }
  // Who starts us may ignore it, and then no child leaves a status behind.
  ::signal(SIGCHLD, SIG_DFL);
  pid_t child = -1;
  outcome.text = start_child(job_file.fd(), shared.fd(), output.fd(), child);
  if (!outcome.text.empty()) return outcome;
  bool in_time = false;
  seconds *= static_cast<unsigned>(slowness());
  const int status = watch(child, seconds, stop, in_time);
  judge(status, in_time, seconds, journal, outcome);
  outcome.notes = lines_of(journal.notes());
  outcome.output = read_output(output.fd());
  outcome.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  return outcome;
}

std::optional<Description> describe_in_child(Job job, const std::function<bool()>& stop) {
  job.rule.clear();
  constexpr unsigned seconds = 10;
  const Outcome outcome = run_in_child(job, seconds, stop);
  if (outcome.ending != Ending::passed) return std::nullopt;
  const std::vector<std::string> lines = lines_of(outcome.text);
  constexpr std::size_t lines_min = 6;
  if (lines.size() < lines_min) return std::nullopt;
  Description d{lines[0], lines[1], lines[2], lines[3], lines[4], 0};
  d.caps = std::strtoull(lines[5].c_str(), nullptr, 10);
  return d;
}

}  // namespace weir::check
