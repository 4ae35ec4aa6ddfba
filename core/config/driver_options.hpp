// SPDX-License-Identifier: MIT
//
// Checks the options of a pool against what its driver declares (weir_option_spec), before the
// driver sees them. Called when a pool is made, since the driver is not known before.
//
// Secrets: a message shows a value only if the driver declares its option and not as secret.
#pragma once

#include <weir/config.hpp>
#include <weir/driver.h>

#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

// What messages name: "weir.toml: pool main: ...".
struct DriverOptionContext {
  std::string_view file;  // may be empty
  std::string_view pool;
};

// Returns: the options as the driver wants them: durations in nanoseconds, numbers normalised, the
// driver's defaults filled in, sorted by key.
// Errors: config_unknown_key, config_type, config_value, config_missing, config_conflict (one key
// twice); config_many with all of them; driver_invalid for a declaration that makes no sense.
// Requires: `info` is of a driver that passed the loader's checks.
[[nodiscard]] WEIR_API Result<std::vector<DriverOption>> check_driver_options(
    const std::vector<DriverOption>& options, const weir_info& info,
    const DriverOptionContext& context);

// What an option may be, for `weir driver list`: "duration", "wal | delete | memory".
[[nodiscard]] WEIR_API std::string option_type_text(const weir_option_spec& spec);

}  // namespace weir::config
