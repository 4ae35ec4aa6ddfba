// SPDX-License-Identifier: MIT
//
// Goal: through the admin socket a running program tells what its pools do and does what it is
// told, to its own user only, whatever comes in; and the path is taken from nobody who uses it.
// Method: a client of plain system calls against pools on real SQLite files.
#include "backends/sqlite/weir_sqlite.h"
#include "tests/api/forks.hpp"
#include "tests/api/support.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>

namespace weir::test {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr int answer_ms_max = 20000;  // for a machine that is busy; an answer takes microseconds

class Client {
 public:
  explicit Client(const std::string& path)
      : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    error_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
                 ? 0
                 : errno;
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] int error() const { return error_; }

  // So that little is on its way between the two.
  void keep_little() const {
    const int bytes = 4096;
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  }

  // Returns: the bytes that went out, fewer if nobody reads them.
  std::size_t send(std::string_view text, int flags = 0) const {
    const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL | flags);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }

  // The next line, "(closed)", or "(nothing)" if there was none in time.
  std::string line() {
    for (;;) {
      if (const std::size_t end = heard_.find('\n'); end != std::string::npos) {
        std::string text = heard_.substr(0, end);
        heard_.erase(0, end + 1);
        return text;
      }
      pollfd wanted{socket_, POLLIN, 0};
      if (::poll(&wanted, 1, answer_ms_max) == 0) return "(nothing)";
      std::array<char, 4096> piece;
      const ssize_t got = ::recv(socket_, piece.data(), piece.size(), 0);
      if (got <= 0) return "(closed)";
      heard_.append(piece.data(), static_cast<std::size_t>(got));
    }
  }

  std::string ask(const std::string& request) {
    send(request + "\n");
    return line();
  }

 private:
  int socket_;
  int error_;
  std::string heard_;
};

class AdminSocket : public ApiTest {
 protected:
  [[nodiscard]] std::string path() const { return (dir / "admin.sock").string(); }

  void write(const std::string& main, const std::string& more = "") const {
    std::ofstream(dir / "weir.toml")
        << "version = 1\n[admin]\nsocket = \"admin.sock\"\n[pool.main]\ndriver = \"sqlite\"\n"
           "url = \"main.db\"\n" +
               main + "\n" + more;
  }
  [[nodiscard]] Result<Pools> open() {
    return Pools::builder()
        .driver(weir_sqlite_driver())
        .file((dir / "weir.toml").string())
        .log([this](LogLevel, std::string_view pool, std::string_view line) {
          log += std::string(pool) + ": " + std::string(line) + "\n";
        })
        .open();
  }
  // A socket at the path that is no Weir's.
  [[nodiscard]] int bound() const {
    const int plain = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    EXPECT_EQ(::bind(plain, generic, sizeof address), 0);
    return plain;
  }

  static constexpr std::string_view other = "[pool.other]\ndriver = \"sqlite\"\nurl = \"other.db\"";

  std::string log;  // of open(), on this thread; the pools themselves log nothing
};

TEST_F(AdminSocket, tells_who_answers_and_how_each_pool_is) {
  write("log = []", std::string(other) + "\nlog = []");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  ASSERT_TRUE((*pools)["main"].execute("create table t (x)"));
  Client client(path());
  EXPECT_EQ(client.ask("hello"), R"({"weir":")" + std::string(version()) +
                                     R"(","protocol":1,"pid":)" + std::to_string(::getpid()) + "}");
  EXPECT_THAT(client.ask("stats"),
              AllOf(StartsWith(R"({"pools":[{"pool":"main","driver":"sqlite","state":"open",)"),
                    HasSubstr(R"("acquires":1,"leases":1,)"), HasSubstr(R"(,{"pool":"other")"),
                    EndsWith("]}")));
  EXPECT_THAT(client.ask("health"),
              AllOf(StartsWith(R"({"pools":[{"pool":"main")"), HasSubstr(R"("status":"ready")")));
  const auto page = prometheus_text(pools->stats());
  EXPECT_THAT(client.ask("metrics"),
              page ? HasSubstr(R"(weir_acquire_total{db_client_connection_pool_name=\"main\")")
                   : HasSubstr(R"("name":"unsupported")"));
}

