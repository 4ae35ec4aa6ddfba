// SPDX-License-Identifier: MIT
//
// Effects: what one step of the engine asks of the shell. The engine only appends; the shell
// carries everything out and clears. `resolved` and `offer` concern waiters and are delivered
// first; driver operations and events follow outside any lock, events in their order.
#pragma once

#include "core/engine/types.hpp"

#include <vector>

namespace weir::engine {

struct StartOp {
  SlotId slot;
  Op op;
  std::uint32_t serial;  // goes back with finished(): tells a late result from the current one
  Instant deadline;
};

struct Resolved {
  Token token;
  Outcome outcome;
  SlotId slot;          // if lent
  std::uint64_t lease;  // if lent
  Duration waited;
};

struct Event {
  enum class Type : std::uint8_t {
    created,          // amount: how long it took
    create_failed,    // amount: until the next attempt, if one is planned
    closed,           // reason
    quarantined,      // an operation hangs
    quarantine_full,  // as many hang as may be replaced: from now on each hung one is one less
    long_hold,        // amount: how long so far
    suspect,          // a connection died: its siblings are looked at before they are lent
    leapt,  // amount: how long nobody ran; all connections are looked at before they are lent
    check_failed,  // amount: how long it took
    check_passed,  // and the one before had failed
  };
  std::uint64_t step;  // with the place in `events`: a total order (O3)
  Type type;
  SlotId slot;
  CloseReason reason;
  Duration amount;
  std::uint64_t lease;  // long_hold
};

struct Effects {
  std::vector<Resolved> resolved;
  Token offer = nullptr;  // wake this waiter: an idle connection waits for it on the rack
  std::vector<StartOp> start;
  std::vector<SlotId> abort;  // abort the operation, or the lease's call, of this slot
  std::vector<Event> events;

  [[nodiscard]] bool empty() const noexcept {
    return resolved.empty() && offer == nullptr && start.empty() && abort.empty() && events.empty();
  }
  void clear() noexcept {
    resolved.clear();
    offer = nullptr;
    start.clear();
    abort.clear();
    events.clear();
  }
};

}  // namespace weir::engine
