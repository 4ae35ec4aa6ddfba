// SPDX-License-Identifier: MIT
#include "tests/backends/postgres_server.hpp"

#include "tests/backends/child.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace weir::test {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "the PostgreSQL server for the tests: %s\n", why.c_str());
  std::abort();
}

// The newest of Debian's, else what PATH has.
std::string find_programs() {
  std::vector<std::pair<int, std::string>> found;
  std::error_code none;  // no such directory: nothing found there
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", none)) {
    const fs::path bin = entry.path() / "bin";
    if (fs::exists(bin / "postgres") && fs::exists(bin / "initdb")) {
      found.emplace_back(std::atoi(entry.path().filename().c_str()), bin.string());
    }
  }
  if (!found.empty()) return std::max_element(found.begin(), found.end())->second;
  const char* path = std::getenv("PATH");
  std::istringstream parts(path == nullptr ? "" : path);
  for (std::string part; std::getline(parts, part, ':');) {
    if (fs::exists(part + "/postgres") && fs::exists(part + "/initdb")) return part;
  }
  return "";
}

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

}  // namespace

std::string PostgresServer::missing() {
  static const bool there = !find_programs().empty();
  return there
             ? ""
             : "no PostgreSQL server in /usr/lib/postgresql/*/bin or PATH: apt install postgresql";
}

PostgresServer& PostgresServer::shared() {
  static PostgresServer server;
  return server;
}

std::string PostgresServer::programs() { return find_programs(); }

std::unique_ptr<PostgresServer> PostgresServer::standby_of(const PostgresServer& primary) {
  return std::unique_ptr<PostgresServer>(new PostgresServer(&primary));
}

PostgresServer::PostgresServer(const PostgresServer* primary) : bin_(find_programs()) {
  // What the user of this shell likes to connect to is no part of the tests.
  for (const char* name : {"PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD",
                           "PGSERVICE", "PGSSLMODE", "PGOPTIONS", "PGTARGETSESSIONATTRS"}) {
    ::unsetenv(name);
  }
  // Nor is the password file of the user.
  ::setenv("PGPASSFILE", "/dev/null/none", 1);
  prepare_directory();
  if (primary == nullptr) {
    prepare_cluster();
  } else {
    copy_cluster(*primary);
  }
  start();
}

void PostgresServer::prepare_directory() {
  char name[] = "/tmp/weir-postgres-XXXXXX";
  if (::mkdtemp(name) == nullptr) give_up("no directory in /tmp");
  directory_ = name;
  Account account;
  if (!find_account("postgres", account)) give_up("no unprivileged user to run as");
  user_ = account.user;
  group_ = account.group;
  if (user_ != 0 && ::chown(name, user_, group_) != 0) give_up("chown failed");
  ::chmod(name, 0755);
}

PostgresServer::~PostgresServer() {
  crash();                  // nobody needs the data
  std::error_code ignored;  // /tmp is emptied by somebody else then
  fs::remove_all(directory_, ignored);
}

pid_t PostgresServer::run(const std::vector<std::string>& words) const {
  // SIGQUIT ends the server at once, and its children with it.
  return launch(words, {user_, group_}, directory_ + "/log", SIGQUIT);
}

void PostgresServer::prepare_cluster() {
  const pid_t pid = run({bin_ + "/initdb", "-D", data(), "-U", "weir", "--auth=trust", "--no-sync",
                         "--no-locale", "--encoding=UTF8", "--no-instructions"});
  if (wait_for(pid) != 0) give_up("initdb failed:\n" + read_file(directory_ + "/log"));
  std::ofstream(data() + "/pg_hba.conf") << "local all all trust\nlocal replication all "
                                            "trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
  std::ofstream(data() + "/postgresql.conf", std::ios::app)
      << "listen_addresses = '127.0.0.1'\nport = " << port() << "\nunix_socket_directories = '"
      << directory_
      << "'\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\nautovacuum = off\n"
         "shared_buffers = 16MB\nmax_connections = 60\nlog_min_messages = fatal\n"
         "include_if_exists = 'more.conf'\n";
}

void PostgresServer::copy_cluster(const PostgresServer& primary) {
  const pid_t pid = run({bin_ + "/pg_basebackup", "-D", data(), "-h", primary.directory_, "-p",
                         std::to_string(primary.port()), "-U", "weir", "--write-recovery-conf",
                         "--checkpoint=fast", "--no-sync"});
  if (wait_for(pid) != 0) give_up("pg_basebackup failed:\n" + read_file(directory_ + "/log"));
  fs::remove(data() + "/more.conf");
  std::ofstream(data() + "/postgresql.conf", std::ios::app)
      << "port = " << port() << "\nunix_socket_directories = '" << directory_ << "'\n";
}

void PostgresServer::start() {
  const int watch = ::inotify_init1(IN_CLOEXEC);
  ::inotify_add_watch(watch, data().c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE);
  pid_ = run({bin_ + "/postgres", "-D", data()});
  // The last line of postmaster.pid tells: ready, or standby, for which nothing will change any
  // more.
  for (;;) {
    const std::string state = read_file(data() + "/postmaster.pid");
    if (state.find("\nready") != std::string::npos) break;
    if (state.find("\nstandby") != std::string::npos) break;
    pollfd look{watch, POLLIN, 0};
    const int answer = ::poll(&look, 1, 60'000);
    if (answer <= 0 || ::waitpid(pid_, nullptr, WNOHANG) != 0) {
      give_up("it did not start:\n" + read_file(directory_ + "/log"));
    }
    std::array<char, 4096> events{};
    // Ignored: what happened does not matter, the file is read again.
    static_cast<void>(::read(watch, events.data(), events.size()) > 0);
  }
  ::close(watch);
}

void PostgresServer::stop(int signal) {
  if (pid_ == 0) return;
  ::kill(pid_, signal);
  wait_for(pid_);
  pid_ = 0;
}

void PostgresServer::crash() { stop(SIGQUIT); }

void PostgresServer::restart(const std::string& settings, bool standby) {
  stop(SIGINT);
  std::ofstream(data() + "/more.conf") << settings_ << settings;
  const std::string signal_file = data() + "/standby.signal";
  if (standby) {
    std::ofstream{signal_file};
  } else {
    fs::remove(signal_file);
  }
  start();
}

bool PostgresServer::offer_tls() {
  if (!settings_.empty()) return true;
  const pid_t pid = run({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                         data() + "/server.key", "-out", data() + "/server.crt"});
  if (wait_for(pid) != 0) return false;
  ::chmod((data() + "/server.key").c_str(), 0600);
  fs::copy_file(data() + "/server.crt", directory_ + "/root.crt");
  settings_ = "ssl = on\n";
  restart("");
  return true;
}

std::string PostgresServer::url(const std::string& more, const std::string& database) const {
  return "postgresql://weir@/" + database + "?host=" + directory_ +
         "&port=" + std::to_string(port()) + (more.empty() ? "" : "&" + more);
}

std::string PostgresServer::tcp_url(const std::string& login, const std::string& more,
                                    const std::string& database) const {
  return "postgresql://" + login + "@127.0.0.1:" + std::to_string(port()) + "/" + database +
         (more.empty() ? "" : "?" + more);
}

}  // namespace weir::test
