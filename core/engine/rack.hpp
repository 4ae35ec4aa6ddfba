// SPDX-License-Identifier: MIT
//
// Rack: the connections that can be lent without a decision, and those that are lent.
//
// A slot is either engine-owned (word `off`) or racked. The rack's word for a racked slot says
// idle, lent, or retire (lent, but must come to the engine when it returns), with the holder, the
// lease's serial number and time stamps. The engine acts on a racked slot only after reclaim()
// answered `reclaimed`; after `busy` the slot's return comes to the engine.
//
// The shell lends and takes back through take() and give() without asking the engine while the gate
// is open. A closed gate sends every lend and every return through the engine.
//
// It may also do so without its lock (core/runtime/lane.hpp), and tells the rack of it later, with
// was_lent() and the like: before the engine, or anybody else, looks at the rack again.
//
// Invariants: 1. a slot is on the idle list exactly if its word is idle.
//             2. lease serials of one slot only grow; a word is lent or retire for one serial.
//             3. with the gate closed take() and give() change nothing.
//             4. a connection is suspect until it is vouched for again after the last doubt_all():
//                neither a return nor a lease is a proof.
// Threads:    none of its own. It stands under the pool's lock.
#pragma once

#include "core/engine/types.hpp"

#include <vector>

namespace weir::engine {

class Rack {
 public:
  enum class Word : std::uint8_t { off, idle, lent, retire };
  enum class Reclaim : std::uint8_t { reclaimed, busy };
  enum class Place : std::uint8_t { front, back };

  // -- the engine's side --------------------------------------------------------------

  // Racks an engine-owned slot as idle. `idle_since` is the end of its last lease (or its
  // creation), `proof` the last time it was known to live, `expires_at` the end of its lifetime.
  virtual void put_idle(SlotId slot, Instant idle_since, Instant proof, Instant expires_at,
                        Place place) = 0;
  // Lends an idle slot, or an engine-owned one. Returns: the serial of the lease.
  virtual std::uint64_t lend(SlotId slot, const Holder& holder, Instant now) = 0;
  // Takes an idle slot off the rack, or marks a lent one for retirement.
  virtual Reclaim reclaim(SlotId slot) = 0;
  // Ends lease `lease` of `slot` and hands the slot to the engine. Returns: false, with nothing
  // changed, if that lease is not the current one (a second release, a foreign handle).
  [[nodiscard]] virtual bool end_lease(SlotId slot, std::uint64_t lease, Instant now) = 0;
  virtual void set_gate(bool open) = 0;
  [[nodiscard]] virtual bool gate_open() const noexcept = 0;
  // From then on a connection is not lent without a look; the boundary value needs one (T7).
  virtual void set_validate_after(Duration validate_after) = 0;
  // Casts doubt on every connection there is, idle or lent: each needs a look before it is lent.
  virtual void doubt_all() = 0;
  // The connection has answered: it is out of doubt.
  virtual void vouch(SlotId slot) = 0;

  // -- views --------------------------------------------------------------------------

  struct View {
    Word word = Word::off;
    bool rounded = false;       // the lease began at `since`, or later
    std::uint32_t vouched = 0;  // the round of doubt in which it last answered
    Holder holder;
    Instant since;       // idle: end of the last lease; lent: its start
    Instant used_since;  // lent: when its holder could begin, who may have had to be woken
    Instant proof;
    Instant expires_at = no_deadline;  // from then on it is not lent and not racked again
    std::uint64_t lease = 0;
    [[nodiscard]] bool lent() const noexcept { return word == Word::lent || word == Word::retire; }
  };
  [[nodiscard]] virtual const View& view(SlotId slot) const = 0;
  [[nodiscard]] virtual bool suspect(SlotId slot) const noexcept = 0;
  [[nodiscard]] virtual std::uint32_t idle_count() const noexcept = 0;
  [[nodiscard]] virtual std::uint32_t lent_count() const noexcept = 0;
  [[nodiscard]] virtual SlotId freshest_idle() const noexcept = 0;  // no_slot if there is none
  [[nodiscard]] virtual SlotId oldest_idle() const noexcept = 0;
  [[nodiscard]] virtual SlotId fresher_than(SlotId idle) const noexcept = 0;
  // How long leases are used, a moving average over returns. Without the wake-up of those that they
  // were handed to: it is what a hand-over costs, and would make each a reason for the next.
  [[nodiscard]] virtual Duration hold_estimate() const noexcept = 0;

