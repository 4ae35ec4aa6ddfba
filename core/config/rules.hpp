// SPDX-License-Identifier: MIT
//
// The rules of a pool's configuration: ranges and contradictions. The one place that knows them;
// used by the parser, which adds places, and by validate(), which has none.
#pragma once

#include "core/config/option_table.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

struct Finding {
  Code code;
  std::vector<std::string> keys;  // as key_in_pool says; the first is where the caret goes
  std::string message;  // names no value that was refused: it may be a secret in the wrong place
  std::string help;     // what to write; may be empty
  std::string value;    // the offending value as TOML, empty if it is a secret
};

// One value against its row of the table.
[[nodiscard]] std::optional<Finding> check_value(const Option& option, const Value& value);

// All values of a pool, then what they say together. In the order of the table.
[[nodiscard]] std::vector<Finding> check_pool(const PoolConfig& pool);

// The same for a policy that does not come with a pool.
[[nodiscard]] std::vector<Finding> check_retry(const RetryPolicy& policy);

// Contradictions alone, for a caller that checked the values.
[[nodiscard]] std::vector<Finding> check_together(const PoolConfig& pool);

[[nodiscard]] bool is_pool_name(std::string_view name) noexcept;
[[nodiscard]] bool is_driver_name(std::string_view name) noexcept;

inline constexpr std::string_view pool_name_rule =
    "a pool's name has letters, digits, _ and -, starts with a letter or digit, and is at most 64 "
    "characters long";
inline constexpr std::string_view driver_name_rule =
    "a driver's name has a-z, 0-9, _ and -, starts with a letter or digit, and is at most 64 "
    "characters long";

}  // namespace weir::config
