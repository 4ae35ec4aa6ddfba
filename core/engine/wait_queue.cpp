// SPDX-License-Identifier: MIT
#include "core/engine/wait_queue.hpp"

namespace weir::engine {

WaiterId WaitQueue::push(const Waiter& waiter) {
  std::uint32_t index = free_;
  if (index == none) {
    index = static_cast<std::uint32_t>(records_.size());
    records_.emplace_back();
  } else {
    free_ = records_[index].next;
  }
  Record& record = records_[index];
  record.waiter = waiter;
  ++record.generation;
  record.prev = tail_;
  record.next = none;
  (tail_ == none ? head_ : records_[tail_].next) = index;
  tail_ = index;
  ++size_;
  deadlines_.set(index, waiter.deadline);
  return {index, record.generation};
}

bool WaitQueue::contains(WaiterId id) const noexcept {
  return id.index < records_.size() && records_[id.index].generation == id.generation &&
         id.generation % 2 == 1;
}

void WaitQueue::remove(WaiterId id) {
  WEIR_ASSERT(contains(id));
  Record& record = records_[id.index];
  (record.prev == none ? head_ : records_[record.prev].next) = record.next;
  (record.next == none ? tail_ : records_[record.next].prev) = record.prev;
  deadlines_.remove(id.index);
  ++record.generation;
  record.next = free_;
  free_ = id.index;
  --size_;
}

}  // namespace weir::engine
