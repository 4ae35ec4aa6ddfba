// SPDX-License-Identifier: MIT
//
// The option table for people and editors: docs/options.md, the JSON Schema, the help. Generated,
// so that none of them can fall behind the parser. Pure.
#pragma once

#include <weir/export.hpp>

#include <string>
#include <string_view>

namespace weir::config {

// docs/options.md.
[[nodiscard]] WEIR_API std::string options_markdown();

// JSON Schema, draft 4, in the subset that taplo and VS Code understand: `weir config schema`.
[[nodiscard]] WEIR_API std::string config_schema();

// One line per key, by table: `weir help options`.
[[nodiscard]] WEIR_API std::string options_help();

// All about one key; empty if there is none of that name.
[[nodiscard]] WEIR_API std::string option_help(std::string_view name);

}  // namespace weir::config
