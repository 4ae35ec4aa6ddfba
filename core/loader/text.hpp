// SPDX-License-Identifier: MIT
//
// Text of others in our messages: what a plugin, a manifest or a file name says may hold control
// bytes and line ends, and must not reach a terminal or a log as it is.
#pragma once

#include "core/base/text.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace weir::loader {

// The text on one line, made safe to show, cut after `size_max` bytes with "...".
[[nodiscard]] inline std::string one_line(std::string_view text, std::size_t size_max = 200) {
  std::string out = weir::one_line(text.substr(0, size_max));
  out.erase(out.find_last_not_of(' ') + 1);
  if (text.size() > size_max) out += "...";
  return out;
}

}  // namespace weir::loader
