// SPDX-License-Identifier: MIT
#include "sim/explore/scenario_convert.hpp"

#include "core/base/duration_text.hpp"
#include "core/base/suggest.hpp"
#include "core/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace weir::sim {
namespace {

using config::Kind;
using config::Node;
using Answer = std::variant<FileValue, ValueProblem>;

Answer number(std::int64_t n) { return FileValue{n, 0, {}, {}}; }

ValueProblem wrong_type(const ScenarioKey& key, const Node& node, std::string label = {}) {
  return {
      Code::config_type,
      fmt::format("`{}` must be {}, not {}", key.name, form_text(key.form), describe(node.kind)),
      std::move(label)};
}

ValueProblem bad_value(std::string message, std::string label = {}) {
  return {Code::config_value, std::move(message), std::move(label)};
}

ValueProblem out_of_range(const ScenarioKey& key) {
  return bad_value(fmt::format("`{}` must be {}", key.name, range_text(key)));
}

bool within(const ScenarioKey& key, std::int64_t n) { return key.least <= n && n <= key.most; }

Answer to_whole(const ScenarioKey& key, const Node& node) {
  const bool digits =
      !node.text.empty() && std::all_of(node.text.begin(), node.text.end(), is_digit);
  if (node.kind == Kind::string && digits)
    return wrong_type(key, node, fmt::format("write {} without quotes", node.text));
  if (node.kind != Kind::integer) return wrong_type(key, node);
  if (!within(key, node.integer)) return out_of_range(key);
  return number(node.integer);
}

// 64 bits: as a number where TOML has it, else as "0x...".
Answer to_bits(const ScenarioKey& key, const Node& node) {
  if (node.kind == Kind::integer && node.integer >= 0) return number(node.integer);
  if (node.kind == Kind::integer)
    return bad_value(fmt::format("`{}` cannot be negative", key.name));
  if (node.kind != Kind::string) return wrong_type(key, node);
  std::string_view digits = node.text;
  std::uint64_t bits = 0;
  const bool marked = digits.starts_with("0x");
  if (marked) digits.remove_prefix(2);
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, bits, 16);
  if (!marked || error != std::errc() || stop != end)
    return bad_value(fmt::format("`{}` must be {}", key.name, form_text(key.form)),
                     "0x and up to 16 hexadecimal digits");
  return number(static_cast<std::int64_t>(bits));
}

Answer to_real(const ScenarioKey& key, const Node& node) {
  if (node.kind != Kind::integer && node.kind != Kind::real) return wrong_type(key, node);
  const double real = node.kind == Kind::real ? node.real : static_cast<double>(node.integer);
  const double scale = key.form == Form::millionths ? 1e6 : 1;
  const bool fits = real * scale >= static_cast<double>(key.least) &&
                    real * scale <= static_cast<double>(key.most);
  if (!fits) return out_of_range(key);  // nor does a NaN
  if (key.form == Form::real) return FileValue{0, real, {}, {}};
  const double millionths = std::round(real * scale);
  if (std::abs(real * scale - millionths) > 1e-3)
    return bad_value(fmt::format("`{}` has more than six digits after the point", key.name));
  return number(static_cast<std::int64_t>(millionths));
}

// A number where text with a unit belongs.
ValueProblem needs_unit(const ScenarioKey& key, const Node& node) {
  std::string label;
  if (node.integer >= 0)
    label =
        fmt::format("write \"{}\"?", duration_guesses(static_cast<std::uint64_t>(node.integer)));
  return {Code::config_type, fmt::format("`{}` needs a unit", key.name), std::move(label)};
}

