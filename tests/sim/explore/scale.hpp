// SPDX-License-Identifier: MIT
//
// scale.hpp: whether the tests of the search run at full counts (./dev test --full).
#pragma once

#include <cstdlib>
#include <string_view>

namespace weir::sim {

inline bool full() {
  const char* const scale = std::getenv("WEIR_TEST_SCALE");
  return scale != nullptr && std::string_view(scale) == "full";
}

}  // namespace weir::sim
