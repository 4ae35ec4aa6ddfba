// SPDX-License-Identifier: MIT
//
// What the commands of `weir sim` have in common.
//
// Called by: cmd_sim.cpp, cmd_sim_study.cpp. Owns nothing. Threads: main's. Blocks: on files.
#pragma once

#include "cli/context.hpp"
#include "sim/explore/scenario_file.hpp"

#include <string>

namespace weir::cli {

constexpr int exit_property = 2;
constexpr int exit_nondeterminism = 3;

[[nodiscard]] Result<void> write_file(const std::string& path, const std::string& content);
// --engine. Errors: config_value.
[[nodiscard]] Result<sim::Engine> engine_of(const Context& context);
// Of a scenario of `file` that has to be run again and again. Errors: config_conflict, by the wall
// clock; `why` says what cannot be done.
[[nodiscard]] Result<void> repeatable(const sim::Scenario& scenario, const std::string& file,
                                      std::string_view why);

}  // namespace weir::cli
