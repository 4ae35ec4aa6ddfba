// SPDX-License-Identifier: MIT
#include "core/config/toml_scan.hpp"

namespace weir::config {
namespace {

// The deepest legal key is pool.<name>.options.<key>; the rest is generosity.
constexpr std::size_t deepest = 32;

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // Visits every character outside of strings and comments; `on_code(c)` and `on_comment(offset)`
  // hear of them. Line ends are announced by on_line(offset after it, begins_inside).
  template <class OnCode, class OnComment, class OnLine>
  void run(OnCode on_code, OnComment on_comment, OnLine on_line) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        ++at_;
        on_line(at_, depth_ > 0);
      } else if (c == '#') {
        on_comment(at_);
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == '"' || c == '\'') {
        skip_string(c, on_line);
      } else {
        if (c == '{' || c == '[') ++depth_;
        if ((c == '}' || c == ']') && depth_ > 0) --depth_;
        on_code(c, depth_);
        ++at_;
      }
    }
  }

 private:
  template <class OnLine>
  void skip_string(char quote, OnLine on_line) {
    const bool three = text_.substr(at_, 3) == (quote == '"' ? "\"\"\"" : "'''");
    at_ += three ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        if (!three) return;  // a string of one line that is not closed: the parser says so
        ++at_;
        on_line(at_, true);
      } else if (c == '\\' && quote == '"') {
        // A backslash at the end of a line is the line's, so that its end is counted.
        at_ += at_ + 1 < text_.size() && text_[at_ + 1] == '\n' ? 1 : 2;
      } else if (c == quote && (!three || closes_three(quote))) {
        at_ += three ? 3 : 1;
        while (three && at_ < text_.size() && text_[at_] == quote) ++at_;  // """"": quotes inside
        return;
      } else {
        ++at_;
      }
    }
  }

  [[nodiscard]] bool closes_three(char quote) const {
    return at_ + 2 < text_.size() && text_[at_ + 1] == quote && text_[at_ + 2] == quote;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace

std::vector<LineInfo> scan_lines(std::string_view text) {
  std::vector<LineInfo> lines(1);
  std::size_t start = 0;
  const auto finish = [&](std::size_t end) {
    std::string_view line = text.substr(start, end - start);
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.back().text = line;
  };
  Scanner(text).run([](char, std::size_t) {},
                    [&](std::size_t at) { lines.back().comment = at - start; },
                    [&](std::size_t next, bool inside) {
                      finish(next);
                      start = next;
                      lines.push_back({{}, inside});
                    });
  finish(text.size());
  return lines;
}

std::uint32_t too_deep(std::string_view text) {
  std::uint32_t line = 1;
  std::uint32_t found = 0;
  std::size_t dots = 0;
  const auto on_code = [&](char c, std::size_t depth) {
    if (c == '.') ++dots;
    if (c == '=' || c == ',' || c == '{' || c == '}' || c == '[' || c == ']') dots = 0;
    if (found == 0 && (dots > deepest || depth > deepest)) found = line;
  };
  const auto on_line = [&](std::size_t, bool) {
    ++line;
    dots = 0;
  };
  Scanner(text).run(
      on_code, [](std::size_t) {}, on_line);
  return found;
}

}  // namespace weir::config
