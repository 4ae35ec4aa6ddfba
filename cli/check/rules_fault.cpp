// SPDX-License-Identifier: MIT
//
// Level 4: what may befall the process. A fork, a storm of signals, no descriptor left.
#include "cli/check/client.hpp"
#include "cli/check/rule.hpp"

#include <csignal>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace weir::check {
namespace {

// The child of a fork leaves; the parent's session goes on.
void abandons(Subject& subject) {
  Scene scene(subject);
  scene.open();
  Session& s = scene.session;
  if (subject.claims(WEIR_CAP_TX)) {
    s.begin();
    s.must(WEIR_OK, "begin");
  }
  step("fork, and abandon in the child");
  const pid_t child = ::fork();
  if (child < 0) unable("the kit cannot fork");
  if (child == 0) {
    ::alarm(10);
    scene.driver.abandon(s.conn);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  expect(WIFEXITED(status) && WEXITSTATUS(status) == 0,
         "abandon in a forked child ended it with {} {}", WIFSIGNALED(status) ? "signal" : "status",
         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  scene.still_usable("abandon in a forked child");
  if (!subject.claims(WEIR_CAP_TX)) return;
  expect(s.is(WEIR_STATE_IN_TX), "abandon in a forked child ended the parent's transaction");
  s.commit();
  s.must(WEIR_OK, "commit after abandon in a forked child");
}

void survives_signals(Subject& subject) {
  Scene scene(subject);
  scene.open();
  // Without SA_RESTART: each system call that waits is interrupted.
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGALRM, &action, nullptr);
  const itimerval storm{{0, 500}, {0, 500}};
  ::setitimer(ITIMER_REAL, &storm, nullptr);
  const int times = subject.scaled(2'000, 100);
  for (int i = 0; i < times; ++i) {
    scene.session.query(subject.sql("rows_1000"), {}, 0, nullptr, 100);
    scene.session.must(WEIR_OK, "a query in a storm of signals");
    expect(scene.session.rows.size() == 1000, "in a storm of signals there are {} rows of 1000",
           scene.session.rows.size());
  }
  Session other(scene.source, 2);
  other.open();
  other.must(WEIR_OK, "open in a storm of signals");
  other.close();
  const itimerval calm{};
  ::setitimer(ITIMER_REAL, &calm, nullptr);
}

void without_descriptors(Subject& subject) {
  Scene scene(subject);
  scene.open();
  std::vector<int> taken;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit low{std::min<rlim_t>(limit.rlim_cur, 256), limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &low);
  {
    Session other(scene.source, 2);
    scene.host.make_ready(other.tag);
    for (int fd = 0; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken.push_back(fd);
    other.deadline = scene.host.in(5'000'000'000);
    other.open();
    for (const int fd : taken) ::close(fd);
    if (other.status == WEIR_OK) {
      other.query(subject.sql("select_one"));  // it needed none, or kept one in reserve
    } else {
      expect(other.conn == nullptr, "an open that failed wrote to *conn all the same");
      expect(other.status != WEIR_E_INTERNAL,
             "an open without descriptors is told as internal, a bug of the driver: {}",
             other.error.what());
    }
  }
  ::setrlimit(RLIMIT_NOFILE, &limit);
  scene.still_usable("an open for which there were no descriptors");
  Session later(scene.source, 3);
  later.open();
  later.must(WEIR_OK, "an open once there are descriptors again");
}

constexpr Rule table[] = {
    {"L4.fork.abandon", Grade::must, "D25",
     "abandon in a forked child leaves the parent's session as it was.", Needs::database,
     WEIR_CAP_FORK_ABANDON, "select_one", abandons},
    {"L4.signals.storm", Grade::must, "D22", "Signals interrupt system calls, and no query.",
     Needs::database, 0, "rows_1000", survives_signals, false, 40},
    {"L4.descriptors.none", Grade::must, "D23",
     "An open without descriptors is an error like others, and passes.", Needs::database, 0,
     "select_one", without_descriptors},
};

}  // namespace

std::span<const Rule> fault_rules() noexcept { return table; }

}  // namespace weir::check
