// SPDX-License-Identifier: MIT
#include "core/loader/loader.hpp"

#include "core/base/suggest.hpp"
#include "core/loader/elf.hpp"
#include "core/loader/library.hpp"
#include "core/loader/manifest.hpp"
#include "core/loader/places.hpp"
#include "core/loader/text.hpp"
#include "core/loader/trust.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace weir::loader {

namespace {

using Loaded = std::shared_ptr<const LoadedDriver>;

constexpr std::string_view linked_in = "(linked in)";

bool is_manifest_path(std::string_view path) noexcept {
  return path.size() > 5 && path.substr(path.size() - 5) == ".toml";
}

// One search for one driver. Keeps account of where it looked, for the message if it fails.
class Search {
 public:
  Search(std::string_view name, const DriversConfig& config, std::string_view base_dir,
         std::span<const weir_driver* const> registered, const Surroundings& around)
      : name_(name),
        config_(config),
        base_dir_(base_dir),
        registered_(registered),
        around_(around) {
    if (const auto pin = config.pins.find(name_); pin != config.pins.end()) pin_ = pin->second;
  }

  Result<Loaded> run();

  // The single steps, for list(). A null pointer: not here.
  Result<Loaded> from_registered();
  Result<Loaded> from_pin();
  Result<Loaded> from_directory(const SearchPlace& place);
  [[nodiscard]] Result<void> check_allowed() const;

 private:
  Result<Loaded> from_manifest(const std::string& path, std::string* reason);
  Result<Loaded> from_library(const std::string& path, const std::optional<Manifest>& manifest,
                              std::vector<std::string> notes);
  Error with_trail(const Error& error) const;
  Error not_found() const;
  std::string trail_text() const;
  void note_shadowed(const std::vector<SearchPlace>& places, std::size_t from,
                     LoadedDriver& driver);
  void looked(std::string line) { trail_.push_back(std::move(line)); }

