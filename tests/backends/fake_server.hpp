// SPDX-License-Identifier: MIT
//
// fake_server.hpp: servers on the loopback that are none: one that accepts and stays silent, one
// whose queue is full, one that answers with bytes of the test's choice and hangs up.
#pragma once

#include <arpa/inet.h>
#include <cstdint>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace weir::test {

class FakeServer {
 public:
  // Listens; the kernel accepts, and nobody ever says anything.
  explicit FakeServer(int backlog = 16) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    name_.sin_family = AF_INET;
    name_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name_;
    if (::bind(fd_, address(), size) != 0 || ::listen(fd_, backlog) != 0 ||
        ::getsockname(fd_, address(), &size) != 0) {
      throw std::runtime_error("no fake server");
    }
  }
  ~FakeServer() {
    ::shutdown(fd_, SHUT_RDWR);  // ends accept
    if (thread_.joinable()) thread_.join();
    for (const int fd : clients_) ::close(fd);
    ::close(fd_);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  int port() const { return ntohs(name_.sin_port); }
  std::string port_text() const { return std::to_string(port()); }

  // To each client: takes what it says first, answers `reply`, hangs up.
  void answer(std::string reply) {
    thread_ = std::thread([this, text = std::move(reply)] {
      for (;;) {
        const int client = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) return;
        char first[1024];
        // A client that went away is one that has had enough.
        static_cast<void>(::recv(client, first, sizeof first, 0) > 0 &&
                          ::send(client, text.data(), text.size(), MSG_NOSIGNAL) > 0);
        ::close(client);
      }
    });
  }

  // Fills the queue, so that further attempts to connect get no answer at all.
  void fill_queue() {
    for (int i = 0; i < 8; ++i) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      // In progress or done; either way it takes a place.
      static_cast<void>(::connect(fd, address(), sizeof name_));
      clients_.push_back(fd);
    }
  }

 private:
  sockaddr* address() { return reinterpret_cast<sockaddr*>(&name_); }
  int fd_;
  sockaddr_in name_{};
  std::thread thread_;
  std::vector<int> clients_;
};

// A port at which nobody listens.
inline int closed_port() {
  const FakeServer there;
  return there.port();
}

}  // namespace weir::test
