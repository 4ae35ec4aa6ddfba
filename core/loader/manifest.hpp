// SPDX-License-Identifier: MIT
//
// Manifest: the small TOML file NAME.toml beside a plugin, which says what the plugin is without
// running it, and which file it is on which platform.
//
//   manifest = 1                             # required; a higher number is refused
//   [driver]
//   name = "postgres"                        # required; the file is postgres.toml
//   version = "0.3.1"                        # required; must be what the library says
//   abi = "1.0"                              # optional; refused before loading if it does not fit
//   license = "..."  publisher = "..."  url = "..."  description = "..."
//   uri_schemes = ["postgres"]  min_host_abi = "1.0"
//   [driver.library]                         # required: relative, without ".."
//   linux-x86_64-gnu = "weir_postgres.so"
//   [driver.sha256]                          # optional; a pin in the configuration wins
//   linux-x86_64-gnu = "64 hex digits"
//   [driver.caps]                            # optional; must be what the library says
//   cancel = true
//
// Keys that are not known are warned about. Nothing in it is substituted or executed.
//
// Threads: any; no state.
#pragma once

#include "core/loader/loader.hpp"

#include <weir/result.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::loader {

struct Manifest {
  ManifestInfo info;
  std::string library;  // for this platform: absolute, not checked to exist
  std::string sha256;   // for this platform; empty if not given
  std::map<std::string, bool> caps;
  std::vector<std::string> warnings;
};

inline constexpr std::size_t manifest_size_max = 64 * 1024;

// Parses the manifest whose real path is `file`, for the platform that this is. `expected_name` is
// what its driver must be called; empty: any name.
// Errors: driver_manifest, with the place in the file.
[[nodiscard]] Result<Manifest> parse_manifest(std::string_view text, const std::string& file,
                                              std::string_view expected_name);

// Does the library say what its manifest says? Errors: driver_manifest.
[[nodiscard]] Result<void> compare_with_library(const Manifest& manifest, const DriverTable& table,
                                                std::string_view library);

}  // namespace weir::loader
