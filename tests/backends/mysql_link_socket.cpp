// SPDX-License-Identifier: MIT
//
// Goal: the socket that is found under a link is that link's and no other's, whatever else the
// process has open; nothing of anybody else's is touched; and it does not outlive the link.
// Method: a real server, by its socket and by its port; beside the links under test others to the
// same server, and pairs of sockets with something to read in them.
#include "backends/mysql/link_socket.hpp"
#include "tests/backends/mysql_fixture.hpp"

#include <array>
#include <filesystem>
#include <netinet/in.h>
#include <set>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace weir::test {
namespace {

using mysql::LinkSocket;

constexpr std::uint64_t any_packet = 16 * 1024 * 1024;

class MysqlLinkSocket : public Mysql {
 protected:
  mysql::Config by_socket() const {
    mysql::Config config;
    config.socket = server().socket();
    config.user = MysqlServer::user;
    config.password = MysqlServer::password;
    return config;
  }
  mysql::Config by_port() const {
    mysql::Config config = by_socket();
    config.socket.clear();
    config.host = "127.0.0.1";
    config.port = server().port();
    return config;
  }
  static std::unique_ptr<sql::Connection> dial(const mysql::Config& config) {
    return mysql::dial(config, std::chrono::seconds(60), std::chrono::seconds(600));
  }
  static LinkSocket find(sql::Connection& link, const mysql::Config& config) {
    return LinkSocket::find(link, config, any_packet, std::chrono::seconds(60));
  }
  static std::string answer(sql::Connection& link) {
    try {
      return mysql::ask(link, "SELECT 'alive'");
    } catch (const sql::SQLException&) {
      return "dead";
    }
  }
  static std::uint16_t own_port(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(0, ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size));
    return ntohs(address.sin_port);
  }
};

TEST_F(MysqlLinkSocket, is_the_one_that_the_server_sees) {
  const mysql::Config config = by_port();
  std::vector<std::unique_ptr<sql::Connection>> links;
  for (int i = 0; i < 5; ++i) links.push_back(dial(config));
  for (const auto& link : links) {
    const LinkSocket socket = find(*link, config);
    ASSERT_TRUE(socket);
    const std::string seen = mysql::ask(
        *link, "SELECT host FROM information_schema.processlist WHERE id=CONNECTION_ID()");
    EXPECT_EQ(seen.substr(seen.rfind(':') + 1), std::to_string(own_port(socket.fd())));
  }
}

TEST_F(MysqlLinkSocket, shut_ends_its_link_and_no_other) {
  const mysql::Config config = by_socket();
  std::vector<std::unique_ptr<sql::Connection>> links;
  std::vector<LinkSocket> sockets;
  for (int i = 0; i < 5; ++i) links.push_back(dial(config));
  for (const auto& link : links) {
    sockets.push_back(find(*link, config));
    ASSERT_TRUE(sockets.back());
    EXPECT_EQ("alive", answer(*link));  // nothing is left of what was asked
  }
  sockets[3].shut();
  for (std::size_t i = 0; i < links.size(); ++i) {
    EXPECT_EQ(i == 3 ? "dead" : "alive", answer(*links[i])) << i;
  }
}

TEST_F(MysqlLinkSocket, is_found_while_others_connect_and_ask) {
  const mysql::Config config = by_socket();
  std::vector<std::jthread> others;
  for (int i = 0; i < 3; ++i) {
    others.emplace_back([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const auto link = dial(config);
        for (int n = 0; n < 20; ++n) mysql::ask(*link, "SHOW FULL PROCESSLIST");
      }
    });
  }
  for (int i = 0; i < scaled(200, 20); ++i) {
    const auto link = dial(config);
    const LinkSocket socket = find(*link, config);
    ASSERT_TRUE(socket) << i;
    EXPECT_EQ("alive", answer(*link));
    socket.shut();
    EXPECT_EQ("dead", answer(*link));
  }
}

// A little to read, much, and the end.
TEST_F(MysqlLinkSocket, what_others_have_to_read_stays_there) {
  std::array<std::array<int, 2>, 3> pairs{};
  for (auto& pair : pairs) {
    ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()));
  }
  const std::string much(4096, 'x');
  ASSERT_EQ(2, ::send(pairs[0][0], "ab", 2, 0));
  ASSERT_EQ(4096, ::send(pairs[1][0], much.data(), much.size(), 0));
  ASSERT_EQ(0, ::shutdown(pairs[2][0], SHUT_WR));
  const mysql::Config config = by_socket();
  const auto link = dial(config);
  EXPECT_TRUE(find(*link, config));
  std::array<char, 8192> read{};
  EXPECT_EQ(2, ::recv(pairs[0][1], read.data(), read.size(), MSG_DONTWAIT));
  EXPECT_EQ(4096, ::recv(pairs[1][1], read.data(), read.size(), MSG_DONTWAIT));
  EXPECT_EQ(0, ::recv(pairs[2][1], read.data(), read.size(), MSG_DONTWAIT));
  for (const auto& pair : pairs) {
    for (const int fd : pair) ::close(fd);
  }
}

TEST_F(MysqlLinkSocket, is_not_looked_for_where_it_cannot_be_found) {
  mysql::Config config = by_socket();
  const auto link = dial(config);
  EXPECT_FALSE(LinkSocket::find(*link, config, 64 * 1024, std::chrono::seconds(60)));
  config.tls = mysql::Tls::require;
  EXPECT_FALSE(find(*link, config));
}

// Another number of the same socket would keep the server's session alive.
TEST_F(MysqlLinkSocket, goes_with_the_link) {
  const auto open_files = [] {
    std::set<std::string> all;
    for (const auto& one : std::filesystem::directory_iterator("/proc/self/fd")) {
      all.insert(one.path().filename());
    }
    return all.size();
  };
  ASSERT_EQ(WEIR_OK, session->query("SELECT 1"));
  const std::size_t before = open_files();
  for (int i = 0; i < 3; ++i) {
    Session its(*source, 60);
    ASSERT_EQ(WEIR_OK, its.open());
    EXPECT_EQ(before + 2, open_files());
    ASSERT_EQ(WEIR_OK, its.query("SET @a = 1"));
    ASSERT_EQ(WEIR_OK, its.reset(WEIR_RESET_SESSION));  // another link
    EXPECT_EQ(before + 2, open_files());
    its.close();
    EXPECT_EQ(before, open_files());
  }
}

}  // namespace
}  // namespace weir::test
