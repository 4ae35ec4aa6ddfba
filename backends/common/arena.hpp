// SPDX-License-Identifier: MIT
//
// arena.hpp: bytes that live until the next clear, for the text and blobs of a batch. Addresses do
// not move while the arena grows, and clear keeps the memory, so that a conn which runs the same
// queries again and again allocates nothing.
//
// Called by: a conn, for what it lends to the host. Owns its blocks. Threads: one at a time.
// Invariant: what add() returned stays readable until clear(). Under AddressSanitizer it is
// poisoned then, so that a host which keeps a cell too long is found.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define WEIR_BACKEND_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_BACKEND_ASAN 1
#endif
#endif
#if defined(WEIR_BACKEND_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace weir::backend {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    for (Block& block : blocks_) unpoison(block.bytes.get(), block.size);
  }

  // Copies `size` bytes. The result is never null, also for nothing.
  const char* add(const void* bytes, std::size_t size) {
    if (size == 0) return "";
    char* to = take(size);
    std::memcpy(to, bytes, size);
    return to;
  }

  // The same with a NUL behind, for client libraries that look for one.
  const char* add_terminated(const void* bytes, std::size_t size) {
    char* to = take(size + 1);
    if (size > 0) std::memcpy(to, bytes, size);
    to[size] = '\0';
    return to;
  }

  std::size_t used() const noexcept { return used_; }

  // Ends the life of all bytes. Blocks that one odd huge row needed are given back.
  void clear() noexcept {
    while (blocks_.size() > 1 || (!blocks_.empty() && blocks_.back().size > keep_bytes)) {
      unpoison(blocks_.back().bytes.get(), blocks_.back().size);
      blocks_.pop_back();
    }
    for (Block& block : blocks_) poison(block.bytes.get(), block.size);
    at_ = 0;
    used_ = 0;
  }

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };
  static constexpr std::size_t block_bytes = 4096;
  static constexpr std::size_t keep_bytes = 256 * 1024;

  char* take(std::size_t size) {
    if (blocks_.empty() || blocks_.back().size - at_ < size) grow(size);
    char* to = blocks_.back().bytes.get() + at_;
    unpoison(to, size);
    at_ += size;
    used_ += size;
    return to;
  }

  // The newest block is the largest, so that clear, which keeps the first, soon keeps enough.
  void grow(std::size_t size) {
    const std::size_t last = blocks_.empty() ? 0 : blocks_.back().size;
    Block block;
    block.size = std::max({block_bytes, size, std::min(last * 2, keep_bytes)});
    block.bytes = std::make_unique<char[]>(block.size);
    if (used_ == 0) blocks_.clear();
    blocks_.push_back(std::move(block));
    poison(blocks_.back().bytes.get(), blocks_.back().size);
    at_ = 0;
  }

#if defined(WEIR_BACKEND_ASAN)
  static void poison(const void* p, std::size_t n) { ASAN_POISON_MEMORY_REGION(p, n); }
  static void unpoison(const void* p, std::size_t n) { ASAN_UNPOISON_MEMORY_REGION(p, n); }
#else
  static void poison(const void*, std::size_t) noexcept {}
  static void unpoison(const void*, std::size_t) noexcept {}
#endif

  std::vector<Block> blocks_;
  std::size_t at_ = 0;    // bytes taken from the last block
  std::size_t used_ = 0;  // bytes taken since the last clear
};

}  // namespace weir::backend
