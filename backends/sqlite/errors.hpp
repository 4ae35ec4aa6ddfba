// SPDX-License-Identifier: MIT
//
// errors.hpp: what SQLite's result codes mean in the words of the ABI. The meaning of a code is a
// line of a table; what depends on the moment (who ended the call, what became of the transaction)
// is added by the conn.
//
// Called by: conn.cpp. Owns nothing. Threads: any.
#pragma once

#include "backends/common/abi.hpp"

#include <string_view>

namespace weir::sqlite {

struct CodeMeaning {
  int code;  // an extended code, or a primary one for all its extended codes without a line
  weir_status kind;
  std::uint8_t conn_fate;
  std::uint8_t effect;
  std::uint32_t flags;
  const char* advice;  // what to do about it, appended to SQLite's text; may be empty
};

// The line for an extended code. For SQLITE_ERROR, which means twenty things, the text decides.
CodeMeaning meaning_of(int extended_code, std::string_view message, std::uint8_t stage) noexcept;

}  // namespace weir::sqlite
