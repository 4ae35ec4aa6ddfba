// SPDX-License-Identifier: MIT
//
// The loader: from the name of a driver to a table of functions that can be called without fear.
//
// core/runtime calls load() when a pool is made; the `weir` command calls list(). The loader knows
// the driver ABI and nothing of pools. It never unloads a library.
//
// Search order, first hit wins:
//   1. drivers that the host program registered
//   2. [drivers.NAME] path, a library or a manifest; with it, nothing below is looked at
//   3. the directories of [drivers] search, in order
//   4. the directories of WEIR_PLUGIN_PATH: only with allow_env, never in a privileged process
//   5. the plugin directory that lies as planned beside libweir, or beside the program if that is
//      linked with the static library: an installation that was moved, or a build tree
//   6. the plugin directory that was compiled in
// In a directory only the manifest NAME.toml is looked up, and the library that it names. A
// manifest that is found but wrong ends the search: falling through to another driver of the same
// name would hide the mistake. dlopen never searches: it gets an absolute path.
//
// Before a file's code may run: trust checks (core/loader/trust.hpp), the allow-list, the sha256
// pin, the ELF headers, and a trial load in a process of its own (core/loader/probe.hpp).
// The allow-list concerns files; what the host linked in is the host's own decision.
//
// Errors: driver_not_found, driver_untrusted, driver_unloadable, driver_invalid, driver_manifest;
// every text says what is wrong, with which file, what to do, and lists the places that were
// looked at in order.
// Threads: no state of its own. load() and list() call the entry of a plugin, and the ABI promises
// drivers that this happens on one thread at a time: the caller holds a lock across each of them.
// Blocks: file I/O, and for the trial load up to Surroundings::probe_timeout.
#pragma once

#include "core/loader/driver_table.hpp"

#include <weir/config.hpp>
#include <weir/result.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::loader {

// What a plugin's manifest says; core/loader/manifest.hpp reads it.
struct ManifestInfo {
  std::string file;  // absolute
  std::string name;
  std::string version;
  std::string abi;      // "1.0", or empty
  std::string license;  // SPDX, or empty
  std::string publisher;
  std::string url;
  std::string description;
};

struct LoadedDriver {
  DriverTable table;
  std::string path;  // of the library, absolute; "(linked in)" if registered
  std::optional<ManifestInfo> manifest;
  std::string sha256;              // of the library if it was pinned, else empty
  bool probed = false;             // the trial load was made and went well
  std::vector<std::string> notes;  // for the log: warnings, what was shadowed, what was relaxed
};

// What the loader takes from the process around it. Tests make their own.
struct Surroundings {
  struct Place {
    std::string directory;
    std::string why;  // for messages: "compiled in"
  };
  std::vector<Place> system_places;  // after the configured ones
  std::string env_path;              // WEIR_PLUGIN_PATH; empty if unset
  bool privileged = false;           // set-uid or the like: the environment is the attacker's
  std::string probe_program;         // absolute; empty: files are loaded without a trial
  Duration probe_timeout = std::chrono::seconds(10);

  [[nodiscard]] static Surroundings of_this_process();
};

// Finds, checks and loads the driver `name`. Relative paths of the configuration are relative to
// base_dir. A library that is in the process already is used again, not loaded twice.
// Requires: registered holds no null pointers. One call at a time in a process.
[[nodiscard]] Result<std::shared_ptr<const LoadedDriver>> load(
    std::string_view name, const DriversConfig& config, std::string_view base_dir,
    std::span<const weir_driver* const> registered,
    const Surroundings& around = Surroundings::of_this_process());

// One driver that load() could be asked for.
struct DriverListing {
  std::string name;
  std::string found_in;  // "linked in", "[drivers.x] path", a directory
  std::string path;      // of the library, of the manifest if there is no library; "(linked in)"
  std::shared_ptr<const LoadedDriver> driver;  // null if refused or shadowed
  std::optional<Error> refused;                // why
  std::string shadowed_by;                     // path of the one that load() takes instead
};

// Everything that can be found, in search order and by name within a directory; loads it all, so
// that what is shown is what load() would do.
[[nodiscard]] std::vector<DriverListing> list(
    const DriversConfig& config, std::string_view base_dir,
    std::span<const weir_driver* const> registered,
    const Surroundings& around = Surroundings::of_this_process());

}  // namespace weir::loader
