// SPDX-License-Identifier: MIT
//
// The child's side: one rule in a process that ends with it.
#include "cli/check/child.hpp"
#include "cli/check/journal.hpp"
#include "cli/check/rule.hpp"
#include "cli/check/subject.hpp"
#include "core/loader/text.hpp"

#include <array>
#include <csignal>
#include <exception>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace weir::check {
namespace {

constexpr int job_fd = 3;
constexpr int journal_fd = 4;

std::string read_whole(int fd) {
  std::string text;
  std::array<char, 4096> block{};
  while (true) {
    const ssize_t size = ::read(fd, block.data(), block.size());
    if (size <= 0) return text;
    text.append(block.data(), static_cast<std::size_t>(size));
  }
}

// A driver that goes wild meets these and not the machine's user.
void limit_this_process() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  constexpr rlim_t file_max = rlim_t{512} << 20U;
  const rlimit file_size{file_max, file_max};
  ::setrlimit(RLIMIT_FSIZE, &file_size);
  // glibc gives new threads heaps of their own, which stay: they would be taken for the driver's.
  ::mallopt(M_ARENA_MAX, 1);
}

// One line per member of a Description.
std::string describe(Subject& subject) {
  subject.load();
  const weir_info& info = subject.table().info();
  std::string lines;
  for (const char* text : {info.name, info.version}) {
    lines += loader::one_line(text == nullptr ? "" : text) + "\n";
  }
  lines += fmt::format("{}.{}\n", subject.driver().abi_major, subject.driver().abi_minor);
  for (const char* text : {info.client_version, info.url_schemes}) {
    lines += loader::one_line(text == nullptr ? "" : text) + "\n";
  }
  return lines + fmt::format("{}\n", subject.driver().caps);
}

void run(Job job, Journal& journal) {
  if (job.rule.empty()) {
    Subject subject(std::move(job));
    return journal.end(Verdict::described, describe(subject));
  }
  const Rule* rule = find_rule(job.rule);
  if (rule == nullptr) unable("there is no rule {}", job.rule);
  Subject subject(std::move(job));
  if (rule->needs >= Needs::table) subject.load();
  step("the rule's own work");
  rule->run(subject);
  step("leaving the process");
  journal.end(Verdict::passed, "");
}

}  // namespace

int child_main() {
  const std::string text = read_whole(job_fd);
  ::close(job_fd);
  try {
    Journal journal(journal_fd);
    use_journal(journal);
    limit_this_process();
    Job job = job_of(text);
#if defined(__SANITIZE_THREAD__)
    std::thread([] {}).join();  // with the first thread there comes one of the sanitizer's own
#endif
    if (::chdir(job.directory.c_str()) != 0) unable("no way into {}", job.directory);
    run(std::move(job), journal);
    return 0;  // and so through the exit handlers: what a driver left there is part of the question
  } catch (const std::exception& error) {
    // Without a journal: whoever calls this by hand sees it.
    const std::string line =
        fmt::format("weir: this is a part of `weir driver check`: {}\n", error.what());
    [[maybe_unused]] const ssize_t size = ::write(STDERR_FILENO, line.data(), line.size());
    return 64;
  }
}

}  // namespace weir::check
