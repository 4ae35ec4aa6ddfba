// SPDX-License-Identifier: MIT
//
// The scenario of these tests, with a plugin of the template's kind.
#pragma once

#include <string>
#include <string_view>

namespace weir::sim {

inline std::string scenario_of(std::string_view plugin, std::string_view clock) {
  return "format = 1\nduration = \"300ms\"\nclock = \"" + std::string(clock) + "\"\nplugin = \"" +
         std::string(plugin) + R"toml("
setup = ["set 1 'x'"]
[pool]
driver = "template"
url = "template:"
max = 2
min = 1
[[client]]
count = 3
every = "exp(10ms)"
sql = ["get 1", "sleep 1"]
)toml";
}

}  // namespace weir::sim
