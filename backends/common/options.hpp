// SPDX-License-Identifier: MIT
//
// options.hpp: reading [pool.<name>.options] in a driver. The host checks types before; a driver
// checks again, because it may be called by any host, and names the option in what it says.
//
// Called by: source_create of each backend. Owns nothing. Threads: any.
#pragma once

#include "backends/common/abi.hpp"

#include <optional>
#include <string_view>

namespace weir::backend {

inline constexpr std::uint32_t option_spec_size = sizeof(weir_option_spec);

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;
std::optional<bool> parse_boolean(std::string_view text) noexcept;  // "true" or "false"

// A weir_option_spec, so that a driver's options read as a table.
constexpr weir_option_spec option(const char* key, std::int32_t type, const char* default_value,
                                  const char* choices, const char* doc,
                                  std::uint32_t flags = 0) noexcept {
  return {option_spec_size, type, flags, 0, key, default_value, choices, doc};
}

// Checks key and value against `specs`: CONFIG for a key that is not there, given twice, of the
// wrong type or not among the choices. A secret value never appears in the text.
weir_status check_options(const weir_source_args& args, const weir_option_spec* specs,
                          std::size_t spec_count, weir_error* error) noexcept;

// The value of `key`, which is then the driver's to convert: the one given, else the default.
std::string_view option_value(const weir_source_args& args, const weir_option_spec* specs,
                              std::size_t spec_count, std::string_view key) noexcept;

// Nanoseconds of a duration: whole nanoseconds as the host hands them over, or, for a default as a
// user would write it, with a unit.
std::optional<std::int64_t> parse_duration(std::string_view text) noexcept;

}  // namespace weir::backend
