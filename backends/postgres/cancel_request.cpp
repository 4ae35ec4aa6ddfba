// SPDX-License-Identifier: MIT
#include "backends/postgres/cancel_request.hpp"

#include <weir/driver.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <sys/un.h>
#include <unistd.h>

namespace weir::postgres {
namespace {

constexpr std::uint32_t cancel_code = 1234U << 16U | 5678U;  // of the protocol

void put(unsigned char* at, std::uint32_t value) noexcept {
  value = htonl(value);
  std::memcpy(at, &value, sizeof value);
}

bool would_block() noexcept { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

PeerAddress peer_of(PGconn* pg) noexcept {
  PeerAddress peer;
  const char* host = PQhost(pg);
  const char* port = PQport(pg);
  if (host != nullptr && (host[0] == '/' || host[0] == '@') && port != nullptr) {
    // As the client reached it: the server may see its directory under another name.
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    const int size =
        std::snprintf(name.sun_path, sizeof name.sun_path, "%s/.s.PGSQL.%s", host, port);
    if (size < 0 || static_cast<std::size_t>(size) >= sizeof name.sun_path) return peer;
    peer.size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size + (host[0] == '@' ? 0U : 1U));
    if (host[0] == '@') name.sun_path[0] = '\0';  // the abstract name space
    std::memcpy(&peer.bytes, &name, sizeof name);
    return peer;
  }
  peer.size = sizeof peer.bytes;
  if (::getpeername(PQsocket(pg), reinterpret_cast<sockaddr*>(&peer.bytes), &peer.size) != 0) {
    peer.size = 0;
  }
  return peer;
}

void CancelRequest::start(const PeerAddress& peer, const CancelKey& key) noexcept {
  stop();
  peer_ = peer;
  put(packet_, sizeof packet_);
  put(packet_ + 4, cancel_code);
  put(packet_ + 8, static_cast<std::uint32_t>(key.process));
  put(packet_ + 12, static_cast<std::uint32_t>(key.secret));
  sent_ = 0;
  phase_ = Phase::connect;
}

bool CancelRequest::step(Want& want) noexcept {
  for (;;) {
    const Phase before = phase_;
    bool more = false;
    switch (phase_) {
      case Phase::idle:
        return false;
      case Phase::connect:
      case Phase::connecting:
        more = connect(want);
        break;
      case Phase::send:
        more = send(want);
        break;
      case Phase::wait_for_end:
        more = wait_for_end(want);
        break;
    }
    if (!more || phase_ == before) return more;
  }
}

bool CancelRequest::connect(Want& want) noexcept {
  want = {fd_, WEIR_WAIT_WRITE};
  if (phase_ == Phase::connecting) {
    int problem = 0;
    socklen_t size = sizeof problem;
    sockaddr_storage ignored{};
    socklen_t room = sizeof ignored;
    if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &problem, &size) != 0 || problem != 0) {
      return over();
    }
    // Without an error and without a peer it is still on its way.
    if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&ignored), &room) == 0) phase_ = Phase::send;
    return true;
  }
  if (fd_ < 0) fd_ = ::socket(peer_.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return over();
  want.fd = fd_;
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&peer_.bytes), peer_.size) == 0) {
    phase_ = Phase::send;
  } else if (errno == EINPROGRESS) {
    phase_ = Phase::connecting;
  } else if (would_block()) {
    want.fd = -1;
  } else {
    return over();
  }
  return true;
}

bool CancelRequest::send(Want& want) noexcept {
  want = {fd_, WEIR_WAIT_WRITE};
  const ssize_t n = ::send(fd_, packet_ + sent_, sizeof packet_ - sent_, MSG_NOSIGNAL);
  if (n < 0) return would_block() ? true : over();
  sent_ += static_cast<std::size_t>(n);
  if (sent_ == sizeof packet_) phase_ = Phase::wait_for_end;
  return true;
}

bool CancelRequest::wait_for_end(Want& want) noexcept {
  want = {fd_, WEIR_WAIT_READ};
  char byte = 0;
  const ssize_t n = ::recv(fd_, &byte, 1, 0);
  if (n < 0 && would_block()) return true;
  return over();  // closed, as it should be, or reset
}

bool CancelRequest::over() noexcept {
  stop();
  return false;
}

void CancelRequest::stop() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  phase_ = Phase::idle;
}

}  // namespace weir::postgres
