// SPDX-License-Identifier: MIT
#include "sim/sqlite/file_locks.hpp"

#include "core/base/assert.hpp"

namespace weir::sim {

bool FileLocks::take(LockLevel& held, LockLevel wanted) noexcept {
  if (held >= wanted) return true;
  if (wanted == LockLevel::shared) {
    if (writer_ != nullptr && *writer_ >= LockLevel::pending) return false;
    ++readers_;
    held = LockLevel::shared;
    return true;
  }
  WEIR_ASSERT(held != LockLevel::none);
  if (writer_ != nullptr && writer_ != &held) return false;
  writer_ = &held;
  if (wanted == LockLevel::reserved) {
    held = LockLevel::reserved;
    return true;
  }
  held = LockLevel::pending;
  if (readers_ > 1) return false;
  held = wanted;
  return true;
}

void FileLocks::release(LockLevel& held, LockLevel kept) noexcept {
  if (held <= kept) return;
  if (writer_ == &held) writer_ = nullptr;
  if (kept == LockLevel::none) --readers_;
  held = kept;
}

void* SharedMemory::map(ShmHold& hold, std::size_t index, std::size_t size, bool create) {
  if (!hold.attached) {
    hold.attached = true;
    ++attached_;
  }
  if (index >= regions_.size() && !create) return nullptr;
  while (index >= regions_.size()) regions_.push_back(std::make_unique<std::byte[]>(size));
  return regions_[index].get();
}

bool SharedMemory::lock_shared(ShmHold& hold, unsigned slot) noexcept {
  const unsigned bit = 1U << slot;
  if ((hold.shared & bit) != 0) return true;
  if (owner_[slot] != nullptr) return false;
  ++sharing_[slot];
  hold.shared |= bit;
  return true;
}

bool SharedMemory::lock_exclusive(ShmHold& hold, unsigned first, unsigned count) noexcept {
  for (unsigned slot = first; slot < first + count; ++slot) {
    const int mine = (hold.shared & (1U << slot)) != 0 ? 1 : 0;
    if (sharing_[slot] > mine || (owner_[slot] != nullptr && owner_[slot] != &hold)) return false;
  }
  for (unsigned slot = first; slot < first + count; ++slot) {
    owner_[slot] = &hold;
    hold.exclusive |= 1U << slot;
  }
  return true;
}

void SharedMemory::unlock(ShmHold& hold, unsigned first, unsigned count) noexcept {
  for (unsigned slot = first; slot < first + count; ++slot) {
    const unsigned bit = 1U << slot;
    if ((hold.shared & bit) != 0) --sharing_[slot];
    if ((hold.exclusive & bit) != 0) owner_[slot] = nullptr;
    hold.shared &= ~bit;
    hold.exclusive &= ~bit;
  }
}

void SharedMemory::detach(ShmHold& hold) noexcept {
  if (!hold.attached) return;
  unlock(hold, 0, slot_count);
  hold.attached = false;
  if (--attached_ == 0) regions_.clear();
}

}  // namespace weir::sim
