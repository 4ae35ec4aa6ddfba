// SPDX-License-Identifier: MIT
#include "core/engine/operations.hpp"

#include "core/base/assert.hpp"
#include "core/base/room.hpp"

namespace weir::engine {

void Operations::begin(SlotId slot, Op op, Instant deadline, Instant now, Effects& fx) {
  base::grow_to(all_, slot + 1);
  Operation& o = all_[slot];
  WEIR_ASSERT(o.op == Op::none);
  o.started = now;
  o.deadline = deadline;
  start(slot, op, fx);
}

void Operations::begin_init(SlotId slot, Effects& fx) {
  WEIR_ASSERT(all_[slot].op == Op::none);
  start(slot, Op::init, fx);
}

void Operations::start(SlotId slot, Op op, Effects& fx) {
  Operation& o = all_[slot];
  o.op = op;
  o.aborted = false;
  ++o.serial;
  overdue_.set(slot, o.deadline);
  fx.start.push_back({slot, op, o.serial, o.deadline});
}

std::optional<Operations::Operation> Operations::end(SlotId slot, std::uint32_t serial) noexcept {
  if (!runs(slot) || all_[slot].serial != serial) return std::nullopt;
  const Operation ended = all_[slot];
  all_[slot].op = Op::none;
  overdue_.remove(slot);
  return ended;
}

void Operations::abort(SlotId slot, Instant now, Effects& fx) {
  Operation& o = all_[slot];
  if (o.op == Op::none || o.aborted) return;
  o.aborted = true;
  fx.abort.push_back(slot);
  overdue_.set(slot, after(now, abort_grace));
}

std::optional<SlotId> Operations::expire(Instant now, Effects& fx) {
  const SlotId slot = overdue_.front();
  if (!all_[slot].aborted) {
    abort(slot, now, fx);
    return std::nullopt;
  }
  overdue_.remove(slot);
  return slot;
}

}  // namespace weir::engine
