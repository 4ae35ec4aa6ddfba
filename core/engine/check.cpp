// SPDX-License-Identifier: MIT
//
// The engine's invariants as one function, by recounting. Called by tests after every step.
#include "core/base/assert.hpp"
#include "core/engine/engine.hpp"

#include <numeric>

namespace weir::engine {

void Engine::check(Instant now) const {
  slots_.check();
  std::uint32_t idle = 0;
  std::uint32_t lent = 0;
  std::uint32_t sessions = 0;
  bool lendable = false;
  for (SlotId slot = 0; slot < slots_.size(); ++slot) {
    const Rack::View& view = rack_->view(slot);
    WEIR_ASSERT((slots_.state(slot) == SlotState::racked) == (view.word != Rack::Word::off));
    WEIR_ASSERT(ops_.runs(slot) == (slots_.state(slot) != SlotState::racked &&
                                    slots_.state(slot) != SlotState::closed));
    idle += view.word == Rack::Word::idle ? 1 : 0;
    lent += view.lent() ? 1 : 0;
    sessions += slots_[slot].has_session ? 1 : 0;
    WEIR_ASSERT(!(view.word == Rack::Word::idle && slots_.outdated(slot)));
    lendable = lendable || (view.word == Rack::Word::idle && can_lend(slot, now));
  }
  WEIR_ASSERT(idle == rack_->idle_count() && lent == rack_->lent_count());
  const Counters& c = counters_;
  WEIR_ASSERT(c.queued == c.granted + c.timeouts + c.rejected + c.failed + queue_.size());
  WEIR_ASSERT(c.created == std::accumulate(c.opened.begin(), c.opened.end(), std::uint64_t{0}));
  WEIR_ASSERT(c.created - std::accumulate(c.closed.begin(), c.closed.end(), std::uint64_t{0}) ==
              sessions);
  if (phase_ == Phase::draining) WEIR_ASSERT(queue_.empty() && idle == 0);
  if (phase_ != Phase::open) return;
  if (!queue_.empty() && lendable) WEIR_ASSERT(queue_.contains(offered_) && may_offer(now));
  WEIR_ASSERT(connects_to_start(sizing(now)).all == 0);
  WEIR_ASSERT(nesting_.empty() || !deadlocked());
}

}  // namespace weir::engine
