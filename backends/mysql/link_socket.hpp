// SPDX-License-Identifier: MIT
//
// link_socket.hpp: the descriptor under a link, which the client library does not show. Who has it
// can end a call that blocks in the library at once, whatever the network does; so a call may run
// on its caller's own thread (conn.hpp).
//
// It is found by what is in it: the server is asked for an answer that the library reads only the
// beginning of. The rest waits in the kernel, and carries a random name that no other socket of
// this process does. What was found is duplicated, so that its number never comes to mean another
// one.
//
// Not found: where the link is encrypted, where the server sends no such answer (a very small
// max_allowed_packet, a proxy), where there is no /proc. Then calls go by the crew.
//
// Owner: the canceller, from when a session has its link until it lets go of it: as long as the
// duplicate is open, so is the connection.
// Threads: find() blocks, and runs where its link may be used; shut() any.
#pragma once

#include "backends/mysql/library.hpp"

#include <chrono>
#include <cstdint>
#include <utility>

namespace weir::mysql {

struct Config;

class LinkSocket {
 public:
  LinkSocket() noexcept = default;  // none
  LinkSocket(LinkSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  LinkSocket& operator=(LinkSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~LinkSocket();

  // That of a link on which nothing is open. `max_packet`: what the server may send in one row.
  // Throws sql::SQLException if the link is broken.
  static LinkSocket find(sql::Connection& link, const Config& config, std::uint64_t max_packet,
                         std::chrono::nanoseconds patience);

  explicit operator bool() const noexcept { return fd_ >= 0; }
  int fd() const noexcept { return fd_; }
  // From now on every read and write of the link fails, one that blocks too.
  void shut() const noexcept;

 private:
  explicit LinkSocket(int fd) noexcept : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace weir::mysql