Answer to_duration(const ScenarioKey& key, const Node& node) {
  if (node.kind == Kind::integer) return needs_unit(key, node);
  if (node.kind != Kind::string) return wrong_type(key, node, "write it like \"10s\"");
  if (node.text == "none") {
    if (key.none >= 0) return number(key.none);
    return bad_value(fmt::format("`{}` cannot be turned off", key.name),
                     "write " + range_text(key));
  }
  const auto duration = parse_duration(node.text);
  if (!duration) {
    const std::string& suggestion = duration.error().suggestion;
    return ValueProblem{Code::config_type,
                        fmt::format("`{}`: {}", key.name, duration.error().reason),
                        suggestion.empty() ? "" : fmt::format("write \"{}\"?", suggestion)};
  }
  if (!within(key, duration->count())) return out_of_range(key);
  return number(duration->count());
}

Answer to_distribution(const ScenarioKey& key, const Node& node) {
  if (node.kind == Kind::integer) return needs_unit(key, node);
  if (node.kind != Kind::string) return wrong_type(key, node, "write it like \"exp(5ms)\"");
  const auto read = Distribution::parse(node.text);
  if (read) return FileValue{0, 0, node.text, {}};
  std::string reason = printable(read.error());
  reason = reason.substr(0, reason.find("; known are "));
  const std::string_view text = trimmed(node.text);
  const std::string_view word = text.substr(0, text.find('('));
  const std::vector<std::string_view> names = Distribution::names();
  const bool known = std::find(names.begin(), names.end(), word) != names.end();
  const std::string_view near = known || word == text ? "" : nearest(word, names);
  return bad_value(fmt::format("`{}`: {}", key.name, reason),
                   near.empty() ? "" : fmt::format("did you mean `{}`?", near));
}

Answer to_word(const ScenarioKey& key, const Node& node) {
  if (node.kind != Kind::string) return wrong_type(key, node, "it is " + range_text(key));
  const auto found = std::find(key.words.begin(), key.words.end(), node.text);
  if (found != key.words.end()) return number(found - key.words.begin());
  const std::string_view near = nearest(node.text, key.words);
  return bad_value(fmt::format("`{}` must be {}", key.name, range_text(key)),
                   near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
}

// What is wrong with an element of a list; empty if nothing.
std::string_view fault_of(const ScenarioKey& key, const Node& item) {
  Deviation ignored;
  if (item.kind != Kind::string) return "must be text";
  if (key.form == Form::statements && trimmed(item.text).empty()) return "is empty";
  if (key.form == Form::deviations && !parse(item.text, ignored))
    return "must be like \"3.17p5\": a thread, its step, one of p n w s, and what was chosen";
  return {};
}

Answer to_list(const ScenarioKey& key, const Node& node) {
  if (node.kind != Kind::array)
    return wrong_type(key, node, node.kind == Kind::string ? "put it in brackets: [\"…\"]" : "");
  FileValue value;
  for (const Node& item : node.items) {
    if (const std::string_view fault = fault_of(key, item); !fault.empty())
      return ValueProblem{item.kind == Kind::string ? Code::config_value : Code::config_type,
                          fmt::format("an element of `{}` {}", key.name, fault),
                          {},
                          item.place};
    value.list.push_back(item.text);
  }
  return value;
}

}  // namespace

std::variant<FileValue, ValueProblem> convert(const ScenarioKey& key, const Node& node) {
  switch (key.form) {
    case Form::whole:
      return to_whole(key, node);
    case Form::seed:
    case Form::hash:
      return to_bits(key, node);
    case Form::millionths:
    case Form::real:
      return to_real(key, node);
    case Form::duration:
      return to_duration(key, node);
    case Form::distribution:
      return to_distribution(key, node);
    case Form::word:
      return to_word(key, node);
    case Form::flag:
      if (node.kind != Kind::boolean)
        return wrong_type(key, node,
                          node.text == "true" || node.text == "false" ? "remove the quotes" : "");
      return number(node.boolean ? 1 : 0);
    case Form::text:
      if (node.kind != Kind::string) return wrong_type(key, node, "put it in quotes");
      return FileValue{0, 0, node.text, {}};
    case Form::statements:
    case Form::deviations:
      break;
  }
  return to_list(key, node);
}

}  // namespace weir::sim
