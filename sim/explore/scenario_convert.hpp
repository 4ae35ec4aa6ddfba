// SPDX-License-Identifier: MIT
//
// From a node of the file to the value of a key, or to what is wrong with it and what to write.
//
// Called by: scenario_read.cpp. Pure. Threads: any.
#pragma once

#include "core/config/toml_tree.hpp"
#include "sim/explore/scenario_keys.hpp"

#include <weir/error.hpp>

#include <string>
#include <variant>

namespace weir::sim {

struct ValueProblem {
  Code code{};
  std::string message;
  std::string label = {};
  config::Place place = {};  // of the faulty element of a list; line 0: the value as a whole
};

// Requires: the key has a member. What is returned is in the key's range and can be stored.
[[nodiscard]] std::variant<FileValue, ValueProblem> convert(const ScenarioKey& key,
                                                            const config::Node& node);

}  // namespace weir::sim
