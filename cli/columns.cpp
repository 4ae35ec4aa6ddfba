// SPDX-License-Identifier: MIT
#include "cli/columns.hpp"

#include "core/base/text.hpp"

#include <algorithm>

namespace weir::cli {
namespace {

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

}  // namespace

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::string padded(std::string_view text, std::size_t width, bool right) {
  const std::size_t used = width_of(text);
  const std::string space(width > used ? width - used : 0, ' ');
  return right ? space + std::string(text) : std::string(text) + space;
}

std::string_view cut(std::string_view text, std::size_t width) {
  std::size_t seen = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (starts_character(text[at]) && ++seen > width) return text.substr(0, at);
  }
  return text;
}

std::string one_line(std::string_view text) {
  std::string all = printable(trimmed(text));
  std::replace_if(
      all.begin(), all.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  const auto both_spaces = [](char a, char b) { return a == ' ' && b == ' '; };
  all.erase(std::unique(all.begin(), all.end(), both_spaces), all.end());
  return all;
}

std::vector<Line> aligned(std::vector<Line> lines) {
  std::vector<std::size_t> widths;
  for (const Line& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (std::size_t c = 0; c < line.size(); ++c) {
      widths[c] = std::max(widths[c], width_of(line[c].text));
    }
  }
  for (Line& line : lines) {
    for (std::size_t c = 0; c < line.size(); ++c) {
      const bool last = c + 1 == line.size();
      if (!last || line[c].right) line[c].text = padded(line[c].text, widths[c], line[c].right);
      if (!last) line[c].text += "  ";
    }
  }
  return lines;
}

std::string rendered(const Line& line, const Output& out, std::size_t width) {
  std::string text;
  for (const Cell& cell : line) {
    const std::string_view piece = cut(cell.text, width);
    width -= width == uncut ? 0 : width_of(piece);
    if (!piece.empty()) text += out.toned(cell.tone, piece);
  }
  return text;
}

}  // namespace weir::cli