  std::string name_;
  const DriversConfig& config_;
  std::string_view base_dir_;
  std::span<const weir_driver* const> registered_;
  const Surroundings& around_;
  DriverPin pin_;
  std::vector<std::string> trail_;
};

Result<Loaded> Search::from_registered() {
  std::string others;
  for (const weir_driver* table : registered_) {
    const std::string_view name = claimed_name(table);
    if (name != name_) {
      others += (others.empty() ? "" : ", ") + (name.empty() ? "(unnamed)" : one_line(name, 64));
      continue;
    }
    const std::string where = fmt::format("the driver \"{}\", registered by the program", name_);
    looked(fmt::format("registered by the program: {}", name_));
    auto checked = DriverTable::create(table, where);
    if (!checked) return fail(std::move(checked).error());
    LoadedDriver driver{*std::move(checked), std::string(linked_in), {}, {}, true, {}};
    if (!pin_.path.empty() || !pin_.sha256.empty()) {
      driver.notes.push_back(fmt::format(
          "[drivers.{0}] has no effect: the program brings the driver \"{0}\" itself", name_));
    }
    return std::make_shared<const LoadedDriver>(std::move(driver));
  }
  looked(fmt::format("registered by the program: {}", others.empty() ? "none" : "only " + others));
  return nullptr;
}

Result<Loaded> Search::from_library(const std::string& path,
                                    const std::optional<Manifest>& manifest,
                                    std::vector<std::string> notes) {
  LibraryRules rules{config_.strict_permissions, pin_.sha256,
                     fmt::format("[drivers.{}] sha256", name_)};
  if (rules.sha256.empty() && manifest && !manifest->sha256.empty()) {
    rules.sha256 = manifest->sha256;
    rules.pinned_by = manifest->info.file;
  }
  std::string reason;
  auto opened = open_plugin(path, rules, around_, reason);
  if (!opened) return fail(std::move(opened).error());
  if (!opened->has_value()) {
    const std::string from = manifest ? fmt::format(", named by {}", manifest->info.file) : "";
    return fail(manifest ? Code::driver_manifest : Code::driver_not_found,
                fmt::format("{}{}: {}", one_line(path, 4096), from, reason));
  }
  OpenedLibrary& library = **opened;
  notes.insert(notes.end(), library.notes.begin(), library.notes.end());
  if (manifest) {
    if (auto ok = compare_with_library(*manifest, library.table, library.path); !ok) {
      return fail(std::move(ok).error());
    }
  } else if (library.table.name() != name_) {
    return fail(Code::driver_invalid, fmt::format("{} is the driver \"{}\", not \"{}\"",
                                                  library.path, library.table.name(), name_));
  }
  LoadedDriver driver{std::move(library.table),
                      std::move(library.path),
                      manifest ? std::optional(manifest->info) : std::nullopt,
                      std::move(library.sha256),
                      library.probed,
                      std::move(notes)};
  return std::make_shared<const LoadedDriver>(std::move(driver));
}

Result<Loaded> Search::from_manifest(const std::string& path, std::string* reason) {
  auto file = open_checked(path, config_.strict_permissions, reason);
  if (!file) return fail(std::move(file).error());
  if (!file->has_value()) return nullptr;
  const CheckedFile& checked = **file;
  std::vector<std::string> notes;
  if (!checked.relaxed.empty()) {
    notes.push_back(fmt::format("{} is used although {}: strict_permissions is false",
                                one_line(checked.path, 4096), checked.relaxed));
  }
  const auto text = read_all(checked.file, manifest_size_max);
  if (!text) {
    return fail(Code::driver_manifest,
                fmt::format("{} cannot be read, or has more than {} bytes",
                            one_line(checked.path, 4096), manifest_size_max));
  }
  auto manifest = parse_manifest(*text, checked.path, name_);
  if (!manifest) return fail(std::move(manifest).error());
  notes.insert(notes.end(), manifest->warnings.begin(), manifest->warnings.end());
  return from_library(manifest->library, *manifest, std::move(notes));
}

Result<Loaded> Search::from_pin() {
  if (pin_.path.empty()) {
    looked(fmt::format("[drivers.{}] path: not set", name_));
    return nullptr;
  }
  const std::string path = resolve(pin_.path, base_dir_);
  looked(fmt::format("[drivers.{}] path: {}", name_, one_line(path, 4096)));
  if (!is_manifest_path(path)) return from_library(path, std::nullopt, {});
  std::string reason;
  auto loaded = from_manifest(path, &reason);
  if (loaded && *loaded == nullptr) {
    return fail(Code::driver_not_found, fmt::format("{}: {}", one_line(path, 4096), reason));
  }
  return loaded;
}

Result<Loaded> Search::from_directory(const SearchPlace& place) {
  if (!place.skipped.empty()) {
    looked(fmt::format("{}: {}", place.why, place.skipped));
    return nullptr;
  }
  const std::string path = fmt::format("{}/{}.toml", place.directory, name_);
  std::string reason;
  auto loaded = from_manifest(path, &reason);
  const bool found = !loaded || *loaded != nullptr;
  looked(fmt::format("{} ({}): {}", one_line(path, 4096), place.why, found ? "found" : reason));
  return loaded;
}

Result<void> Search::check_allowed() const {
  const auto& allow = config_.allow;
  if (allow.empty() || std::find(allow.begin(), allow.end(), name_) != allow.end()) return {};
  return fail(Code::driver_untrusted,
              fmt::format("it is not on the list [drivers] allow, so no file is loaded for it; "
                          "allowed are: {}",
                          fmt::join(allow, ", ")));
}

void Search::note_shadowed(const std::vector<SearchPlace>& places, std::size_t from,
                           LoadedDriver& driver) {
  for (std::size_t i = from; i < places.size(); ++i) {
    if (!places[i].skipped.empty()) continue;
    const std::string path = fmt::format("{}/{}.toml", places[i].directory, name_);
    auto file = open_checked(path, false);
    if (!file || !file->has_value()) continue;
    if (driver.manifest && driver.manifest->file == (*file)->path) continue;
    driver.notes.push_back(fmt::format("{} ({}) is not used: {} comes first",
                                       one_line((*file)->path, 4096), places[i].why, driver.path));
  }
}

Result<Loaded> Search::run() {
  if (!is_driver_name(name_)) {
    return fail(
        Code::driver_not_found,
        fmt::format("\"{}\" is no driver name ([a-z0-9][a-z0-9_-]{{0,63}}); to load a file, "
                    "give it a name and write [drivers.NAME] path = \"...\"",
                    one_line(name_, 100)));
  }
  auto loaded = from_registered();
  if (!loaded) return fail(with_trail(loaded.error()));
  if (*loaded) return loaded;

  if (auto ok = check_allowed(); !ok) return fail(with_trail(ok.error()));
  loaded = from_pin();
  if (!loaded) return fail(with_trail(loaded.error()));
  if (*loaded) return loaded;

  const std::vector<SearchPlace> places = search_places(config_, base_dir_, around_);
  for (std::size_t i = 0; i < places.size(); ++i) {
    loaded = from_directory(places[i]);
    if (!loaded) return fail(with_trail(loaded.error()));
    if (*loaded == nullptr) continue;
    LoadedDriver driver = **loaded;
    note_shadowed(places, i + 1, driver);
    return std::make_shared<const LoadedDriver>(std::move(driver));
  }
  return fail(not_found());
}

std::string Search::trail_text() const {
  std::string text = "\n  looked at, in this order:";
  for (const std::string& line : trail_) text += "\n    " + line;
  return text;
}

Error Search::with_trail(const Error& error) const {
  return Error(error.code(),
               fmt::format("driver \"{}\": {}{}", name_, error.message(), trail_text()));
}

Error Search::not_found() const {
  std::vector<std::string> names;
  for (const weir_driver* table : registered_) names.emplace_back(claimed_name(table));
  for (const SearchPlace& place : search_places(config_, base_dir_, around_)) {
    if (!place.skipped.empty()) continue;
    for (std::string& found : names_in(place.directory)) names.push_back(std::move(found));
  }
  const std::string_view near = nearest(name_, names);
  std::string text = fmt::format("driver \"{}\" was not found", name_);
  if (!near.empty()) text += fmt::format("; did you mean \"{}\"?", near);
  text += trail_text();
  text += fmt::format(
      "\n  to do: install its plugin ({}.toml and the library that it names) into {}, or name its "
      "directory in [drivers] search, or link the driver into the program and register it",
      name_,
      around_.system_places.empty() ? "a directory" : around_.system_places.back().directory);
  return Error(Code::driver_not_found, std::move(text));
}

// Collects the listing: each driver once as what load() takes, further ones as shadowed.
class Listing {
 public:
  void add(std::string name, std::string found_in, std::string path, Result<Loaded> loaded) {
    DriverListing entry{std::move(name), std::move(found_in), std::move(path), {}, {}, {}};
    for (const DriverListing& earlier : entries) {
      if (earlier.name == entry.name && earlier.shadowed_by.empty()) {
        entry.shadowed_by = earlier.path;
      }
    }
    if (!loaded) {
      entry.refused = loaded.error();
    } else if (*loaded) {
      entry.path = (*loaded)->path;
      entry.driver = *loaded;
    }
    entries.push_back(std::move(entry));
  }
  [[nodiscard]] bool has(std::string_view name) const {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const DriverListing& entry) { return entry.name == name; });
  }

  std::vector<DriverListing> entries;
};

}  // namespace

