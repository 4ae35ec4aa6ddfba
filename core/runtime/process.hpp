// SPDX-License-Identifier: MIT
//
// The fork guard. A child of fork() has copies of the parent's pools, but neither their threads nor
// a right to their sessions: a byte from the child, even a goodbye, would break the parent's. So
// every entrance asks whether it is still in the process that opened the pool, which costs one
// relaxed load; in a child everything answers Code::forked, and what the child inherited is left
// alone, not closed (S16; plugin-abi.md, section 3.7).
//
// Threads: any.
#pragma once

#include <weir/error.hpp>

#include <atomic>
#include <cstdint>

namespace weir::runtime {

extern std::atomic<std::uint32_t> forks;  // os_runtime.cpp; written by fork() alone, in the child

// Differs between a process and its forked children.
[[nodiscard]] inline std::uint32_t process_generation() noexcept {
  return forks.load(std::memory_order_relaxed);
}

[[nodiscard]] Error forked_error();

}  // namespace weir::runtime
