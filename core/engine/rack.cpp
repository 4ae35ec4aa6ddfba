// SPDX-License-Identifier: MIT
#include "core/engine/rack.hpp"

#include "core/base/assert.hpp"
#include "core/base/room.hpp"

namespace weir::engine {

PlainRack::Entry& PlainRack::at(SlotId slot) {
  base::grow_to(places_, slot + 1);
  return places_[slot];
}

const Rack::View& PlainRack::view(SlotId slot) const {
  static const View off;
  return slot < places_.size() ? places_[slot].view : off;
}

SlotId PlainRack::fresher_than(SlotId idle) const noexcept { return places_[idle].fresher; }

void PlainRack::unlink(SlotId slot) {
  Entry& place = places_[slot];
  (place.fresher == no_slot ? front_ : places_[place.fresher].older) = place.older;
  (place.older == no_slot ? back_ : places_[place.older].fresher) = place.fresher;
  place.fresher = place.older = no_slot;
  --idle_count_;
}

void PlainRack::put_idle(SlotId slot, Instant idle_since, Instant proof, Instant expires_at,
                         Place where) {
  Entry& place = at(slot);
  WEIR_ASSERT(place.view.word == Word::off);
  place.view.word = Word::idle;
  place.view.since = idle_since;
  place.view.proof = proof;
  place.view.expires_at = expires_at;
  place.view.holder = Holder{};
  if (where == Place::front) {
    place.older = front_;
    (front_ == no_slot ? back_ : places_[front_].fresher) = slot;
    front_ = slot;
  } else {
    place.fresher = back_;
    (back_ == no_slot ? front_ : places_[back_].older) = slot;
    back_ = slot;
  }
  ++idle_count_;
}

void PlainRack::begin_lease(Entry& place, const Holder& holder, Instant now) noexcept {
  place.view.word = Word::lent;
  place.view.holder = holder;
  place.view.since = place.view.used_since = now;
  place.view.rounded = false;
  ++place.view.lease;
  ++lent_count_;
}

std::uint64_t PlainRack::lend(SlotId slot, const Holder& holder, Instant now) {
  Entry& place = at(slot);
  WEIR_ASSERT(place.view.word == Word::off || place.view.word == Word::idle);
  if (place.view.word == Word::idle) unlink(slot);
  begin_lease(place, holder, now);
  return place.view.lease;
}

SlotId PlainRack::take(const Holder& holder, Instant now) {
  if (!gate_open_ || front_ == no_slot) return no_slot;
  const SlotId slot = front_;
  Entry& place = places_[slot];
  // The boundary value needs a look (property T7).
  if (suspect(slot) || after(place.view.proof, validate_after_) <= now) return no_slot;
  if (place.view.expires_at <= now) return no_slot;  // S5
  unlink(slot);
  begin_lease(place, holder, now);
  ++lends_;
  return slot;
}

bool PlainRack::is_current(SlotId slot, std::uint64_t lease) const noexcept {
  if (slot >= places_.size()) return false;
  const View& view = places_[slot].view;
  return view.lent() && view.lease == lease;
}

bool PlainRack::end_lease(SlotId slot, std::uint64_t lease, Instant now) {
  if (!is_current(slot, lease)) return false;
  View& view = places_[slot].view;
  if (!view.rounded) observe_hold(now - view.used_since);
  view.word = Word::off;
  view.since = view.proof = now;
  --lent_count_;
  ++returns_;
  return true;
}

PlainRack::Give PlainRack::give(SlotId slot, std::uint64_t lease, Instant now) {
  if (!is_current(slot, lease)) return Give::refused;
  const View& view = places_[slot].view;
  if (!gate_open_ || view.word == Word::retire || view.expires_at <= now) return Give::to_engine;
  const bool ended = end_lease(slot, lease, now);
  WEIR_ASSERT(ended);
  put_idle(slot, now, now, view.expires_at, Place::front);
  return Give::racked;
}

Rack::Reclaim PlainRack::reclaim(SlotId slot) {
  Entry& place = at(slot);
  WEIR_ASSERT(place.view.word != Word::off);
  if (place.view.word == Word::idle) {
    unlink(slot);
    place.view.word = Word::off;
    return Reclaim::reclaimed;
  }
  place.view.word = Word::retire;
  return Reclaim::busy;
}

bool PlainRack::can_lend_until(SlotId slot, Instant until) const noexcept {
  const View& view = this->view(slot);
  return view.word == Word::idle && !suspect(slot) && after(view.proof, validate_after_) > until &&
         view.expires_at > until;
}

bool PlainRack::can_return_until(SlotId slot, Instant until) const noexcept {
  const View& view = this->view(slot);
  return view.word == Word::lent && !suspect(slot) && view.expires_at > until;
}

void PlainRack::count_up_to(Entry& place, SlotId slot, std::uint64_t lease) noexcept {
  View& view = place.view;
  WEIR_ASSERT(view.word == Word::idle || view.word == Word::lent);
  const bool lent = view.word == Word::lent;
  if (lent)
    --lent_count_;
  else
    unlink(slot);
  lends_ += lease - view.lease;
  returns_ += lease - view.lease + (lent ? 1 : 0);
  view.lease = lease;
  view.word = Word::off;
}

void PlainRack::was_returned(SlotId slot, std::uint64_t lease, Instant at) {
  Entry& place = this->at(slot);
  count_up_to(place, slot, lease);
  put_idle(slot, at, at, place.view.expires_at, Place::front);
}

void PlainRack::was_lent(SlotId slot, std::uint64_t lease, Instant since) {
  Entry& place = at(slot);
  // It came back in between, which is a proof.
  if (place.view.lent() || lease > place.view.lease + 1) place.view.proof = since;
  count_up_to(place, slot, lease);
  --returns_;  // this one has not come back
  ++lent_count_;
  place.view.word = Word::lent;
  place.view.holder = Holder{};
  place.view.since = since;
  place.view.rounded = true;
}

void PlainRack::was_lent_to(SlotId slot, const Holder& holder) {
  View& view = at(slot).view;
  WEIR_ASSERT(view.lent());
  view.holder = holder;
}

void PlainRack::note_use(SlotId slot, Instant now) {
  View& view = at(slot).view;
  WEIR_ASSERT(view.lent());
  view.used_since = now;
}

void PlainRack::observe_hold(Duration held) noexcept {
  hold_estimate_ += (held - hold_estimate_) / 8;
}

}  // namespace weir::engine
