// SPDX-License-Identifier: MIT
//
// From argv to a command with its values: the command table is the grammar, CLI11 the machine.
// Called by main only.
#pragma once

#include "cli/command.hpp"
#include "cli/context.hpp"

namespace weir::cli {

struct Parsed {
  const Command* command = nullptr;  // null: see `help_for` and `problem`
  Globals globals;
  Values values;
  bool help = false;     // --help was given: about `command`, or `help_for`
  std::string help_for;  // a group, or empty for the whole program
  std::string problem;   // what the user typed wrong; empty if nothing
};

// Never fails: what is wrong is in `problem`. The globals are valid as far as they were understood.
[[nodiscard]] Parsed parse_arguments(int argc, const char* const* argv);

}  // namespace weir::cli
