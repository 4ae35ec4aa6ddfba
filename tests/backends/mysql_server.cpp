// SPDX-License-Identifier: MIT
#include "tests/backends/mysql_server.hpp"

#include "backends/mysql/link.hpp"
#include "tests/backends/child.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace weir::test {
namespace {

constexpr const char* remedy = "; to run these tests: apt-get install mariadb-server";
constexpr int start_timeout_ms = 240'000;  // on a machine that does much else

// The server refuses to run as root.
const passwd* unprivileged() {
  if (::geteuid() != 0) return nullptr;
  const passwd* user = ::getpwnam("mysql");
  return user != nullptr ? user : ::getpwnam("nobody");
}

// Output goes to a file in the directory. Ends with this process, whatever ends that.
::pid_t spawn(const std::string& directory, const std::vector<std::string>& words,
              const std::string& notify) {
  const passwd* user = unprivileged();
  const std::string log = directory + "/log";
  const std::string notify_variable = "NOTIFY_SOCKET=" + notify;
  const std::string home = "HOME=" + directory;
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char* environment[] = {path, const_cast<char*>(home.c_str()),
                         const_cast<char*>(notify_variable.c_str()), nullptr};
  const ::pid_t parent = ::getpid();
  const ::pid_t child = ::fork();
  if (child != 0) return child;
  // A change of user would clear the signal, so that comes first.
  if (user != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 ||
                          ::setuid(user->pw_uid) != 0)) {
    ::_exit(126);
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::execve(arguments[0], arguments.data(), environment);
  ::_exit(127);
}

std::string end_of(const std::string& file) {
  std::ifstream in(file);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  return text.size() > 2000 ? text.substr(text.size() - 2000) : text;
}

// Where the server says that it is ready, as services do.
int listen_for_notices(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot bind " + path);
  }
  ::chmod(path.c_str(), 0777);
  return fd;
}

}  // namespace

MysqlServer& MysqlServer::instance() {
  static MysqlServer server;
  return server;
}

std::string MysqlServer::not_installed() {
  for (const char* program : {"mariadbd", "mariadb-install-db"}) {
    if (find_program(program).empty()) {
      return std::string("no ") + program + " in PATH, /usr/sbin or /usr/bin" + remedy;
    }
  }
  return {};
}

MysqlServer::MysqlServer() {
  char name[] = "/tmp/weir-mysql-XXXXXX";
  directory_ = ::mkdtemp(name);
  try {
    prepare();
    if (missing_.empty()) start();
  } catch (const std::exception& e) {
    missing_ = std::string(e.what()) + "; the server's log: " + end_of(directory_ + "/log");
  }
}

MysqlServer::~MysqlServer() {
  stop(SIGKILL);            // nobody needs the data
  std::error_code ignored;  // a directory that stays in /tmp harms nothing
  std::filesystem::remove_all(directory_, ignored);
}

bool MysqlServer::run(const std::vector<std::string>& words) const {
  const ::pid_t child = spawn(directory_, words, "");
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool MysqlServer::install(const std::string& program) const {
  return run({program, "--no-defaults", "--auth-root-authentication-method=normal",
              "--skip-test-db", "--datadir=" + directory_ + "/data", "--innodb-log-file-size=8M"});
}

bool MysqlServer::offer_tls() {
  if (!tls_.empty()) return true;
  const std::string openssl = find_program("openssl");
  const std::string key = directory_ + "/server.key";
  const std::string certificate = directory_ + "/root.crt";
  if (openssl.empty() ||
      !run({openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate})) {
    return false;
  }
  tls_ = {"--ssl-key=" + key, "--ssl-cert=" + certificate};
  restart(false);
  return true;
}

bool MysqlServer::await_ready(int notices) {
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  bool ready = false;
  for (;;) {
    pollfd look[] = {{notices, POLLIN, 0}, {process, POLLIN, 0}};
    if (::poll(look, process < 0 ? 1 : 2, start_timeout_ms) <= 0 || look[1].revents != 0) break;
    char text[512];
    const ssize_t size = ::recv(notices, text, sizeof text, 0);
    ready = size > 0 && std::string_view(text, static_cast<std::size_t>(size)).find("READY=1") !=
                            std::string_view::npos;
    if (ready) break;
  }
  if (process >= 0) ::close(process);
  return ready;
}

void MysqlServer::prepare() {
  missing_ = not_installed();
  if (!missing_.empty()) return;
  program_ = find_program("mariadbd");
  if (const passwd* owner = unprivileged()) {
    if (::chown(directory_.c_str(), owner->pw_uid, owner->pw_gid) != 0) {
      throw std::runtime_error("cannot give away " + directory_);
    }
  }
  ::chmod(directory_.c_str(), 0755);
  const std::string install_db = find_program("mariadb-install-db");
  if (!install(install_db)) throw std::runtime_error(install_db + " failed");
  socket_ = directory_ + "/s";
  std::ofstream file(directory_ + "/accounts.sql");
  for (const char* host : {"localhost", "%"}) {  // run at each start
    file << "CREATE USER IF NOT EXISTS " << user << "@'" << host << "' IDENTIFIED BY '" << password
         << "';\n"
         << "GRANT ALL ON *.* TO " << user << "@'" << host << "' WITH GRANT OPTION;\n";
  }
}

void MysqlServer::start(const std::vector<std::string>& more) {
  const int notices = listen_for_notices(directory_ + "/notify");
  std::vector<std::string> words = {program_,
                                    "--no-defaults",
                                    "--datadir=" + directory_ + "/data",
                                    "--socket=" + socket_,
                                    "--pid-file=" + directory_ + "/pid",
                                    "--port=" + std::to_string(port()),
                                    "--bind-address=127.0.0.1",
                                    "--init-file=" + directory_ + "/accounts.sql",
                                    "--skip-log-bin",
                                    "--innodb-log-file-size=8M",
                                    "--innodb-flush-log-at-trx-commit=2",
                                    "--innodb-buffer-pool-size=16M",
                                    "--innodb-use-native-aio=0",
                                    "--max-connections=400",
                                    "--skip-name-resolve"};
  words.insert(words.end(), tls_.begin(), tls_.end());
  words.insert(words.end(), more.begin(), more.end());
  pid_ = spawn(directory_, words, directory_ + "/notify");
  const bool ready = await_ready(notices);
  ::close(notices);
  ::unlink((directory_ + "/notify").c_str());
  if (!ready) throw std::runtime_error(program_ + " did not start");
}

void MysqlServer::stop(int signal) {
  if (pid_ <= 0) return;
  ::kill(pid_, signal);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void MysqlServer::restart(bool crash, const std::vector<std::string>& more) {
  stop(crash ? SIGKILL : SIGTERM);
  start(more);
}

std::string MysqlServer::url(const std::string& database) const {
  return std::string("mysql://") + user + ":" + password + "@localhost/" + database +
         "?socket=" + socket_;
}

std::string MysqlServer::fresh_database() {
  const std::string name = "db" + std::to_string(++databases_);
  mysql::Config config;
  config.socket = socket_;
  config.user = user;
  config.password = password;
  const auto link = mysql::dial(config, std::chrono::seconds(60), std::chrono::seconds(60));
  mysql::tell(*link, ("CREATE DATABASE " + name + " CHARACTER SET utf8mb4").c_str());
  return url(name);
}

}  // namespace weir::test
