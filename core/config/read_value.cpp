// SPDX-License-Identifier: MIT
//
// One value of the file: its type, its unit, its range. See reader.hpp.
#include "core/base/duration_text.hpp"
#include "core/base/suggest.hpp"
#include "core/base/text.hpp"
#include "core/config/file_text.hpp"
#include "core/config/reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace weir::config {
namespace {

// " (from environment variable POOL_MAX)": a value that does not stand in the file needs its
// source.
std::string source_of(const Origin& origin) {
  switch (origin.from) {
    case Origin::From::file:
      return {};
    case Origin::From::environment:
      return fmt::format(" (from environment variable `{}`)", origin.name);
    case Origin::From::secret_file:
      return fmt::format(" (from file {})", printable(origin.name));
    case Origin::From::url:
      return fmt::format(" (from the URL parameter `{}`)", origin.name);
  }
  return {};
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// The words that elsewhere mean "never".
bool means_never(std::string_view text) {
  constexpr std::array<std::string_view, 9> words{
      "none", "off", "never", "infinite", "infinity", "unlimited", "disabled", "forever", "no"};
  const std::string lower = lower_case(text);
  return std::find(words.begin(), words.end(), lower) != words.end();
}

std::vector<std::string> split_commas(std::string_view text) {
  std::vector<std::string> words;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    more = comma != std::string_view::npos;
    words.emplace_back(trimmed(text.substr(0, comma)));
    if (more) text.remove_prefix(comma + 1);
  }
  return words;
}

}  // namespace

void Reader::report(const Finding& finding, const Slot& slot, const Input& input) {
  failed(slot);
  report(finding.code, input.origin.place, finding.message + source_of(input.origin), finding.help);
}

void Reader::wrong_type(const Slot& slot, const Input& input, std::string_view expected,
                        std::string label) {
  failed(slot);
  const std::string got =
      input.outside() ? std::string() : fmt::format(", not {}", describe(input.kind));
  report(Code::config_type, input.origin.place,
         fmt::format("`{}` must be {}{}{}", printable(slot.key), expected, got,
                     source_of(input.origin)),
         std::move(label));
}

bool Reader::read_option(const Slot& slot, const Node& node, const Target& target) {
  const auto input = resolve(slot, node);
  if (!input) return false;
  auto value = to_value(slot, *input);
  if (!value) return false;
  if (const auto finding = check_value(*slot.option, *value)) {
    report(*finding, slot, *input);
    return false;
  }
  make_absolute(slot, *value);
  if (const auto finding = check_value(*slot.option, *value)) {  // the whole path may be too long
    report(*finding, slot, *input);
    return false;
  }
  store(*slot.option, *value, target);
  result_.origins[slot.path()] = input->origin;
  return true;
}

std::optional<Value> Reader::to_value(const Slot& slot, const Input& input) {
  switch (slot.option->type) {
    case Type::integer:
      return to_integer(slot, input);
    case Type::duration:
      return to_duration(slot, input);
    case Type::choice:
      return to_choice(slot, input);
    case Type::boolean:
      return to_boolean(slot, input);
    case Type::list:
      return to_list(slot, input);
    case Type::text:
      break;
  }
  if (input.kind != Kind::string) {
    wrong_type(slot, input, "text", "put it in quotes");
    return std::nullopt;
  }
  if (input.text.empty() && slot.option->name != "driver") {
    failed(slot);
    report(Code::config_value, input.origin.place, fmt::format("`{}` is empty", slot.key),
           slot.option->required ? "" : "remove the line if it is not needed");
    return std::nullopt;
  }
  return Value{0, input.text, {}};
}

std::optional<Value> Reader::to_integer(const Slot& slot, const Input& input) {
  const std::string_view word = slot.option->word;
  // The word is written as a word, or not at all.
  const auto of_number = [&](std::int64_t number) {
    return Value{!word.empty() && number == word_value ? slot.option->most + 1 : number, {}, {}};
  };
  if (input.kind == Kind::integer) return of_number(input.integer);
  if (input.kind == Kind::string) {
    const auto number = whole_number(input.text);
    if (!word.empty() && input.text == word) return Value{word_value, {}, {}};
    if (number && input.outside()) return of_number(*number);
    if (number && !input.outside()) {
      wrong_type(slot, input, "a whole number", fmt::format("write {} without quotes", *number));
      return std::nullopt;
    }
  }
  wrong_type(slot, input, "a whole number",
             input.outside() ? std::string()
                             : fmt::format("write a number from {}", range_text(*slot.option)));
  return std::nullopt;
}

