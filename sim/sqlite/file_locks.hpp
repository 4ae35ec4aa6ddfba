// SPDX-License-Identifier: MIT
//
// file_locks.hpp: the locks of one simulated file: the five states by which SQLite shares a
// database in the rollback journal modes, and the shared memory with its eight slots that WAL uses.
// Nothing here waits: a lock is had or it is not, and the one who wanted it comes again.
//
// Called by:  the VFS. Knows no SQLite header, but the numbers of the levels are SQLite's.
// Holders:    are told apart by the address of what they hold, so that never moves while held.
// Threads:    one at a time (see vfs.hpp).
// Invariants: 1. at most one holder has more than `shared`.
//             2. a slot has one exclusive holder or any number of sharing ones.
//             3. the regions are empty whenever nobody is attached: as on Linux, the first one to
//                come finds them empty and rebuilds the index of the WAL.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace weir::sim {

enum class LockLevel : int { none, shared, reserved, pending, exclusive };

class FileLocks {
 public:
  // False: somebody is in the way. Who wants `exclusive` and meets readers keeps `pending`, so that
  // no new reader comes.
  [[nodiscard]] bool take(LockLevel& held, LockLevel wanted) noexcept;
  // Down to `kept`, which is none or shared.
  void release(LockLevel& held, LockLevel kept) noexcept;
  bool reserved() const noexcept { return writer_ != nullptr; }
  bool free() const noexcept { return readers_ == 0; }

 private:
  int readers_ = 0;                    // with `shared` or more
  const LockLevel* writer_ = nullptr;  // with more than `shared`
};

// What one connection holds of the shared memory; a bit for each slot.
struct ShmHold {
  bool attached = false;
  unsigned shared = 0;
  unsigned exclusive = 0;
};

class SharedMemory {
 public:
  static constexpr unsigned slot_count = 8;

  // Region number `index` of `size` bytes; null if it does not exist and `create` is false.
  void* map(ShmHold& hold, std::size_t index, std::size_t size, bool create);
  [[nodiscard]] bool lock_shared(ShmHold& hold, unsigned slot) noexcept;
  [[nodiscard]] bool lock_exclusive(ShmHold& hold, unsigned first, unsigned count) noexcept;
  void unlock(ShmHold& hold, unsigned first, unsigned count) noexcept;
  void detach(ShmHold& hold) noexcept;  // drops its locks too

 private:
  std::vector<std::unique_ptr<std::byte[]>> regions_;
  std::array<int, slot_count> sharing_{};
  std::array<const ShmHold*, slot_count> owner_{};
  int attached_ = 0;
};

}  // namespace weir::sim