TEST_F(AdminSocket, a_pause_waits_for_nobody_and_says_who_still_holds_a_connection) {
  write("log = []");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  auto lease = db.acquire({.tag = "report"});
  ASSERT_TRUE(lease);
  Client client(path());
  EXPECT_THAT(client.ask("pause main"),
              AllOf(StartsWith(R"({"pool":"main","state":"suspended","active":1,"note":")"),
                    HasSubstr(R"(\"report\")")));
  lease->release();
  EXPECT_EQ(client.ask("pause"), R"({"pool":"main","state":"suspended","active":0,"note":null})");
  EXPECT_EQ(db.acquire({.timeout = 1ms}).error().code(), Code::acquire_timeout);
  EXPECT_EQ(client.ask("resume"), R"({"pool":"main","state":"open","active":0,"note":null})");
  EXPECT_TRUE(db.acquire());
}

TEST_F(AdminSocket, a_recycle_replaces_the_connections) {
  write("log = []");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  Pool& db = (*pools)["main"];
  ASSERT_TRUE(db.query("select 1"));
  const std::uint64_t before = db.stats().created;
  Client client(path());
  EXPECT_THAT(client.ask("recycle main"), StartsWith(R"({"pool":"main","state":"open")"));
  ASSERT_TRUE(db.query("select 1"));
  EXPECT_EQ(db.stats().created, before + 1);
  // The old one is closed by a thread of the executor, which the query does not wait for.
  while (db.stats().closed[static_cast<std::size_t>(CloseReason::evicted)] == 0) {
    std::this_thread::yield();
  }
}

