// SPDX-License-Identifier: MIT
//
// Settings: one key of a scenario file with another value, as a command line has it: pool.max=8,
// client.1.every=exp(5ms), server.cores=4. It is put into the tree of the file before that is read,
// so that the reader's checks and messages apply to it as to what stands in the file.
//
//   key     the path of the key; of [[client]] by its number (client.2.count), of other such tables
//           by their place, from 1 (fault.1.at); at the top of the file the key alone (duration)
//   value   as TOML has it, or text without its quotes
//
// Called by: scenario_read.cpp, sim/study, the CLI. Owns nothing. Threads: any; pure functions.
#pragma once

#include "core/config/toml_tree.hpp"

#include <weir/result.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::sim {

struct Setting {
  std::string key;
  std::string value;
  friend bool operator==(const Setting&, const Setting&) = default;
};

// A key and all values that it is to have, one after the other.
struct Range {
  std::string key;
  std::vector<std::string> values;
};

inline constexpr std::size_t range_values_max = 1000;

// "pool.max=8". Errors: config_value, with what would be right.
[[nodiscard]] Result<Setting> parse_setting(std::string_view text);
// "pool.max=2..20", "server.cores=1,2,4": commas within parentheses belong to a value.
[[nodiscard]] Result<Range> parse_range(std::string_view text);

// Errors: config_unknown_key or config_value, where there is no such place in the file. Whether the
// key itself exists, the reader says.
[[nodiscard]] Result<void> set(config::Node& root, const Setting& setting);

[[nodiscard]] std::string to_string(std::span<const Setting> settings);  // "pool.max=8, seed=2"

}  // namespace weir::sim
