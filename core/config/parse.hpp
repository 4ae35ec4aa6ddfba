// SPDX-License-Identifier: MIT
//
// The parser of the configuration: text -> Config, with the origin of each value beside it.
// Config::from_file and from_string are thin shells around this; `weir config` calls it directly.
//
// Threads: any; reads the environment, so nobody may change it meanwhile.
#pragma once

#include "core/config/toml_tree.hpp"

#include <weir/config.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace weir::config {

// Where a value came from.
struct Origin {
  enum class From : std::uint8_t { file, environment, secret_file, url };
  From from = From::file;
  std::string name;  // of the variable, the secret file or the URL parameter
  Place place;       // of the value in the file
};

// By full key: "pool.main.max", "pool.main.options.password", "drivers.allow". What is not here has
// its default.
using Origins = std::map<std::string, Origin, std::less<>>;

struct ParsedConfig {
  Config config;
  Origins origins;
};

// Returns: the value of a variable; nothing if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
[[nodiscard]] WEIR_API Environment process_environment();

struct ParseInput {
  std::string_view text;
  std::string_view name = "<string>";
  std::string_view base_dir = ".";
  Environment environment = process_environment();
};

// Errors: all faults of the text in one Error, see Config::from_file. Blocks: reads secret files.
[[nodiscard]] WEIR_API Result<ParsedConfig> parse(const ParseInput& input);
[[nodiscard]] WEIR_API Result<ParsedConfig> parse_file(
    std::string_view path, Environment environment = process_environment());

// "weir.toml:12", "env DATABASE_URL (weir.toml:5)", "default": for people.
[[nodiscard]] WEIR_API std::string describe(const Origins& origins, std::string_view key,
                                            std::string_view file);

}  // namespace weir::config
