// SPDX-License-Identifier: MIT
//
// A TOML file as a plain tree with places. The parser of the configuration reads this and never
// sees toml++, which is included in one source file only (it costs seconds to compile).
//
// Shape: tables keep their entries in the order of the file, so that errors come out in that order.
// Place: 1-based; columns count code points; the end is one past the last character.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace weir::config {

struct Place {
  std::uint32_t line = 0;  // 0: nowhere in the file
  std::uint32_t column = 0;
  std::uint32_t end_line = 0;
  std::uint32_t end_column = 0;
};

enum class Kind : std::uint8_t { table, array, string, integer, real, boolean, time };

// "text", "a whole number" ...: how a message names a kind.
[[nodiscard]] std::string_view describe(Kind kind) noexcept;

struct Entry;

struct Node {
  Kind kind = Kind::table;
  bool is_inline = false;  // of a table: { ... } on the right-hand side
  bool boolean = false;
  Place place;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<Entry> entries;  // of a table
  std::vector<Node> items;     // of an array

  [[nodiscard]] const Entry* find(std::string_view key) const noexcept;
};

struct Entry {
  std::string key;
  Place key_place;
  Node value;
};

inline constexpr const char* text_without_quotes = "this is no value";
inline constexpr const char* unclosed_quote = "a quote is not closed";

struct SyntaxError {
  std::string reason;  // quotes nothing of the file but keys
  Place place;
};

// Reads one file. Bounded: nesting deeper than any configuration needs is a syntax error, since the
// library recurses.
[[nodiscard]] tl::expected<Node, SyntaxError> read_toml(std::string_view text);

}  // namespace weir::config