TEST_F(AdminSocket, what_cannot_be_done_is_an_error_in_one_line) {
  write("log = []\n[pool.memory]\ndriver = \"sqlite\"\nurl = \":memory:\"\nmax = 1\nlog = []");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  Client client(path());
  EXPECT_THAT(
      client.ask("recycle memory"),
      StartsWith(R"({"error":{"code":"W501","name":"unsupported","message":"memory: this)"));
  EXPECT_THAT(client.ask("pause"), HasSubstr("which pool? There are main, memory"));
  EXPECT_THAT(client.ask("pause mian"), HasSubstr(R"(did you mean \"main\"?)"));
  EXPECT_THAT(client.ask("stats main"), HasSubstr(R"(\"stats\" is about all pools)"));
  EXPECT_THAT(client.ask("stat"), HasSubstr(R"(did you mean \"stats\"?)"));
  EXPECT_THAT(client.ask("GET / HTTP/1.1"), HasSubstr("is no request; there are hello, stats,"));
  EXPECT_THAT(client.ask(""), HasSubstr("is no request"));
  EXPECT_THAT(client.ask("\x01\xff\""), HasSubstr(R"(\\x01\\xff\")"));
}

TEST_F(AdminSocket, a_reload_takes_on_the_file_or_says_what_is_wrong_with_it) {
  write("log = []\nmax = 2");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  Client client(path());
  EXPECT_EQ(client.ask("reload"), R"({"changes":[]})");
  write("log = []\nmax = 3");
  EXPECT_EQ(client.ask("reload"), R"({"changes":["main: max: 2 -> 3"]})");
  write("max = 0");
  EXPECT_THAT(client.ask("reload"), AllOf(StartsWith(R"({"error":{"code":"W105")"),
                                          HasSubstr("`max` must be from 1 to 10000")));
  EXPECT_EQ((*pools)["main"].config().max, 3U);
}

TEST_F(AdminSocket, requests_may_come_in_any_pieces_and_are_answered_in_order) {
  write("log = []");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  Client client(path());
  client.send("hello\r\npause\nresume\nhea");
  EXPECT_THAT(client.line(), StartsWith(R"({"weir")"));
  EXPECT_THAT(client.line(), HasSubstr("suspended"));
  EXPECT_THAT(client.line(), HasSubstr("open"));
  client.send("lth\n");
  EXPECT_THAT(client.line(), HasSubstr("status"));
}

TEST_F(AdminSocket, a_request_that_is_too_long_is_refused) {
  write("log = []");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  Client client(path());
  client.send(std::string(5000, 'x'));
  EXPECT_THAT(client.line(), HasSubstr("a request has 4096 bytes at most"));
  EXPECT_EQ(client.line(), "(closed)");
  Client with_an_end(path());
  EXPECT_THAT(with_an_end.ask("hello" + std::string(5000, ' ')),
              HasSubstr("a request has 4096 bytes at most"));
}

TEST_F(AdminSocket, whoever_does_not_read_the_answers_keeps_nobody_else_from_them) {
  write("log = []");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  Client deaf(path());
  deaf.keep_little();
  constexpr std::string_view request = "stats\n";
  // Until what the system keeps for it is full of answers, and then of requests.
  std::size_t sent = 0;
  for (int stuck = 0; stuck < 2;) {
    const std::size_t once = deaf.send(request, MSG_DONTWAIT);
    sent += once;
    ASSERT_LT(sent, std::size_t{1} << 20) << "requests are taken in without bound";
    stuck = once == 0 ? stuck + 1 : 0;
    ASSERT_THAT(Client(path()).ask("hello"), StartsWith(R"({"weir")"));
  }
  // Once it reads, it gets all that it has asked for.
  for (std::size_t i = 0; i < sent / request.size(); ++i) {
    ASSERT_THAT(deaf.line(), StartsWith(R"({"pools")")) << i;
  }
}

TEST_F(AdminSocket, requests_of_others_come_between_those_of_one) {
  write("log = []");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  Client greedy(path());
  Client modest(path());
  ASSERT_THAT(modest.ask("hello"), StartsWith(R"({"weir")"));
  std::string many = "pause\n";
  for (int i = 0; i < 100; ++i) many += "hello\n";  // all answers fit into what is kept
  many += "resume\n";
  // If all of it were answered at once, nobody else would ever find the pool suspended.
  bool between = false;
  for (int i = 0; i < 3000 && !between; ++i) {
    greedy.send(many);
    ASSERT_THAT(greedy.line(), HasSubstr("suspended"));
    between = modest.ask("stats").find(R"("state":"suspended")") != std::string::npos;
    while (greedy.line().find(R"("state":"open")") == std::string::npos) {
    }
  }
  EXPECT_TRUE(between);
}

TEST_F(AdminSocket, answers_that_did_not_fit_come_once_there_is_room_again) {
  write("log = []");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  Client slow(path());
  constexpr int requests = 600;  // heard at once; the answers are three times what is kept for it
  std::string many;
  for (int i = 0; i < requests; ++i) many += "stats\n";
  ASSERT_EQ(slow.send(many), many.size());
  ASSERT_THAT(Client(path()).ask("hello"), StartsWith(R"({"weir")"));  // it is full by now
  for (int i = 0; i < requests; ++i) {
    ASSERT_THAT(slow.line(), StartsWith(R"({"pools")")) << i;
  }
}

TEST_F(AdminSocket, a_client_too_many_is_told_so) {
  write("log = []");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::make_unique<Client>(path()));
    ASSERT_THAT(clients.back()->ask("hello"), StartsWith(R"({"weir")"));
  }
  Client late(path());
  EXPECT_THAT(late.line(), HasSubstr("there are 16 clients already"));
  EXPECT_EQ(late.line(), "(closed)");
  EXPECT_THAT(clients.front()->ask("hello"), StartsWith(R"({"weir")"));
  clients.pop_back();
  std::string again;
  while (again.find("weir") == std::string::npos) again = Client(path()).ask("hello");
}

// ---------------------------------------------------------------- the path

