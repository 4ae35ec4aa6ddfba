// SPDX-License-Identifier: MIT
//
// Lane: lends and takes back without the pool's lock while there is nothing to decide.
//
// Each connection that may be lent as it is has a cell, and each cell one word that says idle or
// lent, and of which lease. take() and give() are one compare-and-exchange on that word each.
// Before the pool asks its engine anything it closes the lane: every word is exchanged for
// `closed`, and what has happened to it since is told to the rack, which is then what it would be
// if all had gone through the lock. From there on nothing moves but under the lock, so that the
// engine, and whoever judges it, sees a rack that stands still, and needs no atomics of its own.
//
// Who looks and finds nothing can therefore not be missed: he has closed the lane, and a return
// either comes before the exchange of its word, and he sees the connection, or after it, and comes
// to the lock. There is no second word whose order against the first would matter
// (docs/decisions/0007). Beside one who waits it is opened only if he has been woken, and so will
// look again.
//
// Called by:  BasicPool. take() and give() from any thread, without the lock; the rest with the
//             lock.
// Invariants: 1. a word is not `closed` only from open() to the next close(), and while it is not,
//                the rack's view of that slot is not used.
//             2. a word changes idle -> lent by a taker, who adds one to its lease; lent -> idle by
//                the holder of that lease; and to closed and back by who has the pool's lock.
//                Leases of one slot only grow, so that no word is taken for an earlier one.
//             3. a cell's holder and `since` are written by who took it, before `told`, and read by
//                the holder of that lease, or once `told` names it while the word is closed.
//             4. until open()'s `until` nothing in the lane expires (S5) or wants a look (T7), so
//                no clock is read. What happened in it is taken to have happened when it was
//                opened: too early, towards a look and towards the end.
// Bounded:    one pass over the cells, cells_max of them; what is beyond is lent under the lock.
#pragma once

#include "core/engine/rack.hpp"
#include "core/runtime/runtime.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace weir::runtime {

class Session;

template <Runtime R>
class Lane {
  struct Cell;

 public:
  using SlotId = engine::SlotId;
  static constexpr std::uint32_t cells_max = 256;

  struct Taken {
    Session* session = nullptr;  // null: nothing can be taken without the lock
    std::uint64_t lease = 0;
    Cell* cell = nullptr;
  };
  // Takes the connection that this thread had last, if it is idle, else the first one: so that what
  // is not needed stays untouched, and may go. To be followed by note_since(), if the lease is
  // measured, and then by note_holder().
  [[nodiscard, gnu::always_inline]] inline Taken take(std::uint64_t thread) noexcept;
  static void note_since(const Taken& taken) noexcept;
  [[gnu::always_inline]] static inline void note_holder(const Taken& taken,
                                                        const engine::Holder& holder) noexcept;
  // Returns: false, with nothing changed, if it has to go through the lock. After true the pool may
  // be gone.
  [[nodiscard, gnu::always_inline]] inline bool give(SlotId slot, std::uint64_t lease) noexcept;

  // Whether the duration of this lease is measured: a clock costs more than all the rest.
  [[nodiscard]] static constexpr bool is_sample(std::uint64_t lease) noexcept {
    return lease % 64 == 0;
  }

  // When that lease was taken here; nothing if it was not, or not measured. Requires: the lock, and
  // that it is the caller's.
  [[nodiscard]] std::optional<Instant> since(SlotId slot, std::uint64_t lease) const noexcept;

  // Puts what may be lent as it is into the lane. Returns: whether there is anything. Requires:
  // closed. `session_of(slot)` keeps its address.
  template <class SessionOf>
  bool open(const engine::PlainRack& rack, std::uint32_t slots, Instant now, Instant until,
            SessionOf&& session_of);
  // Brings the rack up to date. Returns: whether anything had happened. Does nothing while closed.
  bool close(engine::PlainRack& rack);