std::optional<Value> Reader::to_duration(const Slot& slot, const Input& input) {
  const Option& option = *slot.option;
  if (input.kind == Kind::integer) {
    failed(slot);
    std::string label;
    if (input.integer > 0)
      label =
          fmt::format("write \"{}\"?", duration_guesses(static_cast<std::uint64_t>(input.integer)));
    else if (input.integer == 0 && option.zero && !option.none.empty())
      label = fmt::format("write \"0s\" or \"{}\"?", option.none);
    else if (input.integer == 0 && !option.none.empty())
      label = fmt::format("write \"{}\" to turn it off", option.none);
    else
      label = fmt::format("write {}", range_text(option));
    report(Code::config_type, input.origin.place, fmt::format("`{}` needs a unit", slot.key),
           std::move(label));
    return std::nullopt;
  }
  if (input.kind != Kind::string) {
    wrong_type(slot, input, "a duration",
               option.none.empty() ? "write it like \"10s\""
                                   : fmt::format("write it like \"10s\", or \"{}\"", option.none));
    return std::nullopt;
  }
  if (!option.none.empty() && input.text == option.none) return Value{no_timeout.count(), {}, {}};
  if (means_never(input.text)) {
    failed(slot);
    report(Code::config_value, input.origin.place,
           fmt::format(
               "`{}` {}", slot.key,
               option.none.empty() ? "cannot be turned off" : "is turned off by another word") +
               source_of(input.origin),
           fmt::format("write {}", option.none.empty() ? range_text(option)
                                                       : fmt::format("\"{}\"", option.none)));
    return std::nullopt;
  }
  const auto duration = parse_duration(input.text);
  if (duration) return Value{duration->count(), {}, {}};
  failed(slot);
  // A suggestion repeats digits of the text, and text from elsewhere is never repeated.
  const bool suggest = !duration.error().suggestion.empty() && !input.outside();
  report(Code::config_type, input.origin.place,
         fmt::format("`{}`: {}{}", slot.key, duration.error().reason, source_of(input.origin)),
         suggest ? fmt::format("write \"{}\"?", duration.error().suggestion) : "");
  return std::nullopt;
}

std::optional<Value> Reader::to_choice(const Slot& slot, const Input& input) {
  const Option& option = *slot.option;
  std::string_view word = input.text;
  if (!option.if_true.empty()) {
    if (input.kind == Kind::boolean) word = input.boolean ? option.if_true : option.if_false;
    if (input.outside() && word == "true") word = option.if_true;
    if (input.outside() && word == "false") word = option.if_false;
  }
  const bool has_word =
      input.kind == Kind::string || (input.kind == Kind::boolean && !option.if_true.empty());
  if (!has_word) {
    wrong_type(slot, input, range_text(option));
    return std::nullopt;
  }
  const auto found = std::find(option.choices.begin(), option.choices.end(), word);
  if (found != option.choices.end()) return Value{found - option.choices.begin(), {}, {}};
  failed(slot);
  const std::string_view near = nearest(word, option.choices);
  report(Code::config_value, input.origin.place,
         fmt::format("`{}` must be {}{}", slot.key, range_text(option), source_of(input.origin)),
         near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
  return std::nullopt;
}

std::optional<Value> Reader::to_boolean(const Slot& slot, const Input& input) {
  if (input.kind == Kind::boolean) return Value{input.boolean ? 1 : 0, {}, {}};
  const bool is_true = input.text == "true";
  if (input.outside() && (is_true || input.text == "false")) return Value{is_true ? 1 : 0, {}, {}};
  const bool word = input.kind == Kind::string && (is_true || input.text == "false");
  wrong_type(slot, input, "true or false", word ? "remove the quotes" : "");
  return std::nullopt;
}

std::optional<Value> Reader::to_list(const Slot& slot, const Input& input) {
  const Option& option = *slot.option;
  Value value;
  std::vector<Input> items;
  if (input.kind == Kind::array) {
    for (const Node& node : *input.items) {
      auto item = resolve(slot, node);
      if (!item) return std::nullopt;
      items.push_back(std::move(*item));
    }
  } else if (input.outside()) {
    // A statement may hold commas; the other lists are of names.
    const bool whole = option.name == "init_sql";
    for (std::string& word : whole ? std::vector{input.text} : split_commas(input.text)) {
      items.push_back(input);
      items.back().text = std::move(word);
    }
  } else {
    wrong_type(slot, input, range_text(option),
               input.kind == Kind::string ? "put it in brackets: [\"…\"]" : "");
    return std::nullopt;
  }
  for (const Input& item : items) {
    const bool right =
        item.kind == Kind::string &&
        (option.choices.empty() || std::find(option.choices.begin(), option.choices.end(),
                                             item.text) != option.choices.end());
    if (!right) {
      failed(slot);
      const std::string_view near = nearest(item.text, option.choices);
      report(item.kind == Kind::string ? Code::config_value : Code::config_type, item.origin.place,
             fmt::format("an element of `{}` must be {}{}", slot.key, element_text(option),
                         source_of(item.origin)),
             near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
      return std::nullopt;
    }
    value.list.push_back(item.text);
  }
  return value;
}

void Reader::make_absolute(const Slot& slot, Value& value) const {
  const std::string& base = result_.config.base_dir;
  if (slot.option->scope == Scope::drivers && slot.key == "search") {
    for (std::string& path : value.list) path = absolute_path(base, path);
  }
  if (slot.option->scope == Scope::admin ||
      (slot.option->scope == Scope::pin && slot.key == "path"))
    value.text = absolute_path(base, value.text);
}

}  // namespace weir::config
