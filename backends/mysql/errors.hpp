// SPDX-License-Identifier: MIT
//
// errors.hpp: what the numbers of MySQL and MariaDB mean in the words of the ABI. The meaning of a
// number is a line of a table; what depends on the moment (what became of the transaction, whether
// a connect timed out) is added by the session.
//
// Called by: session.cpp, connect.cpp. Owns nothing. Threads: any.
#pragma once

#include "backends/common/abi.hpp"

#include <string>
#include <string_view>

namespace weir::mysql {

using backend::Facts;

struct CodeMeaning {
  int code;
  weir_status kind;
  std::uint8_t conn_fate;
  std::uint8_t effect;
  std::uint32_t flags;
  const char* advice;  // what to do about it, appended to the server's text; may be empty
};

// The line for an error number; one that has none is judged by its SQLSTATE.
CodeMeaning meaning_of(int code, std::string_view sqlstate) noexcept;

// Whether the server has rolled back the whole transaction when it answers this.
bool rolls_back(int code) noexcept;

// CR_NEW_STMT_METADATA: a prepared statement answered other columns than when it was prepared. Its
// rows are left unread until it ends.
inline constexpr int other_columns = 2057;

// A failure on its way from the work to the host's weir_error: owns its text.
struct Failure {
  Facts facts;
  std::string sqlstate;
  std::string text;
};

// Fills *error, if there is one; returns the kind.
weir_status report(const Failure& failure, weir_error* error) noexcept;

}  // namespace weir::mysql
