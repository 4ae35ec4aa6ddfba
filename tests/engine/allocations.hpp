// SPDX-License-Identifier: MIT
//
// How often this program has asked for memory. Linked in, it replaces operator new of the whole
// program by one that counts; single-threaded.
#pragma once

#include <cstddef>

namespace weir::engine::test {

[[nodiscard]] std::size_t allocations() noexcept;

}  // namespace weir::engine::test
