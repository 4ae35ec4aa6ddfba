// SPDX-License-Identifier: MIT
//
// sqlstates.hpp: what a SQLSTATE of PostgreSQL means in the words of the ABI. A table: a code of
// five characters has the last word, else its class of two.
//
// Called by: errors.cpp. Constant. Threads: any.
#pragma once

#include "backends/common/abi.hpp"

#include <string_view>

namespace weir::postgres {

struct StateMeaning {
  std::string_view state;  // five characters, or the two of a class
  weir_status kind;
  std::uint8_t conn_fate;
  std::uint32_t flags;
  std::string_view advice;  // what to do about it, appended to the server's text; may be empty
};

const StateMeaning& meaning_of(std::string_view sqlstate) noexcept;

// The same for an answer to a login, where some codes mean the configuration.
weir_status login_kind_of(std::string_view sqlstate) noexcept;

}  // namespace weir::postgres
