// SPDX-License-Identifier: MIT
//
// faults.hpp: what goes wrong with a simulated server, and when: a timeline of plain data, which a
// scenario file lists and a shrinker shortens.
//
// Called by: the server, which obeys; scenarios and nemeses, which write. Owns nothing.
// Threads: any; values. Invariant: a fault is active in [from, to).
#pragma once

#include <weir/driver.h>

#include <cstdint>
#include <string_view>

namespace weir::sim {

enum class FaultKind : std::uint8_t {
  restart,       // at `from` all sessions die; until `to` connects are answered "starting up"
  refuse,        // connects are refused at once, as when nothing listens
  black_hole,    // connects are never answered, requests never arrive
  mute,          // requests arrive and have their effect, replies are lost
  half_open,     // links that exist are cut in silence, for ever: writes vanish. New ones work
  reset,         // a link that sends gets a RST: before the request arrives, or after its effect
  auth_failure,  // the server does not accept the password
  full,          // max_connections is `amount` meanwhile
  read_only,     // failed over: writes are refused
  slow,          // services and connects take `amount` percent of their time
  slow_connect,  // a connect takes `amount` ns more: it succeeds, if late, when nobody waits
  slow_close,    // a goodbye takes `amount` ns more, and the session stays so long
  hang,          // what is sent meanwhile is answered at `to`, and the driver ignores its deadline
  deaf,          // as hang, and it ignores an abort, too
  garbage,       // the reply is not of the protocol
  error,         // the server fails statements, having done nothing
};

constexpr std::string_view name_of(FaultKind kind) noexcept {
  constexpr std::string_view names[] = {"restart",   "refuse", "black_hole",   "mute",
                                        "half_open", "reset",  "auth_failure", "full",
                                        "read_only", "slow",   "slow_connect", "slow_close",
                                        "hang",      "deaf",   "garbage",      "error"};
  return names[static_cast<std::size_t>(kind)];
}

struct Fault {
  FaultKind what = FaultKind::error;
  std::uint64_t target = 0;  // conn_tag of one link; 0: all
  weir_time from = 0;
  weir_time to = WEIR_NO_DEADLINE;
  std::uint32_t probability_ppm = 1'000'000;  // for each connect or request that it may hit
  std::int64_t amount = 0;
  friend bool operator==(const Fault&, const Fault&) = default;
};

}  // namespace weir::sim
