// SPDX-License-Identifier: MIT
//
// The last step of loading: code of the plugin runs. dlopen, the one symbol, the call of it, the
// check of the table. The loader does this in the host, and weir-probe in a process of its own
// beforehand, with this very code, so that what kills a process kills the one that does not matter.
//
// Threads: one call at a time in a process (the ABI's [load]).
#pragma once

#include "core/loader/driver_table.hpp"

#include <weir/driver.h>
#include <weir/result.hpp>

#include <string>
#include <string_view>

namespace weir::loader {

// Opens the library for good: it is never unloaded, since errors, thread-local destructors and
// exit handlers of client libraries outlive every "last use" that we could know of.
// `path` is absolute; `where` names the file in messages. Runs the library's constructors.
// Errors: driver_unloadable with the dynamic linker's words.
[[nodiscard]] Result<void*> open_library(const std::string& path, std::string_view where);

// Is it in the process already? Null if not.
[[nodiscard]] void* find_library(const std::string& path) noexcept;

// Its weir_plugin_v1; null if it exports none.
[[nodiscard]] weir_plugin_entry find_entry(void* library) noexcept;

// Looks up weir_plugin_v1, calls it and checks the table.
// Errors: driver_invalid if it is no plugin or a wrong one, or writes where it must not;
// driver_unloadable if it declines.
[[nodiscard]] Result<DriverTable> enter(void* library, std::string_view where);

}  // namespace weir::loader
