// SPDX-License-Identifier: MIT
#include "sim/report/text.hpp"

#include "core/observe/texts.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir::sim {
namespace {

using observe::short_duration;
using State = Verdict::State;

std::string_view word(State state) {
  constexpr std::string_view words[] = {"BROKEN", "ok", "never"};
  return words[static_cast<std::size_t>(state)];
}

// One line for each: "  ok      S1   1 234 times   no more connections than max".
std::string every_promise(const std::vector<Verdict>& all, std::size_t width) {
  std::size_t name = 0;
  std::size_t times = 0;
  for (const Verdict& v : all) {
    name = std::max(name, v.property.size());
    times = std::max(times, grouped(v.times).size());
  }
  std::string out;
  for (const Verdict& v : all) {
    out += fmt::format("  {:<6}  {:<{}}  {:>{}}  {}\n", word(v.state), v.property, name,
                       grouped(v.times), times, v.promise);
    if (v.state == State::broken) out += wrapped(v.sentence, 10, width);
  }
  return out;
}

// "  held      S1 12k   S3 12k ...": the broken one with its sentence, the others in passing.
std::string in_short(const std::vector<Verdict>& all, std::size_t width) {
  std::string out;
  std::string held;
  std::string untested;
  for (const Verdict& v : all) {
    // Words of one verdict stay together: a no-break mark that is taken out at the end.
    std::string name = v.property;
    std::replace(name.begin(), name.end(), ' ', '\1');
    if (v.state == State::broken) {
      out +=
          fmt::format("  BROKEN  {}{}{}\n", v.property, v.promise.empty() ? "" : ": ", v.promise);
      out += wrapped(v.sentence, 10, width);
      if (v.times > 0) out += fmt::format("{:10}(looked at {} times)\n", "", grouped(v.times));
    } else if (v.state == State::held) {
      held += (held.empty() ? "" : "   ") + name + "\1x" + short_count(v.times);
    } else {
      untested += (untested.empty() ? "" : ", ") + name;
    }
  }
  const auto block = [&](std::string_view label, std::string_view texts) {
    if (texts.empty()) return;
    std::string lines = wrapped(texts, 10, width);
    lines.replace(2, label.size(), label);
    std::replace(lines.begin(), lines.end(), '\1', ' ');
    out += lines;
  };
  block("ok", held);
  block("never", untested);
  return out;
}

std::string percentiles(const Report& report) {
  std::string out = fmt::format("  {:<8}{:>9}{:>9}{:>9}{:>9}{:>9}{:>13}\n", "", "p50", "p90", "p99",
                                "p99.9", "max", "count");
  for (const Measure& m : measures(report)) {
    const LatencySummary s = m.histogram.summary();
    if (s.count == 0) {
      out += fmt::format("  {:<8}{:>9}{:>9}{:>9}{:>9}{:>9}{:>13}\n", m.name, "-", "-", "-", "-",
                         "-", 0);
      continue;
    }
    out += fmt::format("  {:<8}{:>9}{:>9}{:>9}{:>9}{:>9}{:>13}\n", m.name, short_duration(s.p50),
                       short_duration(s.p90), short_duration(s.p99), short_duration(s.p999),
                       short_duration(s.max), grouped(s.count));
  }
  return out;
}

std::string result_table(const Report& report) {
  std::string out;
  for (const ResultCount& r : results(report)) {
    const std::string name = r.id.empty() ? r.name : r.id + " " + r.name;
    out += fmt::format("  {:<26}{:>13}  {:>8}\n", name, grouped(r.count), share_text(r.share));
  }
  return out;
}

std::string facts(const Case& shown) {
  const Report& r = shown.report;
  std::string out;
  const auto line = [&](std::string_view label, const std::string& value) {
    out += fmt::format("  {:<10}{}\n", label, value);
  };
  line("sessions", fmt::format("at most {}", r.sessions_max));
  line("time", pace_text(shown));
  const bool wall = shown.scenario.clock == Clock::wall;
  if (r.stalled > Duration{}) {
    line("stalled", short_duration(r.stalled) + (wall ? " by steps" : " by early timers"));
  }
  line("steps", grouped(r.ending.steps));
  line("seed", std::to_string(shown.scenario.seed));
  line("trace", hash_text(r.ending.trace_hash) +
                    (wall ? ", of this run alone: it was by the wall clock" : ""));
  return out;
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  const std::string margin(indent, ' ');
  std::string out;
  std::string line;
  const auto flush = [&] {
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += line.empty() ? "\n" : margin + line + "\n";
    line.clear();
  };
  while (!text.empty()) {
    if (text.front() == '\n') {
      flush();
      text.remove_prefix(1);
      continue;
    }
    // A word and the blanks after it.
    const std::size_t word_end = std::min(text.find_first_of(" \n"), text.size());
    const std::size_t end = std::min(text.find_first_not_of(' ', word_end), text.size());
    if (!line.empty() && indent + line.size() + word_end > width) flush();
    line += text.substr(0, end);
    text.remove_prefix(end);
  }
  if (!line.empty() || out.empty()) flush();
  return out;
}

std::string to_text(const Case& shown, const TextOptions& options) {
  const Report& report = shown.report;
  std::string out = shown.scenario.name.empty() ? "scenario" : shown.scenario.name;
  out += report.ok() ? ": ok\n\n"
                     : fmt::format(": {} at {}\n\n",
                                   report.ending.kind == Ending::Kind::hang ? "HANGS" : "BROKEN",
                                   short_duration(since_beginning(report.ending.at)));
  const std::vector<Verdict> all = verdicts(report);
  out += options.every_promise ? every_promise(all, options.width) : in_short(all, options.width);
  return out + "\n" + percentiles(report) + "\n" + result_table(report) + "\n" + facts(shown);
}

}  // namespace weir::sim
