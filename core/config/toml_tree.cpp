// SPDX-License-Identifier: MIT
#include "core/config/toml_tree.hpp"

#include "core/base/text.hpp"
#include "core/config/toml_scan.hpp"

#if __has_include(<toml++/toml.hpp>)
#include <toml++/toml.hpp>
#else
#include <toml++/toml.h>
#endif

#include <algorithm>
#include <tuple>

namespace weir::config {
namespace {

Place place_of(const toml::source_region& region) {
  return {region.begin.line, region.begin.column, region.end.line, region.end.column};
}

bool earlier(const Entry& a, const Entry& b) {
  return std::tie(a.key_place.line, a.key_place.column) <
         std::tie(b.key_place.line, b.key_place.column);
}

Node convert(const toml::node& from) {
  Node to;
  to.place = place_of(from.source());
  if (const auto* table = from.as_table()) {
    to.kind = Kind::table;
    to.is_inline = table->is_inline();
    for (const auto& [key, value] : *table)
      to.entries.push_back({std::string(key.str()), place_of(key.source()), convert(value)});
    std::sort(to.entries.begin(), to.entries.end(), earlier);
  } else if (const auto* array = from.as_array()) {
    to.kind = Kind::array;
    for (const toml::node& item : *array) to.items.push_back(convert(item));
  } else if (const auto* text = from.as_string()) {
    to.kind = Kind::string;
    to.text = text->get();
  } else if (const auto* integer = from.as_integer()) {
    to.kind = Kind::integer;
    to.integer = integer->get();
  } else if (const auto* boolean = from.as_boolean()) {
    to.kind = Kind::boolean;
    to.boolean = boolean->get();
  } else if (const auto* real = from.as_floating_point()) {
    to.kind = Kind::real;
    to.real = real->get();
  } else {
    to.kind = Kind::time;
  }
  return to;
}

// The library's words, without what they quote of the file: that may be part of a password. Keys
// are quoted by the "redefine" messages only, and keys are no secrets.
std::string reason_of(std::string_view description, bool at_line_end) {
  constexpr std::string_view prefix = "Error while parsing ";
  if (description.starts_with(prefix)) description.remove_prefix(prefix.size());
  // The usual mistakes, in words that lead to their cause.
  const auto has = [&](std::string_view words) {
    return description.find(words) != std::string_view::npos;
  };
  const bool in_string = has("string: ");
  if (in_string && (has("end-of-file") || (at_line_end && has("control characters"))))
    return unclosed_quote;
  if (has("could not determine value type") || description.starts_with("boolean: ") ||
      description.starts_with("floating-point: expected") || has("begin with underscores"))
    return text_without_quotes;
  if (description.find("redefine") != std::string_view::npos) return printable(description);
  std::string out;
  for (std::size_t at = 0; at < description.size();) {
    const std::size_t open = description.find('\'', at);
    const std::size_t close =
        open == std::string_view::npos ? open : description.find('\'', open + 1);
    if (close == std::string_view::npos) {
      out += description.substr(at);
      break;
    }
    out += description.substr(at, open - at);
    // One character, or an escape of one: '=', '\n'.
    const bool short_one =
        close - open <= 2 || (close - open == 3 && description[open + 1] == '\\');
    out += short_one ? description.substr(open, close - open + 1) : "'\xe2\x80\xa6'";
    at = close + 1;
  }
  return printable(out);
}

bool column_is_past_end(std::string_view text, const Place& place) {
  const std::vector<LineInfo> lines = scan_lines(text);
  if (place.line == 0 || place.line > lines.size()) return true;
  const std::string_view line = lines[place.line - 1].text;
  std::uint32_t columns = 0;
  for (std::size_t at = 0; at < line.size(); ++columns)
    at += std::max<std::size_t>(utf8_length(line, at), 1);
  return place.column > columns;
}

}  // namespace

std::string_view describe(Kind kind) noexcept {
  switch (kind) {
    case Kind::table:
      return "a table";
    case Kind::array:
      return "a list";
    case Kind::string:
      return "text";
    case Kind::integer:
      return "a whole number";
    case Kind::real:
      return "a number with a fraction";
    case Kind::boolean:
      return "true or false";
    case Kind::time:
      return "a date or time";
  }
  return "something else";
}

const Entry* Node::find(std::string_view key) const noexcept {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

tl::expected<Node, SyntaxError> read_toml(std::string_view text) {
  if (const std::uint32_t line = too_deep(text); line != 0)
    return tl::unexpected(SyntaxError{"nested too deeply", {line, 1, line, 2}});
  try {
    return convert(toml::parse(text, std::string_view()));
  } catch (const toml::parse_error& error) {
    const Place place = place_of(error.source());
    const bool at_end = column_is_past_end(text, place);
    return tl::unexpected(SyntaxError{reason_of(error.description(), at_end), place});
  }
}

}  // namespace weir::config
