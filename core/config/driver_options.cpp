// SPDX-License-Identifier: MIT
#include "core/config/driver_options.hpp"

#include "core/base/duration_text.hpp"
#include "core/base/suggest.hpp"
#include "core/base/text.hpp"
#include "core/config/redact.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace weir::config {
namespace {

struct Fault {
  Code code;
  std::string text;
};

// The driver's declaration, read by its stride and only as far as each element says it goes.
std::vector<weir_option_spec> specs_of(const weir_info& info) {
  std::vector<weir_option_spec> specs;
  if (info.options == nullptr) return specs;
  const auto* bytes = reinterpret_cast<const unsigned char*>(info.options);
  const std::size_t stride =
      info.option_stride != 0 ? info.option_stride : sizeof(weir_option_spec);
  for (std::uint32_t i = 0; i < info.option_count; ++i) {
    const unsigned char* at = bytes + i * stride;
    std::uint32_t size = 0;
    std::memcpy(&size, at, sizeof size);
    if (size == 0) size = static_cast<std::uint32_t>(sizeof(weir_option_spec));
    weir_option_spec spec{};
    std::memcpy(&spec, at, std::min({sizeof spec, stride, static_cast<std::size_t>(size)}));
    if (spec.key != nullptr && *spec.key != '\0') specs.push_back(spec);
  }
  return specs;
}

std::vector<std::string_view> words_of(const weir_option_spec& spec) {
  std::vector<std::string_view> words;
  std::string_view rest = spec.choices != nullptr ? spec.choices : "";
  while (!rest.empty()) {
    const std::size_t bar = rest.find('|');
    words.push_back(rest.substr(0, bar));
    rest = bar == std::string_view::npos ? std::string_view() : rest.substr(bar + 1);
  }
  return words;
}

std::string choices_text(const std::vector<std::string_view>& words) {
  std::string out;
  for (const std::string_view word : words)
    out += fmt::format("{}\"{}\"", out.empty() ? "" : (word == words.back() ? " or " : ", "), word);
  return out;
}

Fault type_fault(std::string_view key, std::string_view what, const std::string& help = {}) {
  return {Code::config_type, fmt::format("`{}` must be {}{}", key, what,
                                         help.empty() ? "" : fmt::format("; {}", help))};
}

tl::expected<std::string, Fault> to_integer(std::string_view key, const std::string& text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || text.empty())
    return tl::unexpected(type_fault(key, "a whole number"));
  return fmt::format("{}", number);
}

tl::expected<std::string, Fault> to_duration(std::string_view key, const std::string& text,
                                             bool secret) {
  const auto duration = parse_duration(text);
  if (duration) return fmt::format("{}", duration->count());
  const std::string& suggestion = duration.error().suggestion;
  const bool suggest = !secret && !suggestion.empty();
  return tl::unexpected(Fault{
      Code::config_type, fmt::format("`{}`: {}{}", key, duration.error().reason,
                                     suggest ? fmt::format("; write \"{}\"?", suggestion) : "")});
}

tl::expected<std::string, Fault> to_choice(std::string_view key, const std::string& text,
                                           const weir_option_spec& spec) {
  const std::vector<std::string_view> words = words_of(spec);
  if (std::find(words.begin(), words.end(), text) != words.end()) return text;
  const std::string_view near = nearest(text, words);
  return tl::unexpected(
      Fault{Code::config_value,
            fmt::format("`{}` must be {}{}", key, choices_text(words),
                        near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near))});
}

// A value as the user wrote it -> as the driver wants it.
tl::expected<std::string, Fault> converted(const weir_option_spec& spec, const std::string& text) {
  const std::string_view key = spec.key;
  if (text.find('\0') != std::string::npos)
    return tl::unexpected(
        Fault{Code::config_value, fmt::format("`{}` contains a NUL character", key)});
  switch (spec.type) {
    case WEIR_OPT_INTEGER:
      return to_integer(key, text);
    case WEIR_OPT_BOOLEAN:
      if (text == "true" || text == "false") return text;
      return tl::unexpected(type_fault(key, "true or false"));
    case WEIR_OPT_DURATION:
      return to_duration(key, text, (spec.flags & WEIR_OPT_SECRET) != 0);
    case WEIR_OPT_CHOICE:
      return to_choice(key, text, spec);
    default:
      return text;  // WEIR_OPT_STRING, and types of a later ABI, which the driver checks
  }
}

