// SPDX-License-Identifier: MIT
//
// child.hpp: servers as children of this program: where a program is, who may run it, and how it
// is started so that it ends with this one, whatever ends this one.
//
// Called by: the servers of the tests and of bench. Threads: the main one, because a child is told
// of the end of the thread that started it.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace weir::test {

// The file of a program, in PATH or where servers are; empty if there is none.
inline std::string find_program(const std::string& name) {
  std::string places = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin";
  if (const char* path = std::getenv("PATH")) places = std::string(path) + ":" + places;
  for (std::size_t at = 0; at <= places.size();) {
    const std::size_t end = std::min(places.find(':', at), places.size());
    std::string file = places.substr(at, end - at) + "/" + name;
    if (::access(file.c_str(), X_OK) == 0) return file;
    at = end + 1;
  }
  return {};
}

struct Account {
  uid_t user = 0;  // 0: as we are
  gid_t group = 0;
};

// Servers refuse to run as root. False: this is root, and there is nobody else to be.
inline bool find_account(const char* preferred, Account& account) {
  if (::geteuid() != 0) return true;
  const passwd* someone = ::getpwnam(preferred);
  if (someone == nullptr) someone = ::getpwnam("nobody");
  if (someone == nullptr) return false;
  account = {someone->pw_uid, someone->pw_gid};
  return true;
}

// Output goes to the end of `log`. `signal` is what the child gets when this program has ended.
inline pid_t launch(const std::vector<std::string>& words, Account account, const std::string& log,
                    int signal) {
  std::vector<char*> args;
  for (const std::string& word : words) args.push_back(const_cast<char*>(word.c_str()));
  args.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (account.user != 0 && (::setgroups(0, nullptr) != 0 || ::setgid(account.group) != 0 ||
                            ::setuid(account.user) != 0)) {
    ::_exit(120);
  }
  ::prctl(PR_SET_PDEATHSIG, signal);  // after setuid, which takes it back
  if (::getppid() != parent) ::_exit(121);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::dup2(::open("/dev/null", O_RDONLY), 0);
  ::execv(args[0], args.data());
  ::_exit(122);
}

// Returns its exit code, or 128 and the signal that ended it.
inline int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace weir::test
