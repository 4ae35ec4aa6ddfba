// SPDX-License-Identifier: MIT
//
// The keys of a scenario file, once: table, name, form, range, meaning, and which member of the
// scenario holds the value. Reader, writer and docs/scenario.md are made from this, so that they
// cannot disagree. Defaults are not in here: they are the member initialisers of scenario.hpp. The
// keys of [pool] are not either: they are those of a weir.toml (core/config/option_table.hpp).
//
// Called by: scenario_read.cpp, scenario_write.cpp, tests of the documentation. Owns nothing.
// Threads: constant data and pure functions.
// Invariant: a table's selector (`what`, `kind`) comes before the keys that depend on it, and a key
//            comes after those on which its store() builds.
#pragma once

#include "sim/explore/scenario.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::sim {

// The newest format of scenario files that this build reads, and the one that it writes.
inline constexpr std::int64_t scenario_format = 1;

// What may be written for a key.
enum class Form : std::uint8_t {
  whole,         // 8
  seed,          // any 64 bits: 7, or "0x..." where TOML's integers end
  hash,          // the same, but always "0x..."
  millionths,    // 0.25: kept as a whole number of millionths
  real,          // 0.1
  duration,      // "5ms"
  distribution,  // "exp(5ms)"
  word,          // one of `words`
  flag,          // true
  text,          // "..."
  statements,    // ["SELECT 1", ...]
  deviations,    // ["3.17p5", ...]
};

// A value of any form, without its type: what the file said, before and after it is stored.
struct FileValue {
  std::int64_t number = 0;  // also: ns, index of a word, 0 or 1, the bits of a seed
  double real = 0;
  std::string text;  // also: a distribution
  std::vector<std::string> list;
  friend bool operator==(const FileValue&, const FileValue&) = default;
};

// How to get at the value in the structure that a table fills.
struct Access {
  std::optional<FileValue> (*load)(const void* from) = nullptr;  // nothing: not set
  void (*store)(void* into, const FileValue& value) = nullptr;
};

struct ScenarioKey {
  std::string_view name = {};
  Form form = Form::whole;
  Access access{};
  std::int64_t least = 0;  // of a number; of a duration in ns
  std::int64_t most = 0;
  std::span<const std::string_view> words = {};
  std::uint32_t only = 0;  // for which words of the selector it means something, as bits; 0: all
  bool required = false;
  bool in_time = false;    // a point in the scenario's time: not after its end
  bool spelled = false;    // written even if it is the default
  bool written = true;     // false: what it says is in the scenario in another form
  std::int64_t none = -1;  // of a duration: what "none" stands for; -1: the word is not allowed
  std::string_view doc = {};
};

struct ScenarioTable {
  std::string_view name = {};  // empty: the top of the file
  bool many = false;           // [[client]]
  std::string_view selector = {};
  std::span<const ScenarioKey> keys = {};
  const void* (*fresh)() = nullptr;  // what a table fills, at its defaults
  std::vector<const void*> (*all)(const Scenario&) = nullptr;  // what is there of it
  void* (*add)(Scenario&) = nullptr;                           // where the next one of a file goes
  std::string_view doc = {};

  [[nodiscard]] const ScenarioKey* find(std::string_view key) const noexcept;  // the first
  // Of the selector in `object`: the bit of its word. All bits if there is no selector.
  [[nodiscard]] std::uint32_t selected(const void* object) const;
  [[nodiscard]] std::string header() const;  // "[[client]]", "[server]"
};

// In the order of a file.
[[nodiscard]] std::span<const ScenarioTable> scenario_tables() noexcept;
[[nodiscard]] const ScenarioTable& scenario_table(std::string_view name);

// The value as TOML.
[[nodiscard]] std::string to_toml(const ScenarioKey& key, const FileValue& value);
// "0 to 1", "\"fifo\", \"random\" or \"pct\"": what may be written.
[[nodiscard]] std::string range_text(const ScenarioKey& key);
// "a whole number": how a message names the form.
[[nodiscard]] std::string_view form_text(Form form) noexcept;
// "\"full\", \"slow\"": the words of the selector that a key goes with; empty if all.
[[nodiscard]] std::string only_text(const ScenarioTable& table, const ScenarioKey& key);

// The reference of all keys for docs/scenario.md: a Markdown table for each table of the file.
[[nodiscard]] std::string scenario_keys_markdown();

}  // namespace weir::sim
