// SPDX-License-Identifier: MIT
//
// Where drivers are looked for, in order: the configuration and the process around us put together.
//
// Threads: any; no state.
#pragma once

#include "core/loader/loader.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace weir::loader {

struct SearchPlace {
  std::string directory;  // absolute; empty if `skipped`
  std::string why;        // for messages: "[drivers] search"
  std::string skipped;    // why this place is not looked at; empty: it is
};

// The directories, and the places that are left out with the reason.
[[nodiscard]] std::vector<SearchPlace> search_places(const DriversConfig& config,
                                                     std::string_view base_dir,
                                                     const Surroundings& around);

// `path` itself if absolute, else below base_dir.
[[nodiscard]] std::string resolve(std::string_view path, std::string_view base_dir);

// The drivers whose manifests lie in a directory, sorted. Empty if it cannot be read.
[[nodiscard]] std::vector<std::string> names_in(const std::string& directory);

}  // namespace weir::loader
