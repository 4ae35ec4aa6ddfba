// SPDX-License-Identifier: MIT
//
// What the reports of a run have in common: the case they show, the verdict on each property, and
// the tables of results and percentiles, in the order in which people read them. Text, JSON and
// HTML are made of these, so that they cannot disagree.
//
// Called by: sim/report's renderers. Owns nothing: a Case refers to what its caller keeps.
// Threads: any; pure functions. Invariant: a report that is not ok() has exactly one broken
// verdict, and it comes first, also where its property is one that nobody has heard of.
#pragma once

#include "sim/explore/run.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace weir::sim {

// What a renderer is given. `wall` is not the report's: two runs of one scenario have the same one.
struct Case {
  const Scenario& scenario;
  const Report& report;
  Duration wall{};  // how long the run took; 0: not known
};

struct Verdict {
  enum class State : std::uint8_t { broken, held, untested } state = State::untested;
  std::string property;     // "S13"
  std::string promise;      // what it says, in short
  std::uint64_t times = 0;  // how often it was put to the test
  std::string sentence;     // broken: what was seen
};
// Broken, held, never put to the test; each in the order of docs/properties.md.
[[nodiscard]] std::vector<Verdict> verdicts(const Report& report);

// "S13 broken at 1.25s: a session kept its role"
[[nodiscard]] std::string headline(const Report& report);

struct ResultCount {
  std::string id;    // "W301"; empty: the rounds that went well
  std::string name;  // "ok"
  std::uint64_t count = 0;
  double share = 0;  // of all rounds
};
[[nodiscard]] std::vector<ResultCount> results(const Report& report);  // ok, then the most frequent

struct Measure {
  std::string_view name;
  const base::Histogram& histogram;
};
[[nodiscard]] std::vector<Measure> measures(const Report& report);  // wait, round

[[nodiscard]] std::string hash_text(std::uint64_t trace_hash);          // "0x…", 16 digits
[[nodiscard]] std::string grouped(std::uint64_t number);                // "12 345"
[[nodiscard]] std::string share_text(double share);                     // "0.06%"
[[nodiscard]] std::string short_count(std::uint64_t number);            // "12k"
[[nodiscard]] std::string pace_text(const Case& shown);                 // "3.00min in 1.90s (94x)"
[[nodiscard]] Duration since_beginning(Instant at) noexcept;            // 0 for what is before
[[nodiscard]] std::string thread_name(const Report& report, ThreadId);  // "thread 7" if it has none

// The time that the picture shows: the scenario's, or what there was until it ended early.
[[nodiscard]] Duration shown_time(const Case& shown) noexcept;
struct Span {
  Duration from;
  Duration to;
};
// When a fault was active: within the shown time, and of an endless one until its end.
[[nodiscard]] Span active(const Fault& fault, const Case& shown) noexcept;

}  // namespace weir::sim
