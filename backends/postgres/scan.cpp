// SPDX-License-Identifier: MIT
#include "backends/postgres/scan.hpp"

#include "backends/postgres/functions.hpp"

#include <algorithm>
#include <cstring>

namespace weir::postgres {
namespace {

struct VerbName {
  std::string_view name;
  Verb verb;
};
constexpr VerbName verbs[] = {
    {"select", Verb::query},    {"values", Verb::query},   {"table", Verb::query},
    {"with", Verb::query},      {"insert", Verb::change},  {"update", Verb::change},
    {"delete", Verb::change},   {"merge", Verb::change},   {"set", Verb::session},
    {"reset", Verb::session},   {"listen", Verb::session}, {"unlisten", Verb::session},
    {"prepare", Verb::session}, {"load", Verb::session},   {"deallocate", Verb::session},
    {"declare", Verb::session}, {"close", Verb::session},  {"discard", Verb::session},
    {"create", Verb::define},   {"alter", Verb::define},   {"drop", Verb::define},
    {"grant", Verb::define},    {"revoke", Verb::define},  {"comment", Verb::define},
    {"copy", Verb::copy},       {"do", Verb::code},        {"call", Verb::code},
    {"execute", Verb::code},
};

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool in_word(char c) { return starts_word(c) || is_digit(c) || c == '$'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// A word in lower case; longer ones than any we look for are cut, and so match none.
class Word {
 public:
  Word() = default;
  explicit Word(std::string_view text) noexcept : size_(std::min(text.size(), sizeof bytes_)) {
    for (std::size_t i = 0; i < size_; ++i) bytes_[i] = lower(text[i]);
  }
  bool is(std::string_view other) const noexcept { return view() == other; }
  template <class... Names>
  bool is_one(Names... names) const noexcept {
    return (is(names) || ...);
  }
  std::string_view view() const noexcept { return {bytes_, size_}; }

 private:
  char bytes_[32] = {};
  std::size_t size_ = 0;
};

// The schema of what is temporary, also as pg_temp_3. It counts wherever it stands, because a
// search_path names it in a string.
bool names_temporary_schema(std::string_view sql) {
  constexpr std::string_view schema = "pg_temp";
  return std::search(sql.begin(), sql.end(), schema.begin(), schema.end(),
                     [](char c, char wanted) { return lower(c) == wanted; }) != sql.end();
}

class Scanner {
 public:
  Scanner(std::string_view sql, bool plain_strings) noexcept
      : sql_(sql), plain_strings_(plain_strings) {}

  Scan run() noexcept {
    found_.temporary = names_temporary_schema(sql_);
    for (skip_blanks(); at_ < sql_.size(); skip_blanks()) step();
    return found_;
  }

 private:
  char peek(std::size_t ahead) const noexcept {
    return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0';
  }

  void step() noexcept {
    if (sql_[at_] == ';') {
      end_statement();
    } else {
      begin_token();
      token(sql_[at_]);
    }
  }

  // And comments, which are blanks to the server.
  void skip_blanks() noexcept {
    for (;;) {
      if (is_blank(peek(0))) {
        ++at_;
      } else if (peek(0) == '-' && peek(1) == '-') {
        at_ = std::min(sql_.find_first_of("\n\r", at_), sql_.size());
      } else if (peek(0) == '/' && peek(1) == '*') {
        skip_comment();
      } else {
        return;
      }
    }
  }

  // A comment may have comments inside.
  void skip_comment() noexcept {
    int depth = 0;
    do {
      if (peek(0) == '/' && peek(1) == '*') {
        ++depth;
        at_ += 2;
      } else if (peek(0) == '*' && peek(1) == '/') {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0 && at_ < sql_.size());
  }

  // Inside parentheses (CREATE RULE) and in the body of a function a semicolon ends no statement;
  // for everything that defines, the server is the judge.
  void end_statement() noexcept {
    ++at_;
    if (parentheses_ > 0 || found_.verb == Verb::define || found_.verb == Verb::none) return;
    ended_ = true;
  }

  void begin_token() noexcept {
    if (ended_) found_.several = true;
    if (found_.verb == Verb::none) found_.verb = Verb::other;
  }

  void token(char c) noexcept {
    if (c == '\'') {
      skip_string(!plain_strings_);
    } else if (c == '"') {
      skip_quoted('"', false);
      name({});
    } else if (c == '$' && is_digit(peek(1))) {
      parameter();
    } else if (c == '$' && skip_dollar_quote()) {
      previous_ = {};
    } else if (starts_word(c)) {
      word();
    } else {
      punctuation_or_number(c);
    }
  }

  void punctuation_or_number(char c) noexcept {
    if (c == '(') ++parentheses_;
    if (c == ')') --parentheses_;
    previous_ = Word(sql_.substr(at_, 1));
    ++at_;
    while (is_digit(c) && in_word(peek(0))) ++at_;  // 1e5, 1$: no parameter
  }

  // A doubled quote stands for one.
  void skip_quoted(char quote, bool backslashes) noexcept {
    ++at_;
    while (at_ < sql_.size() && (sql_[at_] != quote || peek(1) == quote)) {
      at_ += sql_[at_] == quote || (backslashes && sql_[at_] == '\\') ? 2 : 1;
    }
    ++at_;
  }

  void skip_string(bool backslashes) noexcept {
    do {
      skip_quoted('\'', backslashes);
    } while (goes_on());
    previous_ = {};
  }

  // A string on a later line is the rest of the one before, and is read like it.
  bool goes_on() noexcept {
    const std::size_t end = at_;
    skip_blanks();
    return peek(0) == '\'' &&
           sql_.substr(end, at_ - end).find_first_of("\n\r") != std::string_view::npos;
  }

  void parameter() noexcept {
    std::uint32_t n = 0;
    for (++at_; is_digit(peek(0)); ++at_) {
      n = std::min<std::uint32_t>(n * 10 + static_cast<std::uint32_t>(sql_[at_] - '0'), 100'000);
    }
    found_.params = std::max(found_.params, n);
    previous_ = {};
  }

  // $tag$ ... $tag$
  bool skip_dollar_quote() noexcept {
    std::size_t end = at_ + 1;
    while (end < sql_.size() && sql_[end] != '$' && in_word(sql_[end])) ++end;
    if (end >= sql_.size() || sql_[end] != '$') return false;
    const std::string_view tag = sql_.substr(at_, end + 1 - at_);
    const std::size_t close = sql_.find(tag, end + 1);
    at_ = close == std::string_view::npos ? sql_.size() : close + tag.size();
    return true;
  }

  void word() noexcept {
    const std::size_t start = at_;
    while (at_ < sql_.size() && in_word(sql_[at_])) ++at_;
    const Word now(sql_.substr(start, at_ - start));
    if (peek(0) == '\'' && now.is_one("e", "b", "x", "n")) {
      skip_string(now.is("e") || !plain_strings_);
      return;
    }
    // U&"..." may spell any name.
    if (now.is("u") && peek(0) == '&' && peek(1) == '"') found_.calls = true;
    skip_blanks();
    if (!first_seen_) {
      first_seen_ = true;
      first_ = now;
      found_.rolls_back = now.is_one("rollback", "abort");
      for (const VerbName& line : verbs) {
        if (now.is(line.name)) found_.verb = line.verb;
      }
    } else {
      refine(now);
    }
    name(now);
  }

  bool at_end() const noexcept { return at_ >= sql_.size() || peek(0) == ';'; }

  void refine(const Word& now) noexcept {
    if (now.is_one("temp", "temporary")) found_.temporary = true;
    // SET LOCAL and SET TRANSACTION end with the transaction; SET local.x = 1 does not.
    if (first_.is("set") && previous_.is("set") && now.is_one("local", "transaction") &&
        peek(0) != '.') {
      found_.verb = Verb::other;
    }
    if (found_.verb == Verb::copy && parentheses_ == 0 && previous_.is("from") && now.is("stdin")) {
      found_.copies_in = at_end() || Word(sql_.substr(at_, 5)).is("where");
    }
    if (found_.rolls_back && previous_.is("and") && now.is("chain")) found_.chains = true;
    const bool locks = previous_.is_one("for", "key");  // FOR UPDATE, FOR NO KEY UPDATE
    if (first_.is("with") && !locks && now.is_one("insert", "update", "delete", "merge")) {
      found_.verb = Verb::change;
    }
    if (now.is("index") && previous_.is_one("create", "unique")) makes_index_ = true;
  }

  // Is it a call? `now` is empty for a quoted name, which nobody knows.
  void name(const Word& now) noexcept {
    const bool has_schema = previous_.is(".");
    const bool known_schema = !has_schema || name_.is("pg_catalog");
    if (!has_schema) before_name_ = previous_;
    name_ = previous_ = now;
    skip_blanks();
    if (peek(0) != '(' || names_what_is_no_call()) return;
    if (!known_schema || !is_harmless(before_name_.view(), now.view())) found_.calls = true;
  }

  // A table or an alias with its columns, a function that is defined or dropped. No expression can
  // stand behind these words.
  bool names_what_is_no_call() const noexcept {
    if (makes_index_ && before_name_.is_one("on", "only", "using")) return true;
    return before_name_.is_one("copy", "into", "with", "recursive", "as", "table", "view", "exists",
                               "references", "function", "procedure", "routine", "aggregate");
  }

  const std::string_view sql_;
  const bool plain_strings_;
  std::size_t at_ = 0;
  int parentheses_ = 0;
  bool ended_ = false;
  bool first_seen_ = false;
  bool makes_index_ = false;
  Word first_;
  Word previous_;     // token: a word, one character of punctuation, or empty
  Word name_;         // the last one, without its schema
  Word before_name_;  // the token before it and its schema
  Scan found_;
};

}  // namespace

Scan scan(std::string_view sql, bool plain_strings) noexcept {
  return Scanner(sql, plain_strings).run();
}

}  // namespace weir::postgres
