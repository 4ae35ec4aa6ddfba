// SPDX-License-Identifier: MIT
#include "core/loader/loader.hpp"
#include "core/loader/trust.hpp"

#include <array>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <link.h>
#include <memory>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace weir::loader {

namespace {

constexpr const char* plugin_dir = WEIR_PLUGIN_DIR;

std::string parent(std::string_view path) { return std::string(path.substr(0, path.rfind('/'))); }

bool exists(const std::string& path) noexcept { return ::access(path.c_str(), F_OK) == 0; }

// The file that this code lives in: libweir, or a program that was linked with the static library.
struct OwnFile {
  std::string directory;  // real; empty if it cannot be told
  bool is_program = false;
};

OwnFile own_file() {
  Dl_info info{};
  void* extra = nullptr;
  if (::dladdr1(plugin_dir, &info, &extra, RTLD_DL_LINKMAP) == 0) return {};
  const auto* map = static_cast<const link_map*>(extra);
  std::string file = map == nullptr ? "" : map->l_name;
  const bool is_program = file.empty();
  if (is_program) {
    // What the linker calls a program is argv[0], which says nothing.
    std::array<char, 4096> link{};
    const ssize_t size = ::readlink("/proc/self/exe", link.data(), link.size());
    if (size > 0) file.assign(link.data(), static_cast<std::size_t>(size));
  }
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(file.c_str(), nullptr),
                                                         &std::free);
  return real ? OwnFile{parent(real.get()), is_program} : OwnFile{};
}

// Where the plugins lie if the whole installation was moved: the same steps from where we are as
// from where we should be. Empty if there is no such way below one prefix.
std::string moved_plugin_dir(const OwnFile& own) {
  const std::filesystem::path planned = own.is_program ? WEIR_BIN_DIR : WEIR_LIB_DIR;
  const std::filesystem::path steps = std::filesystem::path(plugin_dir).lexically_relative(planned);
  if (steps.empty() || steps.string().starts_with("../..")) return {};
  return (std::filesystem::path(own.directory) / steps).lexically_normal().string();
}

// Only a helper that passes the strict checks is run; a missing one is no error.
bool is_usable_program(const std::string& path) {
  auto file = open_checked(path, true);
  return file && file->has_value() && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

Surroundings Surroundings::of_this_process() {
  Surroundings around;
  around.privileged = is_privileged();
  if (const char* path = ::secure_getenv("WEIR_PLUGIN_PATH")) around.env_path = path;

  // weir-probe is installed in the directory above the plugins.
  std::vector<std::string> programs;
  // Where a privileged program lies can be up to who calls it (hard links, renamed directories).
  const OwnFile own = around.privileged ? OwnFile{} : own_file();
  if (!own.directory.empty()) {
    const std::string build = parent(own.directory);
    const std::string moved = moved_plugin_dir(own);
    if (exists(build + "/meson-private/coredata.dat")) {
      around.system_places.push_back({build + "/plugins", "the build tree"});
      programs.push_back(build + "/core/loader/weir-probe");
    } else if (!moved.empty() && moved != plugin_dir) {
      around.system_places.push_back(
          {moved, own.is_program ? "beside this program" : "beside libweir"});
      programs.push_back(parent(moved) + "/weir-probe");
    }
  }
  around.system_places.push_back({plugin_dir, "compiled in"});
  programs.push_back(parent(plugin_dir) + "/weir-probe");

  for (const std::string& program : programs) {
    if (!is_usable_program(program)) continue;
    around.probe_program = program;
    break;
  }
  return around;
}

}  // namespace weir::loader
