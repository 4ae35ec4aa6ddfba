// SPDX-License-Identifier: MIT
//
// What the whole process allocates and sends, its libraries too: a program that links counted.cpp
// has malloc and its kin, and the calls that can send on a socket, from there instead of from the
// C library. They count and do the same.
//
// Used by: bench_cost. Threads: any; the numbers are those of all threads.
#pragma once

#include <cstdint>

namespace weir::bench::counted {

std::uint64_t allocations() noexcept;  // so far
std::int64_t bytes() noexcept;         // in use now, as malloc rounds them, with its header
std::uint64_t sends() noexcept;        // calls so far that gave bytes to a socket

}  // namespace weir::bench::counted
