// SPDX-License-Identifier: MIT
//
// A look at a library's ELF headers before dlopen sees the file. dlopen maps what the headers
// promise, and a page that the file does not have kills the process with SIGBUS; and its messages
// for a file of another processor say little.
//
// Threads: any; no state.
#pragma once

#include <weir/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::loader {

// Checks that the file of `size` bytes behind `fd` is a shared object for this processor, and that
// each of its program headers and loadable segments lies inside the file. `path` is for messages.
// Errors: driver_unloadable.
[[nodiscard]] Result<void> check_elf(int fd, std::uint64_t size, std::string_view path);

// The name of this platform in manifests: "linux-x86_64-gnu".
[[nodiscard]] std::string platform();

}  // namespace weir::loader
