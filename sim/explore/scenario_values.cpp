// SPDX-License-Identifier: MIT
//
// How the values of scenario files are spelled, and the reference that is made from the table.
#include "core/base/duration_text.hpp"
#include "core/config/option_table.hpp"
#include "sim/explore/scenario_keys.hpp"

#include <limits>

#include <fmt/format.h>

namespace weir::sim {
namespace {

using std::string_view;

std::string wrapped_list(const std::vector<std::string>& items) {
  constexpr std::size_t widest = 96;
  std::string line;
  std::string out;
  for (const std::string& item : items) {
    const std::string next = config::quoted(item);
    if (!line.empty() && line.size() + next.size() + 2 > widest) {
      out += "  " + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + next + ",";
  }
  if (!line.empty()) line.pop_back();
  if (out.empty() && line.size() < 80) return "[" + line + "]";
  return "[\n" + out + "  " + line + "\n]";
}

std::string list_of(std::span<const string_view> all, std::uint32_t chosen, string_view last_word) {
  std::vector<string_view> taken;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if ((chosen >> i & 1U) != 0) taken.push_back(all[i]);
  }
  std::string out;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    const bool last = i + 1 == taken.size() && i > 0;
    out += fmt::format("{}\"{}\"", i == 0 ? "" : last ? last_word : ", ", taken[i]);
  }
  return out;
}

std::string hex_text(std::int64_t bits) {
  return fmt::format("\"0x{:016x}\"", static_cast<std::uint64_t>(bits));
}

// Shortest that is read back exactly. TOML tells 1 from 1.0, but the reader does not.
std::string real_text(double real) { return fmt::format("{}", real); }

}  // namespace

std::string to_toml(const ScenarioKey& key, const FileValue& value) {
  switch (key.form) {
    case Form::whole:
      return fmt::format("{}", value.number);
    case Form::seed:
      return value.number < 0 ? hex_text(value.number) : fmt::format("{}", value.number);
    case Form::hash:
      return hex_text(value.number);
    case Form::millionths:
      return decimal_text(value.number);
    case Form::real:
      return real_text(value.real);
    case Form::duration:
      return key.none == value.number ? "\"none\""
                                      : config::quoted(duration_text(Duration(value.number)));
    case Form::word:
      return config::quoted(key.words[static_cast<std::size_t>(value.number)]);
    case Form::flag:
      return value.number != 0 ? "true" : "false";
    case Form::distribution:
    case Form::text:
      return config::quoted(value.text);
    case Form::statements:
    case Form::deviations:
      break;
  }
  return wrapped_list(value.list);
}

std::string range_text(const ScenarioKey& key) {
  switch (key.form) {
    case Form::whole:
      if (key.most == std::numeric_limits<std::int64_t>::max())
        return fmt::format("at least {}", key.least);
      return key.least == key.most ? fmt::format("{}", key.least)
                                   : fmt::format("{} to {}", key.least, key.most);
    case Form::millionths:
      return fmt::format("{} to {}", decimal_text(key.least), decimal_text(key.most));
    case Form::real:
      return fmt::format("{} to {}", key.least, key.most);
    case Form::duration:
      return fmt::format("\"{}\" to \"{}\"{}", duration_text(Duration(key.least)),
                         duration_text(Duration(key.most)), key.none >= 0 ? ", or \"none\"" : "");
    case Form::word:
      return list_of(key.words, ~0U, " or ");
    default:
      return std::string(form_text(key.form));
  }
}

std::string_view form_text(Form form) noexcept {
  switch (form) {
    case Form::whole:
      return "a whole number";
    case Form::seed:
      return "a whole number, or \"0x...\"";
    case Form::hash:
      return "text like \"0x0123456789abcdef\"";
    case Form::millionths:
    case Form::real:
      return "a number";
    case Form::duration:
      return "a duration";
    case Form::distribution:
      return "a distribution";
    case Form::word:
      return "a word";
    case Form::flag:
      return "true or false";
    case Form::text:
      return "text";
    case Form::statements:
      return "a list of statements";
    case Form::deviations:
      break;
  }
  return "a list of deviations";
}

std::string only_text(const ScenarioTable& table, const ScenarioKey& key) {
  if (key.only == 0) return {};
  return list_of(table.find(table.selector)->words, key.only, " or ");
}

std::string scenario_keys_markdown() {
  std::string out;
  for (const ScenarioTable& table : scenario_tables()) {
    out += fmt::format("\n### {}\n\n{}\n\n", table.name.empty() ? "The top" : table.header(),
                       table.doc);
    out += "| key | value | default | meaning |\n|---|---|---|---|\n";
    for (const ScenarioKey& key : table.keys) {
      const auto value = key.access.load == nullptr ? std::nullopt : key.access.load(table.fresh());
      std::string shown = value ? "`" + to_toml(key, *value) + "`" : std::string();
      if (key.required) shown = "*required*";
      const std::string only = only_text(table, key);
      out += fmt::format("| `{}` | {} | {} | {}{} |\n", key.name, range_text(key), shown,
                         only.empty() ? "" : "With " + only + ": ", key.doc);
    }
  }
  return out;
}

}  // namespace weir::sim
