// SPDX-License-Identifier: MIT
#include "backends/mysql/sql.hpp"

#include <algorithm>
#include <iterator>

namespace weir::mysql {
namespace {

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool same(std::string_view word, std::string_view upper_case) {
  return std::equal(word.begin(), word.end(), upper_case.begin(), upper_case.end(),
                    [](char a, char b) { return upper(a) == b; });
}

bool contains_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (same(list.substr(0, comma), word)) return true;
    list = comma == std::string_view::npos ? "" : list.substr(comma + 1);
  }
  return false;
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Bytes of UTF-8 characters are letters to the server, too.
bool is_word(char c) {
  return (c >= '0' && c <= '9') || (upper(c) >= 'A' && upper(c) <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

struct VerbLine {
  std::string_view word;
  Verb verb;
  bool changes_session;
};

// How a statement begins. What is not here is `other` and counts as a change.
constexpr VerbLine verbs[] = {
    {"SELECT", Verb::read, false},
    {"WITH", Verb::read, false},
    {"VALUES", Verb::read, false},
    {"TABLE", Verb::read, false},
    {"SHOW", Verb::read, false},
    {"EXPLAIN", Verb::read, false},
    {"DESCRIBE", Verb::read, false},
    {"DESC", Verb::read, false},
    {"CHECKSUM", Verb::read, false},
    {"DO", Verb::read, false},
    {"HELP", Verb::read, false},
    {"KILL", Verb::read, false},
    {"INSERT", Verb::write, false},
    {"REPLACE", Verb::write, false},
    {"UPDATE", Verb::write, false},
    {"DELETE", Verb::write, false},
    {"LOAD", Verb::write, false},
    {"CREATE", Verb::define, false},
    {"ALTER", Verb::define, false},
    {"DROP", Verb::define, false},
    {"TRUNCATE", Verb::define, false},
    {"RENAME", Verb::define, false},
    {"GRANT", Verb::define, false},
    {"REVOKE", Verb::define, false},
    {"ANALYZE", Verb::define, false},
    {"OPTIMIZE", Verb::define, false},
    {"REPAIR", Verb::define, false},
    {"CHECK", Verb::define, false},
    {"BEGIN", Verb::begin, false},
    {"START", Verb::begin, false},
    {"COMMIT", Verb::commit, false},
    {"ROLLBACK", Verb::rollback, false},
    {"SAVEPOINT", Verb::savepoint, false},
    {"RELEASE", Verb::savepoint, false},
    {"SET", Verb::set, true},
    {"CALL", Verb::call, true},
    {"EXECUTE", Verb::call, true},
};

// Words that change the session wherever they stand.
constexpr std::string_view marks[] = {"GET_LOCK", "TEMPORARY", "SQL_LOG_BIN", "NEXTVAL"};

class Scanner {
 public:
  Scanner(std::string_view sql, const SqlMode& mode) noexcept : sql_(sql), mode_(mode) {}

  SqlTraits run() noexcept {
    while (at_ < sql_.size()) step();
    return traits_;
  }

 private:
  char peek(std::size_t ahead = 0) const noexcept {
    return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0';
  }

  void step() noexcept {
    const char c = peek();
    if (is_space(c)) {
      ++at_;
    } else if (c == '#' || (c == '-' && peek(1) == '-' &&
                            (at_ + 2 >= sql_.size() || is_space(peek(2)) || peek(2) < ' '))) {
      at_ = std::min(sql_.find('\n', at_), sql_.size());
    } else if (c == '/' && peek(1) == '*') {
      comment();
    } else if (c == ';') {
      ended_ = traits_.verb != Verb::none;
      ++at_;
    } else {
      token(c);
    }
  }

  // /*! ... */ and /*M! ... */ hold statements; what they do is not looked at.
  void comment() noexcept {
    if (peek(2) == '!' || (peek(2) == 'M' && peek(3) == '!')) {
      traits_.opaque = traits_.changes_session = traits_.temporary = true;
      if (traits_.verb == Verb::none) traits_.verb = Verb::other;
    }
    const std::size_t end = sql_.find("*/", at_ + 2);
    at_ = end == std::string_view::npos ? sql_.size() : end + 2;
  }

  void token(char c) noexcept {
    if (ended_) traits_.many = true;
    if (c == '\'' || c == '"' || c == '`') {
      begin_statement({});
      quoted(c);
    } else if (c == '@') {
      begin_statement({});
      variable();
    } else if (is_word(c)) {
      const std::size_t start = at_;
      while (at_ < sql_.size() && is_word(sql_[at_])) ++at_;
      word(sql_.substr(start, at_ - start));
    } else {
      if (c != '(' && c != '{') begin_statement({});
      if (c == '?') ++traits_.params;
      if (c == ':' && peek(1) == '=') traits_.changes_session = true;
      ++at_;
    }
    before_ = c;
  }

  void quoted(char quote) noexcept {
    const bool escapes =
        quote != '`' && !mode_.backslash_is_plain && !(quote == '"' && mode_.double_quotes_names);
    const std::size_t start = at_ + 1;
    for (++at_; at_ < sql_.size(); ++at_) {
      if (sql_[at_] == '\\' && escapes) {
        ++at_;
      } else if (sql_[at_] == quote) {
        if (peek(1) != quote) break;
        ++at_;  // doubled: part of the text
      }
    }
    if (quote == '`' || (quote == '"' && mode_.double_quotes_names)) {
      name(sql_.substr(start, std::min(at_, sql_.size()) - start));
    }
    at_ = std::min(at_ + 1, sql_.size());
  }

  // @@name reads a system variable; @name belongs to the session, and may be written anywhere.
  void variable() noexcept {
    if (peek(1) == '@') {
      at_ += 2;
      return;
    }
    traits_.changes_session = true;
    ++at_;
  }

  void begin_statement(std::string_view first) noexcept {
    if (traits_.verb != Verb::none) return;
    traits_.verb = Verb::other;
    bool changes = true;
    for (const VerbLine& line : verbs) {
      if (!same(first, line.word)) continue;
      traits_.verb = line.verb;
      changes = line.changes_session;
    }
    traits_.changes_session = traits_.changes_session || changes;
    traits_.answers = same(first, "SELECT");
    traits_.loads = same(first, "LOAD");
    first_ = first;
  }

  void word(std::string_view word) noexcept {
    ++words_;
    if (words_ == 1) {
      begin_statement(word);
      last_ = word;
      return;
    }
    name(word);
    if (same(word, "VALUE") && same(last_, "NEXT")) traits_.changes_session = true;
    if (words_ == 2) second(word);
    switch (traits_.verb) {
      case Verb::commit:
      case Verb::rollback:
        if (same(word, "TO")) traits_.verb = Verb::savepoint;
        if (same(word, "CHAIN")) traits_.chain = !same(last_, "NO");
        if (same(word, "CHAIN") || (same(word, "RELEASE") && !same(last_, "NO"))) {
          traits_.says_chain = true;
        }
        break;
      case Verb::write:
        if (same(word, "RETURNING")) traits_.returning = true;
        break;
      case Verb::read:
        if (same(word, "INTO")) traits_.answers = false;
        // WITH name AS (...) DELETE: no name of a column, nor FOR UPDATE, stands behind a bracket.
        if (same(first_, "WITH") && before_ == ')' &&
            (same(word, "DELETE") || same(word, "UPDATE"))) {
          traits_.verb = Verb::write;
        }
        break;
      case Verb::define:
        // Bodies of stored programs hold statements and semicolons of their own.
        for (const std::string_view kind :
             {"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"}) {
          if (same(word, kind)) traits_.opaque = true;
        }
        if (same(last_, "CREATE") || same(last_, "DROP") || same(last_, "REPLACE")) created(word);
        break;
      default:
        break;
    }
    last_ = word;
  }

  // What means the same in quotes: functions and variables may be written so.
  void name(std::string_view name) noexcept {
    for (const std::string_view mark : marks) {
      if (same(name, mark)) traits_.changes_session = true;
    }
    if (traits_.verb != Verb::set) return;
    if (same(name, "AUTOCOMMIT")) traits_.autocommit = true;
    if (same(name, "SQL_MODE")) traits_.sql_mode = true;
  }

  // The word behind CREATE, DROP or OR REPLACE.
  void created(std::string_view word) noexcept {
    if (same(word, "TEMPORARY")) traits_.temporary = true;
    // Who drops the current database has none any more, also where a new one replaces it.
    const bool database = same(word, "DATABASE") || same(word, "SCHEMA");
    if (database && !same(last_, "CREATE")) traits_.changes_session = true;
  }

  void second(std::string_view word) noexcept {
    const bool transaction = same(word, "TRANSACTION");
    if (traits_.verb == Verb::begin) {
      if (same(first_, "START") ? !transaction : !same(word, "WORK")) {
        // START SLAVE; BEGIN NOT ATOMIC ... END.
        traits_.verb = Verb::other;
        traits_.opaque = traits_.changes_session = true;
      }
    } else if (traits_.verb == Verb::set && transaction) {
      traits_.one_shot = true;
      if (!traits_.opaque) traits_.changes_session = false;  // SET /*! SESSION */ TRANSACTION
    } else if (traits_.verb == Verb::set && is_word(before_) &&
               (same(word, "PASSWORD") || same(word, "DEFAULT"))) {
      traits_.commits = true;  // before_: not SET `x` = DEFAULT
    } else if (same(first_, "SET") && same(word, "STATEMENT")) {
      // SET STATEMENT variable = value FOR statement: for that one only, and the rest is not read.
      traits_.verb = Verb::other;
      traits_.opaque = true;
    }
  }

  const std::string_view sql_;
  const SqlMode mode_;
  std::size_t at_ = 0;
  std::uint32_t words_ = 0;
  bool ended_ = false;
  char before_ = '\0';  // how the token before began
  std::string_view first_;
  std::string_view last_;
  SqlTraits traits_;
};

}  // namespace

SqlMode parse_sql_mode(std::string_view sql_mode) noexcept {
  SqlMode mode;
  mode.backslash_is_plain = contains_word(sql_mode, "NO_BACKSLASH_ESCAPES");
  mode.double_quotes_names = contains_word(sql_mode, "ANSI_QUOTES");
  return mode;
}

SqlTraits scan(std::string_view sql, const SqlMode& mode) noexcept {
  return Scanner(sql, mode).run();
}

bool is_utf8(std::string_view text) noexcept {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char first = byte(i);
    if (first < 0x80) {
      ++i;
      continue;
    }
    const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || i + size > text.size()) return false;
    for (std::size_t k = 1; k < size; ++k) {
      if ((byte(i + k) & 0xC0U) != 0x80U) return false;
    }
    // Too long forms, surrogates, beyond U+10FFFF: told by the second byte.
    const unsigned char second = byte(i + 1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
      return false;
    }
    i += size;
  }
  return true;
}

}  // namespace weir::mysql