 private:
  enum State : std::uint64_t { closed = 0, idle = 1, lent = 2 };
  static constexpr std::uint64_t one_lease = 4;
  [[nodiscard]] static constexpr std::uint64_t word_of(std::uint64_t lease, State state) noexcept {
    return lease * one_lease + state;
  }
  [[nodiscard]] static constexpr State state_of(std::uint64_t word) noexcept {
    return static_cast<State>(word % one_lease);
  }

  // On lines of its own: threads that have different connections do not meet.
  struct alignas(64) Cell {
    typename R::template atomic<std::uint64_t> word{closed};
    typename R::template atomic<std::uint64_t> told{0};  // the lease whose holder is written below
    engine::Holder holder;
    Session* session = nullptr;
    std::uint64_t measured = 0;  // the last lease that was; from when is below
    Instant since;
  };
  static constexpr std::size_t hint_count = 64;
  struct Cells {
    explicit Cells(std::uint32_t how_many)
        : count(how_many), cells(std::make_unique<Cell[]>(how_many)) {}
    const std::uint32_t count;
    const std::unique_ptr<Cell[]> cells;
    // By thread: which connection it had last. May be wrong, and then costs a step.
    std::array<typename R::template atomic<std::uint16_t>, hint_count> hints{};
  };

  // A lease whose taker has not said yet who he is.
  struct Untold {
    SlotId slot;
    std::uint64_t lease;
    const Cell* cell;
  };
  void catch_up(engine::PlainRack& rack, SlotId slot, std::uint64_t word);
  void hear_of_holders(engine::PlainRack& rack);
  void grow(std::uint32_t slots);

  // Null while closed: a hint, for a quick way to the lock. The words decide.
  typename R::template atomic<Cells*> cells_{nullptr};

  // Guarded by the pool's lock.
  bool open_ = false;
  Instant opened_at_;
  std::vector<std::unique_ptr<Cells>> all_;  // the last is in use; some thread may look at others
  std::vector<Untold> untold_;
};

template <Runtime R>
typename Lane<R>::Taken Lane<R>::take(std::uint64_t thread) noexcept {
  // acquire: with open(), so that what it points to is there.
  Cells* const in_use = cells_.load(std::memory_order_acquire);
  if (in_use == nullptr) return {};
  auto& hint = in_use->hints[thread % hint_count];
  const std::uint32_t own = hint.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < in_use->count; ++i) {
    const SlotId slot = i == 0 ? own : i <= own ? i - 1 : i;
    Cell& cell = in_use->cells[slot];
    std::uint64_t word = cell.word.load(std::memory_order_relaxed);
    if (state_of(word) != idle) continue;
    const std::uint64_t lease = word / one_lease + 1;
    // acquire: with the release of who gave it back, or of open(): the session is as he left it.
    if (!cell.word.compare_exchange_strong(word, word_of(lease, lent), std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
      continue;
    }
    if (slot != own) hint.store(static_cast<std::uint16_t>(slot), std::memory_order_relaxed);
    return {cell.session, lease, &cell};
  }
  return {};
}

template <Runtime R>
void Lane<R>::note_since(const Taken& taken) noexcept {
  taken.cell->measured = taken.lease;
  taken.cell->since = R::now();
}

// Field by field: as a whole it would be put together in memory first, and then read with loads
// that are wider than those stores, and wait for them.
template <Runtime R>
void Lane<R>::note_holder(const Taken& taken, const engine::Holder& holder) noexcept {
  engine::Holder& own = taken.cell->holder;
  own.tag = holder.tag;
  own.file = holder.file;
  own.line = holder.line;
  own.thread = holder.thread;
  own.task = holder.task;
  // release: with hear_of_holders().
  taken.cell->told.store(taken.lease, std::memory_order_release);
}

template <Runtime R>
bool Lane<R>::give(SlotId slot, std::uint64_t lease) noexcept {
  Cells* const in_use = cells_.load(std::memory_order_acquire);
  if (in_use == nullptr || slot >= in_use->count) return false;
  std::uint64_t word = word_of(lease, lent);
  // release: with whoever has the session next, in take() or after close().
  return in_use->cells[slot].word.compare_exchange_strong(
      word, word_of(lease, idle), std::memory_order_release, std::memory_order_relaxed);
}

