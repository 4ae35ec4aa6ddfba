// SPDX-License-Identifier: MIT
//
// Goal: the proxy does to bytes what it was told and nothing else. Method: the test is the client
// and the server at both ends of one link; what must not arrive is waited for until something that
// was sent after it, another way, has arrived.
#include "cli/check/proxy.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace weir::check {
namespace {

constexpr int patience_ms = 10'000;

class Listener {
 public:
  Listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    auto* any = reinterpret_cast<sockaddr*>(&name);
    if (::bind(fd_, any, size) != 0 || ::listen(fd_, 8) != 0 ||
        ::getsockname(fd_, any, &size) != 0) {
      throw std::runtime_error("no listener");
    }
    port = ntohs(name.sin_port);
  }
  ~Listener() { ::close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  int accept() const { return ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port); }
  int port = 0;

 private:
  int fd_;
};

// One end of a link.
class End {
 public:
  explicit End(int fd) : fd_(fd) {}
  ~End() { close(); }
  End(const End&) = delete;
  End& operator=(const End&) = delete;

  static int dial(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) {
      throw std::runtime_error("the proxy does not listen");
    }
    return fd;
  }
  void say(const std::string& text) const {
    ASSERT_EQ(static_cast<ssize_t>(text.size()),
              ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL));
  }
  // So many bytes; fewer if there is an end before them, which is then in `ended`.
  std::string hear(std::size_t size) {
    std::string heard;
    while (heard.size() < size && is_readable(patience_ms)) {
      char bytes[4096];
      const ssize_t n = ::recv(fd_, bytes, std::min(sizeof bytes, size - heard.size()), 0);
      if (n <= 0) {
        ended = n == 0 ? "closed" : errno == ECONNRESET ? "reset" : "failed";
        break;
      }
      heard.append(bytes, static_cast<std::size_t>(n));
    }
    return heard;
  }
  bool is_readable(int wait_ms) const {
    pollfd one{fd_, POLLIN, 0};
    return ::poll(&one, 1, wait_ms) == 1;
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  std::string ended;

 private:
  int fd_;
};

class ProxyTest : public ::testing::Test {
 protected:
  Listener listener;
  Proxy proxy{listener.address()};
  End client{End::dial(proxy.port())};
  End server{listener.accept()};
};

Faults after(std::uint64_t bytes, Faults::End end) {
  Faults faults;
  faults.end_after = bytes;
  faults.end = end;
  return faults;
}

TEST_F(ProxyTest, bytes_pass_both_ways_and_are_counted) {
  client.say("hello");
  EXPECT_EQ("hello", server.hear(5));
  const std::string large(3'000'000, 'x');
  std::thread talks([&] { server.say(large); });
  EXPECT_EQ(large, client.hear(large.size()));
  talks.join();
  EXPECT_EQ(5U, proxy.passed_to_server());
  EXPECT_EQ(large.size(), proxy.passed_to_client());
  EXPECT_EQ(1, proxy.links_open());
  client.close();
  EXPECT_EQ("", server.hear(1));
  EXPECT_EQ("closed", server.ended);
}

TEST_F(ProxyTest, a_stall_holds_the_rest_back_until_it_is_calm) {
  proxy.set(after(2, Faults::End::stall), {});
  client.say("hello");
  EXPECT_EQ("he", server.hear(2));
  server.say("other way");
  EXPECT_EQ("other way", client.hear(9));
  EXPECT_FALSE(server.is_readable(0));
  EXPECT_EQ(2U, proxy.passed_to_server());
  proxy.calm();
  EXPECT_EQ("llo", server.hear(3));
}

TEST_F(ProxyTest, a_stall_tells_nobody_that_the_client_went_away) {
  proxy.set(after(0, Faults::End::stall), {});
  client.close();
  // Once this way of a later link has passed something on, the proxy has been through the first.
  End second(End::dial(proxy.port()));
  const End its_server(listener.accept());
  its_server.say("x");
  EXPECT_EQ("x", second.hear(1));
  EXPECT_FALSE(server.is_readable(0));
  proxy.calm();
  EXPECT_EQ("", server.hear(1));
  EXPECT_EQ("closed", server.ended);
}

TEST_F(ProxyTest, a_fin_closes_one_way_only) {
  proxy.set(after(3, Faults::End::fin), {});
  client.say("hello");
  EXPECT_EQ("hel", server.hear(4));
  EXPECT_EQ("closed", server.ended);
  server.say("still here");
  EXPECT_EQ("still here", client.hear(10));
}

TEST_F(ProxyTest, a_reset_reaches_both_ends) {
  proxy.set({}, after(4, Faults::End::reset));
  client.say("anybody?");
  server.say("hello");
  EXPECT_EQ("hell", client.hear(5));
  EXPECT_EQ("reset", client.ended);
  EXPECT_LE(server.hear(9).size(), 8U);
  EXPECT_EQ("reset", server.ended);
  EXPECT_EQ(0, proxy.links_open());
}

TEST_F(ProxyTest, one_byte_is_corrupted) {
  Faults faults;
  faults.corrupt_at = 1;
  proxy.set(faults, {});
  client.say("aaa");
  EXPECT_EQ(
      "a\x9e"
      "a",
      server.hear(3));
  client.say("aaa");
  EXPECT_EQ("aaa", server.hear(3));
}

// Never earlier than it was told; how much later is the machine's affair.
TEST_F(ProxyTest, a_delay_and_a_throttle_take_their_time) {
  using Clock = std::chrono::steady_clock;
  Faults slow;
  slow.delay_ms = 30;
  proxy.set(slow, {});
  auto start = Clock::now();
  client.say("a");
  EXPECT_EQ("a", server.hear(1));
  EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(30));
  Faults narrow;
  narrow.bytes_per_ms = 10;
  start = Clock::now();
  proxy.set(narrow, {});
  client.say(std::string(500, 'x'));
  EXPECT_EQ(500U, server.hear(500).size());
  EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(49));
}

TEST_F(ProxyTest, newcomers_alone_may_meet_a_fault) {
  proxy.set(after(0, Faults::End::reset), {}, Proxy::Whom::newcomers);
  client.say("old");
  EXPECT_EQ("old", server.hear(3));
  End second(End::dial(proxy.port()));
  EXPECT_EQ("", second.hear(1));
  EXPECT_EQ("reset", second.ended);
  EXPECT_EQ(2, proxy.links_made());
}

TEST(ProxyAlone, a_server_that_is_not_there_resets_the_client) {
  Proxy proxy("/nowhere/at/all");
  End client(End::dial(proxy.port()));
  EXPECT_EQ("", client.hear(1));
  EXPECT_EQ("reset", client.ended);
}

}  // namespace
}  // namespace weir::check
