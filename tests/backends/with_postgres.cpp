// SPDX-License-Identifier: MIT
//
// with-postgres PROGRAM [ARGUMENT...]: runs a program beside a PostgreSQL server that is there for
// it alone and gone when it ends. WEIR_DEMO_DATABASE is the server's URL.
//
// Exit codes: the program's; 64 usage, 69 no server can be had here.
#include "tests/backends/postgres_server.hpp"

#include <cstdio>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: with-postgres PROGRAM [ARGUMENT...]\n", stderr);
    return 64;
  }
  if (const std::string why = weir::test::PostgresServer::missing(); !why.empty()) {
    std::fprintf(stderr, "with-postgres: %s\n", why.c_str());
    return 69;
  }
  const weir::test::PostgresServer server;
  ::setenv("WEIR_DEMO_DATABASE", server.url().c_str(), 1);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execvp(argv[1], argv + 1);
    std::perror(argv[1]);
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) < 0) {
    std::perror("with-postgres");
    return 71;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
