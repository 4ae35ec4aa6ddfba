// SPDX-License-Identifier: MIT
//
// The pool of a scenario file: [pool] with the keys of a weir.toml, on top of a pool of a real
// weir.toml if `pool_file` names one. Nothing is parsed in here: a tree is built that is a
// weir.toml's, and handed to the reader of those, so that its checks and messages apply.
//
// Called by: scenario_read.cpp, scenario_write.cpp. Owns nothing.
// Threads: any; reading looks at the environment where the pool refers to it. Blocks on files.
#pragma once

#include "core/config/diagnostic.hpp"
#include "core/config/toml_tree.hpp"

#include <weir/config.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weir::sim {

inline constexpr std::string_view usual_pool_name = "main";
inline constexpr std::string_view mock_driver = "mock";

// The URL that a pool has if it names none: that of the server of [server], or a file on the
// simulated disk.
[[nodiscard]] inline std::string mock_url(std::string_view pool) {
  return "mock:" + std::string(pool);
}
[[nodiscard]] inline std::string sqlite_url(std::string_view pool) {
  return "file:/sim/" + std::string(pool) + ".db";
}

struct PoolRequest {
  const config::Entry* table = nullptr;  // [pool]; null if there is none
  const config::Entry* file = nullptr;   // `pool_file`, a text; null if there is none
  std::string_view scenario;             // its name, for messages
  std::string_view base_dir;             // what `pool_file` is relative to
  bool any_driver = false;               // not only those that are linked in
};

struct PoolAnswer {
  PoolConfig pool;
  std::vector<config::Diagnostic> faults;  // the pool means nothing if there are any
};

// Hides what may be secret from `source`, which is the scenario's.
[[nodiscard]] PoolAnswer read_pool(const PoolRequest& request, config::Source& source);

}  // namespace weir::sim