Result<std::shared_ptr<const LoadedDriver>> load(std::string_view name, const DriversConfig& config,
                                                 std::string_view base_dir,
                                                 std::span<const weir_driver* const> registered,
                                                 const Surroundings& around) {
  return Search(name, config, base_dir, registered, around).run();
}

std::vector<DriverListing> list(const DriversConfig& config, std::string_view base_dir,
                                std::span<const weir_driver* const> registered,
                                const Surroundings& around) {
  Listing listing;
  for (const weir_driver* const& table : registered) {
    const std::string name(claimed_name(table));
    Search search(name, config, base_dir, {&table, 1}, around);
    listing.add(name, "registered", std::string(linked_in), search.from_registered());
  }
  const auto load_file = [&](const std::string& name, const auto& step) -> Result<Loaded> {
    Search search(name, config, base_dir, {}, around);
    if (auto ok = search.check_allowed(); !ok) return fail(std::move(ok).error());
    // A second copy beside one that is in use would be a second copy of its globals, too.
    if (listing.has(name)) return nullptr;
    return step(search);
  };
  for (const auto& [name, pin] : config.pins) {
    if (pin.path.empty()) continue;
    listing.add(name, fmt::format("[drivers.{}] path", name), resolve(pin.path, base_dir),
                load_file(name, [](Search& search) { return search.from_pin(); }));
  }
  for (const SearchPlace& place : search_places(config, base_dir, around)) {
    if (!place.skipped.empty()) continue;
    for (const std::string& name : names_in(place.directory)) {
      listing.add(name, fmt::format("{} ({})", place.directory, place.why),
                  fmt::format("{}/{}.toml", place.directory, name),
                  load_file(name, [&](Search& search) { return search.from_directory(place); }));
    }
  }
  return std::move(listing.entries);
}

}  // namespace weir::loader
