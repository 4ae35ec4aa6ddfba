// SPDX-License-Identifier: MIT
//
// Stack: memory for a fiber, with a guard page below it so that a runaway recursion faults there
// instead of writing into a neighbour. Stacks are kept for the next fiber: a world has dozens of
// fibers and lives for microseconds. Only touched pages take memory.
//
// Owner:   the contexts of fiber.cpp and ucontext.cpp. Threads: any; each OS thread keeps its own.
#pragma once

#include <cstddef>
#include <utility>

namespace weir::sim {

class Stack {
 public:
  static constexpr std::size_t size = 256 * 1024;  // sqlite3 needs about 40 KiB of it, ASan thrice

  // Throws: std::bad_alloc.
  static Stack take();
  Stack(Stack&& other) noexcept : bottom_(std::exchange(other.bottom_, nullptr)) {}
  Stack& operator=(Stack&&) = delete;
  ~Stack();

  [[nodiscard]] char* bottom() const noexcept { return bottom_; }
  [[nodiscard]] char* top() const noexcept { return bottom_ + size; }
  // It holds objects that nobody can destroy any more. What they point to is not leaked by mistake,
  // and a leak checker is told so.
  void leave_behind() noexcept;

 private:
  explicit Stack(char* bottom) noexcept : bottom_(bottom) {}
  char* bottom_;
};

}  // namespace weir::sim
