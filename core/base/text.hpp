// SPDX-License-Identifier: MIT
//
// Small helpers for text that ends up in a message. Called from any room; pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

// Without spaces, tabs and line ends at both sides.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

// Text from elsewhere made safe for a terminal and a log: control characters but newline and tab,
// and bytes that are not UTF-8, appear as \xNN.
[[nodiscard]] std::string printable(std::string_view text);

// The same on one line: a newline or a tab is a space.
[[nodiscard]] std::string one_line(std::string_view text);

// Bytes of the UTF-8 sequence that starts at text[at]: 1 to 4, or 0 if none does.
[[nodiscard]] std::size_t utf8_length(std::string_view text, std::size_t at) noexcept;

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
[[nodiscard]] constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
[[nodiscard]] constexpr char to_lower(char c) noexcept {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}
[[nodiscard]] std::string lower_case(std::string_view text);

}  // namespace weir
