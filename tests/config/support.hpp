// SPDX-License-Identifier: MIT
//
// What the tests of the configuration share: parsing with a made-up environment, a directory that
// goes away, and files that begin well.
#pragma once

#include "core/config/parse.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace weir::config {

using Variables = std::map<std::string, std::string>;

inline Result<ParsedConfig> parse_with(std::string_view text, const Variables& variables = {},
                                       std::string_view base_dir = ".") {
  ParseInput input;
  input.text = text;
  input.name = "app.toml";
  input.base_dir = base_dir;
  input.environment = [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  return parse(input);
}

// A file with one good pool and these lines in it, on lines 4 and following.
inline std::string in_pool(std::string_view lines) {
  return "version = 1\n[pool.main]\ndriver = \"sqlite\"\n" + std::string(lines) + "\n";
}

inline PoolConfig pool_of(std::string_view text, const Variables& variables = {}) {
  auto parsed = parse_with(text, variables);
  if (!parsed) {
    ADD_FAILURE() << parsed.error().what();
    return {};
  }
  return parsed->config.pools.begin()->second;
}

// The diagnostics without the frame around them: neither "cannot be used" nor the count.
inline std::string faults_of(std::string_view text, const Variables& variables = {}) {
  const auto parsed = parse_with(text, variables);
  if (parsed) return "accepted";
  const std::string& message = parsed.error().message();
  const std::size_t first = message.find("\n\n") + 2;
  const std::size_t last = message.rfind("\n\n") + 1;
  return first < last ? message.substr(first, last - first) : message;
}

class ScratchDir {
 public:
  ScratchDir() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-config-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~ScratchDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;

  [[nodiscard]] std::string path(std::string_view name = {}) const {
    return name.empty() ? path_ : path_ + "/" + std::string(name);
  }
  std::string write(std::string_view name, std::string_view text, unsigned mode = 0600) const {
    const std::string file = path(name);
    std::ofstream(file, std::ios::binary) << text;
    std::filesystem::permissions(file, static_cast<std::filesystem::perms>(mode));
    return file;
  }

 private:
  std::string path_;
};

}  // namespace weir::config
