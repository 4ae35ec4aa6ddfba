// SPDX-License-Identifier: MIT
#include "sim/world/stack.hpp"

#include "core/base/sanitizers.hpp"

#include <new>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace weir::sim {
namespace {

std::size_t page() noexcept { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

char* map_stack() {
  void* const whole = ::mmap(nullptr, page() + Stack::size, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  if (whole == MAP_FAILED) throw std::bad_alloc();
  char* const bottom = static_cast<char*>(whole) + page();
  if (::mprotect(bottom, Stack::size, PROT_READ | PROT_WRITE) != 0) {
    ::munmap(whole, page() + Stack::size);
    throw std::bad_alloc();
  }
  return bottom;
}

void unmap_stack(char* bottom) noexcept { ::munmap(bottom - page(), page() + Stack::size); }

struct Kept {
  std::vector<char*> stacks;
  ~Kept() {
    for (char* bottom : stacks) unmap_stack(bottom);
  }
};

Kept& kept() {
  thread_local Kept stacks;
  return stacks;
}

constexpr std::size_t kept_max = 256;

}  // namespace

Stack Stack::take() {
  auto& stacks = kept().stacks;
  if (stacks.empty()) return Stack(map_stack());
  char* const bottom = stacks.back();
  stacks.pop_back();
  return Stack(bottom);
}

Stack::~Stack() {
  if (bottom_ == nullptr) return;
#ifdef WEIR_ASAN
  __asan_unpoison_memory_region(bottom_, size);  // of frames that never returned
#endif
  auto& stacks = kept().stacks;
  if (stacks.size() < kept_max) {
    stacks.push_back(bottom_);
  } else {
    unmap_stack(bottom_);
  }
}

void Stack::leave_behind() noexcept {
#ifdef WEIR_ASAN
  __lsan_register_root_region(bottom_, size);
  bottom_ = nullptr;
#endif
  // Else its memory is used again: the objects on it are dead, and what they own is lost.
}

}  // namespace weir::sim
