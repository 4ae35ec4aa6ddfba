// SPDX-License-Identifier: MIT
//
// attempt.hpp: one attempt to log in at one place, and why it failed.
//
// Called by: open.cpp. Threads: [conn].
#pragma once

#include "backends/postgres/conn.hpp"

#include <string>

namespace weir::postgres {

struct Failure {
  weir_status kind = WEIR_E_TIMEOUT;
  std::uint8_t stage = WEIR_STAGE_CONNECT;
  std::uint8_t effect = WEIR_EFFECT_NOT_SENT;
  std::uint32_t flags = WEIR_ERROR_TRANSIENT;
  bool ended_from_outside = false;  // cancel or abort
  std::string sqlstate;
  std::string text;
};

// Connects conn.pg to `place`, whose address is numeric or a socket. False: *failure says why, and
// conn.pg is null.
bool login(Conn& conn, const Endpoint& place, weir_time until, Failure& failure);
// The conn is then as it was before the attempt.
void hang_up(Conn& conn) noexcept;

}  // namespace weir::postgres
