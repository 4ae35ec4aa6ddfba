// SPDX-License-Identifier: MIT
//
// embedded.hpp: files that travel inside the program: the built-in quirks and the driver project
// that `weir driver new` writes. Inside and not beside it, because a single file cannot be
// installed by half, and the project that is written is the one of this very version. embed.py
// makes the table at build time.
//
// Threads: constant.
#pragma once

#include <span>
#include <string_view>

namespace weir::check {

struct EmbeddedFile {
  std::string_view name;  // "quirks/sqlite.toml", "template/driver.c"
  std::string_view text;
};

[[nodiscard]] std::span<const EmbeddedFile> embedded_files() noexcept;

}  // namespace weir::check
