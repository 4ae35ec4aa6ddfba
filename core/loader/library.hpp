// SPDX-License-Identifier: MIT
//
// From the path of a library to a driver: every check that stands before a file's code runs, in
// order, and then the code. core/loader/loader.cpp decides which path.
//
//   trust (trust.hpp)  ->  ELF headers (elf.hpp)  ->  sha256 pin  ->  trial load (probe.hpp)
//   ->  dlopen, entry, table (entry.hpp)
//
// Pins: a pinned file is copied into a sealed memory file, hashed there, and loaded from there
// ("/proc/self/fd/N"), so that what was hashed is what runs, whatever happens to the file. That
// descriptor stays open for the life of the process: the dynamic linker knows a library by its
// name, and a number that is used again would be taken for the old library. Where such a file
// cannot be executed, or the library needs its directory ($ORIGIN), it is loaded by path if the
// trust checks hold, and a note says so; otherwise it is refused.
//
// Threads: one call at a time in a process (the ABI's [load]).
#pragma once

#include "core/loader/loader.hpp"

#include <weir/result.hpp>

#include <optional>
#include <string>
#include <vector>

namespace weir::loader {

struct LibraryRules {
  bool strict = true;
  std::string sha256;     // expected, hex; empty: not pinned
  std::string pinned_by;  // who expects it, for messages
};

struct OpenedLibrary {
  DriverTable table;
  std::string path;    // real
  std::string sha256;  // empty: not pinned
  bool probed = false;
  std::vector<std::string> notes;
};

// Returns: nothing if there is no such file; `reason` then says why.
// Errors: driver_untrusted, driver_unloadable, driver_invalid.
[[nodiscard]] Result<std::optional<OpenedLibrary>> open_plugin(const std::string& path,
                                                               const LibraryRules& rules,
                                                               const Surroundings& around,
                                                               std::string& reason);

}  // namespace weir::loader
