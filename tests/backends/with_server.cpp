// SPDX-License-Identifier: MIT
//
// with-server postgres|mysql PROGRAM [ARGUMENT...]: runs a program beside a server that is there
// for it alone and gone when it ends. WEIR_DEMO_DATABASE is the URL of an empty database.
//
// Exit codes: the program's; 64 usage, 69 no such server can be had here, 71 no process either.
#ifdef WEIR_TEST_MYSQL
#include "tests/backends/mysql_server.hpp"
#endif
#ifdef WEIR_TEST_POSTGRES
#include "tests/backends/postgres_server.hpp"
#endif

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

namespace {

struct Kind {
  std::string_view name;
  std::function<std::string()> missing;  // empty: it can be had
  std::function<std::string()> url;      // starts it
};

const Kind kinds[] = {
#ifdef WEIR_TEST_MYSQL
    {"mysql", [] { return weir::test::MysqlServer::instance().missing(); },
     [] { return weir::test::MysqlServer::instance().fresh_database(); }},
#endif
#ifdef WEIR_TEST_POSTGRES
    {"postgres", &weir::test::PostgresServer::missing,
     [] { return weir::test::PostgresServer::shared().url(); }},
#endif
};

int run(char** words) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execvp(words[0], words);
    std::perror(words[0]);
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) < 0) {
    std::perror("with-server");
    return 71;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int argc, char** argv) {
  for (const Kind& kind : kinds) {
    if (argc < 3 || kind.name != argv[1]) continue;
    if (const std::string why = kind.missing(); !why.empty()) {
      std::fprintf(stderr, "with-server: %s\n", why.c_str());
      return 69;
    }
    ::setenv("WEIR_DEMO_DATABASE", kind.url().c_str(), 1);
    return run(argv + 2);
  }
  std::fputs("usage: with-server SERVER PROGRAM [ARGUMENT...], and this build knows:", stderr);
  for (const Kind& kind : kinds) std::fprintf(stderr, " %s", std::string(kind.name).c_str());
  std::fputs("\n", stderr);
  return 64;
}
