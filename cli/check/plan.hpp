// SPDX-License-Identifier: MIT
//
// plan.hpp: which rules are put to a driver, which are skipped and why; and running them, one after
// the other, each in a process and a directory of its own.
//
// Called by: weir driver check. Threads: one.
#pragma once

#include "cli/check/child.hpp"
#include "cli/check/rule.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace weir::check {

struct Wishes {
  Job job;  // without rule and directory
  std::optional<Description> driver;
  bool has_database = false;
  unsigned level = 3;   // the highest
  std::string include;  // only ids that contain this; empty: all
};

struct Finding {
  const Rule* rule;
  Outcome outcome;

  [[nodiscard]] bool is_broken() const noexcept {
    return outcome.ending == Ending::failed || outcome.ending == Ending::crashed ||
           outcome.ending == Ending::hung || outcome.ending == Ending::unable;
  }
};

struct Findings {
  std::optional<Description> driver;  // nothing if it could not be asked
  std::vector<Finding> rules;
  bool interrupted = false;

  [[nodiscard]] std::uint64_t caps() const noexcept { return driver ? driver->caps : 0; }
  // No MUST is broken, the kit could put every question, and nobody stopped it.
  [[nodiscard]] bool passed() const noexcept;
};

// `each` is called before a rule runs, for a progress line; `stop` several times a second.
// Blocks: for as long as the rules take.
[[nodiscard]] Findings run_rules(const Wishes& wishes, const std::function<void(const Rule&)>& each,
                                 const std::function<bool()>& stop);

}  // namespace weir::check
