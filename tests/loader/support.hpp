// SPDX-License-Identifier: MIT
//
// What the loader's tests share: a directory of their own, plugins from the zoo put into it, and
// another user to be.
#pragma once

#include "core/loader/loader.hpp"

#include <weir/config.hpp>

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace weir::loader::test {

// A new directory below the system's, mode 0755, removed with what is in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string operator/(std::string_view name) const;

  std::string make_dir(std::string_view name) const;
  std::string write(std::string_view name, std::string_view text) const;

 private:
  std::string path_;
};

[[nodiscard]] std::string read_file(const std::string& path);
[[nodiscard]] std::string zoo_path(std::string_view animal);
[[nodiscard]] std::string probe_program();

// Copies a plugin of the zoo into the directory. Returns: the path of the copy.
std::string put_library(const TempDir& dir, std::string_view animal,
                        std::string_view file = "plugin.so");
// The text of a manifest that is right for the zoo; `more` goes into [driver].
[[nodiscard]] std::string manifest_text(std::string_view name = "minimal",
                                        std::string_view file = "plugin.so",
                                        std::string_view more = "");
// Both, under NAME.toml.
void put_plugin(const TempDir& dir, std::string_view animal, std::string_view name = "minimal",
                std::string_view more = "");

// A process around us in which nothing is installed, and with the trial load.
[[nodiscard]] Surroundings bare_surroundings();
[[nodiscard]] DriversConfig search_in(const std::string& directory);
[[nodiscard]] DriversConfig pinned(const std::string& path, const std::string& sha256 = "");

// The outcome as text: "ok PATH", or "W203 MESSAGE".
[[nodiscard]] std::string outcome(const Result<std::shared_ptr<const LoadedDriver>>& loaded);
// load("minimal") with nothing registered.
[[nodiscard]] std::string load_outcome(const DriversConfig& config,
                                       const Surroundings& around = bare_surroundings());

// Calls fn in a child that is another user. Requires: we are root.
[[nodiscard]] std::string as_user(unsigned uid, const std::function<std::string()>& fn);
[[nodiscard]] bool is_root();

}  // namespace weir::loader::test
