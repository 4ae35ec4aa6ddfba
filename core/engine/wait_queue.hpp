// SPDX-License-Identifier: MIT
//
// WaitQueue: the callers that wait for a connection, in the order of their arrival.
//
// Invariants: 1. the list holds exactly the records in use; its order is the order of arrival.
//             2. deadlines_ holds exactly the waiters with a deadline.
//             3. a generation is odd while its record is in use: ids of the past match nothing.
// Cost:       push is O(1) amortised, remove is O(log n) for the deadline and O(1) for the list.
// Threads:    none; the owner serialises.
#pragma once

#include "core/base/deadline_heap.hpp"
#include "core/engine/types.hpp"

#include <vector>

namespace weir::engine {

struct Waiter {
  Token token = nullptr;
  WaiterKind kind = WaiterKind::thread;
  Holder holder;  // becomes the lease's
  Instant enqueued;
  Instant deadline;
  // One of several that one caller wants together: it holds those that it was lent already while it
  // waits for the rest. REQUIRES: the task is its own, the parts are queued in one go.
  bool part = false;
};

class WaitQueue {
 public:
  [[nodiscard]] bool empty() const noexcept { return head_ == none; }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

  WaiterId push(const Waiter& waiter);
  void remove(WaiterId id);  // Requires: contains(id)
  [[nodiscard]] bool contains(WaiterId id) const noexcept;

  // Requires: not empty. The head is the waiter that has waited longest.
  [[nodiscard]] WaiterId head() const noexcept { return {head_, records_[head_].generation}; }
  [[nodiscard]] const Waiter& operator[](WaiterId id) const noexcept {
    return records_[id.index].waiter;
  }

  [[nodiscard]] Instant earliest_deadline() const noexcept { return deadlines_.earliest(); }
  // Requires: earliest_deadline() != no_deadline.
  [[nodiscard]] WaiterId earliest() const noexcept {
    return {deadlines_.front(), records_[deadlines_.front()].generation};
  }

  // Calls fn(const Waiter&) in order of arrival.
  template <class F>
  void for_each(F&& fn) const {
    for (std::uint32_t i = head_; i != none; i = records_[i].next) fn(records_[i].waiter);
  }

 private:
  static constexpr std::uint32_t none = UINT32_MAX;
  struct Record {
    Waiter waiter;
    std::uint32_t generation = 0;
    std::uint32_t prev = none;
    std::uint32_t next = none;  // also links the free list
  };

  std::vector<Record> records_;
  base::DeadlineHeap deadlines_;
  std::uint32_t head_ = none;
  std::uint32_t tail_ = none;
  std::uint32_t free_ = none;
  std::uint32_t size_ = 0;
};

}  // namespace weir::engine
