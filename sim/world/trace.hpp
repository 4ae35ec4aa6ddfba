// SPDX-License-Identifier: MIT
//
// What a world tells of itself: one Step per scheduling point, folded into the trace hash as it
// happens and kept only where asked for. Two runs of one scenario in one build have the same hash;
// where they have not, the first step that differs is found in the kept traces.
//
// Objects and threads are ordinals, never addresses, so that a trace means the same in any process.
#pragma once

#include <weir/time.hpp>

#include <cstdint>
#include <string_view>

namespace weir::sim {

using ThreadId = std::uint32_t;  // 1: the world's main thread; 0: the clock, or nobody
using ObjectId = std::uint32_t;  // 0: none

inline constexpr ThreadId the_clock = 0;

// What a thread is about to do at a scheduling point, or what befell it.
enum class Op : std::uint8_t {
  start,  // the thread's first step
  end,    // its last one
  lock,
  try_lock,
  unlock,
  wait,
  notify,
  load,
  store,
  exchange,  // and every other read-modify-write
  spawn,
  join,
  sleep,
  yield,
  wake,  // it goes on after it was blocked
  timeout,
  disk,     // a simulated disk's operation
  advance,  // the clock's step
  note,     // a value that the program under test, or a judge, put into the trace
};
[[nodiscard]] std::string_view to_string(Op) noexcept;

struct Step {
  ThreadId thread;
  std::uint32_t ordinal;  // of the thread's own points
  Op op;
  ObjectId object;
  std::uint64_t value;
  Instant at;
};

// A rolling hash: order and content matter, one multiplication a step.
class TraceHash {
 public:
  void mix(std::uint64_t word) noexcept {
    state_ = (state_ ^ word) * 0x9fb21c651e98df25U;
    state_ ^= state_ >> 32;
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return state_; }

 private:
  std::uint64_t state_ = 0x2545f4914f6cdd1dU;
};

}  // namespace weir::sim