TEST_F(AdminSocket, is_for_its_own_user_whatever_the_umask_and_goes_with_the_pools) {
  write("log = []");
  const mode_t before = ::umask(0);
  {
    auto pools = open();
    ::umask(before);
    ASSERT_TRUE(pools) << pools.error().what();
    struct stat made {};
    ASSERT_EQ(::lstat(path().c_str(), &made), 0);
    EXPECT_TRUE(S_ISSOCK(made.st_mode));
    EXPECT_EQ(made.st_mode & 07777U, 0600U);
  }
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(AdminSocket, answers_no_other_user_even_if_the_file_lets_him_in) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be another user for a while; run as root";
  if (!can_fork) GTEST_SKIP() << cannot_fork;
  write("log = []");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  std::filesystem::permissions(dir, std::filesystem::perms::all);
  std::filesystem::permissions(path(), std::filesystem::perms::all);
  const pid_t stranger = fork_when_quiet();
  if (stranger == 0) {
    constexpr uid_t nobody = 65534;
    if (::setuid(nobody) != 0) ::_exit(2);
    Client client(path());
    const std::string line = client.ask("pause");
    ::_exit(line.find("only the user of this process") != std::string::npos ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(stranger, &status, 0), stranger);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ((*pools)["main"].stats().state, "open");
}

TEST_F(AdminSocket, whoever_comes_second_warns_and_goes_without) {
  write("");
  auto first = open();
  ASSERT_TRUE(first) << first.error().what();
  {
    auto second = open();
    ASSERT_TRUE(second) << second.error().what();
    EXPECT_THAT(log, HasSubstr("admin: other Pools of this process have the admin socket " +
                               path() + "; this one cannot be asked"));
    ASSERT_TRUE((*second)["main"].query("select 1"));
  }
  Client client(path());
  EXPECT_THAT(client.ask("stats"), HasSubstr(R"("leases":0)"));  // still the first
}

TEST_F(AdminSocket, what_an_ended_process_left_is_replaced_and_anything_else_is_not) {
  write("log = []");
  ::close(bound());  // and never to be listened on
  {
    auto pools = open();
    ASSERT_TRUE(pools) << pools.error().what();
    EXPECT_THAT(Client(path()).ask("hello"), StartsWith(R"({"weir")"));
  }
  std::ofstream(path()) << "precious";
  auto pools = open();
  ASSERT_FALSE(pools);
  EXPECT_EQ(pools.error().code(), Code::config_value);
  EXPECT_THAT(pools.error().message(), HasSubstr("there is a file that is no socket"));
  EXPECT_EQ(std::filesystem::file_size(path()), 8U);
}

TEST_F(AdminSocket, a_socket_that_is_closed_to_this_user_is_no_reason_to_serve_nobody) {
  if (!can_fork) GTEST_SKIP() << cannot_fork;
  write("");
  const int strangers = bound();
  ASSERT_EQ(::listen(strangers, 1), 0);
  std::filesystem::permissions(dir, std::filesystem::perms::all);
  std::filesystem::permissions(path(), std::filesystem::perms::none);
  const std::string owner = std::to_string(::geteuid());
  const pid_t child = fork_when_quiet();
  if (child == 0) {
    constexpr uid_t nobody = 65534;
    if (::geteuid() == 0 && ::setuid(nobody) != 0) ::_exit(2);  // root may do everything
    auto pools = open();
    const std::string warning = "admin: user " + owner + " has the admin socket " + path();
    const bool right =
        pools && (*pools)["main"].query("select 1") && log.find(warning) != std::string::npos;
    if (!right)
      std::fprintf(stderr, "%s%s", log.c_str(), pools ? "" : pools.error().what().c_str());
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(std::filesystem::exists(path()));
  ::close(strangers);
}

TEST_F(AdminSocket, a_directory_that_somebody_keeps_locked_is_no_reason_to_serve_nobody) {
  write("");
  const int directory = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(::flock(directory, LOCK_EX), 0);
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  EXPECT_THAT(log, HasSubstr("locked (flock); this one cannot be asked"));
  ::close(directory);
}

TEST_F(AdminSocket, a_directory_that_does_not_exist_is_named) {
  write("log = []");
  auto config = Config::from_file((dir / "weir.toml").string());
  ASSERT_TRUE(config) << config.error().what();
  config->admin.socket = (dir / "nowhere" / "a.sock").string();
  const auto pools = Pools::builder().driver(weir_sqlite_driver()).config(*config).open();
  ASSERT_FALSE(pools);
  EXPECT_EQ(pools.error().code(), Code::config_value);
  EXPECT_THAT(pools.error().message(),
              AllOf(HasSubstr("[admin] socket"), HasSubstr((dir / "nowhere").string()),
                    HasSubstr("No such file or directory")));
}

TEST_F(AdminSocket, a_path_that_somebody_else_has_taken_since_is_left_alone) {
  write("log = []");
  {
    auto pools = open();
    ASSERT_TRUE(pools) << pools.error().what();
    std::filesystem::remove(path());
    std::ofstream(path()) << "precious";
  }
  EXPECT_TRUE(std::filesystem::exists(path()));
}

// If they did, it could be connected to until nobody more may wait, and nobody would take it over.
TEST_F(AdminSocket, children_that_outlive_their_parent_do_not_keep_its_socket) {
  if (!can_fork) GTEST_SKIP() << cannot_fork;
  write("log = []");
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    auto pools = open();
    const pid_t child = fork_when_quiet();
    if (child == 0) {
      ::close(ends[1]);
      char end = 0;
      const ssize_t n = ::read(ends[0], &end, 1);  // until the test ends
      ::_exit(n == 0 ? 0 : 1);
    }
    ::_exit(pools && child > 0 ? 0 : 1);  // as a crash would: the socket is left
  }
  int status = -1;
  ASSERT_EQ(::waitpid(parent, &status, 0), parent);
  ASSERT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(Client(path()).error(), ECONNREFUSED);
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  EXPECT_THAT(Client(path()).ask("hello"), HasSubstr(std::to_string(::getpid())));
  ::close(ends[0]);
  ::close(ends[1]);
}

// Those that are made without fork(), as by clone(), do keep it. Here the parent is no Weir.
TEST_F(AdminSocket, children_that_keep_a_socket_do_not_keep_the_path) {
  if (!can_fork) GTEST_SKIP() << cannot_fork;
  write("log = []");
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t parent = fork_when_quiet();
  if (parent == 0) {
    const bool listens = ::listen(bound(), 1) == 0;
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[1]);
      char end = 0;
      const ssize_t n = ::read(ends[0], &end, 1);  // until the test ends
      ::_exit(n == 0 ? 0 : 1);
    }
    ::_exit(listens && child > 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(parent, &status, 0), parent);
  ASSERT_EQ(WEXITSTATUS(status), 0);
  ASSERT_EQ(Client(path()).error(), 0) << "nobody has kept it open: this tests nothing";
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  EXPECT_THAT(Client(path()).ask("hello"), HasSubstr(std::to_string(::getpid())));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(AdminSocket, in_a_child_the_pools_go_without_the_file_that_is_the_parents) {
  if (!can_fork) GTEST_SKIP() << cannot_fork;
  write("log = []");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  const pid_t child = fork_when_quiet();
  if (child == 0) {
    { const auto ended = *std::move(pools); }
    ::_exit(std::filesystem::exists(path()) ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_THAT(Client(path()).ask("hello"), StartsWith(R"({"weir")"));
}

TEST_F(AdminSocket, a_drain_can_be_looked_at_while_it_goes_on) {
  write("log = []\ndrain_timeout = \"20s\"");
  auto pools = open();
  ASSERT_TRUE(pools) << pools.error().what();
  auto lease = (*pools)["main"].acquire({.tag = "slow"});
  ASSERT_TRUE(lease);
  std::thread ending(
      [moved = *std::move(pools)]() mutable { const Pools gone = std::move(moved); });
  Client client(path());
  std::string seen;
  do {
    seen = client.ask("stats");
  } while (seen.find("draining") == std::string::npos && seen.front() == '{');
  EXPECT_THAT(seen, HasSubstr(R"("state":"draining")"));
  EXPECT_THAT(client.ask("pause"), HasSubstr("the pool is closed"));
  EXPECT_THAT(client.ask("resume"), HasSubstr("the pool is draining"));
  lease->release();
  ending.join();
  EXPECT_EQ(client.line(), "(closed)");
}

// It would wait for itself, and what it has called is still in use.
TEST_F(AdminSocket, a_log_sink_that_destroys_the_pools_in_an_answer_ends_the_process_and_says_why) {
  if (!can_fork) GTEST_SKIP() << cannot_fork;
  write("log = [\"info\"]\nmax = 2");
  const auto destroy = [&] {
    std::unique_ptr<Pools> pools;
    auto opened = Pools::builder()
                      .driver(weir_sqlite_driver())
                      .file((dir / "weir.toml").string())
                      .log([&](LogLevel, std::string_view, std::string_view line) {
                        if (line.find("was reloaded") != std::string_view::npos) pools.reset();
                      })
                      .open();
    if (!opened) return;
    pools = std::make_unique<Pools>(*std::move(opened));
    write("log = [\"info\"]\nmax = 3");
    Client(path()).ask("reload");
  };
  EXPECT_DEATH(destroy(),
               "destroyed by a log sink that their own admin socket's thread has called");
}

TEST_F(AdminSocket, without_a_path_there_is_none) {
  auto pools = open_file();
  ASSERT_TRUE(pools) << pools.error().what();
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    EXPECT_FALSE(entry.is_socket()) << entry.path();
  }
}

}  // namespace
}  // namespace weir::test
