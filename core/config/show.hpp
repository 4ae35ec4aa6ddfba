// SPDX-License-Identifier: MIT
//
// `weir config show`: a configuration as TOML, with every default filled in and every secret as
// "***". The output can be parsed again. Pure.
#pragma once

#include "core/config/parse.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace weir::config {

struct ShowOptions {
  // Where values came from, shown as comments; null shows none.
  const Origins* origins = nullptr;
  // Whether the value of a driver's option may be shown. Only the driver knows; without an answer
  // none is.
  std::function<bool(const PoolConfig& pool, std::string_view key)> option_is_public = {};
};

[[nodiscard]] WEIR_API std::string show(const Config& config, const ShowOptions& options = {});
[[nodiscard]] WEIR_API std::string show(const ParsedConfig& parsed, bool with_origin);

}  // namespace weir::config
