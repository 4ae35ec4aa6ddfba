// SPDX-License-Identifier: MIT
//
// Racked: a rack with idle connections, and a lane before it, without a pool.
//
// Used by: the tests of the lane, with real threads and under the simulator.
#pragma once

#include "backends/mock/weir_mock.h"
#include "core/runtime/lane.hpp"
#include "core/runtime/session.hpp"

#include <chrono>
#include <deque>

namespace weir::runtime {

using namespace std::chrono_literals;
using engine::PlainRack;
using engine::SlotId;

inline constexpr Instant start{1h};

inline engine::Holder holder_of_thread(std::uint64_t thread) {
  return {"", "", 0, thread, thread * 2 + 1};
}

template <class R>
struct Racked {
  explicit Racked(std::uint32_t count) {
    rack.set_validate_after(500ms);
    for (SlotId slot = 0; slot < count; ++slot) {
      sessions.emplace_back(context, slot);
      rack.vouch(slot);
      rack.put_idle(slot, start, start, no_deadline, PlainRack::Place::front);
    }
  }
  bool open(Instant now = start) {
    return lane.open(rack, static_cast<std::uint32_t>(sessions.size()), now, now + 50ms,
                     [this](SlotId slot) { return &sessions[slot]; });
  }
  [[nodiscard]] typename Lane<R>::Taken take(std::uint64_t thread = 1) {
    const auto taken = lane.take(thread);
    if (taken.session != nullptr) lane.note_holder(taken, holder_of_thread(thread));
    return taken;
  }

  SessionContext context{*loader::DriverTable::create(weir_mock_driver(), "linked in")};
  std::deque<Session> sessions;
  PlainRack rack;
  Lane<R> lane;
};

}  // namespace weir::runtime
