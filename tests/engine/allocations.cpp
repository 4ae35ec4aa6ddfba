// SPDX-License-Identifier: MIT
#include "tests/engine/allocations.hpp"

#include <cstdlib>
#include <new>

static std::size_t count = 0;

void* operator new(std::size_t size) {
  ++count;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

std::size_t weir::engine::test::allocations() noexcept { return count; }
