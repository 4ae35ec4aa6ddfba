// SPDX-License-Identifier: MIT
// The version of the library that is loaded, which may differ from the headers a host was compiled
// against: compare at run time, not with the preprocessor.
#pragma once

#include <weir/export.hpp>

namespace weir {

// The version as "major.minor.patch", in static storage.
[[nodiscard]] WEIR_API const char* version() noexcept;

}  // namespace weir
