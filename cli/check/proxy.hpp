// SPDX-License-Identifier: MIT
//
// proxy.hpp: a listener on the loopback that passes bytes on to a server, and does to them what
// networks do: it lets them wait, loses the rest of them, hangs up, turns a bit.
//
// Called by: rules about faults, and the tests of our own drivers.
// Threads:   made, told and ended by one thread; the bytes are moved by a thread of the proxy.
// Order:     when set() returns, every byte that is not yet passed on meets the new faults.
// Counting:  by link and way, from the moment the link's faults were set. A link is one client with
//            its connection to the server, so a side connection does not disturb the count.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

namespace weir::check {

// What happens to the bytes of one way.
struct Faults {
  enum class End : std::uint8_t {
    stall,  // nothing more is passed on, and nobody is told; new faults may let it go on
    fin,    // this way is closed, as shutdown() does; the other stays
    reset,  // both sides of the link get a reset
  };
  static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t end_after = never;  // so many bytes pass, then:
  End end = End::stall;
  std::uint64_t corrupt_at = never;  // this byte, from 0, comes with all its bits turned
  std::int64_t delay_ms = 0;         // how much later a byte arrives
  std::int64_t bytes_per_ms = 0;     // 0: as fast as they come
};

class Proxy {
 public:
  // `server`: "/run/postgresql/.s.PGSQL.5432", or "127.0.0.1:5432". Throws std::system_error if the
  // loopback cannot be listened on. A server that does not answer resets the client.
  explicit Proxy(std::string server);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;

  enum class Whom : std::uint8_t { all, newcomers };  // newcomers: links that are made from now on
  void set(const Faults& to_server, const Faults& to_client, Whom whom = Whom::all);
  // No faults from now on. What was held back goes on its way.
  void calm() { set({}, {}); }

  // So far, by all links. What was lost or is held back does not count.
  [[nodiscard]] std::uint64_t passed_to_server() const noexcept;
  [[nodiscard]] std::uint64_t passed_to_client() const noexcept;
  [[nodiscard]] int links_open() const noexcept;
  [[nodiscard]] int links_made() const noexcept;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace weir::check
