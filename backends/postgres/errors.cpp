// SPDX-License-Identifier: MIT
#include "backends/postgres/errors.hpp"

#include <algorithm>
#include <cstring>

namespace weir::postgres {
namespace {

bool is_state(std::string_view five) noexcept {
  return std::all_of(five.begin(), five.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

}  // namespace

void set_sqlstate(weir_error* error, std::string_view sqlstate) noexcept {
  if (error == nullptr || sqlstate.size() != 5) return;
  weir_error full = backend::read_in(error);
  sqlstate.copy(full.sqlstate, 5);
  backend::write_out(error, full);
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (c == '\t') continue;  // libpq indents its second lines
    if (c != '\n') {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += "; ";
    }
  }
  while (!line.empty() && std::strchr(" ;", line.back()) != nullptr) line.pop_back();
  return line;
}

// The severity is in the server's language, the code behind it is not.
LoginFailure read_login_failure(std::string_view message) {
  LoginFailure failure;
  constexpr std::string_view mark = ":  ";
  for (std::size_t at = message.find(mark); at != std::string_view::npos;
       at = message.find(mark, at + 1)) {
    const std::string_view rest = message.substr(at + mark.size());
    if (rest.size() < 7 || !is_state(rest.substr(0, 5)) || rest.substr(5, 2) != ": ") continue;
    failure.sqlstate = rest.substr(0, 5);
    message = rest.substr(7);
    break;
  }
  // LOCATION:  auth_failed, auth.c:335 is the last line of what the server says.
  const std::size_t end = failure.sqlstate.empty() ? message.size() : message.find("\nLOCATION");
  failure.text = one_line(message.substr(0, std::min(end, message.size())));
  return failure;
}

}  // namespace weir::postgres
