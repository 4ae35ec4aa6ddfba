// SPDX-License-Identifier: MIT
//
// Goal: whatever is wrong with the other side, an attempt to connect ends in time, with the kind
// and the stage that tell what to do, and without a secret in its text. Method: a real server, and
// sockets on the loopback address that refuse, stay silent or talk something else.
#include "tests/backends/mysql_fixture.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace weir::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Listens on the loopback address; what it does with who comes is the test's.
class Listener {
 public:
  Listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(0, ::bind(fd_, reinterpret_cast<sockaddr*>(&address), size));
    EXPECT_EQ(0, ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size));
    port = ntohs(address.sin_port);
  }
  ~Listener() { ::close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  void listen(int backlog = 8) { EXPECT_EQ(0, ::listen(fd_, backlog)); }
  // Sends `greeting` to the first who comes and hangs up.
  void greet(std::string_view greeting) {
    const int peer = ::accept(fd_, nullptr, nullptr);
    EXPECT_EQ(static_cast<ssize_t>(greeting.size()),
              ::send(peer, greeting.data(), greeting.size(), MSG_NOSIGNAL));
    ::shutdown(peer, SHUT_WR);
    char ignored[256];
    while (::recv(peer, ignored, sizeof ignored, 0) > 0) {
    }
    ::close(peer);
  }
  int port = 0;

 private:
  int fd_;
};

// Fills the queue of a listener that accepts nobody.
class FullQueue {
 public:
  explicit FullQueue(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    for (int& fd : fds_) {
      fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      // In progress is all that is wanted.
      static_cast<void>(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address));
    }
  }
  ~FullQueue() {
    for (const int fd : fds_) ::close(fd);
  }
  FullQueue(const FullQueue&) = delete;
  FullQueue& operator=(const FullQueue&) = delete;

 private:
  int fds_[4] = {};
};

class MysqlOpen : public Mysql {
 protected:
  // Tries `place`, and leaves the error in `error`.
  weir_status attempt(const std::string& place, const Options& options = {},
                      weir_time patience = 60'000'000'000) {
    Source there(weir_mysql_driver(), host.abi(), place, options);
    EXPECT_EQ(WEIR_OK, there.status) << there.error.what();
    Session its(there, 3);
    const weir_time begun = RealHost::now();
    its.deadline = begun + patience;
    its.open();
    took = RealHost::now() - begun;
    text = its.error.what();
    stage = its.error.stage;
    code = its.error.native_code;
    sqlstate = its.error.sqlstate;
    EXPECT_THAT(text, Not(HasSubstr(MysqlServer::password)));
    EXPECT_THAT(text, Not(HasSubstr("wrong-secret")));
    return its.status;
  }
  static std::string on_port(int port) {
    return "mysql://weir:open-sesame@127.0.0.1:" + std::to_string(port) + "/";
  }

  std::string text;
  std::string sqlstate;
  int stage = 0;
  std::int64_t code = 0;
  weir_time took = 0;
};

TEST_F(MysqlOpen, a_wrong_password_is_an_auth_error) {
  const std::string place = "mysql://weir:wrong-secret@localhost/?socket=" + server().socket();
  EXPECT_EQ(WEIR_E_AUTH, attempt(place));
  EXPECT_EQ(WEIR_STAGE_AUTH, stage);
  EXPECT_EQ(1045, code);
  EXPECT_EQ("28000", sqlstate);
}

TEST_F(MysqlOpen, a_database_that_is_not_there_is_named) {
  EXPECT_EQ(WEIR_E_CONFIG, attempt(server().url("nowhere")));
  EXPECT_EQ(WEIR_STAGE_SETUP, stage);
  EXPECT_THAT(text, HasSubstr("nowhere"));
}

TEST_F(MysqlOpen, a_port_where_nobody_listens_refuses) {
  Listener deaf;  // bound, so that nobody else takes it; not listening
  EXPECT_EQ(WEIR_E_CONNECT, attempt(on_port(deaf.port)));
  EXPECT_EQ(WEIR_STAGE_CONNECT, stage);
}

