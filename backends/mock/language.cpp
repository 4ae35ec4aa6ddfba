// SPDX-License-Identifier: MIT
#include "backends/mock/language.hpp"

#include "backends/common/options.hpp"
#include "backends/mock/script.hpp"

#include <algorithm>

namespace weir::mock {
namespace {

constexpr struct {
  std::string_view word;
  Verb verb;
} verbs[] = {{"SELECT", Verb::select},    {"ROWS", Verb::rows},   {"INSERT", Verb::insert},
             {"SLEEP", Verb::sleep},      {"FAIL", Verb::fail},   {"DIRTY", Verb::dirty},
             {"BREAK", Verb::break_off},  {"BEGIN", Verb::begin}, {"COMMIT", Verb::commit},
             {"ROLLBACK", Verb::rollback}};

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return upper(x) == upper(y); });
}

std::string_view trim(std::string_view s) {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t first = s.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(blank) - first + 1);
}

bool parse_item(std::string_view text, Item& item) {
  if (text == "?") {
    item.kind = Item::Kind::parameter;
  } else if (same(text, "NULL")) {
    item.kind = Item::Kind::null;
  } else if (same(text, "SESSION")) {
    item.kind = Item::Kind::session;
  } else if (text.size() >= 2 && text.front() == '\'' && text.back() == '\'') {
    item.kind = Item::Kind::text;
    item.text = text.substr(1, text.size() - 2);
  } else if (const auto number = backend::parse_integer(text)) {
    item.kind = Item::Kind::integer;
    item.number = *number;
  } else {
    return false;
  }
  return true;
}

bool parse_items(std::string_view list, Statement& statement) {
  while (true) {
    const std::size_t comma = list.find(',');
    Item item;
    if (!parse_item(trim(list.substr(0, comma)), item)) return false;
    if (item.kind == Item::Kind::parameter) ++statement.parameters;
    statement.items.push_back(std::move(item));
    if (comma == std::string_view::npos) return true;
    list = list.substr(comma + 1);
  }
}

bool parse_rest(std::string_view rest, Statement& statement) {
  switch (statement.verb) {
    case Verb::select:
      return parse_items(rest, statement);
    case Verb::insert:
      statement.parameters = static_cast<std::uint32_t>(std::count(rest.begin(), rest.end(), '?'));
      return true;
    case Verb::rows:
    case Verb::sleep: {
      const auto number = backend::parse_integer(rest);
      statement.number = number.value_or(0);
      return number && *number >= 0;
    }
    case Verb::fail:
      statement.number = kind_named(rest);
      return statement.number != WEIR_OK;
    default:
      return rest.empty();
  }
}

}  // namespace

weir_status parse(std::string_view sql, Statement& statement, const backend::Facts& facts,
                  weir_error* error) {
  backend::Facts wrong = facts;
  wrong.kind = WEIR_E_INVALID_ARGUMENT;
  if (sql.find('\0') != std::string_view::npos) {
    return backend::fail(error, wrong, {"the SQL text contains a NUL byte"});
  }
  std::string_view text = trim(sql);
  while (text.ends_with(';')) text = trim(text.substr(0, text.size() - 1));
  if (text.empty()) return backend::fail(error, wrong, {"the SQL text holds no statement"});
  if (text.find(';') != std::string_view::npos) {
    return backend::fail(error, wrong,
                         {"the SQL text holds more than one statement: run them one by one"});
  }
  const std::string_view word = text.substr(0, text.find_first_of(" \t\r\n"));
  for (const auto& known : verbs) {
    if (!same(word, known.word)) continue;
    statement.verb = known.verb;
    if (parse_rest(trim(text.substr(word.size())), statement)) return WEIR_OK;
  }
  wrong.kind = WEIR_E_SYNTAX;
  wrong.effect = WEIR_EFFECT_DEFINITE;
  return backend::fail(error, wrong, {"the mock does not understand '", text, "'"});
}

weir_status parse_for_server(std::string_view sql, Statement& statement,
                             const backend::Facts& facts, weir_error* error) {
  std::string_view text = trim(sql);
  const std::size_t comment = text.rfind("/*");
  if (text.ends_with("*/") && comment != std::string_view::npos) text = text.substr(0, comment);
  const weir_status status = parse(text, statement, facts, nullptr);
  if (status == WEIR_E_SYNTAX) {
    statement = {};
    statement.verb = Verb::foreign;
    statement.parameters = static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '?'));
  } else if (status != WEIR_OK) {
    return parse(text, statement, facts, error);
  }
  statement.text = sql;
  return WEIR_OK;
}

}  // namespace weir::mock
