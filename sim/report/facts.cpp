// SPDX-License-Identifier: MIT
#include "sim/report/facts.hpp"

#include "core/observe/texts.hpp"

#include <weir/error.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace weir::sim {
namespace {

struct Promise {
  std::string_view property;
  std::string_view text;
};

// What sim/check and run() judge, in the order of docs/properties.md, shorter than there.
constexpr Promise promises[] = {
    {"S1", "no more connections than max, and one for each hung call"},
    {"S1 by the server", "the same, as the server counts its sessions"},
    {"S3", "every count equals a recount"},
    {"S5", "only an open pool lends"},
    {"S7", "nobody waits beside a connection or a room that could serve them"},
    {"S8", "at most max_connecting connects at once"},
    {"S9", "nothing foreign is called under the pool's lock"},
    {"S10", "nothing but its close is asked of a connection that is closing"},
    {"S11", "no connect without demand, or once draining"},
    {"S12", "the reaper never goes below min"},
    {"S13", "a borrower sees nothing of the one before"},
    {"S14", "a cancel never hits another borrower's statement"},
    {"S17", "who asks for several gets all or none"},
    {"S18", "callers that hold and wait for each other are told at once"},
    {"S19", "no more than max_waiting wait"},
    {"L1", "every acquire is answered by its deadline"},
    {"L2", "whatever frees a connection wakes whoever waits for it"},
    {"L3", "the pool comes to rest at min after any fault"},
    {"L5", "drain, suspend and close end by their own deadline"},
    {"L7", "no timer lies in the past"},
    {"L8", "a closing pool lets nobody wait"},
    {"F1", "lends follow the order of arrival"},
    {"F2", "nobody passes a waiter older than fair_after"},
    {"T2", "no timeout before its deadline"},
    {"T3", "an idle connection leaves at idle_timeout"},
    {"T4", "a connection leaves within max_lifetime, and not long before"},
    {"T5", "pauses between connects are never below the first, and not above their cap"},
    {"T6", "keepalives go a few at a time"},
    {"T7", "a connection is looked at before it is lent exactly where that is due"},
    {"T8", "after a leap of the clock every connection is looked at"},
    {"T9", "an attempt to connect ends by create_timeout"},
    {"T10", "closing returns by its deadline"},
    {"T11", "an acquire with timeout 0 does not wait"},
    {"T13", "health checks go in their time, and while nobody waits"},
    {"R1", "a database that is well again is found in time"},
    {"R2", "one failed look shows that all of a generation are dead"},
    {"R3", "one attempt at a time while connects fail"},
    {"R5", "a full server closes nothing, and is not pressed"},
    {"R8", "hung calls do not stop the pool, up to their bound"},
    {"O1", "the books add up"},
    {"O2", "the cause of a failure is one that can have mattered"},
    {"O3", "events are in order"},
    {"O4", "a long hold is reported once"},
};

// The other ways in which a run ends, which nothing counts.
constexpr Promise other_endings[] = {
    {"hang", "every run comes to an end"},
    {"deadlock", "nobody locks what it holds"},
    {"misuse", "locks are unlocked by who holds them"},
    {"exception", "no thread lets an exception escape"},
    {"invariant", "the pool's own assertions hold"},
    {"config", "the scenario's configuration is accepted"},
    {"real world", "nothing in the run waits for the real world"},
};

std::string_view promise_of(std::string_view property) {
  for (const Promise& p : promises) {
    if (p.property == property) return p.text;
  }
  for (const Promise& p : other_endings) {
    if (p.property == property) return p.text;
  }
  return "";
}

Verdict verdict(const Report& report, std::string_view property) {
  Verdict v;
  v.property = property;
  v.promise = promise_of(property);
  const auto it = report.judgement.checked.find(property);
  if (it != report.judgement.checked.end()) v.times = it->second;
  v.state = v.times > 0 ? Verdict::State::held : Verdict::State::untested;
  return v;
}

}  // namespace

