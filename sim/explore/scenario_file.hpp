// SPDX-License-Identifier: MIT
//
// Scenario files: a scenario as TOML that people read and edit. docs/scenario.md describes it;
// scenario_keys.hpp is the table of its keys, and the pool in it is read by the reader of
// weir.toml.
//
//   format = 1
//   seed = 7
//   duration = "10s"
//   [pool]
//   max = 2
//   [[client]]
//   number = 1
//   sql = ["SELECT 1"]
//   [[fault]]
//   what = "restart"
//   at = "2s"
//   for = "500ms"
//
// Called by: `weir sim`, the suite of failing cases, the shrinker. Owns nothing.
// Threads: any; reading looks at the environment where the pool refers to it.
// Invariants: 1. a scenario that was read makes sense: everything in it has an effect.
//             2. reading what was written gives the same scenario: seeds, hashes and durations to
//                the last bit. Not kept is what has no effect (the rate of a `fifo` schedule, how
//                long after the end something is due) and the name of the pool's file: a written
//                scenario holds its pool itself, so that it means the same when that file has
//                changed.
#pragma once

#include "sim/explore/scenario.hpp"
#include "sim/explore/scenario_set.hpp"

#include <weir/result.hpp>

#include <span>
#include <string>
#include <string_view>

namespace weir::sim {

// Errors: all faults of the file in one Error (config_many, or the code of the only one), with
// line, column, caret and suggestion; a format that is newer than this build is the only one
// reported. Blocks: reads the file, and the one that its `pool_file` names.
// `settings`: read as if they stood in the file, in the place of what stands there.
[[nodiscard]] Result<Scenario> read_scenario(const std::string& path,
                                             std::span<const Setting> settings = {});

// The same for text in memory; `name` stands where messages name the file.
[[nodiscard]] Result<Scenario> scenario_from_string(std::string_view text,
                                                    std::string_view name = "<string>",
                                                    std::string_view base_dir = ".",
                                                    std::span<const Setting> settings = {});

// What differs from the defaults, in the order of docs/scenario.md. The story is its first line.
[[nodiscard]] std::string to_toml(const Scenario& scenario);

}  // namespace weir::sim
