// SPDX-License-Identifier: MIT
//
// cancel_request.hpp: asks the server to end what a session runs: a connection of its own, 16
// bytes, and the wait for the server to close it. The close is the fence: once it is seen, the
// cancel has been passed on and can hit nothing that is sent later. (Measured against PostgreSQL
// 15: without that wait, three of four cancels hit the next statement; with it, none of 2000.)
//
// Never waits itself: step() does what can be done now and says what to wait for. Like PQcancel of
// the client library it is not encrypted, whatever sslmode says: it tells who listens the key of
// one session.
//
// Called by: conn.cpp. Owned by: the conn. Threads: [conn].
#pragma once

#include "backends/postgres/key_tap.hpp"

#include <cstdint>
#include <string>
#include <sys/socket.h>

namespace weir::postgres {

// Where the session's server is, for a second connection to it.
struct PeerAddress {
  sockaddr_storage bytes{};
  socklen_t size = 0;  // 0: not known
};
PeerAddress peer_of(PGconn* pg) noexcept;

class CancelRequest {
 public:
  CancelRequest() = default;
  ~CancelRequest() { stop(); }
  CancelRequest(const CancelRequest&) = delete;
  CancelRequest& operator=(const CancelRequest&) = delete;

  // Starts the request. One at a time.
  void start(const PeerAddress& peer, const CancelKey& key) noexcept;
  bool is_running() const noexcept { return phase_ != Phase::idle; }

  struct Want {
    int fd = -1;               // -1: the server's queue is full, try again in a moment
    std::uint32_t events = 0;  // WEIR_WAIT_*
  };
  // Goes on as far as it can. False: it is over, be it passed on or refused by the system.
  bool step(Want& want) noexcept;
  void stop() noexcept;

 private:
  enum class Phase : std::uint8_t { idle, connect, connecting, send, wait_for_end };
  bool connect(Want& want) noexcept;
  bool send(Want& want) noexcept;
  bool wait_for_end(Want& want) noexcept;
  bool over() noexcept;

  Phase phase_ = Phase::idle;
  int fd_ = -1;
  PeerAddress peer_;
  unsigned char packet_[16] = {};
  std::size_t sent_ = 0;
};

}  // namespace weir::postgres
