// SPDX-License-Identifier: MIT
#include "sim/check/ledger.hpp"

#include <map>
#include <set>
#include <utility>

namespace weir::sim {
namespace {

std::string named(const LeaseMark& lease) {
  if (!lease) return "nobody";
  return "lease " + std::to_string(lease.client) + "." + std::to_string(lease.number);
}

std::string number(std::uint64_t n) { return std::to_string(n); }

void find(LedgerVerdict& judgement, weir_time at, std::string text) {
  judgement.findings.push_back({at, std::move(text)});
}

std::uint32_t bound_at(std::span<const SessionBound> bounds, weir_time at) {
  std::uint32_t max = 0;
  for (const SessionBound& bound : bounds) {
    if (bound.from <= at) max = bound.max;
  }
  return max;
}

}  // namespace

// Above a bound that was lowered the sessions may stay, but none may be added: only an admission
// can be wrong.
LedgerVerdict judge_sessions(const Ledger& ledger, std::span<const SessionBound> bounds) {
  LedgerVerdict judgement;
  std::set<std::uint64_t> held;  // links with a session whose client is there
  for (const Record& record : ledger.records) {
    if (record.what == What::ended || record.what == What::hung_up) held.erase(record.link);
    if (record.what != What::admitted) continue;
    held.insert(record.link);
    ++judgement.looked;
    const std::uint32_t max = bound_at(bounds, record.at);
    if (held.size() > max) {
      find(judgement, record.at,
           "session " + number(record.session) + " makes " + number(held.size()) +
               " sessions, above " + number(max));
    }
  }
  return judgement;
}

LedgerVerdict judge_leftovers(const Ledger& ledger) {
  LedgerVerdict judgement;
  std::map<std::uint64_t, LeaseMark> users;  // of each session
  for (const Record& record : ledger.records) {
    const bool met = record.what == What::leftover || record.what == What::observed;
    if (met) {
      find(judgement, record.at,
           named(record.lease) + " finds '" + record.text + "' of an earlier lease in session " +
               number(record.session));
    }
    if (record.what != What::done || !record.lease) continue;
    const auto [at, fresh] = users.try_emplace(record.session, record.lease);
    if (!fresh && std::exchange(at->second, record.lease) != record.lease) ++judgement.looked;
  }
  return judgement;
}

LedgerVerdict judge_cancels(const Ledger& ledger) {
  LedgerVerdict judgement;
  for (const Record& record : ledger.records) {
    if (record.what != What::cancel_hit) continue;
    ++judgement.looked;
    if (static_cast<std::uint64_t>(record.number) == record.op) continue;
    find(judgement, record.at,
         "a cancel for operation " + number(record.op) + " ended operation " +
             std::to_string(record.number) + " of " + named(record.lease) + " in session " +
             number(record.session));
  }
  return judgement;
}

LedgerVerdict judge_writes(const Ledger& ledger, std::span<const Claim> claims) {
  LedgerVerdict judgement;
  std::map<std::string, std::pair<std::uint64_t, weir_time>> applied;  // how often, last when
  for (const Record& record : ledger.records) {
    if (record.what != What::applied) continue;
    auto& [times, at] = applied[record.text];
    ++times;
    at = record.at;
  }
  for (const Claim& claim : claims) {
    ++judgement.looked;
    const auto found = applied.find(claim.key);
    const std::uint64_t times = found == applied.end() ? 0 : found->second.first;
    const weir_time at = found == applied.end() ? 0 : found->second.second;
    using Belief = Claim::Belief;
    const bool right = claim.belief == Belief::written       ? times == 1
                       : claim.belief == Belief::not_written ? times == 0
                                                             : times <= 1;
    if (right) continue;
    const char* believed = claim.belief == Belief::written       ? "acknowledged"
                           : claim.belief == Belief::not_written ? "refused"
                                                                 : "doubtful";
    find(judgement, at,
         std::string("the ") + believed + " write of '" + claim.key + "' was applied " +
             number(times) + " times");
  }
  return judgement;
}

LedgerVerdict judge_end(const Ledger& ledger) {
  LedgerVerdict judgement;
  struct Session {
    std::int64_t left = 0;  // begun less ended
    bool at_work = false;
    bool hung_up = false;
  };
  std::map<std::uint64_t, Session> sessions;
  std::map<std::uint64_t, std::int64_t> links;  // dialed less hung up
  weir_time at = 0;
  for (const Record& record : ledger.records) {
    at = record.at;
    if (record.what == What::admitted) ++sessions[record.session].left;
    if (record.what == What::ended) --sessions[record.session].left;
    if (record.session != 0) {
      Session& session = sessions[record.session];
      if (record.what == What::began) session.at_work = true;
      if (record.what == What::done) session.at_work = false;
      if (record.what == What::hung_up) session.hung_up = true;
    }
    if (record.what == What::dialed) ++links[record.link];
    if (record.what == What::hung_up) --links[record.link];
  }
  judgement.looked = sessions.size();
  for (const auto& [id, session] : sessions) {
    const bool is_the_servers = session.hung_up && session.at_work;
    if (session.left > 0 && !is_the_servers) {
      find(judgement, at, "session " + number(id) + " has not ended");
    }
    if (session.left < 0) find(judgement, at, "session " + number(id) + " ended more than once");
  }
  for (const auto& [id, left] : links) {
    if (left > 0) find(judgement, at, "connect " + number(id) + " was never closed");
    if (left < 0) find(judgement, at, "connect " + number(id) + " was closed more than once");
  }
  return judgement;
}

}  // namespace weir::sim
