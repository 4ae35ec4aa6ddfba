// SPDX-License-Identifier: MIT
// EngineWorld, second part: what is judged after every step, and what tests ask it.
#include "tests/engine/world.hpp"

#include <algorithm>
#include <numeric>

namespace weir::engine::test {

void EngineWorld::require(bool held, const char* property, const std::string& what) const {
  if (held) return;
  throw Violation(std::string(property) + ": " + what + " (at " +
                  std::to_string((now_ - Instant(1h)).count() / 1000) + " us)");
}

void EngineWorld::on_event(const Event& event) {
  events_.push_back({event, now_});
  ++premises()["O3"];
  require(event.step >= last_step_, "O3", "events out of order");
  last_step_ = event.step;
  if (event.slot == no_slot) return;
  Conn& c = conn(event.slot);
  switch (event.type) {
    case Event::Type::quarantined:
      require(c.flight && c.flight->aborted, "T9", "quarantined without an abort");
      c.flight->quarantined = true;
      c.set_aside = true;
      if (c.flight->op == Op::connect || c.flight->op == Op::init) {
        if (!c.outdated) connect_failed(*c.flight);
      }
      if (c.flight->op == Op::validate || c.flight->op == Op::check) doubt_all();
      ++premises()["quarantine"];
      break;
    case Event::Type::created:
      require(c.up && !c.told_created, "S15", "created twice, or before it was");
      c.told_created = true;
      break;
    case Event::Type::closed:
      require(!c.open && !c.told_closed, "S15", "closed twice, or before it was");
      c.told_closed = true;
      ++premises()["S15"];
      if (event.reason != CloseReason::idle) break;
      require(c.min_held_at_close, "S12", "the reaper went below min");
      ++premises()["S12"];
      break;
    case Event::Type::quarantine_full:
      ++premises()["R8"];
      break;
    case Event::Type::long_hold:
      require(c.holder != nullptr && c.holder->lease == event.lease, "O4", "nobody holds it");
      require(c.warned_lease != event.lease, "O4", "reported twice");
      require(event.amount >= config_.hold_warn, "O4", "reported early");
      c.warned_lease = event.lease;
      ++premises()["O4"];
      break;
    default:
      break;
  }
}

void EngineWorld::connect_failed(const Flight& flight) {
  if (closed_for_lends_) return;
  // Attempts that ran side by side fail together: the first of them sets the delay.
  if (!failing_ || flight.started >= failed_at_) {
    failed_start_ = flight.started;
    least_delay_ = least_delay();  // a later configuration does not make this one longer
  }
  failing_ = true;
  failed_at_ = now_;
}

// Before jitter.
Duration EngineWorld::least_delay() const {
  return std::min(config_.create_retry_interval, config_.create_retry_max);
}

void EngineWorld::check() {
  if (engine_.lost()) {
    closed_for_lends_ = true;
    suspended_ = false;
  }
  for (SlotId slot = 0; slot < conns_.size(); ++slot) {
    if (rack_.view(slot).word != Rack::Word::idle) conns_[slot].racked_since = now_;
  }
  check_books();
  check_waiters();
  check_creates();
  engine_.check(now_);
}

// S1, S3, O1: the server's count against the pool's.
void EngineWorld::check_books() {
  const std::uint32_t open = sessions();
  require(open == engine_.physical(), "S1",
          "the server counts " + std::to_string(open) + " sessions, the pool " +
              std::to_string(engine_.physical()));
  if (open > capacity()) {
    ++premises()["S1 lowered"];
    require(open <= sessions_before_ && starts_in_step_ == 0, "S1", "above max and growing");
  }
  if (open == capacity()) ++premises()["S1"];
  if (open > config_.max && capacity() > config_.max) ++premises()["S1 quarantine"];
  const Bounds most = bounds(slots_max_, waiting_max_, quarantine_max_);
  require(engine_.slot_count() <= most.slots, "S20", "more slots than can be in use");
  ++premises()["S20"];
  std::uint32_t held = 0;
  for (const Call& call : calls_) held += call.held ? 1 : 0;
  if (held > 0) ++premises()["S3"];
  require(rack_.lent_count() <= held, "S4", "lent to nobody");
  require(held == rack_.lent_count() && held == engine_.counts().lent, "S3", "lent is miscounted");
  const Counters& c = engine_.counters();
  const auto closed = std::accumulate(c.closed.begin(), c.closed.end(), std::uint64_t{0});
  ++premises()["O1"];
  require(c.created == created_ && closed == gone_, "O1", "created or closed is miscounted");
  require(c.queued == c.granted + c.timeouts + c.rejected + c.failed + waiting(), "O1",
          "acquires are miscounted");
}

// S7, L2, S19: nobody waits beside what could serve them.
void EngineWorld::check_waiters() {
  const std::uint32_t waits = waiting();
  require(waits == engine_.queue().size(), "S3", "waiters are miscounted");
  require(waits <= std::max(config_.max_waiting, waiting_before_), "S19", "the queue is too long");
  if (waits == config_.max_waiting) ++premises()["S19"];
  if (closed_for_lends_) return require(waits == 0, "L8", "a waiter on a closed pool");
  for (SlotId slot = 0; slot < conns_.size(); ++slot) {
    require(rack_.view(slot).word != Rack::Word::idle || !conns_[slot].outdated, "S5",
            "idle although its generation was replaced");
  }
  require(suspended_ || !all_wait_for_each_other(), "S18", "they wait for each other");
  const Call* head = oldest_waiting();
  if (head == nullptr || suspended_) return;
  ++premises()["S7"];
  for (SlotId slot = 0; slot < conns_.size(); ++slot) {
    if (!surely_lendable(slot)) continue;
    ++premises()["S7 bounded"];
    // Who has just come is lent what is there before anything is created (L6).
    require(head->offered, head->enqueued == now_ ? "S7, L6" : "S7, L2", "idle beside a waiter");
    require(config_.fairness == Fairness::bounded, "F2", "an offer that a newcomer can take");
    require(head->kind == WaiterKind::thread, "S7", "an offer to a callback");
    require(now_ < after(head->enqueued, config_.fair_after), "S7", "idle beside an old waiter");
  }
}

// S8, S11, R3, and the other half of S7.
void EngineWorld::check_creates() {
  std::uint32_t connecting = 0;
  std::uint32_t probes = 0;
  std::uint32_t looks = 0;
  const bool hung =
      std::any_of(conns_.begin(), conns_.end(), [](const Conn& c) { return c.set_aside; });
  for (const Conn& c : conns_) {
    if (!c.flight || c.flight->quarantined) continue;
    const bool connects = c.flight->op == Op::connect || c.flight->op == Op::init;
    connecting += connects ? 1 : 0;
    probes += connects && c.flight->started > failed_at_ && c.flight->op == Op::connect ? 1 : 0;
    looks += c.flight->op == Op::validate ? 1 : 0;
  }
  require(connecting <= config_.max_connecting || starts_in_step_ == 0, "S8", "too many connects");
  if (connecting == config_.max_connecting) ++premises()["S8"];
  if (failing_) {
    require(probes <= 1, "R3", "more than one probe");
    if (probes == 1) ++premises()["R3"];
  }
  const std::uint32_t others = usable() - starts_in_step_;
  const std::uint32_t for_min = min_kept_ && config_.min > others ? config_.min - others : 0;
  require(starts_in_step_ <= std::max(for_min, waiting() + resolved_in_step_), "S11",
          "connects without demand");
  if (starts_in_step_ > 0) ++premises()["S11"];
  // Keepalives go a few at a time; the other looks are each for a waiter.
  require(looks_in_step_ <= config_.max_connecting + waiting() + resolved_in_step_, "T6",
          "keepalives all at once");
  if (connecting < usable() && usable() - connecting <= config_.min) above_min_since_ = now_;
  if (connecting >= usable()) above_min_since_ = now_;
  if (closed_for_lends_ || suspended_) return;
  if (failing_ || connecting > 0 || sessions() >= capacity()) return;
  const Call* head = oldest_waiting();
  const std::uint32_t ready = head != nullptr && head->offered ? rack_.idle_count() : 0;
  require(waiting() <= looks + ready, hung ? "R8" : "S7, L2, L4",
          "room to connect beside a waiter");
  require(!min_kept_ || usable() >= config_.min, "L3", "below min and nothing under way");
  ++premises()["L3"];
}

void EngineWorld::check_after_tick() {
  ++premises()["L7"];
  ++premises()["L1"];
  require(engine_.next_timer() > now_, "L7", "a timer is due right after a tick");
  require(engine_.next_deadline() > now_, "L1", "a deadline has passed");
  for (const Conn& c : conns_) {
    if (!c.flight) continue;
    require(c.flight->aborted || c.flight->deadline > now_, "T9", "overdue and not aborted");
    if (c.flight->aborted) ++premises()["T9"];
  }
  if (closed_for_lends_) return;
  for (SlotId slot = 0; slot < conns_.size(); ++slot) {
    const Conn& c = conns_[slot];
    if (rack_.view(slot).word == Rack::Word::idle) check_idle_times(slot);
    if (c.holder == nullptr || c.warned_lease == c.holder->lease) continue;
    const Instant warn_by =
        after(std::max(after(c.holder->resolved_at, config_.hold_warn), changed_at_),
              config_.reap_interval);
    require(now_ <= warn_by, "O4", "a long hold was not reported");
  }
}

// T3, T4, T6: what has been on the rack for too long.
void EngineWorld::check_idle_times(SlotId slot) {
  const Conn& c = conns_[slot];
  const auto overdue = [&](Instant due, Duration grace) {
    return now_ >
           after(std::max({due, c.racked_since, changed_at_}), config_.reap_interval + grace);
  };
  // Keepalives go max_connecting at a time, and each may take as long as it takes to be set aside.
  const Duration round = std::min<Duration>(config_.create_timeout, 5s) + abort_grace;
  const auto rounds = static_cast<std::int64_t>(conns_.size() / config_.max_connecting + 1);
  if (!suspended_) {
    require(!overdue(std::max(after(c.proof, config_.keepalive), awake_since_), round * rounds),
            "T6", "no keepalive");
    if (config_.keepalive != no_timeout) ++premises()["T6"];
  }
  if (config_.pinned) return;
  require(!overdue(after(c.created, c.lifetime), 0s), "T4", "idle past its lifetime");
  if (c.lifetime != no_timeout) ++premises()["T4"];
  const Instant idle_until = after(c.idle_since, config_.idle_timeout);
  if (now_ >= idle_until) ++premises()["T3"];
  require(!overdue(std::max(idle_until, above_min_since_), 0s) || usable() <= config_.min, "T3",
          "idle for too long");
}

// ---------------------------------------------------------------- views

// A proof of this very instant counts even where validate_after is 0.
bool EngineWorld::fresh(const Conn& c) const {
  return now_ == c.proof || now_ < after(c.proof, config_.validate_after);
}

bool EngineWorld::surely_lendable(SlotId slot) const {
  const Conn& c = conns_[slot];
  if (rack_.view(slot).word != Rack::Word::idle || c.suspect || !fresh(c)) return false;
  // The drawn lifetime is the engine's secret; below nine tenths of the limit it cannot have ended.
  return config_.pinned || c.lifetime == no_timeout || now_ < after(c.created, c.lifetime * 9 / 10);
}

std::uint32_t EngineWorld::sessions() const {
  return static_cast<std::uint32_t>(std::count_if(conns_.begin(), conns_.end(), [](const Conn& c) {
    return c.open || (c.flight && c.flight->op == Op::connect);
  }));
}

std::uint32_t EngineWorld::usable() const {
  return static_cast<std::uint32_t>(std::count_if(conns_.begin(), conns_.end(), [](const Conn& c) {
    const bool exists = c.open || (c.flight && c.flight->op == Op::connect);
    const bool given_up =
        c.outdated && c.flight && (c.flight->op == Op::connect || c.flight->op == Op::init);
    return exists && !c.closing && !given_up && !c.set_aside;
  }));
}

// Max, and one more for each call that hangs, up to the bound.
std::uint32_t EngineWorld::capacity() const {
  const auto hung =
      std::count_if(conns_.begin(), conns_.end(), [](const Conn& c) { return c.set_aside; });
  return config_.max + std::min(static_cast<std::uint32_t>(hung), config_.quarantine_max);
}

// S18: as many leases as there may be connections that work, nothing under way, every holder in the
// queue.
bool EngineWorld::all_wait_for_each_other() const {
  std::uint32_t lent = 0;
  for (const Conn& c : conns_) {
    if (c.flight && !c.set_aside) return false;
    if (c.holder == nullptr) continue;
    ++lent;
    const TaskId task = c.holder->task;
    if (task == no_task || std::none_of(calls_.begin(), calls_.end(), [&](const Call& call) {
          return call.waiting && call.task == task;
        })) {
      return false;
    }
  }
  return lent > 0 && lent >= config_.max;
}

Call* EngineWorld::oldest_waiting() {
  const auto it =
      std::find_if(calls_.begin(), calls_.end(), [](const Call& c) { return c.waiting; });
  return it == calls_.end() ? nullptr : &*it;
}

std::uint32_t EngineWorld::waiting() const {
  return static_cast<std::uint32_t>(
      std::count_if(calls_.begin(), calls_.end(), [](const Call& c) { return c.waiting; }));
}

bool EngineWorld::runs(SlotId slot, Op op) const {
  return slot < conns_.size() && conns_[slot].flight && conns_[slot].flight->op == op;
}

std::vector<SlotId> EngineWorld::running(Op op) const {
  std::vector<SlotId> slots;
  for (SlotId slot = 0; slot < conns_.size(); ++slot) {
    if (runs(slot, op)) slots.push_back(slot);
  }
  return slots;
}

std::size_t EngineWorld::started(Op op) const {
  return static_cast<std::size_t>(std::count_if(started_.begin(), started_.end(),
                                                [op](const Started& s) { return s.op == op; }));
}

Instant EngineWorld::last_start(Op op) const {
  return std::find_if(started_.rbegin(), started_.rend(),
                      [op](const Started& s) { return s.op == op; })
      ->at;
}

std::size_t EngineWorld::happened(Event::Type type) const {
  return static_cast<std::size_t>(std::count_if(
      events_.begin(), events_.end(), [type](const Happened& h) { return h.event.type == type; }));
}

std::size_t EngineWorld::closed(CloseReason reason) const {
  return static_cast<std::size_t>(
      std::count_if(events_.begin(), events_.end(), [reason](const Happened& h) {
        return h.event.type == Event::Type::closed && h.event.reason == reason;
      }));
}

}  // namespace weir::engine::test
