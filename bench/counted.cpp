// SPDX-License-Identifier: MIT
#include "bench/counted.hpp"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <malloc.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

std::atomic<std::uint64_t> allocated{0};
std::atomic<std::int64_t> in_use{0};
std::atomic<std::uint64_t> sent{0};

std::int64_t size_of(void* block) noexcept {
  return static_cast<std::int64_t>(malloc_usable_size(block) + sizeof(std::size_t));
}

void* given(void* block) noexcept {
  if (block == nullptr) return nullptr;
  allocated.fetch_add(1, std::memory_order_relaxed);
  in_use.fetch_add(size_of(block), std::memory_order_relaxed);
  return block;
}

void taken_back(void* block) noexcept {
  if (block != nullptr) in_use.fetch_sub(size_of(block), std::memory_order_relaxed);
}

void count_send() noexcept { sent.fetch_add(1, std::memory_order_relaxed); }

// write() goes to files and eventfds, too.
void count_write(int fd) noexcept {
  struct stat about {};
  if (fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode)) count_send();
}

}  // namespace

namespace weir::bench::counted {
std::uint64_t allocations() noexcept { return allocated.load(std::memory_order_relaxed); }
std::int64_t bytes() noexcept { return in_use.load(std::memory_order_relaxed); }
std::uint64_t sends() noexcept { return sent.load(std::memory_order_relaxed); }
}  // namespace weir::bench::counted

// The linker sees that the C library's users mean these. operator new ends in them.
extern "C" {

// glibc's own, under the names that it keeps for this.
// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming)
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* block);
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)

void* malloc(std::size_t size) noexcept { return given(__libc_malloc(size)); }
void* calloc(std::size_t count, std::size_t size) noexcept {
  return given(__libc_calloc(count, size));
}
void* realloc(void* block, std::size_t size) noexcept {
  const std::int64_t before = block == nullptr ? 0 : size_of(block);
  void* const now = __libc_realloc(block, size);
  // Null is a failure, which leaves the block, or the answer to a size of 0, which ends it.
  if (now != nullptr || size == 0) in_use.fetch_sub(before, std::memory_order_relaxed);
  return given(now);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return given(__libc_memalign(alignment, size));
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return given(__libc_memalign(alignment, size));
}
int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  void* const made = given(__libc_memalign(alignment, size));
  if (made == nullptr) return ENOMEM;
  *block = made;
  return 0;
}
void free(void* block) noexcept {
  taken_back(block);
  __libc_free(block);
}

ssize_t send(int fd, const void* data, std::size_t size, int flags) {
  count_send();
  return syscall(SYS_sendto, fd, data, size, flags, nullptr, 0);
}
ssize_t sendto(int fd, const void* data, std::size_t size, int flags, const sockaddr* to,
               socklen_t to_size) {
  count_send();
  return syscall(SYS_sendto, fd, data, size, flags, to, to_size);
}
ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  count_send();
  return syscall(SYS_sendmsg, fd, message, flags);
}
ssize_t write(int fd, const void* data, std::size_t size) {
  count_write(fd);
  return syscall(SYS_write, fd, data, size);
}
ssize_t writev(int fd, const iovec* parts, int count) {
  count_write(fd);
  return syscall(SYS_writev, fd, parts, count);
}

}  // extern "C"
