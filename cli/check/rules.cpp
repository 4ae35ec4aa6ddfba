// SPDX-License-Identifier: MIT
#include "cli/check/rule.hpp"

#include <algorithm>
#include <array>

namespace weir::check {

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = [] {
    std::vector<Rule> list;
    for (const std::span<const Rule> part :
         {file_rules(), load_rules(), option_rules(), error_rules(), session_rules(), size_rules(),
          statement_rules(), row_rules(), tx_rules(), clean_rules(), end_rules(), fault_rules(),
          network_rules(), silence_rules(), soak_rules()}) {
      list.insert(list.end(), part.begin(), part.end());
    }
    return list;
  }();
  return all;
}

const Rule* find_rule(std::string_view id) noexcept {
  const auto found =
      std::find_if(rules().begin(), rules().end(), [&](const Rule& rule) { return rule.id == id; });
  return found == rules().end() ? nullptr : &*found;
}

std::string_view describe(Needs needs) noexcept {
  constexpr std::array<std::string_view, 7> words{
      "the file",   "the library",          "the table",           "a URL",
      "a database", "an embedded database", "a server and a proxy"};
  return words.at(static_cast<std::size_t>(needs));
}

std::string_view name_of(Grade grade) noexcept { return grade == Grade::must ? "MUST" : "SHOULD"; }

std::string_view describe_level(unsigned level) noexcept {
  constexpr std::array<std::string_view, level_max + 1> words{
      "the file, without loading it",
      "loading: what the library does to a process, and its table",
      "options and errors, without a database",
      "a live database: sessions, statements, rows, transactions, reset",
      "faults: deadlines, cancel, abort, fork, signals, no descriptors, the network",
      "soak: what grows, and what many threads do"};
  return words.at(level);
}

}  // namespace weir::check
