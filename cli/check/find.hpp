// SPDX-License-Identifier: MIT
//
// find.hpp: from what a user types, FILE or NAME, to a library and its manifest, without loading
// either: the driver under test may be one that no process survives.
//
// Called by: weir driver check. Threads: any.
#pragma once

#include <weir/config.hpp>
#include <weir/result.hpp>

#include <string>
#include <string_view>

namespace weir::check {

struct Target {
  std::string library;   // absolute
  std::string manifest;  // absolute; empty if none names the library
};

// A FILE has a slash, or ends in .so or .toml, or exists; everything else is a NAME, for which a
// manifest is looked up where a pool would look.
// Errors: driver_not_found, with the places; driver_manifest.
[[nodiscard]] Result<Target> find_target(std::string_view word, const DriversConfig& drivers,
                                         std::string_view base_dir);

}  // namespace weir::check
