// SPDX-License-Identifier: MIT
//
// Everything that is written from the command table: help texts, the man page, docs/cli.md and
// completion scripts. Pure functions from the table to text.
#pragma once

#include "cli/command.hpp"
#include "cli/output.hpp"

#include <string>

namespace weir::cli {

// "weir sql [OPTIONS] POOL SQL"
[[nodiscard]] std::string usage_line(const Command& command);

[[nodiscard]] std::string help_text(const Command& command, const Output& out);
// About a group, or about the whole program if the name is empty.
[[nodiscard]] std::string help_text(std::string_view group, const Output& out);

[[nodiscard]] std::string man_page();       // roff, for section 1
[[nodiscard]] std::string markdown_page();  // docs/cli.md

// Requires: shell is "bash", "zsh" or "fish".
[[nodiscard]] std::string completion_script(std::string_view shell);

}  // namespace weir::cli