std::vector<Verdict> verdicts(const Report& report) {
  std::vector<Verdict> all;
  if (!report.ok()) {
    Verdict broken = verdict(report, report.ending.property);
    if (broken.property.empty()) broken.property = "(unnamed)";
    broken.state = Verdict::State::broken;
    broken.sentence = report.ending.text;
    all.push_back(std::move(broken));
  }
  const auto add = [&](std::string_view property) {
    const bool is_there = std::any_of(all.begin(), all.end(),
                                      [&](const Verdict& v) { return v.property == property; });
    if (!is_there) all.push_back(verdict(report, property));
  };
  for (const Promise& promise : promises) add(promise.property);
  for (const auto& [property, times] : report.judgement.checked) add(property);
  std::stable_sort(all.begin(), all.end(),
                   [](const Verdict& a, const Verdict& b) { return a.state < b.state; });
  return all;
}

std::string headline(const Report& report) {
  const std::string at = observe::short_duration(since_beginning(report.ending.at));
  if (!report.ok()) {
    const std::string what = report.ending.kind == Ending::Kind::hang
                                 ? std::string("hang")
                                 : report.ending.property + " broken";
    return fmt::format("{} at {}: {}", what, at, report.ending.text);
  }
  const auto all = verdicts(report);
  const auto held = std::count_if(all.begin(), all.end(),
                                  [](const Verdict& v) { return v.state == Verdict::State::held; });
  return fmt::format("ok: {} of {} properties were put to the test, and held", held, all.size());
}

std::vector<ResultCount> results(const Report& report) {
  const auto share = [&](std::uint64_t count) {
    return report.rounds == 0 ? 0.0
                              : static_cast<double>(count) / static_cast<double>(report.rounds);
  };
  std::uint64_t failed = 0;
  std::vector<ResultCount> rows(1);
  for (const auto& [code, count] : report.failures) {
    const CodeInfo& what = info(code);
    rows.push_back({std::string(what.id), std::string(what.name), count, share(count)});
    failed += count;
  }
  const std::uint64_t well = report.rounds > failed ? report.rounds - failed : 0;
  rows.front() = {"", "ok", well, share(well)};
  std::stable_sort(rows.begin() + 1, rows.end(),
                   [](const ResultCount& a, const ResultCount& b) { return a.count > b.count; });
  return rows;
}

std::vector<Measure> measures(const Report& report) {
  return {{"wait", report.wait}, {"round", report.round}};
}

std::string hash_text(std::uint64_t trace_hash) { return fmt::format("0x{:016x}", trace_hash); }

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, " ");
  return text;
}

std::string share_text(double share) {
  const double percent = share * 100;
  if (percent == 0) return "0%";
  if (percent < 0.001) return "<0.001%";
  return fmt::format("{:.{}f}%", percent, percent < 0.1 ? 3 : percent < 10 ? 2 : 1);
}

std::string short_count(std::uint64_t number) {
  constexpr std::string_view units[] = {"", "k", "M", "G", "T"};
  auto value = static_cast<double>(number);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < std::size(units)) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f}{}", value, unit > 0 && value < 9.95 ? 1 : 0, units[unit]);
}

std::string pace_text(const Case& shown) {
  std::string time = observe::short_duration(shown.report.virtual_time);
  if (shown.wall <= Duration{}) return time;
  const double pace = static_cast<double>(shown.report.virtual_time.count()) /
                      static_cast<double>(shown.wall.count());
  return fmt::format("{} in {} ({:.{}f}x)", time, observe::short_duration(shown.wall), pace,
                     pace < 10 ? 1 : 0);
}

Duration since_beginning(Instant at) noexcept {
  return at > World::beginning ? at - World::beginning : Duration{};
}

std::string thread_name(const Report& report, ThreadId thread) {
  if (thread == the_clock) return "clock";
  if (thread > report.thread_names.size() || report.thread_names[thread - 1].empty()) {
    return "thread " + std::to_string(thread);
  }
  return report.thread_names[thread - 1];
}

Duration shown_time(const Case& shown) noexcept {
  Duration time = std::min(shown.scenario.duration, shown.report.virtual_time);
  if (!shown.report.samples.empty()) {
    time = std::max(time, since_beginning(shown.report.samples.back().at));
  }
  return std::max(time, Duration(1));
}

Span active(const Fault& fault, const Case& shown) noexcept {
  const std::int64_t end = shown_time(shown).count();
  const auto within = [&](weir_time at) { return Duration(std::clamp<weir_time>(at, 0, end)); };
  return {within(fault.from), within(fault.to == WEIR_NO_DEADLINE ? end : fault.to)};
}

}  // namespace weir::sim
