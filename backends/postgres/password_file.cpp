// SPDX-License-Identifier: MIT
#include "backends/postgres/password_file.hpp"

#include <array>
#include <cstdlib>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace weir::postgres {
namespace {

// As libpq finds it: named, or in the home directory.
std::string path_of(const Config& config) {
  for (const auto& [key, value] : config.parameters) {
    if (key == "passfile") return value;
  }
  if (const char* named = std::getenv("PGPASSFILE")) return named;
  if (const char* home = std::getenv("HOME")) {
    if (home[0] != '\0') return std::string(home) + "/.pgpass";
  }
  std::array<char, 4096> room{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, room.data(), room.size(), &found) != 0) return "";
  return found == nullptr ? "" : std::string(found->pw_dir) + "/.pgpass";
}

}  // namespace

std::string objectionable_password_file(const Config& config) {
  for (const auto& [key, value] : config.parameters) {
    if (key == "password") return "";  // then libpq does not look
  }
  const std::string path = path_of(config);
  struct stat info {};
  if (path.empty() || ::stat(path.c_str(), &info) != 0) return "";
  const bool fine = S_ISREG(info.st_mode) && (info.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  return fine ? "" : path;
}

}  // namespace weir::postgres
