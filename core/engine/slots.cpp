// SPDX-License-Identifier: MIT
#include "core/engine/slots.hpp"

#include "core/base/assert.hpp"
#include "core/base/room.hpp"

namespace weir::engine {

namespace {
bool is_connecting(SlotState state) noexcept {
  return state == SlotState::connecting || state == SlotState::initialising;
}
}  // namespace

// Adds `one` to every count that the record stands in; minus one is UINT32_MAX, which wraps.
void Slots::count_in(const Record& record, std::uint32_t one) noexcept {
  states_[static_cast<std::size_t>(record.state)] += one;
  looks_[static_cast<std::size_t>(record.look)] += one;
  if (is_connecting(record.state) && record.generation != generation_) connecting_outdated_ += one;
}

SlotId Slots::allocate() {
  SlotId slot = free_;
  if (slot == no_slot) {
    slot = size();
    base::grow_to(records_, records_.size() + 1);
    count_in(records_[slot], 1);
  } else {
    free_ = records_[slot].next_free;
  }
  Record& record = records_[slot];
  record.facts = Facts{};
  record.generation = generation_;
  move(slot, SlotState::connecting);
  return slot;
}

void Slots::free(SlotId slot) {
  move(slot, SlotState::closed);
  Record& record = records_[slot];
  record.facts.has_session = false;
  record.next_free = free_;
  free_ = slot;
}

void Slots::move(SlotId slot, SlotState to, Look look) {
  Record& record = records_[slot];
  count_in(record, UINT32_MAX);
  record.state = to;
  record.look = look;
  count_in(record, 1);
}

void Slots::renew() noexcept {
  ++generation_;
  connecting_outdated_ = connecting();
}

void Slots::check() const {
  Slots recount;
  recount.generation_ = generation_;
  for (const Record& record : records_) {
    recount.count_in(record, 1);
    WEIR_ASSERT((record.look != Look::none) == (record.state == SlotState::validating));
  }
  WEIR_ASSERT(recount.states_ == states_ && recount.looks_ == looks_);
  WEIR_ASSERT(recount.connecting_outdated_ == connecting_outdated_);
}

}  // namespace weir::engine