 protected:
  Rack() = default;
  ~Rack() = default;
  Rack(const Rack&) = default;
  Rack& operator=(const Rack&) = default;
};

// The first body: plain data under the caller's lock.
class PlainRack final : public Rack {
 public:
  // Lends the freshest idle connection if the gate is open, it needs no look and is not expired.
  // Returns: its slot, with view(slot).lease the serial, or no_slot.
  SlotId take(const Holder& holder, Instant now);

  enum class Give : std::uint8_t {
    racked,     // idle again
    to_engine,  // nothing changed: hand it to Engine::give_back
    refused,    // not the current lease: nothing changed
  };
  Give give(SlotId slot, std::uint64_t lease, Instant now);

  // -- what happened without the lock ---------------------------------------------------

  // Whether take(), or give(), would do its part at any time until then.
  [[nodiscard]] bool can_lend_until(SlotId slot, Instant until) const noexcept;
  [[nodiscard]] bool can_return_until(SlotId slot, Instant until) const noexcept;
  // All leases until `lease` were taken, and have come back, the last of them at `at`.
  void was_returned(SlotId slot, std::uint64_t lease, Instant at);
  // The same, but that `lease` is out, since `since` or later.
  void was_lent(SlotId slot, std::uint64_t lease, Instant since);
  // And to whom. Requires: lent.
  void was_lent_to(SlotId slot, const Holder& holder);
  // The holder begins only now. Requires: lent.
  void note_use(SlotId slot, Instant now);
  // A lease that the others stand for has lasted so long.
  void observe_hold(Duration held) noexcept;

  [[nodiscard]] std::uint64_t lends() const noexcept { return lends_; }      // through take()
  [[nodiscard]] std::uint64_t returns() const noexcept { return returns_; }  // of any lease

  void put_idle(SlotId slot, Instant idle_since, Instant proof, Instant expires_at,
                Place place) override;
  std::uint64_t lend(SlotId slot, const Holder& holder, Instant now) override;
  Reclaim reclaim(SlotId slot) override;
  [[nodiscard]] bool end_lease(SlotId slot, std::uint64_t lease, Instant now) override;
  void set_gate(bool open) override { gate_open_ = open; }
  [[nodiscard]] bool gate_open() const noexcept override { return gate_open_; }
  void set_validate_after(Duration validate_after) override { validate_after_ = validate_after; }
  void doubt_all() override { ++round_; }
  void vouch(SlotId slot) override { at(slot).view.vouched = round_; }

  [[nodiscard]] const View& view(SlotId slot) const override;
  [[nodiscard]] bool suspect(SlotId slot) const noexcept override {
    return places_[slot].view.vouched != round_;
  }
  [[nodiscard]] std::uint32_t idle_count() const noexcept override { return idle_count_; }
  [[nodiscard]] std::uint32_t lent_count() const noexcept override { return lent_count_; }
  [[nodiscard]] SlotId freshest_idle() const noexcept override { return front_; }
  [[nodiscard]] SlotId oldest_idle() const noexcept override { return back_; }
  [[nodiscard]] SlotId fresher_than(SlotId idle) const noexcept override;
  [[nodiscard]] Duration hold_estimate() const noexcept override { return hold_estimate_; }

 private:
  struct Entry {
    View view;
    SlotId fresher = no_slot;  // neighbours on the idle list
    SlotId older = no_slot;
  };
  Entry& at(SlotId slot);
  void unlink(SlotId slot);
  void begin_lease(Entry& place, const Holder& holder, Instant now) noexcept;
  [[nodiscard]] bool is_current(SlotId slot, std::uint64_t lease) const noexcept;
  // Counts leases, and how many of them have ended; the slot is off afterwards.
  void count_up_to(Entry& place, SlotId slot, std::uint64_t lease) noexcept;

  std::vector<Entry> places_;
  SlotId front_ = no_slot;  // freshest
  SlotId back_ = no_slot;
  std::uint32_t idle_count_ = 0;
  std::uint32_t lent_count_ = 0;
  std::uint32_t round_ = 0;  // of doubt
  bool gate_open_ = true;
  Duration validate_after_ = no_timeout;
  Duration hold_estimate_{};
  std::uint64_t lends_ = 0;
  std::uint64_t returns_ = 0;
};

}  // namespace weir::engine