template <Runtime R>
std::optional<Instant> Lane<R>::since(SlotId slot, std::uint64_t lease) const noexcept {
  // It may have been taken before the lane grew.
  for (auto cells = all_.rbegin(); cells != all_.rend(); ++cells) {
    if (slot >= (*cells)->count) break;
    const Cell& cell = (*cells)->cells[slot];
    if (cell.measured == lease) return cell.since;
  }
  return std::nullopt;
}

template <Runtime R>
template <class SessionOf>
bool Lane<R>::open(const engine::PlainRack& rack, std::uint32_t slots, Instant now, Instant until,
                   SessionOf&& session_of) {
  grow(std::min(slots, cells_max));
  Cells& in_use = *all_.back();
  bool any = false;
  for (SlotId slot = 0; slot < std::min(slots, in_use.count); ++slot) {
    const auto& view = rack.view(slot);
    const bool takes = rack.can_lend_until(slot, until);
    const bool gives = rack.can_return_until(slot, until);
    if (!takes && !gives) continue;
    Cell& cell = in_use.cells[slot];
    any = true;
    // Once: somebody may still be on his way out of take() with what was here before.
    if (cell.session == nullptr) cell.session = session_of(slot);
    // release: with take().
    cell.word.store(word_of(view.lease, takes ? idle : lent), std::memory_order_release);
  }
  if (!any) return false;
  opened_at_ = now;
  cells_.store(&in_use, std::memory_order_release);
  open_ = true;
  return true;
}

template <Runtime R>
bool Lane<R>::close(engine::PlainRack& rack) {
  if (!open_) {
    if (!untold_.empty()) hear_of_holders(rack);
    return false;
  }
  open_ = false;
  cells_.store(nullptr, std::memory_order_relaxed);
  Cells& in_use = *all_.back();
  bool moved = false;
  // The first one last, so that it is the freshest: see take().
  for (SlotId slot = in_use.count; slot-- > 0;) {
    Cell& cell = in_use.cells[slot];
    // Only the lock opens a word, and we have it.
    if (cell.word.load(std::memory_order_relaxed) == closed) continue;
    // acquire: with give(), for the session, which we may use from here on.
    const std::uint64_t word = cell.word.exchange(closed, std::memory_order_acquire);
    const auto& view = rack.view(slot);
    if (word == word_of(view.lease, view.lent() ? lent : idle)) continue;
    moved = true;
    catch_up(rack, slot, word);
  }
  hear_of_holders(rack);
  return moved;
}

template <Runtime R>
void Lane<R>::catch_up(engine::PlainRack& rack, SlotId slot, std::uint64_t word) {
  const std::uint64_t lease = word / one_lease;
  const Cell& cell = all_.back()->cells[slot];
  if (state_of(word) == idle) return rack.was_returned(slot, lease, opened_at_);
  rack.was_lent(slot, lease, opened_at_);
  untold_.push_back({slot, lease, &cell});
}

// Who has just taken one may not have come to say who he is; then he is asked again the next time.
// Until then his lease is nobody's, and belongs to no task.
template <Runtime R>
void Lane<R>::hear_of_holders(engine::PlainRack& rack) {
  std::erase_if(untold_, [&](const Untold& of) {
    const auto& view = rack.view(of.slot);
    if (!view.lent() || view.lease != of.lease) return true;  // it has come back
    // acquire: with note_holder(). The word is closed, so that nobody else can have taken it since.
    if (of.cell->told.load(std::memory_order_acquire) != of.lease) return false;
    rack.was_lent_to(of.slot, of.cell->holder);
    return true;
  });
}

template <Runtime R>
void Lane<R>::grow(std::uint32_t slots) {
  if (!all_.empty() && all_.back()->count >= slots) return;
  std::uint32_t count = all_.empty() ? 1 : all_.back()->count;
  while (count < slots) count *= 2;
  all_.push_back(std::make_unique<Cells>(std::min(count, cells_max)));
}

}  // namespace weir::runtime
