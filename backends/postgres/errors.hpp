// SPDX-License-Identifier: MIT
//
// errors.hpp: puts a SQLSTATE into a weir_error, and finds the one in the text of a failed login,
// which libpq gives out in no other way.
//
// Called by: conn.cpp, open.cpp. Owns nothing. Threads: any.
#pragma once

#include "backends/common/abi.hpp"

#include <string>
#include <string_view>

namespace weir::postgres {

void set_sqlstate(weir_error* error, std::string_view sqlstate) noexcept;

// libpq's text of a login that failed, with PQERRORS_VERBOSE: "... FATAL:  28P01: text\nLOCATION".
struct LoginFailure {
  std::string sqlstate;  // empty: the server said nothing, the client library did
  std::string text;      // one line, without what is for developers of the server
};
LoginFailure read_login_failure(std::string_view message);

// A text of several lines as one, without a full stop of lines at its end.
std::string one_line(std::string_view text);

}  // namespace weir::postgres
