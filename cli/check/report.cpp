// SPDX-License-Identifier: MIT
#include "cli/check/report.hpp"

#include "core/base/text.hpp"
#include "core/loader/driver_table.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

namespace weir::check {
namespace {

using cli::Tone;
using nlohmann::ordered_json;

std::string_view name_of(Ending ending) noexcept {
  constexpr std::array<std::string_view, 6> words{"passed", "failed",  "crashed",
                                                  "hung",   "skipped", "unable"};
  return words.at(static_cast<std::size_t>(ending));
}

struct Counts {
  std::size_t passed = 0;
  std::size_t broken = 0;  // MUST
  std::size_t warned = 0;  // SHOULD
  std::size_t skipped = 0;
  std::size_t unable = 0;

  void add(const Finding& finding) noexcept {
    if (finding.outcome.ending == Ending::unable) {
      ++unable;
    } else if (finding.is_broken()) {
      ++(finding.rule->grade == Grade::must ? broken : warned);
    } else {
      ++(finding.outcome.ending == Ending::skipped ? skipped : passed);
    }
  }
  [[nodiscard]] std::string text() const {
    std::string text = fmt::format("{} passed", passed);
    if (broken > 0) text += fmt::format(", {} broken", broken);
    if (warned > 0) text += fmt::format(", {} to mend (SHOULD)", warned);
    if (unable > 0) text += fmt::format(", {} could not be put", unable);
    if (skipped > 0) text += fmt::format(", {} skipped", skipped);
    return text;
  }
};

// What the findings say about one capability.
struct Capability {
  std::string_view name;
  bool claimed = false;
  std::size_t passed = 0;
  std::size_t broken = 0;

  [[nodiscard]] std::string_view verdict() const noexcept {
    if (broken > 0) return "broken";
    if (!claimed) return "not claimed";
    return passed > 0 ? "proved" : "not tried";
  }
};

std::vector<Capability> capabilities(const Findings& findings) {
  std::vector<Capability> list;
  for (const std::string_view name : loader::capability_names(~std::uint64_t{0})) {
    const std::uint64_t bit = loader::capability_bit(name);
    Capability capability{name, (findings.caps() & bit) != 0};
    for (const Finding& finding : findings.rules) {
      if ((finding.rule->caps & bit) == 0) continue;
      if (finding.is_broken()) ++capability.broken;
      if (finding.outcome.ending == Ending::passed) ++capability.passed;
    }
    list.push_back(capability);
  }
  return list;
}

void add_finding(std::string& text, const Finding& finding, const cli::Output& out) {
  const Rule& rule = *finding.rule;
  const bool must = rule.grade == Grade::must;
  text += fmt::format("{} {}  {} ({} {})\n", out.mark(!finding.is_broken()),
                      out.toned(finding.is_broken() && must ? Tone::bad : Tone::strong, rule.id),
                      rule.demand, check::name_of(rule.grade), rule.requirement);
  const auto add = [&](std::string_view label, std::string_view what) {
    if (!what.empty()) text += fmt::format("    {:<9}{}\n", label, what);
  };
  if (finding.is_broken()) add(name_of(finding.outcome.ending), finding.outcome.text);
  if (finding.outcome.ending == Ending::skipped) add("skipped", finding.outcome.text);
  add("during", finding.outcome.doing);
  if (finding.is_broken()) add("printed", trimmed(finding.outcome.output));
  for (const std::string& line : finding.outcome.notes) add("note", line);
}

std::string heading(const Findings& findings, const Wishes& wishes, const cli::Output& out) {
  std::string text = fmt::format("{}\n", printable(wishes.job.path));
  if (findings.driver) {
    const Description& driver = *findings.driver;
    text +=
        fmt::format("  {} {}, ABI {}{}\n", out.toned(Tone::strong, driver.name), driver.version,
                    driver.abi, driver.client_version.empty() ? "" : ", " + driver.client_version);
  }
  text += fmt::format("  quirks    {}\n", wishes.job.quirks.origin.empty()
                                              ? "none: give some with --quirks"
                                              : printable(wishes.job.quirks.origin));
  text +=
      fmt::format("  manifest  {}\n", wishes.job.manifest.empty() ? "none beside the library"
                                                                  : printable(wishes.job.manifest));
  return text;
}

std::string skips(const Findings& findings) {
  std::map<std::string, std::vector<std::string_view>> by_reason;
  for (const Finding& finding : findings.rules) {
    if (finding.outcome.ending == Ending::skipped) {
      by_reason[finding.outcome.text].push_back(finding.rule->id);
    }
  }
  std::string text;
  for (const auto& [reason, ids] : by_reason) {
    text += fmt::format("\nskipped, because {}:\n", reason);
    for (const std::string_view id : ids) text += fmt::format("  {}\n", id);
  }
  return text;
}

std::string capability_table(const Findings& findings) {
  std::string text = "\ncapability       claimed  verdict      rules\n";
  for (const Capability& c : capabilities(findings)) {
    text += fmt::format("{:<16} {:<8} {:<12} {}\n", c.name, c.claimed ? "yes" : "no", c.verdict(),
                        c.passed + c.broken == 0
                            ? std::string("-")
                            : fmt::format("{} of {}", c.passed, c.passed + c.broken));
  }
  return text;
}

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string junit_case(const Finding& finding) {
  const Outcome& outcome = finding.outcome;
  std::string text = fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\"",
                                 finding.rule->requirement, finding.rule->id, outcome.seconds);
  if (outcome.ending == Ending::passed) return text + "/>\n";
  text += ">\n";
  if (outcome.ending == Ending::skipped) {
    text += fmt::format("      <skipped message=\"{}\"/>\n", xml(outcome.text));
  } else if (finding.rule->grade == Grade::should && outcome.ending != Ending::unable) {
    // Build servers know no warning; what they would call red is the exit status's business.
    text += fmt::format("      <system-out>SHOULD: {} {}</system-out>\n", xml(outcome.text),
                        xml(outcome.doing));
  } else {
    text += fmt::format("      <failure type=\"{}\" message=\"{}\">{} {}\n{}</failure>\n",
                        name_of(outcome.ending), xml(outcome.text), xml(finding.rule->demand),
                        xml(outcome.doing), xml(outcome.output));
  }
  return text + "    </testcase>\n";
}

}  // namespace