TEST_F(MysqlOpen, a_socket_that_is_not_there_refuses) {
  EXPECT_EQ(WEIR_E_CONNECT, attempt("mysql://weir@localhost/?socket=/nowhere/s"));
  EXPECT_EQ(WEIR_STAGE_CONNECT, stage);
}

TEST_F(MysqlOpen, a_name_that_does_not_resolve_says_so) {
  EXPECT_EQ(WEIR_E_RESOLVE, attempt("mysql://weir@no-such-host.invalid/"));
  EXPECT_EQ(WEIR_STAGE_RESOLVE, stage);
}

TEST_F(MysqlOpen, an_address_that_swallows_what_is_sent_ends_at_the_deadline) {
  // With a full queue the kernel drops who comes, as a firewall does.
  Listener full;
  full.listen(0);
  const FullQueue queue(full.port);
  EXPECT_EQ(WEIR_E_TIMEOUT, attempt(on_port(full.port), {}, 300'000'000)) << text;
  EXPECT_EQ(WEIR_STAGE_CONNECT, stage);
  EXPECT_LT(took, 900'000'000);
}

TEST_F(MysqlOpen, a_silent_server_ends_at_the_deadline_though_the_library_counts_seconds) {
  Listener silent;
  silent.listen();
  EXPECT_EQ(WEIR_E_TIMEOUT, attempt(on_port(silent.port), {}, 150'000'000));
  EXPECT_EQ(WEIR_STAGE_CONNECT, stage);
  EXPECT_GE(took, 150'000'000);
  EXPECT_LT(took, 900'000'000) << "later than the deadline, at the library's own";
}

TEST_F(MysqlOpen, a_silent_server_ends_at_connect_timeout) {
  Listener silent;
  silent.listen();
  EXPECT_EQ(WEIR_E_TIMEOUT, attempt(on_port(silent.port), {{"connect_timeout", "1000000000"}}));
  EXPECT_GE(took, 900'000'000);
  EXPECT_THAT(text, HasSubstr("connect_timeout"));
}

TEST_F(MysqlOpen, what_is_no_mysql_server_is_told) {
  const std::string packet(
      "\x05\x00\x00\x00\x0A"
      "abcd",
      9);
  for (const std::string& greeting : {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), packet,
                                      std::string(64, '\xFF'), std::string()}) {
    Listener odd;
    odd.listen();
    std::thread peer([&] { odd.greet(greeting); });
    const weir_status status = attempt(on_port(odd.port), {{"connect_timeout", "2000000000"}});
    peer.join();
    EXPECT_TRUE(status == WEIR_E_CONNECT || status == WEIR_E_PROTOCOL || status == WEIR_E_TIMEOUT)
        << status << " " << text;
    EXPECT_EQ(WEIR_STAGE_CONNECT, stage) << text;
  }
}

TEST_F(MysqlOpen, an_account_with_too_many_connections_is_back_pressure) {
  interfere(
      "CREATE OR REPLACE USER one@localhost IDENTIFIED BY 'open-sesame' "
      "WITH MAX_USER_CONNECTIONS 1");
  const std::string place = "mysql://one:open-sesame@localhost/?socket=" + server().socket();
  Source there(weir_mysql_driver(), host.abi(), place);
  Session first(there, 4);
  ASSERT_EQ(WEIR_OK, first.open()) << first.error.what();
  EXPECT_EQ(WEIR_E_TOO_MANY_CONNECTIONS, attempt(place)) << text;
  first.close();
  EXPECT_EQ(WEIR_OK, attempt(place)) << "close has counted it out: " << text;
}

TEST_F(MysqlOpen, a_full_server_is_back_pressure) {
  interfere("SET GLOBAL max_connections = 10");
  std::vector<std::unique_ptr<Session>> sessions;
  weir_status status = WEIR_OK;
  for (std::uint64_t tag = 10; tag < 40 && status == WEIR_OK; ++tag) {
    sessions.push_back(std::make_unique<Session>(*source, tag));
    status = sessions.back()->open();
  }
  interfere("SET GLOBAL max_connections = 400");
  EXPECT_EQ(WEIR_E_TOO_MANY_CONNECTIONS, status);
  EXPECT_TRUE((sessions.back()->error.flags & WEIR_ERROR_TRANSIENT) != 0);
}

