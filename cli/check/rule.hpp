// SPDX-License-Identifier: MIT
//
// rule.hpp: what a rule of the conformance kit is. A rule is one demand that weir/driver.h makes of
// every driver, and the function that puts it to a driver. The rules are rows of tables, one table
// per file rules_*.cpp; rules() puts them together, in the order in which they run.
//
// Called by: plan.cpp, which decides what runs; child.cpp, which runs it; the listing for docs.
// Threads:   the tables are constant; run() is called in a process of its own, on its only thread.
// Invariant: ids are stable: they are what reports, scripts and bug trackers name.
#pragma once

#include <weir/driver.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace weir::check {

class Subject;

// A broken MUST fails the check. A broken SHOULD is reported, and the driver passes all the same.
enum class Grade : std::uint8_t { must, should };

// What a rule needs before it can be put at all.
enum class Needs : std::uint8_t {
  file,      // the file as bytes: nothing of it runs
  library,   // the opened library: the rule enters it by itself
  table,     // the table that a host would use
  source,    // a URL that the driver takes; no server behind it
  database,  // a database behind that URL
  embedded,  // the same, of a driver that does its work in the process
  network,   // the same, of a server, with a way to it on which faults can be made
};

struct Rule {
  std::string_view id;  // "L2.options.unknown"
  Grade grade;
  std::string_view requirement;  // of docs/driver-author-guide.md: "D12"
  std::string_view demand;       // one sentence: what every driver does
  Needs needs;
  std::uint64_t caps;       // claimed capabilities without which there is nothing to ask
  std::string_view quirks;  // keys of the quirks file, separated by spaces
  void (*run)(Subject&);
  bool is_gate = false;   // if it fails, nothing after it is worth asking
  unsigned seconds = 20;  // until it counts as hung; a sanitizer gets four times as long

  [[nodiscard]] constexpr unsigned level() const noexcept {
    return static_cast<unsigned>(id[1] - '0');
  }
};

// All rules, by level.
[[nodiscard]] const std::vector<Rule>& rules();
[[nodiscard]] const Rule* find_rule(std::string_view id) noexcept;

// "the file as bytes"; what rules of that kind need, for a reader.
[[nodiscard]] std::string_view describe(Needs needs) noexcept;
[[nodiscard]] std::string_view name_of(Grade grade) noexcept;

inline constexpr unsigned level_max = 5;
// "the file, without loading it"
[[nodiscard]] std::string_view describe_level(unsigned level) noexcept;

// The tables.
std::span<const Rule> file_rules() noexcept;       // L0
std::span<const Rule> load_rules() noexcept;       // L1
std::span<const Rule> option_rules() noexcept;     // L2
std::span<const Rule> error_rules() noexcept;      // L2
std::span<const Rule> session_rules() noexcept;    // L3
std::span<const Rule> size_rules() noexcept;       // L3
std::span<const Rule> statement_rules() noexcept;  // L3
std::span<const Rule> row_rules() noexcept;        // L3
std::span<const Rule> tx_rules() noexcept;         // L3
std::span<const Rule> clean_rules() noexcept;      // L3
std::span<const Rule> end_rules() noexcept;        // L4
std::span<const Rule> fault_rules() noexcept;      // L4
std::span<const Rule> network_rules() noexcept;    // L4
std::span<const Rule> silence_rules() noexcept;    // L4
std::span<const Rule> soak_rules() noexcept;       // L5

}  // namespace weir::check
