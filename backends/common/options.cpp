// SPDX-License-Identifier: MIT
#include "backends/common/options.hpp"

#include <charconv>

namespace weir::backend {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
constexpr Unit units[] = {{"", 1},
                          {"ns", 1},
                          {"us", 1'000},
                          {"ms", 1'000'000},
                          {"s", 1'000'000'000},
                          {"m", 60'000'000'000},
                          {"h", 3'600'000'000'000}};

const weir_option_spec* find(const weir_option_spec* specs, std::size_t count,
                             std::string_view key) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    if (key == specs[i].key) return &specs[i];
  }
  return nullptr;
}

bool is_choice(std::string_view choices, std::string_view value) noexcept {
  while (!choices.empty()) {
    const std::size_t bar = choices.find('|');
    if (choices.substr(0, bar) == value) return true;
    choices = bar == std::string_view::npos ? "" : choices.substr(bar + 1);
  }
  return false;
}

// Empty if the value has the type, else what it must be.
std::string_view complaint(const weir_option_spec& spec, std::string_view value) noexcept {
  if (value.find('\0') != std::string_view::npos) return "text without a NUL byte";
  switch (spec.type) {
    case WEIR_OPT_INTEGER:
      return parse_integer(value) ? "" : "a whole number";
    case WEIR_OPT_BOOLEAN:
      return parse_boolean(value) ? "" : "true or false";
    case WEIR_OPT_DURATION:
      return parse_duration(value) ? "" : "a duration, for example 250ms or 5s";
    case WEIR_OPT_CHOICE:
      return is_choice(spec.choices, value) ? "" : spec.choices;
    default:
      return "";
  }
}

weir_status unknown(const weir_option_spec* specs, std::size_t count, std::string_view key,
                    weir_error* error) noexcept {
  char known[512];
  std::size_t size = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view name = specs[i].key;
    if (size + name.size() + 2 > sizeof known) break;
    if (i > 0) size += std::string_view(", ").copy(known + size, 2);
    size += name.copy(known + size, name.size());
  }
  return fail(error, {.kind = WEIR_E_CONFIG},
              {"unknown option '", key, "'; this driver knows ", {known, size}});
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, value);
  if (ec != std::errc{} || at != end || text.empty()) return std::nullopt;
  return value;
}

std::optional<bool> parse_boolean(std::string_view text) noexcept {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_duration(std::string_view text) noexcept {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, ec] = std::from_chars(text.data(), end, value);
  if (ec != std::errc{} || text.empty() || value < 0) return std::nullopt;
  const std::string_view name{at, static_cast<std::size_t>(end - at)};
  for (const Unit& unit : units) {
    if (name == unit.name && value <= INT64_MAX / unit.ns) return value * unit.ns;
  }
  return std::nullopt;
}

weir_status check_options(const weir_source_args& args, const weir_option_spec* specs,
                          std::size_t spec_count, weir_error* error) noexcept {
  for (std::size_t i = 0; i < args.option_count; ++i) {
    const std::string_view key = view(args.options[i].key);
    const std::string_view value = view(args.options[i].value);
    const weir_option_spec* spec = find(specs, spec_count, key);
    if (spec == nullptr) return unknown(specs, spec_count, key, error);
    for (std::size_t j = 0; j < i; ++j) {
      if (view(args.options[j].key) == key) {
        return fail(error, {.kind = WEIR_E_CONFIG}, {"option '", key, "' is given twice"});
      }
    }
    const std::string_view wanted = complaint(*spec, value);
    if (wanted.empty()) continue;
    const bool secret = (spec->flags & WEIR_OPT_SECRET) != 0;
    return fail(error, {.kind = WEIR_E_CONFIG},
                {"option '", key, "' is ", secret ? "not usable" : value, "; it must be ", wanted});
  }
  return WEIR_OK;
}

std::string_view option_value(const weir_source_args& args, const weir_option_spec* specs,
                              std::size_t spec_count, std::string_view key) noexcept {
  for (std::size_t i = 0; i < args.option_count; ++i) {
    if (view(args.options[i].key) == key) return view(args.options[i].value);
  }
  const weir_option_spec* spec = find(specs, spec_count, key);
  return spec == nullptr || spec->default_value == nullptr ? "" : spec->default_value;
}

}  // namespace weir::backend