TEST_F(MysqlOpen, a_database_that_is_not_allowed_is_a_permission_error) {
  interfere("CREATE OR REPLACE USER poor@localhost IDENTIFIED BY 'open-sesame'");
  EXPECT_EQ(WEIR_E_PERMISSION,
            attempt("mysql://poor:open-sesame@localhost/mysql?socket=" + server().socket()));
  EXPECT_EQ(WEIR_STAGE_SETUP, stage);
}

// Runs before the server has a certificate, and is followed by the one that gives it one.
TEST_F(MysqlOpen, required_tls_fails_where_the_server_has_none) {
  EXPECT_EQ(WEIR_E_TLS,
            attempt(url, {{"tls", "require"}, {"tls_ca", "/etc/ssl/certs/ca-certificates.crt"}}));
  EXPECT_EQ(WEIR_STAGE_TLS, stage);
}

TEST_F(MysqlOpen, tls_proves_who_the_server_is) {
  if (!server().offer_tls())
    GTEST_SKIP() << "no openssl to make a certificate: apt install openssl";
  const Options require = {{"tls", "require"}, {"tls_ca", server().directory() + "/root.crt"}};
  const std::string port = std::to_string(server().port());
  const std::string right = "mysql://weir:open-sesame@localhost:" + port + "/";
  Source there(weir_mysql_driver(), host.abi(), right, require);
  Session its(there, 4);
  ASSERT_EQ(WEIR_OK, its.open()) << its.error.what();
  ASSERT_EQ(WEIR_OK, its.query("SHOW SESSION STATUS LIKE 'Ssl_version'"));
  EXPECT_THAT(its.rows.at(0).at(1).s, HasSubstr("TLSv1"));
  // The certificate is for localhost.
  EXPECT_EQ(WEIR_E_TLS, attempt(on_port(server().port()), require)) << text;
  EXPECT_EQ(WEIR_STAGE_TLS, stage);
  // And signed by nobody else.
  EXPECT_EQ(WEIR_E_TLS,
            attempt(right, {{"tls", "require"}, {"tls_ca", "/etc/ssl/certs/ca-certificates.crt"}}))
      << text;
  EXPECT_EQ(WEIR_E_TLS,
            attempt(right, {{"tls", "require"}, {"tls_ca", server().directory() + "/log"}}));
  EXPECT_EQ(WEIR_OK, attempt(right)) << text;  // in the clear, as asked for
}

TEST_F(MysqlOpen, tcp_and_socket_lead_to_the_same_server) {
  EXPECT_EQ(WEIR_OK, attempt(on_port(server().port()))) << text;
  EXPECT_EQ(WEIR_OK, attempt("mariadb://weir@localhost",
                             {{"socket", server().socket()}, {"password", "open-sesame"}}))
      << text;
}

TEST_F(MysqlOpen, abort_and_cancel_end_an_attempt) {
  Listener silent;
  silent.listen();
  Source there(weir_mysql_driver(), host.abi(), on_port(silent.port),
               {{"connect_timeout", "1000000000"}});
  for (const bool abort : {true, false}) {
    Session its(there, abort ? 5 : 6);
    std::atomic<bool> over{false};
    std::thread other([&] {
      const weir_call call{sizeof call, 0, 1, WEIR_NO_DEADLINE};
      if (abort) return its.driver->abort(its.canceller);
      while (!over) {  // one that comes before the attempt does nothing
        its.driver->cancel(its.canceller, 1, &call, nullptr);
        std::this_thread::yield();
      }
    });
    const weir_time begun = RealHost::now();
    EXPECT_EQ(WEIR_E_CANCELLED, its.open());
    over = true;
    other.join();
    EXPECT_LT(RealHost::now() - begun, 900'000'000);
  }
}

}  // namespace
}  // namespace weir::test
