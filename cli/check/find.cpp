// SPDX-License-Identifier: MIT
#include "cli/check/find.hpp"

#include "core/loader/manifest.hpp"
#include "core/loader/places.hpp"
#include "core/loader/trust.hpp"

#include <fcntl.h>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

namespace weir::check {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> text_of(const std::string& path) {
  const loader::File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return loader::read_all(file, loader::manifest_size_max);
}

Result<loader::Manifest> read_manifest(const std::string& path, std::string_view name) {
  const auto text = text_of(path);
  if (!text) {
    return fail(Code::driver_manifest,
                fmt::format("{} cannot be read, or is larger than a manifest may be", path));
  }
  return loader::parse_manifest(*text, path, name);
}

std::string real(const std::string& path) {
  std::error_code ignored;
  const fs::path found = fs::canonical(path, ignored);
  return found.empty() ? fs::absolute(path, ignored).string() : found.string();
}

// The manifest in the library's directory that names it, be it one that cannot be read; empty if
// there is none.
std::string manifest_beside(const std::string& library) {
  const std::string directory = fs::path(library).parent_path().string();
  const std::string quoted = fmt::format("\"{}\"", fs::path(library).filename().string());
  std::string damaged;
  for (const std::string& name : loader::names_in(directory)) {
    std::string path = fmt::format("{}/{}.toml", directory, name);
    const auto manifest = read_manifest(path, "");
    if (manifest && real(manifest->library) == library) return path;
    if (!manifest && text_of(path).value_or("").find(quoted) != std::string::npos) damaged = path;
  }
  return damaged;
}

// As a pool: whatever the file is called, it must be the manifest of the driver that is asked for.
Result<Target> target_of_manifest(const std::string& path, const std::string& driver) {
  const std::string manifest = real(path);
  auto read = read_manifest(manifest, driver);
  if (!read) return tl::unexpected(read.error());
  return Target{real(read->library), manifest};
}

Result<Target> target_of_file(const std::string& path, const std::string& driver) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    return fail(Code::driver_not_found,
                fmt::format("there is no file {}; build the driver first, or give its name", path));
  }
  if (path.ends_with(".toml")) return target_of_manifest(path, driver);
  const std::string library = real(path);
  return Target{library, manifest_beside(library)};
}

}  // namespace

Result<Target> find_target(std::string_view word, const DriversConfig& drivers,
                           std::string_view base_dir) {
  const std::string path(word);  // or a driver's name
  std::error_code ignored;
  const bool is_file = word.find('/') != std::string_view::npos || word.ends_with(".so") ||
                       word.ends_with(".toml") || fs::is_regular_file(path, ignored);
  if (is_file) return target_of_file(path, "");
  if (const auto pin = drivers.pins.find(path);
      pin != drivers.pins.end() && !pin->second.path.empty()) {
    return target_of_file(loader::resolve(pin->second.path, base_dir), path);
  }
  std::string places;
  for (const loader::SearchPlace& place :
       loader::search_places(drivers, base_dir, loader::Surroundings::of_this_process())) {
    if (!place.skipped.empty()) continue;
    const std::string manifest = fmt::format("{}/{}.toml", place.directory, word);
    if (fs::exists(manifest, ignored)) return target_of_manifest(manifest, path);
    places += fmt::format("\n  {} ({})", place.directory, place.why);
  }
  return fail(Code::driver_not_found,
              fmt::format("no manifest {}.toml was found; give the driver's file instead, or name "
                          "its directory in [drivers] search. Looked in:{}",
                          word, places.empty() ? " nowhere" : places));
}

}  // namespace weir::check
