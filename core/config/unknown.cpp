// SPDX-License-Identifier: MIT
//
// Keys that do not exist: what was probably meant. See reader.hpp.
#include "core/base/suggest.hpp"
#include "core/base/text.hpp"
#include "core/config/foreign_names.hpp"
#include "core/config/reader.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace weir::config {
namespace {

constexpr std::size_t longest_shown = 64;

std::string shown_key(std::string_view key) {
  std::string out = printable(key.substr(0, longest_shown));
  for (char& c : out) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return key.size() > longest_shown ? out + "…" : out;
}

// The table in which a key of this name does exist; empty if there is none.
std::string_view home_of(std::string_view key, Scope found_in) {
  if (find_option(Scope::pool, key) != nullptr) return "[pool.<name>]";
  if (find_option(Scope::auto_size, key) != nullptr) return "[pool.<name>.auto]";
  if (find_option(Scope::health, key) != nullptr) return "[pool.<name>.health]";
  if (find_option(Scope::retry, key) != nullptr) return "[pool.<name>.retry]";
  if (find_option(Scope::drivers, key) != nullptr) return "[drivers]";
  if (find_option(Scope::pin, key) != nullptr) return "[drivers.<name>]";
  // In a pool a socket is the server's, and an option of the driver.
  if (found_in == Scope::file && find_option(Scope::admin, key) != nullptr) return "[admin]";
  if (find_option(Scope::file, key) != nullptr) return "the top of the file";
  return {};
}

}  // namespace

void Reader::unknown_key(Scope scope, const std::string& table, const Entry& entry) {
  const std::string key = shown_key(entry.key);
  const bool is_table = entry.value.kind == Kind::table && !entry.value.is_inline;
  std::string message =
      fmt::format("unknown {} `{}` in {}", is_table ? "table" : "key", key, table_name(table));
  if (scope == Scope::pool) {
    if (const auto replacement = replacement_for(entry.key, entry.value)) {
      if (!replacement->pools.empty())
        message += fmt::format(", known from {}", replacement->pools);
      std::string label = replacement->option != nullptr
                              ? fmt::format("write `{}`", replacement->line)
                              : std::string(replacement->note);
      std::vector<std::string> notes;
      if (replacement->option != nullptr && !replacement->note.empty())
        notes.emplace_back(replacement->note);
      report(Code::config_unknown_key, entry.key_place, std::move(message), std::move(label),
             std::move(notes));
      return;
    }
  }
  std::vector<std::string_view> names = option_names(scope);
  if (scope == Scope::file) names.insert(names.end(), {"pool", "drivers", "admin"});
  if (scope == Scope::pool) {
    names.emplace_back("options");
    for (const PoolTable& below : pool_tables) names.push_back(below.name);
  }
  std::string label;
  const std::string_view home = home_of(entry.key, scope);
  const std::string_view near = nearest(entry.key, names);
  if (!home.empty())
    label = fmt::format("it belongs in {}", home);
  else if (!near.empty())
    label = fmt::format("did you mean `{}`?", near);
  std::vector<std::string> notes;
  if (label.empty() && scope == Scope::pool)
    notes.push_back(fmt::format("what the driver understands belongs in [{}.options]", table));
  if (label.empty()) notes.emplace_back("`weir help options` lists all keys");
  report(Code::config_unknown_key, entry.key_place, std::move(message), std::move(label),
         std::move(notes));
}

}  // namespace weir::config
