// SPDX-License-Identifier: MIT
//
// held_port.hpp: a port of the loopback for a server that is started later, or again: bound for as
// long as this lives, so that the system gives it to nobody else, and without listening, so that a
// server may listen there that sets SO_REUSEADDR, as PostgreSQL and MariaDB do.
#pragma once

#include <arpa/inet.h>
#include <cstdint>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace weir::test {

class HeldPort {
 public:
  HeldPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    auto* const any = reinterpret_cast<sockaddr*>(&name);
    const int on = 1;
    // After bind: before it, the system might choose what another one holds.
    if (::bind(fd_, any, size) != 0 || ::getsockname(fd_, any, &size) != 0 ||
        ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
      throw std::runtime_error("no port on the loopback");
    }
    number_ = ntohs(name.sin_port);
  }
  ~HeldPort() { ::close(fd_); }
  HeldPort(const HeldPort&) = delete;
  HeldPort& operator=(const HeldPort&) = delete;

  std::uint16_t number() const { return number_; }

 private:
  int fd_;
  std::uint16_t number_ = 0;
};

}  // namespace weir::test
