// SPDX-License-Identifier: MIT
#include "core/base/duration_text.hpp"

#include "core/base/text.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace weir {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr std::array<Unit, 6> units{{{"h", 3'600'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"s", 1'000'000'000},
                                     {"ms", 1'000'000},
                                     {"us", 1'000},
                                     {"ns", 1}}};

// How other systems spell them. Days and weeks are answered in hours: a day is not always 24 h to
// everybody, so Weir does not say "d".
struct ForeignUnit {
  std::string_view name;
  std::string_view unit;
  std::uint64_t factor;
};
constexpr ForeignUnit foreign_units[] = {
    {"sec", "s", 1},     {"secs", "s", 1},          {"second", "s", 1},
    {"seconds", "s", 1}, {"min", "m", 1},           {"mins", "m", 1},
    {"minute", "m", 1},  {"minutes", "m", 1},       {"hr", "h", 1},
    {"hrs", "h", 1},     {"hour", "h", 1},          {"hours", "h", 1},
    {"d", "h", 24},      {"day", "h", 24},          {"days", "h", 24},
    {"w", "h", 168},     {"week", "h", 168},        {"weeks", "h", 168},
    {"msec", "ms", 1},   {"msecs", "ms", 1},        {"milli", "ms", 1},
    {"millis", "ms", 1}, {"millisecond", "ms", 1},  {"milliseconds", "ms", 1},
    {"usec", "us", 1},   {"\xc2\xb5s", "us", 1},    {"\xce\xbcs", "us", 1},
    {"micros", "us", 1}, {"microseconds", "us", 1}, {"nsec", "ns", 1},
    {"nanos", "ns", 1},  {"nanoseconds", "ns", 1},
};

const Unit* unit_of(std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

std::optional<std::uint64_t> whole_number(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - at;
}

// "1.5s" -> "1500ms": the value in the largest unit that makes it whole.
std::string without_fraction(std::uint64_t whole, std::string_view fraction, const Unit& unit) {
  if (fraction.size() > 9) return {};
  std::int64_t scale = 1;
  for (std::size_t i = 0; i < fraction.size(); ++i) scale *= 10;
  const auto part = whole_number(fraction);
  if (!part || whole > 1'000'000 || unit.nanoseconds % scale != 0) return {};
  const std::int64_t total = static_cast<std::int64_t>(whole) * unit.nanoseconds +
                             static_cast<std::int64_t>(*part) * (unit.nanoseconds / scale);
  return duration_text(Duration(total));
}

// What a text that is no duration was probably meant to be; empty if nothing comes to mind.
std::string correction(std::string_view text) {
  text = trimmed(text);
  const std::size_t digits = digits_at(text, 0);
  const auto number = whole_number(text.substr(0, digits));
  if (digits == 0 || !number) return {};
  std::string_view rest = text.substr(digits);
  if (rest.empty()) return duration_guesses(*number);
  std::string_view fraction;
  if (rest.front() == '.') {
    fraction = rest.substr(1, digits_at(rest, 1));
    rest.remove_prefix(1 + fraction.size());
    if (fraction.empty()) return {};
  }
  const std::string word = lower_case(trimmed(rest));
  const Unit* unit = unit_of(word);
  std::uint64_t factor = 1;
  for (const ForeignUnit& foreign : foreign_units) {
    if (foreign.name == word) unit = unit_of(foreign.unit), factor = foreign.factor;
  }
  if (unit == nullptr || *number > 1'000'000'000) return {};
  if (fraction.empty()) return fmt::format("{}{}", *number * factor, unit->name);
  return factor == 1 ? without_fraction(*number, fraction, *unit) : std::string();
}

tl::unexpected<DurationProblem> problem(std::string reason, std::string_view text) {
  return tl::unexpected(DurationProblem{std::move(reason), correction(text)});
}

}  // namespace

tl::expected<Duration, DurationProblem> parse_duration(std::string_view text) {
  if (text.empty()) return problem("a duration may not be empty", text);
  if (text.front() == '-') return problem("a duration may not be negative", {});
  std::int64_t total = 0;
  std::int64_t previous = std::numeric_limits<std::int64_t>::max();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t digits = digits_at(text, at);
    if (digits == 0) return problem("a duration is a whole number and a unit, like 10s", text);
    const auto number = whole_number(text.substr(at, digits));
    at += digits;
    std::size_t end = at;
    while (end < text.size() && !is_digit(text[end])) ++end;
    const std::string_view name = text.substr(at, end - at);
    at = end;
    if (name.empty()) return problem("a duration needs a unit", text);
    if (name.front() == '.') return problem("a duration is written without a fraction", text);
    const Unit* unit = unit_of(name);
    if (unit == nullptr) return problem("the units are ns, us, ms, s, m and h", text);
    if (unit->nanoseconds >= previous)
      return problem("the units of a duration go from large to small, each once", {});
    previous = unit->nanoseconds;
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() - 1;  // max is "none"
    if (!number || *number > static_cast<std::uint64_t>((most - total) / unit->nanoseconds))
      return problem("a duration can be 292 years at most", {});
    total += static_cast<std::int64_t>(*number) * unit->nanoseconds;
  }
  return Duration(total);
}

std::string duration_text(Duration duration) {
  if (duration == no_timeout) return "none";
  std::int64_t left = duration.count();
  if (left == 0) return "0s";
  std::string out;
  for (const Unit& unit : units) {
    const std::int64_t count = left / unit.nanoseconds;
    left %= unit.nanoseconds;
    if (count != 0) out += fmt::format("{}{}", count, unit.name);
  }
  return out;
}

std::string duration_guesses(std::uint64_t number) {
  if (number == 0) return "0s";
  const std::string seconds = fmt::format("{}s", number);
  const std::string millis = fmt::format("{}ms", number);
  // Nobody waits for 1000 s, and few for less than 100 ms.
  return number < 1000 ? seconds + "\" or \"" + millis : millis + "\" or \"" + seconds;
}

}  // namespace weir
