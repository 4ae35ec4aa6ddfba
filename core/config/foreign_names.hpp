// SPDX-License-Identifier: MIT
//
// How other pools name and measure what Weir has: tarn, HikariCP, Prisma, r2d2, sqlx, generic-pool,
// PgBouncer. Somebody who brings such a name gets the line to write instead. Constant data.
#pragma once

#include "core/config/option_table.hpp"
#include "core/config/toml_tree.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir::config {

enum class ForeignUnit : std::uint8_t { none, milliseconds, seconds };

struct ForeignName {
  std::string_view name;
  std::string_view pools;  // who calls it so
  std::string_view key;    // ours; empty if Weir has no such thing
  ForeignUnit unit = ForeignUnit::none;
  std::string_view if_true = {};  // our value in TOML for true and false, where theirs is a boolean
  std::string_view if_false = {};
  std::string_view note = {};     // if there is no key, or more to say
  std::string_view if_zero = {};  // our value in TOML for a 0 of theirs that is not "never"
};

[[nodiscard]] std::span<const ForeignName> foreign_names() noexcept;

// What should stand in the file instead of an unknown key.
struct Replacement {
  const Option* option = nullptr;  // null: Weir has no such thing, see note
  std::string_view pools;          // empty: not a known name, but ours in another spelling
  std::string line;                // acquire_timeout = "30s"
  std::string_view note;
};

// Requires: `key` is not a key of [pool.<name>]. Looks the key up, and failing that reads camelCase
// and a unit at its end ("idleTimeoutMs", "idle_timeout_seconds") as one of our keys.
[[nodiscard]] std::optional<Replacement> replacement_for(std::string_view key, const Node& value);

}  // namespace weir::config
