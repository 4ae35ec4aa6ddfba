// SPDX-License-Identifier: MIT
// Model, second part: who is served, what every step ends with, and the comparison.
#include "tests/engine/model.hpp"

#include <algorithm>

namespace weir::engine::test {

namespace {

using Kind = Input::Kind;
using Phase = Engine::Phase;

[[noreturn]] void differs(const std::string& what) { throw Violation("model: " + what); }

}  // namespace

// ---------------------------------------------------------------- callers

void Model::acquire(const Input& input) {
  Caller caller{++number_, WaiterKind::thread, now_, no_deadline};
  if (input.kind == Kind::acquire_now) caller.deadline = now_;
  if (input.kind == Kind::acquire_callback) {
    caller.kind = WaiterKind::callback;
    caller.deadline = now_ + callback_timeout;
  }
  started_ = true;
  if (phase_ == Phase::draining) {
    resolved_[caller.number] = Outcome::closed;
    return;
  }
  const auto& lent = seen_->lent();
  if (!callers_.empty() && offered_ && may_offer() && !lent.empty() &&
      lent.front().caller == caller.number) {
    return lend(caller.number);  // it passes a young head, and nobody else notices
  }
  const bool may_wait = caller.deadline > now_;
  if (may_wait && callers_.size() >= config_.max_waiting) {
    resolved_[caller.number] = Outcome::rejected;
    return settle();
  }
  callers_.push_back(caller);
  settle();
  if (callers_.empty() || callers_.back().number != caller.number) return;
  if (callers_.size() == 1 && offered_) return claim();  // it is awake
  if (may_wait) return;
  resolve(callers_.size() - 1,
          phase_ == Phase::suspended ? Outcome::suspended : Outcome::none_idle);
  settle();
}

// Whoever was offered a connection gets one if there still is one, and keeps its place if not.
void Model::claim() {
  offered_ = false;
  if (phase_ == Phase::open && anything_lendable()) {
    lend(callers_.front().number);
    callers_.erase(callers_.begin());
  }
  settle();
}

// S11, F1, F2, S7: as long as somebody waits, what is idle goes to the one that came first.
void Model::serve() {
  while (!callers_.empty()) {
    if (anything_lendable()) {
      const bool handed =
          lends_ < seen_->lent().size() && seen_->lent()[lends_].caller == callers_.front().number;
      if (may_offer() && !handed) {
        offered_ = true;
        return;
      }
      lend(callers_.front().number);
      callers_.erase(callers_.begin());
      offered_ = false;
    } else {
      // R2: what may be dead is looked at, one for each who waits; nobody relies on it.
      offered_ = false;
      if (count(Place::idle) == 0 || count(Place::validating) >= callers_.size()) return;
      begin(chosen(Op::validate, Place::idle), Op::validate);
    }
  }
}

// Bounded F2: a thread that came a short time ago may be passed.
bool Model::may_offer() const {
  return config_.fairness == Fairness::bounded && !surplus() && !callers_.empty() &&
         callers_.front().kind == WaiterKind::thread &&
         now_ < callers_.front().enqueued + config_.fair_after;
}

void Model::lend(std::uint32_t caller) {
  const auto& lent = seen_->lent();
  if (lends_ >= lent.size()) differs("caller " + std::to_string(caller) + " was not served");
  const auto [number, slot] = lent[lends_++];
  if (number != caller) differs("served out of turn");
  Conn& conn = conns_[slot];
  if (conn.place != Place::idle || !lendable(conn)) differs("lent what cannot be lent");
  conn.place = Place::lent;
  resolved_[caller] = Outcome::lent;
}

void Model::resolve(std::size_t place, Outcome outcome) {
  resolved_[callers_[place].number] = outcome;
  callers_.erase(callers_.begin() + static_cast<std::ptrdiff_t>(place));
  if (place == 0) offered_ = false;
}

void Model::resolve_all(Outcome outcome) {
  while (!callers_.empty()) resolve(0, outcome);
}

// ---------------------------------------------------------------- what every step ends with

void Model::settle() {
  if (phase_ != Phase::open) return;
  serve();
  connect();
  if (!callers_.empty() && no_point_in_waiting() && now_ < retry_at_ && connecting(true) == 0) {
    resolve_all(Outcome::create_failed);
  }
}

// S7, S8, S11, L3, R3: for each who waits and for whom nothing is on its way, and for min.
void Model::connect() {
  while (true) {
    const std::uint32_t of_use = static_cast<std::uint32_t>(conns_.size()) - count(Place::closing) -
                                 count(Place::quarantined) - (connecting(true) - connecting(false));
    const std::uint32_t coming = connecting(false) + (offered_ ? count(Place::idle) : 0);
    const bool wanted = callers_.size() > coming || (started_ && of_use < config_.min);
    const bool room = conns_.size() < capacity();
    const bool allowed =
        failing_ ? connecting(true) == 0 && now_ >= retry_at_ : connecting(true) < window_;
    if (!wanted || !room || !allowed) return;
    begin(chosen(Op::connect, Place::closed), Op::connect);
  }
}

SlotId Model::chosen(Op op, Place from) {
  for (const StartOp& start : seen_->effects().start) {
    const auto conn = conns_.find(start.slot);
    const Place place = conn == conns_.end() ? Place::closed : conn->second.place;
    if (start.op == op && place == from) return start.slot;
  }
  differs(std::string("no ") + text_of(op) + " was started");
}

void Model::compare(const SmallPool& pool) const {
  std::map<std::uint32_t, Outcome> resolved;
  for (const auto& [caller, slot] : pool.lent()) resolved[caller] = Outcome::lent;
  for (const Resolved& r : pool.effects().resolved) {
    resolved[static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(r.token))] = r.outcome;
  }
  if (resolved != resolved_) differs("other callers were resolved, or otherwise");
  std::vector<Start> starts;
  for (const StartOp& start : pool.effects().start) starts.emplace_back(start.slot, start.op);
  std::vector<Start> expected = starts_;
  std::sort(starts.begin(), starts.end());
  std::sort(expected.begin(), expected.end());
  if (starts != expected) differs("other operations were started");
  std::vector<SlotId> aborts = pool.effects().abort;
  std::vector<SlotId> expected_aborts = aborts_;
  std::sort(aborts.begin(), aborts.end());
  std::sort(expected_aborts.begin(), expected_aborts.end());
  if (aborts != expected_aborts) differs("other operations were aborted");
  if (pool.phase() != phase_) differs("another phase");
  for (SlotId slot = 0; slot < pool.slots(); ++slot) {
    const auto conn = conns_.find(slot);
    const Place place = conn == conns_.end() ? Place::closed : conn->second.place;
    if (pool.place(slot) == place) continue;
    differs("slot " + std::to_string(slot) + " is " + text_of(pool.place(slot)) + ", not " +
            text_of(place));
  }
}

std::uint32_t Model::count(Place place) const {
  return static_cast<std::uint32_t>(
      std::count_if(conns_.begin(), conns_.end(),
                    [place](const auto& entry) { return entry.second.place == place; }));
}

std::uint32_t Model::connecting(bool outdated_too) const {
  return static_cast<std::uint32_t>(
      std::count_if(conns_.begin(), conns_.end(), [outdated_too](const auto& entry) {
        const Conn& conn = entry.second;
        return (conn.place == Place::connecting || conn.place == Place::initialising) &&
               (outdated_too || !conn.outdated);
      }));
}

// S1
std::uint32_t Model::capacity() const {
  return config_.max + std::min(count(Place::quarantined), config_.quarantine_max);
}

bool Model::surplus() const { return conns_.size() - count(Place::closing) > capacity(); }

bool Model::lendable(const Conn& conn) const { return !conn.suspect && !conn.outdated; }

bool Model::anything_lendable() const {
  return std::any_of(conns_.begin(), conns_.end(), [this](const auto& entry) {
    return entry.second.place == Place::idle && lendable(entry.second);
  });
}

}  // namespace weir::engine::test
