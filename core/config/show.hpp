// SPDX-License-Identifier: MIT
//
// `weir config show`: a configuration as TOML, with every default filled in and every secret as
// "***". The output can be parsed again. Pure.
#pragma once

#include "core/config/option_table.hpp"
#include "core/config/parse.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace weir::config {

// Whether the value of a driver's option may be shown. Only the driver knows; without an answer
// none is.
using OptionIsPublic = std::function<bool(const PoolConfig& pool, std::string_view key)>;

struct ShowOptions {
  // Where values came from, shown as comments; null shows none.
  const Origins* origins = nullptr;
  OptionIsPublic option_is_public = {};
};

[[nodiscard]] WEIR_API std::string show(const Config& config, const ShowOptions& options = {});
[[nodiscard]] WEIR_API std::string show(const ParsedConfig& parsed, bool with_origin);

// What may be shown of a value of the table, as a value of the same type.
[[nodiscard]] Value without_secrets(const Option& option, Value value);
// The same as TOML.
[[nodiscard]] std::string shown(const Option& option, Value value);
// The value of a driver's option; null stands for one that is not shown.
[[nodiscard]] std::string shown(const Secret* value);

}  // namespace weir::config
