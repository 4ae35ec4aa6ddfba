// SPDX-License-Identifier: MIT
//
// A light look at TOML text before and beside the parser: enough of a tokenizer to know what is a
// string and what a comment. The parser of the library needs it as a guard, the diagnostics to
// leave out what they must not show.
//
// On text that is not TOML the answers are good up to the first error, which is where parsing
// stops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace weir::config {

struct LineInfo {
  std::string_view text;   // without the line end
  bool continues = false;  // begins inside a string, an array or an inline table
  std::size_t comment = std::string_view::npos;  // byte offset of the # of a comment
};

// The lines of a text; a view into it.
[[nodiscard]] std::vector<LineInfo> scan_lines(std::string_view text);

// Returns: the first line on which keys or brackets nest deeper than any configuration needs, 0 if
// there is none.
[[nodiscard]] std::uint32_t too_deep(std::string_view text);

}  // namespace weir::config
