// SPDX-License-Identifier: MIT
#include "core/base/text.hpp"

#include <cstdint>
#include <iterator>

#include <fmt/format.h>

namespace weir {

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::size_t utf8_length(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const std::size_t left = text.size() - at;
  std::size_t length = 0;
  std::uint32_t point = 0;
  std::uint32_t smallest = 0;
  if (byte(0) < 0x80) return 1;
  if ((byte(0) & 0xe0) == 0xc0) length = 2, point = byte(0) & 0x1fu, smallest = 0x80;
  if ((byte(0) & 0xf0) == 0xe0) length = 3, point = byte(0) & 0x0fu, smallest = 0x800;
  if ((byte(0) & 0xf8) == 0xf0) length = 4, point = byte(0) & 0x07u, smallest = 0x10000;
  if (length == 0 || length > left) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    point = (point << 6) | (byte(i) & 0x3fu);
  }
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  return point < smallest || point > 0x10ffff || surrogate ? 0 : length;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::size_t length = utf8_length(text, at);
    const bool control = byte < 0x20 && byte != '\n' && byte != '\t';
    // U+0080 to U+009F are control characters, too: some terminals obey them.
    const bool control_pair =
        length == 2 && byte == 0xc2 && static_cast<unsigned char>(text[at + 1]) < 0xa0;
    if (length == 0 || control || byte == 0x7f || control_pair) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
      at += 1;
    } else {
      out.append(text, at, length);
      at += length;
    }
  }
  return out;
}

std::string one_line(std::string_view text) {
  std::string out = printable(text);
  for (char& c : out) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_lower(c);
  return out;
}

}  // namespace weir
