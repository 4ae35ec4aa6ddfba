// SPDX-License-Identifier: MIT
//
// DeadlineHeap: a binary min-heap of (deadline, index) whose members can be moved and removed by
// index. The engine keeps one for its waiters and one for the driver operations in flight.
//
// Order:      deadline, then serial number: entries that fall due at one instant come in the order
//             in which they were added, on every run (property T12).
// Cost:       add, move and remove are O(log n); a new latest deadline, the usual case, is O(1).
// Invariants: 1. where_[i] is the position of index i in heap_, or absent.
//             2. no child precedes its parent.
// Threads:    none; the owner serialises.
#pragma once

#include "core/base/assert.hpp"
#include "core/base/room.hpp"

#include <weir/time.hpp>

#include <cstdint>
#include <utility>
#include <vector>

namespace weir::base {

class DeadlineHeap {
 public:
  using Index = std::uint32_t;

  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }
  [[nodiscard]] Instant earliest() const noexcept {
    return heap_.empty() ? no_deadline : heap_.front().deadline;
  }
  [[nodiscard]] Index front() const noexcept {
    WEIR_ASSERT(!heap_.empty());
    return heap_.front().index;
  }
  [[nodiscard]] bool contains(Index index) const noexcept {
    return index < where_.size() && where_[index] != absent;
  }

  // Adds index, or moves it to a new deadline. no_deadline removes it: it would never fall due.
  void set(Index index, Instant deadline) {
    remove(index);
    if (deadline == no_deadline) return;
    grow_to(where_, index + 1, absent);
    heap_.push_back({deadline, next_serial_++, index});
    rise(heap_.size() - 1);
  }

  void remove(Index index) noexcept {
    if (!contains(index)) return;
    const std::size_t hole = where_[index];
    where_[index] = absent;
    const Entry last = heap_.back();
    heap_.pop_back();
    if (hole == heap_.size()) return;
    heap_[hole] = last;
    where_[last.index] = static_cast<std::uint32_t>(hole);
    rise(hole);
    sink(where_[last.index]);
  }

 private:
  struct Entry {
    Instant deadline;
    std::uint64_t serial;
    Index index;
    bool precedes(const Entry& other) const noexcept {
      return deadline != other.deadline ? deadline < other.deadline : serial < other.serial;
    }
  };
  static constexpr std::uint32_t absent = UINT32_MAX;

  void place(std::size_t at, const Entry& entry) noexcept {
    heap_[at] = entry;
    where_[entry.index] = static_cast<std::uint32_t>(at);
  }
  void rise(std::size_t at) noexcept {
    const Entry entry = heap_[at];
    for (; at > 0 && entry.precedes(heap_[(at - 1) / 2]); at = (at - 1) / 2) {
      place(at, heap_[(at - 1) / 2]);
    }
    place(at, entry);
  }
  void sink(std::size_t at) noexcept {
    const Entry entry = heap_[at];
    for (std::size_t child = 2 * at + 1; child < heap_.size(); child = 2 * at + 1) {
      if (child + 1 < heap_.size() && heap_[child + 1].precedes(heap_[child])) ++child;
      if (!heap_[child].precedes(entry)) break;
      place(at, heap_[child]);
      at = child;
    }
    place(at, entry);
  }

  std::vector<Entry> heap_;
  std::vector<std::uint32_t> where_;
  std::uint64_t next_serial_ = 0;
};

}  // namespace weir::base