Fault unknown_option(std::string_view key, std::string_view driver,
                     const std::vector<weir_option_spec>& specs) {
  std::vector<std::string_view> names;
  names.reserve(specs.size());
  for (const weir_option_spec& spec : specs) names.emplace_back(spec.key);
  const std::string_view near = nearest(key, names);
  std::string text = fmt::format("driver {} has no option `{}`", driver, printable(key));
  if (!near.empty()) {
    text += fmt::format("; did you mean `{}`?", near);
  } else if (names.empty()) {
    text += "; it has none at all";
  } else {
    text += "; it has ";
    for (const std::string_view name : names)
      text += fmt::format("{}`{}`", name == names.front() ? "" : ", ", name);
  }
  return {Code::config_unknown_key, std::move(text)};
}

Error to_error(const std::vector<Fault>& faults, const DriverOptionContext& context) {
  std::string prefix;
  if (!context.file.empty()) prefix = printable(context.file) + ": ";
  prefix += fmt::format("[pool.{}.options]: ", printable(context.pool));
  std::string message;
  for (const Fault& fault : faults)
    message += fmt::format("{}{}{}", message.empty() ? "" : "\n", prefix, fault.text);
  return Error(faults.size() == 1 ? faults.front().code : Code::config_many, std::move(message));
}

}  // namespace

Result<std::vector<DriverOption>> check_driver_options(const std::vector<DriverOption>& options,
                                                       const weir_info& info,
                                                       const DriverOptionContext& context) {
  const std::vector<weir_option_spec> specs = specs_of(info);
  const std::string_view driver = info.name != nullptr ? info.name : "";
  std::vector<Fault> faults;
  std::vector<DriverOption> checked;
  std::vector<std::string_view> seen;

  for (const DriverOption& option : options) {
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&](const weir_option_spec& s) { return option.key == s.key; });
    if (std::find(seen.begin(), seen.end(), option.key) != seen.end()) {
      faults.push_back(
          {Code::config_conflict, fmt::format("`{}` is given twice", printable(option.key))});
      continue;
    }
    seen.push_back(option.key);
    if (spec == specs.end()) {
      faults.push_back(unknown_option(option.key, driver, specs));
    } else if (auto value = converted(*spec, option.value.reveal())) {
      checked.push_back({option.key, Secret(std::move(*value))});
    } else {
      faults.push_back(std::move(value.error()));
    }
  }

  for (const weir_option_spec& spec : specs) {
    if (std::find(seen.begin(), seen.end(), spec.key) != seen.end()) continue;
    if ((spec.flags & WEIR_OPT_REQUIRED) != 0) {
      faults.push_back(
          {Code::config_missing, fmt::format("driver {} needs the option `{}`", driver, spec.key)});
    } else if (spec.default_value != nullptr) {
      auto value = converted(spec, spec.default_value);
      if (!value)
        return fail(Code::driver_invalid,
                    fmt::format("driver {} declares a wrong default of its option: {}", driver,
                                value.error().text));
      checked.push_back({spec.key, Secret(std::move(*value))});
    }
  }
  if (!faults.empty()) return fail(to_error(faults, context));
  std::sort(checked.begin(), checked.end(),
            [](const DriverOption& a, const DriverOption& b) { return a.key < b.key; });
  return checked;
}

std::string option_type_text(const weir_option_spec& spec) {
  switch (spec.type) {
    case WEIR_OPT_INTEGER:
      return "whole number";
    case WEIR_OPT_BOOLEAN:
      return "true | false";
    case WEIR_OPT_DURATION:
      return "duration";
    case WEIR_OPT_CHOICE: {
      std::string out;
      for (const std::string_view word : words_of(spec))
        out += fmt::format("{}{}", out.empty() ? "" : " | ", word);
      return out;
    }
    default:
      return "text";
  }
}

}  // namespace weir::config
