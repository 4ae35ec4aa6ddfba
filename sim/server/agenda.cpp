// SPDX-License-Identifier: MIT
//
// agenda.cpp: what happens next on the server, and catching up with it.
#include "sim/server/server.hpp"

#include <algorithm>
#include <utility>

namespace weir::sim {
namespace {

constexpr weir_time never = WEIR_NO_DEADLINE;

std::int64_t rounded_up(std::int64_t work, std::int64_t speed) {
  return work <= 0 ? 0 : (work - 1) / speed + 1;
}

}  // namespace

std::int64_t Server::speed() const {
  const auto n = std::count_if(links_.begin(), links_.end(), [](const auto& entry) {
    return entry.second.op.phase == Op::Phase::serving;
  });
  return settings_.capacity.speed(n);
}

weir_time Server::idle_end(const Link& link) const {
  using Phase = Op::Phase;
  const bool quiet = link.op.phase == Phase::none || link.op.phase == Phase::lost ||
                     link.op.given_up || link.hung_up;
  const bool applies = settings_.idle_timeout_ns > 0 && link.session.id != 0 && quiet &&
                       !link.runs() && link.op.phase != Phase::outbound;
  return applies ? link.last_io + settings_.idle_timeout_ns : never;
}

// A request that is under way arrives before the end of its connection does, and a server looks up
// from its work only afterwards.
weir_time Server::next_of(const Link& link, std::int64_t each) const {
  using Phase = Op::Phase;
  weir_time at = std::min(link.cancel_at, idle_end(link));
  const bool at_work = link.runs() || link.op.phase == Phase::outbound;
  if (link.op.phase == Phase::serving) {
    at = std::min(at, clock_ + rounded_up(link.op.work, each));
  } else if (at_work) {
    at = std::min(at, link.op.at);
  }
  if (!at_work && link.notice_at != never) at = std::min(at, std::max(link.notice_at, clock_));
  return at;
}

weir_time Server::next_edge() const {
  return edges_.empty() ? never : settings_.faults[edges_.front()].from;
}

void Server::work_until(weir_time at) {
  const std::int64_t each = speed();
  for (auto& [id, link] : links_) {
    if (link.op.phase == Op::Phase::serving) link.op.work -= (at - clock_) * each;
  }
  clock_ = at;
}

void Server::advance(weir_time now) {
  for (;;) {
    weir_time at = next_edge();
    auto next = links_.end();
    const std::int64_t each = speed();
    for (auto it = links_.begin(); it != links_.end(); ++it) {
      const weir_time then = next_of(it->second, each);
      if (then >= at) continue;
      at = then;
      next = it;
    }
    if (at > now || at == never) break;
    work_until(std::max(at, clock_));
    if (next == links_.end()) {
      pass_edge();
      continue;
    }
    step(next->second);
    if (next->second.hung_up && next->second.session.id == 0) links_.erase(next);
  }
  if (now > clock_) work_until(now);
}

void Server::step(Link& link) {
  using Phase = Op::Phase;
  const Phase phase = link.op.phase;
  if (phase == Phase::outbound && link.op.at <= clock_) return arrive(link);
  if (phase == Phase::timed && link.op.at <= clock_) return finish(link);
  if (phase == Phase::serving && link.op.work <= 0) return finish(link);
  if (link.cancel_at <= clock_) return take_cancel(link);
  if (link.notice_at <= clock_) {
    link.notice_at = never;
    return end_session(link, SessionEnd::noticed);
  }
  if (idle_end(link) <= clock_) end_session(link, SessionEnd::idle_timeout);
}

void Server::pass_edge() {
  const Fault fault = settings_.faults[edges_.front()];
  edges_.erase(edges_.begin());
  for (auto& [id, link] : links_) {
    if (!hits(fault, link)) continue;
    if (fault.what == FaultKind::restart) {
      end_session(link, SessionEnd::killed);
    } else if (link.session.id != 0) {
      link.half_open = true;
      if (link.op.phase == Op::Phase::outbound || link.op.phase == Op::Phase::returning) {
        lose(link);
      }
    }
  }
  std::erase_if(links_, [](const auto& entry) {
    return entry.second.hung_up && entry.second.session.id == 0;
  });
  wake_all_that_wait();
}

void Server::add(weir_time now, const Fault& fault) {
  advance(now);
  settings_.faults.push_back(fault);
  const auto from = [this](std::size_t i) { return settings_.faults[i].from; };
  if (fault.what == FaultKind::restart || fault.what == FaultKind::half_open) {
    const auto later = std::find_if(edges_.begin(), edges_.end(),
                                    [&](std::size_t i) { return from(i) > fault.from; });
    edges_.insert(later, settings_.faults.size() - 1);
  }
  wake_all_that_wait();
}

// With the statements that are known now; one more makes it later, and the poll will say so.
weir_time Server::served_at(const Link& link) const {
  std::vector<std::int64_t> works;
  for (const auto& [id, other] : links_) {
    if (other.op.phase == Op::Phase::serving) works.push_back(other.op.work);
  }
  std::sort(works.begin(), works.end());
  weir_time at = clock_;
  std::int64_t done = 0;
  for (auto it = works.begin(); it != works.end(); ++it) {
    const std::int64_t each = settings_.capacity.speed(works.end() - it);
    const std::int64_t ns = rounded_up(*it - done, each);
    at += ns;
    done += ns * each;
    if (*it >= link.op.work) break;
  }
  return at;
}

weir_time Server::look_at(const Link& link) const {
  using Phase = Op::Phase;
  const bool fenced = !settings_.loose_cancels && link.cancel_at != never;
  switch (link.op.phase) {
    case Phase::none:
    case Phase::lost:
      return never;
    case Phase::returning:
      return fenced ? std::max(link.op.at, link.cancel_at) : link.op.at;
    case Phase::outbound:
    case Phase::timed:
      return std::min({link.op.at, link.cancel_at, next_edge()});
    case Phase::serving:
      break;
  }
  return std::min({served_at(link), link.cancel_at, next_edge()});
}

void Server::wake_all_that_wait() {
  for (const auto& [id, link] : links_) {
    const bool waits = link.op.phase != Op::Phase::none && !link.op.given_up && !link.hung_up;
    if (waits && link.host != nullptr) wakes_.push_back({link.host, link.conn_tag});
  }
}

std::vector<Wake> Server::take_wakes() { return std::exchange(wakes_, {}); }

}  // namespace weir::sim
