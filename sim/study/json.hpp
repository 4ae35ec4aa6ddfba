// SPDX-License-Identifier: MIT
//
// What the JSON of the studies has in common. Times are in seconds, shares of 1; what is infinite
// or not known, such as the interval of a single run, is null.
//
// Called by: sim/study's reports. Owns nothing. Threads: any; pure functions.
#pragma once

#include "sim/study/gauge.hpp"

#include <cmath>
#include <string>

#include <nlohmann/json.hpp>

namespace weir::sim {

using Json = nlohmann::ordered_json;

[[nodiscard]] inline Json json_of(double number) {
  return std::isfinite(number) ? Json(number) : Json(nullptr);
}
[[nodiscard]] inline Json json_of(const Estimate& e) {
  return {{"mean", json_of(e.mean)}, {"plus_minus", json_of(e.half)}};
}
[[nodiscard]] inline std::string dumped(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace weir::sim
