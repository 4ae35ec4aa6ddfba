// SPDX-License-Identifier: MIT
//
// What a table of scenario_keys.cpp answers of itself.
#include "sim/explore/scenario_keys.hpp"

#include <fmt/format.h>

namespace weir::sim {

const ScenarioKey* ScenarioTable::find(std::string_view key) const noexcept {
  for (const ScenarioKey& row : keys) {
    if (row.name == key) return &row;
  }
  return nullptr;
}

std::uint32_t ScenarioTable::selected(const void* object) const {
  if (selector.empty()) return ~0U;
  return 1U << static_cast<unsigned>(find(selector)->access.load(object)->number);
}

std::string ScenarioTable::header() const {
  if (name.empty()) return "the file";
  return many ? fmt::format("[[{}]]", name) : fmt::format("[{}]", name);
}

}  // namespace weir::sim
