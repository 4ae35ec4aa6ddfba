// SPDX-License-Identifier: MIT
#include "tests/loader/support.hpp"

#include "core/loader/elf.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace weir::loader::test {

TempDir::TempDir() {
  std::string path = std::filesystem::temp_directory_path().string() + "/weir-loader-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr || ::chmod(path.c_str(), 0755) != 0) {
    throw std::runtime_error("no temporary directory");
  }
  path_ = std::filesystem::canonical(path).string();
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::operator/(std::string_view name) const {
  return fmt::format("{}/{}", path_, name);
}

std::string TempDir::make_dir(std::string_view name) const {
  std::string path = *this / name;
  std::filesystem::create_directories(path);
  ::chmod(path.c_str(), 0755);
  return path;
}

std::string TempDir::write(std::string_view name, std::string_view text) const {
  std::string path = *this / name;
  std::ofstream(path, std::ios::binary) << text;
  ::chmod(path.c_str(), 0644);
  return path;
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string zoo_path(std::string_view animal) {
  return fmt::format("{}/zoo_{}.so", ZOO_DIR, animal);
}
std::string probe_program() { return WEIR_PROBE; }

std::string put_library(const TempDir& dir, std::string_view animal, std::string_view file) {
  return dir.write(file, read_file(zoo_path(animal)));
}

std::string manifest_text(std::string_view name, std::string_view file, std::string_view more) {
  return fmt::format(
      "manifest = 1\n[driver]\nname = \"{}\"\nversion = \"1.2.3\"\n{}\n[driver.library]\n"
      "{} = \"{}\"\n",
      name, more, platform(), file);
}

void put_plugin(const TempDir& dir, std::string_view animal, std::string_view name,
                std::string_view more) {
  put_library(dir, animal);
  dir.write(fmt::format("{}.toml", name), manifest_text(name, "plugin.so", more));
}

Surroundings bare_surroundings() {
  Surroundings around;
  around.probe_program = probe_program();
  return around;
}

DriversConfig search_in(const std::string& directory) {
  DriversConfig config;
  config.search.push_back(directory);
  return config;
}

DriversConfig pinned(const std::string& path, const std::string& sha256) {
  DriversConfig config;
  config.pins["minimal"] = {path, sha256};
  return config;
}

std::string outcome(const Result<std::shared_ptr<const LoadedDriver>>& loaded) {
  if (loaded) return "ok " + (*loaded)->path;
  return fmt::format("{} {}", loaded.error().id(), loaded.error().message());
}

std::string load_outcome(const DriversConfig& config, const Surroundings& around) {
  return outcome(load("minimal", config, "/", {}, around));
}

std::string as_user(unsigned uid, const std::function<std::string()>& fn) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    std::string text = "cannot change the user";
    if (::setgid(uid) == 0 && ::setuid(uid) == 0) text = fn();
    const ssize_t written = ::write(ends[1], text.data(), text.size());
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  std::array<char, 1024> block{};
  for (ssize_t size = 0; (size = ::read(ends[0], block.data(), block.size())) > 0;) {
    text.append(block.data(), static_cast<std::size_t>(size));
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return text;
}

bool is_root() { return ::geteuid() == 0; }

}  // namespace weir::loader::test
