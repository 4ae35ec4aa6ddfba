// SPDX-License-Identifier: MIT
//
// Aligned columns for people: cells with a tone, lines of cells, lines cut to a width. Widths are
// in columns of a terminal: of a letter of Chinese two, of an accent that is added none. Pure
// functions; used by the commands that print tables.
#pragma once

#include "cli/output.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace weir::cli {

// Columns, not bytes or characters. One for each that the system does not know.
[[nodiscard]] std::size_t width_of(std::string_view text);
// Filled with spaces up to `width`, at the left side if the text stands `right`.
[[nodiscard]] std::string padded(std::string_view text, std::size_t width, bool right);
// What fits into `width` columns. Requires: UTF-8, as printable() leaves it.
[[nodiscard]] std::string_view cut(std::string_view text, std::size_t width);
// Made printable, and with line ends and tabs as single spaces: whatever it was, one line.
[[nodiscard]] std::string one_line(std::string_view text);

struct Cell {
  std::string text;
  Tone tone = Tone::plain;
  bool right = false;  // numbers
};
using Line = std::vector<Cell>;

inline constexpr std::size_t uncut = static_cast<std::size_t>(-1);

// Each line's cells padded to the widest of their column, two spaces between.
[[nodiscard]] std::vector<Line> aligned(std::vector<Line> lines);
// One line without its newline, at most `width` columns, in colour where `out` has colours.
[[nodiscard]] std::string rendered(const Line& line, const Output& out, std::size_t width = uncut);

}  // namespace weir::cli
