// SPDX-License-Identifier: MIT
//
// Slots: the engine's record of each connection: its state, the generation it belongs to, and what
// outlives a single operation. Every count that the engine decides by is kept here, beside the one
// function that changes a state, so that no event can forget one of them.
//
// Invariants: 1. a slot is in one state; count(s) is the number of slots in it (S2, S3).
//             2. count(look) is the number of validating slots with that purpose; outside
//                `validating` the purpose is `none`.
//             3. a quarantined slot leaves that state only by being closed: until then a server may
//                hold a session for it, and one replacement may exist for it (S1).
// Bounds:     slots are reused; their number is the most that ever existed at one time (S20).
// Threads:    none; the engine owns it.
#pragma once

#include "core/engine/types.hpp"

#include <array>
#include <vector>

namespace weir::engine {

// Why a slot is being validated.
enum class Look : std::uint8_t {
  none,
  for_waiter,  // somebody waits for it, and it is probably sound
  in_doubt,    // the same after a sibling's death: nobody's supply until it has answered
  keepalive,   // to keep its path open; serves nobody
  health,      // Op::check: whether the server can serve; serves nobody
};
inline constexpr std::size_t look_count = 5;

class Slots {
 public:
  // What an operation leaves behind for the next decision.
  struct Facts {
    bool has_session = false;          // it was counted as created
    OpenReason opened_for{};           // why it was begun
    CloseReason reason{};              // why it is closing
    Instant expires_at = no_deadline;  // end of its lifetime, drawn once (T4)
    Instant idle_since;                // end of its last lease, kept across a validation (T3)
    std::uint64_t reported_lease = 0;  // a long hold is reported once per lease (O4)
  };

  // A slot of the present generation, in state `connecting`.
  [[nodiscard]] SlotId allocate();
  void free(SlotId slot);
  void move(SlotId slot, SlotState to, Look look = Look::none);

  // What exists now belongs to the past: it may finish its lease, and is not lent again.
  void renew() noexcept;
  [[nodiscard]] bool outdated(SlotId slot) const noexcept {
    return records_[slot].generation != generation_;
  }

  [[nodiscard]] Facts& operator[](SlotId slot) noexcept { return records_[slot].facts; }
  [[nodiscard]] const Facts& operator[](SlotId slot) const noexcept { return records_[slot].facts; }
  [[nodiscard]] SlotState state(SlotId slot) const noexcept { return records_[slot].state; }
  [[nodiscard]] Look look(SlotId slot) const noexcept { return records_[slot].look; }
  [[nodiscard]] bool connects(SlotId slot) const noexcept {
    return state(slot) == SlotState::connecting || state(slot) == SlotState::initialising;
  }

  [[nodiscard]] std::uint32_t size() const noexcept {
    return static_cast<std::uint32_t>(records_.size());
  }
  [[nodiscard]] std::uint32_t count(SlotState state) const noexcept {
    return states_[static_cast<std::size_t>(state)];
  }
  [[nodiscard]] std::uint32_t count(Look look) const noexcept {
    return looks_[static_cast<std::size_t>(look)];
  }
  // On their way up, of any generation.
  [[nodiscard]] std::uint32_t connecting() const noexcept {
    return count(SlotState::connecting) + count(SlotState::initialising);
  }
  // Of those: given up, because they would come up with an outdated configuration.
  [[nodiscard]] std::uint32_t connecting_outdated() const noexcept { return connecting_outdated_; }
  // All that a server may hold a session for.
  [[nodiscard]] std::uint32_t physical() const noexcept {
    return size() - count(SlotState::closed);
  }
  // Of those: of no more use.
  [[nodiscard]] std::uint32_t leaving() const noexcept {
    return count(SlotState::closing) + count(SlotState::quarantined);
  }

  // Recounts. For tests: aborts if an invariant does not hold.
  void check() const;

 private:
  struct Record {
    SlotState state = SlotState::closed;
    Look look = Look::none;
    std::uint32_t generation = 0;
    Facts facts;
    SlotId next_free = no_slot;
  };
  void count_in(const Record& record, std::uint32_t one) noexcept;

  std::vector<Record> records_;
  SlotId free_ = no_slot;
  std::uint32_t generation_ = 0;
  std::array<std::uint32_t, slot_state_count> states_{};
  std::array<std::uint32_t, look_count> looks_{};
  std::uint32_t connecting_outdated_ = 0;
};

}  // namespace weir::engine
