// SPDX-License-Identifier: MIT
//
// A stand-in for where spdlog is not installed: the few names that weir/adapters/spdlog.hpp uses.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spdlog {

namespace level {
enum level_enum { trace, debug, info, warn, err, critical, off };
}

struct logger {
  void log(level::level_enum level, const char*, std::string_view pool, std::string_view line) {
    lines.emplace_back(level, std::string(pool) + ": " + std::string(line));
  }
  std::vector<std::pair<level::level_enum, std::string>> lines;
};

}  // namespace spdlog
