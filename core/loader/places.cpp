// SPDX-License-Identifier: MIT
#include "core/loader/places.hpp"

#include <algorithm>
#include <dirent.h>
#include <memory>

#include <fmt/format.h>

namespace weir::loader {

namespace {

void add_env_places(const DriversConfig& config, const Surroundings& around,
                    std::vector<SearchPlace>& places) {
  const std::string why = "WEIR_PLUGIN_PATH";
  if (around.env_path.empty()) return;
  if (!config.allow_env) {
    places.push_back({"", why, "not looked at: [drivers] allow_env is false"});
    return;
  }
  if (around.privileged) {
    places.push_back({"", why, "not looked at: this process has more rights than its user"});
    return;
  }
  std::string_view rest = around.env_path;
  while (true) {
    const std::size_t colon = rest.find(':');
    const std::string_view entry = rest.substr(0, colon);
    // Relative to what would depend on where the program was started: anybody's directory.
    if (!entry.empty() && entry.front() == '/') {
      places.push_back({std::string(entry), why, ""});
    } else if (!entry.empty()) {
      places.push_back({"", why, fmt::format("\"{}\" not looked at: it is not absolute", entry)});
    }
    if (colon == std::string_view::npos) return;
    rest.remove_prefix(colon + 1);
  }
}

}  // namespace

std::string resolve(std::string_view path, std::string_view base_dir) {
  if (path.substr(0, 1) == "/" || base_dir.empty()) return std::string(path);
  return fmt::format("{}/{}", base_dir, path);
}

std::vector<SearchPlace> search_places(const DriversConfig& config, std::string_view base_dir,
                                       const Surroundings& around) {
  std::vector<SearchPlace> places;
  for (const std::string& directory : config.search) {
    places.push_back({resolve(directory, base_dir), "[drivers] search", ""});
  }
  add_env_places(config, around, places);
  for (const Surroundings::Place& place : around.system_places) {
    places.push_back({place.directory, place.why, ""});
  }
  return places;
}

std::vector<std::string> names_in(const std::string& directory) {
  constexpr std::string_view suffix = ".toml";
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), &::closedir);
  if (!stream) return names;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view file = entry->d_name;
    if (file.size() <= suffix.size()) continue;
    const std::string_view name = file.substr(0, file.size() - suffix.size());
    if (file.substr(name.size()) == suffix && is_driver_name(name)) names.emplace_back(name);
  }
  // The order of readdir is chance.
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace weir::loader
