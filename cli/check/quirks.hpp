// SPDX-License-Identifier: MIT
//
// quirks.hpp: how to ask one driver for what every driver can do, in its own language: its SQL, its
// URLs, its options. Read from a TOML file, of which the kit has some built in;
// docs/driver-check.md describes the keys. A rule names the keys that it needs; where one is
// missing the rule is skipped and says so, so that a first file may be short.
//
// Called by: the command, which reads one; the rules, which ask it. Threads: constant once read.
#pragma once

#include <weir/result.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::check {

struct Quirks {
  std::string origin;  // the file, or "built in"
  std::string url;     // for when no --dsn is given; a server's drivers have none
  std::vector<std::pair<std::string, std::string>> options;  // of every source
  std::map<std::string, std::string, std::less<>> sql;       // "select_one" -> its text
  std::map<std::string, std::string, std::less<>> echo;      // type -> a statement that returns ?
  std::map<std::string, std::vector<std::string>, std::less<>> errors;  // kind -> statements
  // URLs that must be refused, by the kind of the refusal.
  std::map<std::string, std::string, std::less<>> refused;
  std::vector<std::string> setup;  // run in the first session of each rule
  std::vector<std::string> clean;  // run before setup where the database outlives a rule

  // A statement; empty if there is none.
  [[nodiscard]] std::string_view statement(std::string_view key) const noexcept;
  // Is there anything under this key: a statement, or a whole table ("echo", "errors")?
  [[nodiscard]] bool has(std::string_view key) const noexcept;
};

// Reads a file's text. The error is one sentence with its place.
[[nodiscard]] tl::expected<Quirks, std::string> parse_quirks(std::string_view text,
                                                             std::string_view origin);
// The built-in ones of a driver of that name.
[[nodiscard]] std::optional<Quirks> builtin_quirks(std::string_view driver);

}  // namespace weir::check
