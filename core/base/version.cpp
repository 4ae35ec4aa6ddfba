// SPDX-License-Identifier: MIT
// The version has one source, project() in meson.build, and reaches the code only through here.
#include <weir/version.hpp>

namespace weir {

const char* version() noexcept { return WEIR_VERSION; }

}  // namespace weir
