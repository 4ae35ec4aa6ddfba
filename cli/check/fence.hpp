// SPDX-License-Identifier: MIT
//
// fence.hpp: memory that ends where nothing may be touched. A struct or an array is put right
// before a page without access, and what lies before it is filled with a pattern: who reads or
// writes past the end dies on the spot, who writes before the start is seen afterwards.
//
// Called by: rules and tests that hand a driver structs of any struct_size.
#pragma once

#include <weir/driver.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

namespace weir::check {

class Fence {
 public:
  static constexpr unsigned char pattern = 0x5A;

  explicit Fence(std::size_t size) : page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
    room_ = (size / page_ + 1) * page_;
    void* at =
        ::mmap(nullptr, room_ + page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::runtime_error("no memory for a fence");
    start_ = static_cast<unsigned char*>(at);
    std::memset(start_, pattern, room_);
    if (::mprotect(start_ + room_, page_, PROT_NONE) != 0) throw std::runtime_error("no fence");
    object_ = start_ + room_ - size;
  }
  ~Fence() { ::munmap(start_, room_ + page_); }
  Fence(const Fence&) = delete;
  Fence& operator=(const Fence&) = delete;

  // `size` bytes, the last of which is the last before the fence.
  void* object() const { return object_; }
  bool is_clean_before() const {
    return std::all_of(start_, object_, [](unsigned char byte) { return byte == pattern; });
  }

 private:
  std::size_t page_;
  std::size_t room_ = 0;
  unsigned char* start_ = nullptr;
  unsigned char* object_ = nullptr;
};

// A growable struct of the ABI with `size` bytes, which may be fewer than it has today (an older
// caller) or more (a newer one: its unknown tail holds the pattern).
template <class T>
class Fenced {
 public:
  Fenced(const T& value, std::uint32_t size) : fence_(size), size_(size) {
    std::memcpy(fence_.object(), &value, std::min<std::size_t>(size, sizeof(T)));
    std::memcpy(fence_.object(), &size, sizeof size);
  }

  T* get() const { return static_cast<T*>(fence_.object()); }
  // What there is of it, the rest zero.
  T value() const {
    T full{};
    std::memcpy(&full, fence_.object(), std::min<std::size_t>(size_, sizeof(T)));
    return full;
  }
  // Nothing outside was written, and neither its size nor members that this driver cannot know.
  bool is_intact() const {
    const auto* bytes = static_cast<const unsigned char*>(fence_.object());
    std::uint32_t size = 0;
    std::memcpy(&size, bytes, sizeof size);
    if (size != size_ || !fence_.is_clean_before()) return false;
    for (std::size_t i = sizeof(T); i < size_; ++i) {
      if (bytes[i] != Fence::pattern) return false;
    }
    return true;
  }

 private:
  Fence fence_;
  std::uint32_t size_;
};

// Bytes without a terminator.
class FencedText {
 public:
  explicit FencedText(std::string_view text) : fence_(text.size()), size_(text.size()) {
    if (!text.empty()) std::memcpy(fence_.object(), text.data(), text.size());
  }
  weir_text get() const { return {static_cast<const char*>(fence_.object()), size_}; }

 private:
  Fence fence_;
  std::size_t size_;
};

// Each size that a struct may have: from its first two members to two more than today.
template <class T, class Use>
void for_each_size(Use use) {
  for (std::uint32_t size = 8; size <= sizeof(T) + 16; size += 8) use(size);
}

}  // namespace weir::check
