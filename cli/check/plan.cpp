// SPDX-License-Identifier: MIT
#include "cli/check/plan.hpp"

#include "core/loader/driver_table.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdlib.h>

#include <fmt/format.h>

namespace weir::check {
namespace {

// A fresh directory that goes with the rule.
class Directory {
 public:
  Directory() {
    std::error_code ignored;
    std::string name =
        (std::filesystem::temp_directory_path(ignored) / "weir-check-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~Directory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

std::string names_of(std::uint64_t caps) {
  std::string text;
  for (const std::string_view name : loader::capability_names(caps)) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", name);
  }
  return text;
}

std::string missing_quirks(const Rule& rule, const Quirks& quirks) {
  std::string text;
  for (std::size_t at = 0; at < rule.quirks.size();) {
    const std::size_t end = std::min(rule.quirks.find(' ', at), rule.quirks.size());
    const std::string_view key = rule.quirks.substr(at, end - at);
    if (!quirks.has(key)) text += fmt::format("{}{}", text.empty() ? "" : ", ", key);
    at = end + 1;
  }
  return text;
}

class Run {
 public:
  Run(const Wishes& wishes, const std::function<bool()>& stop) : wishes_(wishes), stop_(stop) {}

  Findings all(const std::function<void(const Rule&)>& each) {
    findings_.driver = wishes_.driver;
    for (const Rule& rule : rules()) {
      if (rule.level() > wishes_.level) continue;
      // A gate runs also where it is not asked for: what stands behind it would mean nothing.
      if (!rule.is_gate && rule.id.find(wishes_.include) == std::string_view::npos) continue;
      if (stop_()) {
        findings_.interrupted = true;
        break;
      }
      std::string reason = why_not(rule);
      if (!reason.empty()) {
        Outcome skipped;
        skipped.ending = Ending::skipped;
        skipped.text = std::move(reason);
        findings_.rules.push_back({&rule, std::move(skipped)});
        continue;
      }
      each(rule);
      Finding finding{&rule, run(rule)};
      if (stop_()) {  // ended in mid-work, by nobody's fault
        findings_.interrupted = true;
        break;
      }
      if (rule.is_gate && finding.outcome.ending != Ending::passed) closed_by_ = rule.id;
      findings_.rules.push_back(std::move(finding));
    }
    return std::move(findings_);
  }

 private:
  [[nodiscard]] Job job_in(const Directory& directory) const {
    Job job = wishes_.job;
    job.directory = directory.path();
    return job;
  }

  [[nodiscard]] std::string why_not(const Rule& rule) const {
    if (!closed_by_.empty())
      return fmt::format("{} is broken, on which this one rests", closed_by_);
    if (rule.needs >= Needs::database && !wishes_.has_database) {
      return "there is no database: give one with --dsn, or as `url` in the quirks";
    }
    const bool is_embedded = (findings_.caps() & WEIR_CAP_EMBEDDED) != 0;
    if (rule.needs == Needs::embedded && !is_embedded) return "it is for embedded databases";
    if (rule.needs == Needs::network && is_embedded) return "it is for databases on a server";
    if (rule.needs == Needs::network && wishes_.job.server.empty()) {
      return "the kit knows no way to the server on which it can make faults: give one with "
             "--server and --proxied-dsn";
    }
    if ((rule.caps & ~findings_.caps()) != 0) {
      return fmt::format("the driver does not claim {}", names_of(rule.caps & ~findings_.caps()));
    }
    const std::string quirks = missing_quirks(rule, wishes_.job.quirks);
    if (!quirks.empty()) return fmt::format("the quirks have no {}", quirks);
    return {};
  }

  [[nodiscard]] Outcome run(const Rule& rule) const {
    const Directory directory;
    if (directory.path().empty()) {
      Outcome outcome;
      outcome.text = fmt::format("no directory for the rule can be made: {}", std::strerror(errno));
      return outcome;
    }
    Job job = job_in(directory);
    job.rule = rule.id;
    return run_in_child(job, rule.seconds * (job.full ? 10 : 1), stop_);
  }

  const Wishes& wishes_;
  const std::function<bool()>& stop_;
  Findings findings_;
  std::string closed_by_;  // the gate that failed
};

}  // namespace

bool Findings::passed() const noexcept {
  return !interrupted && std::none_of(rules.begin(), rules.end(), [](const Finding& finding) {
    return finding.is_broken() &&
           (finding.rule->grade == Grade::must || finding.outcome.ending == Ending::unable);
  });
}

Findings run_rules(const Wishes& wishes, const std::function<void(const Rule&)>& each,
                   const std::function<bool()>& stop) {
  return Run(wishes, stop).all(each);
}

}  // namespace weir::check
