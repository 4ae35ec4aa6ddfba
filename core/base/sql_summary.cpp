// SPDX-License-Identifier: MIT
#include "core/base/sql_summary.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <array>

namespace weir::base {
namespace {

bool is_word_character(char c) noexcept {
  return is_lower(c) || is_upper(c) || is_digit(c) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Words, and single characters of all else; comments and space are passed over.
class Tokens {
 public:
  explicit Tokens(std::string_view sql) noexcept : rest_(sql) {}

  // Empty at the end, and from the first thing that dialects read differently.
  std::string_view next() noexcept {
    if (!skip_to_token()) return {};
    std::size_t size = 1;
    if (is_word_character(rest_[0])) {
      while (size < rest_.size() && (is_word_character(rest_[size]) || rest_[size] == '.')) ++size;
    }
    const std::string_view token = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return token;
  }

  // From behind an opening quote to behind the closing one. Returns: false if that is not certain:
  // a backslash means one thing here and another there.
  bool skip_quoted(char quote) noexcept {
    const std::size_t end = rest_.find(quote);
    if (end == std::string_view::npos || rest_.substr(0, end).find('\\') != end_of_text) {
      return false;
    }
    rest_.remove_prefix(end + 1);  // a doubled quote begins the next one
    return true;
  }

 private:
  static constexpr std::size_t end_of_text = std::string_view::npos;

  bool skip_to_token() noexcept {
    for (;;) {
      const std::size_t at = rest_.find_first_not_of(" \t\r\n\f\v");
      if (at == end_of_text) return false;
      rest_.remove_prefix(at);
      std::size_t end = 0;
      if (rest_.starts_with("--")) {
        end = rest_.find('\n');
      } else if (rest_.starts_with("/*")) {
        end = rest_.find("*/", 2);
        // One inside of it: nested here, and not there.
        if (end == end_of_text || rest_.substr(2, end - 2).find("/*") != end_of_text) return false;
        ++end;
      } else {
        return true;
      }
      if (end == end_of_text) return false;
      rest_.remove_prefix(end + 1);
    }
  }

  std::string_view rest_;
};

bool is(std::string_view token, std::string_view upper) noexcept {
  return std::equal(token.begin(), token.end(), upper.begin(), upper.end(),
                    [](char a, char b) { return to_lower(a) == to_lower(b); });
}

bool is_word(std::string_view token) noexcept {
  return !token.empty() && is_word_character(token[0]) && !is_digit(token[0]);
}

// The one table of "... from t [where ...]"; empty if there may be another one.
std::string_view only_table(Tokens& tokens) noexcept {
  static constexpr std::array<std::string_view, 12> ends{"WHERE",  "ORDER",  "GROUP", "LIMIT",
                                                         "FOR",    "HAVING", "FETCH", "OFFSET",
                                                         "WINDOW", ";",      "",      "LOCK"};
  int depth = 0;
  for (std::string_view token = tokens.next(); !token.empty(); token = tokens.next()) {
    const char c = token[0];
    if (c == '\'' || c == '"' || c == '`') {
      if (!tokens.skip_quoted(c)) return {};
    } else if (c == '(' || c == ')') {
      depth += c == '(' ? 1 : -1;
    } else if (c == '$' || c == '[' || c == '#') {
      return {};  // a quotation, a name or a comment, depending on whom one asks
    } else if (depth == 0 && is(token, "FROM")) {
      const std::string_view table = tokens.next();
      if (!is_word(table)) return {};
      const std::string_view after = tokens.next();
      const auto same = [&](std::string_view end) { return is(after, end); };
      return std::any_of(ends.begin(), ends.end(), same) ? table : std::string_view();
    }
  }
  return {};
}

std::string_view table_of(std::string_view operation, Tokens& tokens) noexcept {
  std::string_view table;
  if (is(operation, "SELECT")) return only_table(tokens);
  if (is(operation, "UPDATE")) {
    table = tokens.next();
    if (!is_word(table) || !is(tokens.next(), "SET")) return {};
  } else if (is(operation, "INSERT") || is(operation, "REPLACE")) {
    if (is(tokens.next(), "INTO")) table = tokens.next();
  } else if (is(operation, "DELETE")) {
    if (is(tokens.next(), "FROM")) table = tokens.next();
    if (is(tokens.next(), ",")) return {};  // MySQL: from several
  }
  return is_word(table) && !is(table, "ONLY") ? table : std::string_view();
}

}  // namespace

SqlSummary summary_of(std::string_view sql) {
  Tokens tokens(sql);
  const std::string_view first = tokens.next();
  SqlSummary summary;
  if (!is_word(first) || first.find('.') != std::string_view::npos) return summary;
  for (const char c : first)
    summary.operation += is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
  summary.table = table_of(first, tokens);
  return summary;
}

}  // namespace weir::base
