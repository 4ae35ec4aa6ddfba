// SPDX-License-Identifier: MIT
//
// Reading small files that people wrote: the configuration and secret files. Blocks on the file
// system only: what is not a regular file (a FIFO would block for ever) is refused.
#pragma once

#include <cstddef>
#include <string>

#include <tl/expected.hpp>

namespace weir::config {

enum class Privacy : bool { any, owner_and_group };

// Returns: the whole file, or why not, as the end of a sentence: "is a directory".
[[nodiscard]] tl::expected<std::string, std::string> read_file_text(const std::string& path,
                                                                    std::size_t bytes_max,
                                                                    Privacy privacy);

// Absolute and without "." and ".."; relative to `base` unless it is absolute already.
[[nodiscard]] std::string absolute_path(const std::string& base, const std::string& path);

}  // namespace weir::config
