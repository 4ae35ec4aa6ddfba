// SPDX-License-Identifier: MIT
//
// with-server postgres|mysql PROGRAM [ARGUMENT...]: runs a program beside a server that is there
// for it alone and gone when it ends. WEIR_DEMO_DATABASE is the URL of an empty database,
// WEIR_DEMO_SERVER the path of the server's socket, and WEIR_DEMO_PROXIED the same database by TCP,
// by a proxy that listens on the loopback's port {port} and connects to that socket.
//
// Exit codes: the program's; 64 usage, 69 no such server can be had here, 71 no process either.
#include "tests/backends/child.hpp"
#ifdef WEIR_TEST_MYSQL
#include "tests/backends/mysql_server.hpp"
#endif
#ifdef WEIR_TEST_POSTGRES
#include "tests/backends/postgres_server.hpp"
#endif

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <unistd.h>

namespace {

struct Place {
  std::string url;
  std::string socket;
  std::string proxied;
};

struct Kind {
  std::string_view name;
  std::function<std::string()> missing;  // empty: it can be had
  std::function<Place()> start;
};

#ifdef WEIR_TEST_MYSQL
Place start_mysql() {
  const auto& server = weir::test::MysqlServer::instance();
  const std::string url = weir::test::MysqlServer::instance().fresh_database();
  // "mysql://user:password@localhost/database?socket=..."
  const std::size_t host = url.find('@') + 1;
  const std::size_t path = url.find('/', host);
  return {url, server.socket(),
          url.substr(0, host) + "127.0.0.1:{port}" + url.substr(path, url.find('?') - path)};
}
#endif
#ifdef WEIR_TEST_POSTGRES
Place start_postgres() {
  const auto& server = weir::test::PostgresServer::shared();
  return {server.url(), server.directory() + "/.s.PGSQL." + std::to_string(server.port()),
          "postgresql://weir@127.0.0.1:{port}/postgres"};
}
#endif

const Kind kinds[] = {
#ifdef WEIR_TEST_MYSQL
    {"mysql", [] { return weir::test::MysqlServer::instance().missing(); }, &start_mysql},
#endif
#ifdef WEIR_TEST_POSTGRES
    {"postgres", &weir::test::PostgresServer::missing, &start_postgres},
#endif
};

volatile std::sig_atomic_t program = 0;

// Ended by a signal, this process would leave the server's directory behind. So it waits until the
// program has ended by it: a terminal sends SIGINT to both, and SIGTERM is passed on.
int run(char** words) {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &ending, &before);
  const pid_t child = ::fork();
  if (child == 0) {
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    ::execvp(words[0], words);
    std::perror(words[0]);
    ::_exit(127);
  }
  if (child < 0) {
    std::perror("with-server");
    return 71;
  }
  program = child;
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, [](int signal) { ::kill(program, signal); });
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  const int code = weir::test::wait_for(child);
  std::signal(SIGTERM, SIG_IGN);  // there is nobody to pass it on to, and the server is yet to end
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  for (const Kind& kind : kinds) {
    if (argc < 3 || kind.name != argv[1]) continue;
    if (const std::string why = kind.missing(); !why.empty()) {
      std::fprintf(stderr, "with-server: %s\n", why.c_str());
      return 69;
    }
    const Place place = kind.start();
    ::setenv("WEIR_DEMO_DATABASE", place.url.c_str(), 1);
    ::setenv("WEIR_DEMO_SERVER", place.socket.c_str(), 1);
    ::setenv("WEIR_DEMO_PROXIED", place.proxied.c_str(), 1);
    return run(argv + 2);
  }
  std::fputs("usage: with-server SERVER PROGRAM [ARGUMENT...], and this build knows:", stderr);
  for (const Kind& kind : kinds) std::fprintf(stderr, " %s", std::string(kind.name).c_str());
  std::fputs("\n", stderr);
  return 64;
}