std::string as_text(const Findings& findings, const Wishes& wishes, Detail detail,
                    const cli::Output& out) {
  std::string text = heading(findings, wishes, out);
  Counts all;
  for (unsigned level = 0; level <= level_max; ++level) {
    Counts counts;
    std::string lines;
    for (const Finding& finding : findings.rules) {
      if (finding.rule->level() != level) continue;
      counts.add(finding);
      all.add(finding);
      if (finding.is_broken() || detail == Detail::everything) add_finding(lines, finding, out);
    }
    if (counts.passed + counts.broken + counts.warned + counts.unable + counts.skipped == 0)
      continue;
    text += fmt::format("\nlevel {}: {}\n  {}\n", level, describe_level(level), counts.text());
    text += lines;
  }
  if (detail == Detail::broken_only) text += skips(findings);
  text += capability_table(findings);
  text += fmt::format("\n{} {}{}\n", out.mark(findings.passed()), all.text(),
                      findings.interrupted ? "; interrupted, the other rules were not put" : "");
  return text;
}

ordered_json as_json(const Findings& findings, const Wishes& wishes) {
  ordered_json j{{"ok", findings.passed()},
                 {"interrupted", findings.interrupted},
                 {"path", wishes.job.path},
                 {"manifest", wishes.job.manifest},
                 {"quirks", wishes.job.quirks.origin},
                 {"level", wishes.level},
                 {"seed", wishes.job.seed},
                 {"driver", nullptr}};
  if (findings.driver) {
    j["driver"] = {{"name", findings.driver->name},
                   {"version", findings.driver->version},
                   {"abi", findings.driver->abi},
                   {"client_version", findings.driver->client_version}};
  }
  j["rules"] = ordered_json::array();
  for (const Finding& finding : findings.rules) {
    const Rule& rule = *finding.rule;
    ordered_json one{{"id", rule.id},
                     {"level", rule.level()},
                     {"grade", check::name_of(rule.grade)},
                     {"requirement", rule.requirement},
                     {"demand", rule.demand},
                     {"verdict", name_of(finding.outcome.ending)},
                     {"seconds", finding.outcome.seconds}};
    if (!finding.outcome.text.empty()) one["text"] = finding.outcome.text;
    if (!finding.outcome.doing.empty()) one["during"] = finding.outcome.doing;
    if (!finding.outcome.output.empty()) one["output"] = finding.outcome.output;
    if (!finding.outcome.notes.empty()) one["notes"] = finding.outcome.notes;
    j["rules"].push_back(std::move(one));
  }
  j["capabilities"] = ordered_json::array();
  for (const Capability& c : capabilities(findings)) {
    j["capabilities"].push_back({{"name", c.name},
                                 {"claimed", c.claimed},
                                 {"verdict", c.verdict()},
                                 {"passed", c.passed},
                                 {"broken", c.broken}});
  }
  return j;
}

std::string as_junit(const Findings& findings) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (unsigned level = 0; level <= level_max; ++level) {
    std::string cases;
    std::array<std::size_t, 3> counts{};  // all, failures, skipped
    for (const Finding& finding : findings.rules) {
      if (finding.rule->level() != level) continue;
      cases += junit_case(finding);
      ++counts[0];
      if (finding.is_broken() &&
          (finding.rule->grade == Grade::must || finding.outcome.ending == Ending::unable)) {
        ++counts[1];
      }
      if (finding.outcome.ending == Ending::skipped) ++counts[2];
    }
    if (cases.empty()) continue;
    text += fmt::format(
        "  <testsuite name=\"weir driver check, level {}\" tests=\"{}\" failures=\"{}\" "
        "skipped=\"{}\">\n{}  </testsuite>\n",
        level, counts[0], counts[1], counts[2], cases);
  }
  return text + "</testsuites>\n";
}

std::string rules_as_markdown() {
  std::string text;
  for (unsigned level = 0; level <= level_max; ++level) {
    text += fmt::format(
        "### Level {}: {}\n\n| rule | | requirement | what every driver does |\n"
        "|---|---|---|---|\n",
        level, describe_level(level));
    for (const Rule& rule : rules()) {
      if (rule.level() != level) continue;
      text += fmt::format("| `{}` | {} | {} | {} |\n", rule.id, check::name_of(rule.grade),
                          rule.requirement, rule.demand);
    }
    text += level == level_max ? "" : "\n";
  }
  return text;
}

ordered_json rules_as_json() {
  ordered_json list = ordered_json::array();
  for (const Rule& rule : rules()) {
    ordered_json caps = ordered_json::array();
    for (const std::string_view name : loader::capability_names(rule.caps)) caps.push_back(name);
    list.push_back({{"id", rule.id},
                    {"level", rule.level()},
                    {"grade", check::name_of(rule.grade)},
                    {"requirement", rule.requirement},
                    {"demand", rule.demand},
                    {"needs", describe(rule.needs)},
                    {"capabilities", caps},
                    {"quirks", rule.quirks}});
  }
  return {{"rules", list}};
}

}  // namespace weir::check
