// SPDX-License-Identifier: MIT
#include "cli/columns.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <cwchar>
#include <locale.h>

namespace weir::cli {
namespace {

// The C library knows how wide each letter is, but only in a locale that has it, and the user's may
// be any. While one of these lives it is UTF-8 for this thread.
class Utf8Letters {
 public:
  Utf8Letters() {
    // Never freed: it is for each measurement until the end. Null where the system lacks it.
    static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (utf8 != nullptr) before_ = uselocale(utf8);
  }
  Utf8Letters(const Utf8Letters&) = delete;
  Utf8Letters& operator=(const Utf8Letters&) = delete;
  ~Utf8Letters() {
    if (before_ != nullptr) uselocale(before_);
  }

  // The width of the character of `length` bytes at text[at].
  [[nodiscard]] std::size_t width(std::string_view text, std::size_t at, std::size_t length) const {
    if (length < 2 || before_ == nullptr) return 1;
    wchar_t point = static_cast<unsigned char>(text[at]) & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
      point = (point << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3f);
    }
    const int columns = wcwidth(point);
    return columns < 0 ? 1 : static_cast<std::size_t>(columns);  // one that it does not know
  }

 private:
  locale_t before_ = nullptr;
};

// How much of `text` has at most `width` columns.
struct Measure {
  std::size_t bytes = 0;
  std::size_t columns = 0;
};

Measure measured(std::string_view text, std::size_t width) {
  const Utf8Letters letters;
  Measure all;
  while (all.bytes < text.size()) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text, all.bytes), 1);
    const std::size_t columns = letters.width(text, all.bytes, length);
    if (columns > width - all.columns) break;
    all.bytes += length;
    all.columns += columns;
  }
  return all;
}

}  // namespace

std::size_t width_of(std::string_view text) { return measured(text, uncut).columns; }

std::string padded(std::string_view text, std::size_t width, bool right) {
  const std::size_t used = width_of(text);
  const std::string space(width > used ? width - used : 0, ' ');
  return right ? space + std::string(text) : std::string(text) + space;
}

std::string_view cut(std::string_view text, std::size_t width) {
  return text.substr(0, measured(text, width).bytes);
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
    if (piece.size() < cell.text.size()) break;  // a wide letter may leave a column free
  }
  return text;
}

}  // namespace weir::cli
