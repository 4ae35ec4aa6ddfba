// SPDX-License-Identifier: MIT
//
// build_id(): names the build whose runs are the same for the same scenario. A file of a failing
// case keeps it, so that another build can say that its steps may differ.
#pragma once

#include <string>

namespace weir::sim {

// The linker's id of the program or library that this is part of, 16 hexadecimal digits of it;
// "unknown" where it has none.
[[nodiscard]] const std::string& build_id();

}  // namespace weir::sim
