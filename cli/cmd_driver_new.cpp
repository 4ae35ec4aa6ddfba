// SPDX-License-Identifier: MIT
//
// weir driver new: writes a driver project that builds and passes `weir driver check`, from the
// template that travels inside this program.
#include "cli/check/embedded.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "core/base/text.hpp"
#include "core/loader/driver_table.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view origin = "template/";
constexpr std::string_view old_name = "template";

struct NewFile {
  fs::path path;
  std::string text;
};

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at = 0;;) {
    const std::size_t found = text.find(from, at);
    out += text.substr(at, found - at);
    if (found == std::string_view::npos) return out;
    out += to;
    at = found + from.size();
  }
}

// The name where C wants an identifier of a macro: "my-db" -> "MY_DB".
std::string macro_of(std::string_view name) {
  std::string word;
  for (const char c : name) {
    word += is_lower(c) ? static_cast<char>(c - 'a' + 'A') : is_digit(c) ? c : '_';
  }
  return is_digit(word.front()) ? "DRIVER_" + word : word;
}

// The template as the project `name`. What its README says about renaming has been done then.
std::vector<NewFile> project(const std::string& name, const fs::path& directory) {
  std::vector<NewFile> files;
  for (const check::EmbeddedFile& file : check::embedded_files()) {
    if (!file.name.starts_with(origin)) continue;
    std::string text(file.text);
    const std::size_t to_rename = text.find("\n## What to rename");
    if (to_rename != std::string::npos) text.resize(to_rename);
    text = replaced(replaced(text, "TEMPLATE", macro_of(name)), old_name, name);
    const std::string path = replaced(file.name.substr(origin.size()), old_name, name);
    files.push_back({directory / path, std::move(text)});
  }
  return files;
}

// Returns: 0 or errno.
int write_new(const NewFile& file) {
  const int fd = ::open(file.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return errno;
  std::string_view left = file.text;
  while (!left.empty()) {
    const ssize_t size = ::write(fd, left.data(), left.size());
    if (size < 0) {
      const int error = errno;
      ::close(fd);
      return error;
    }
    left.remove_prefix(static_cast<std::size_t>(size));
  }
  return ::close(fd) == 0 ? 0 : errno;
}

int refuse(Context& context, const std::string& message) {
  if (context.global.json) {
    context.json({{"error", {{"message", message}, {"exit_code", int{exit_failed}}}}});
  }
  context.out.prose(fmt::format("weir: {}\n", message));
  return exit_failed;
}

}  // namespace

int run_driver_new(Context& context) {
  const std::string name = context.text("NAME");
  if (!loader::is_driver_name(name)) {
    return context.usage_error(
        fmt::format("'{}' is no name for a driver: use a to z, 0 to 9, - and _, beginning with a "
                    "letter or a digit, at most 64 characters",
                    printable(name)));
  }
  const fs::path directory = context.text("--dir", name);
  const std::vector<NewFile> files = project(name, directory);
  std::error_code failure;
  for (const NewFile& file : files) {
    if (fs::exists(fs::symlink_status(file.path, failure))) {
      return refuse(context, fmt::format("{} exists and was left alone, and so was all else; "
                                         "choose another directory with --dir",
                                         file.path.string()));
    }
  }
  fs::create_directories(directory, failure);
  if (failure) {
    return refuse(context, fmt::format("cannot make the directory {}: {}", directory.string(),
                                       failure.message()));
  }
  for (const NewFile& file : files) {
    if (const int error = write_new(file); error != 0) {
      return refuse(context,
                    fmt::format("cannot write {}: {}", file.path.string(), std::strerror(error)));
    }
  }
  if (context.global.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const NewFile& file : files) list.push_back(file.path.string());
    context.json({{"ok", true}, {"directory", directory.string()}, {"files", list}});
  }
  context.out.prose(
      fmt::format("wrote {} files to {}, a driver that works; next:\n"
                  "  cd {}\n"
                  "  meson setup build && ninja -C build\n"
                  "  weir driver check build/weir_{}.so --quirks quirks.toml\n"
                  "README.md says which files to replace by your database\n",
                  files.size(), directory.string(), directory.string(), name));
  return exit_ok;
}

}  // namespace weir::cli
