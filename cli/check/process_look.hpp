// SPDX-License-Identifier: MIT
//
// process_look.hpp: what a process is like, taken before and after a driver had its way, to say
// what it changed.
//
// Called by: rules. Pure look: it opens what it reads and closes it again. Threads: any.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace weir::check {

struct ProcessLook {
  static ProcessLook take();

  std::map<int, std::string> descriptors;  // number -> what it is
  std::size_t threads = 0;
  std::vector<std::string> signals;       // dispositions that are not the default, and the mask
  std::vector<std::string> surroundings;  // locale, umask, directory, environment, limits, rounding
};

// What there is now that there was not, or the reverse; empty if nothing. A library may have a file
// open for a moment on a thread of its own, so this waits up to a second until nothing differs.
[[nodiscard]] std::string descriptors_changed_since(const ProcessLook& before);
[[nodiscard]] std::string signals_changed(const ProcessLook& before, const ProcessLook& after);
[[nodiscard]] std::string surroundings_changed(const ProcessLook& before, const ProcessLook& after);

// Descriptors that a program started by this process would inherit, beyond standard ones.
[[nodiscard]] std::string inheritable_descriptors();
[[nodiscard]] std::size_t thread_count();
// A thread that was joined may stay in the list for a moment; waits until there are at most `most`.
[[nodiscard]] std::size_t settled_thread_count(std::size_t most);
[[nodiscard]] std::size_t mapping_count();
[[nodiscard]] std::size_t resident_bytes();

}  // namespace weir::check
