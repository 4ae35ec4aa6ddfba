// SPDX-License-Identifier: MIT
//
// report.hpp: the findings of a check, for people, for programs and for build servers.
//
// Called by: weir driver check. Pure. Threads: any.
#pragma once

#include "cli/check/plan.hpp"
#include "cli/output.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace weir::check {

// How much of what went well is said, too.
enum class Detail : std::uint8_t { broken_only, everything };

[[nodiscard]] std::string as_text(const Findings& findings, const Wishes& wishes, Detail detail,
                                  const cli::Output& out);
[[nodiscard]] nlohmann::ordered_json as_json(const Findings& findings, const Wishes& wishes);
// The XML that build servers read: one suite per level.
[[nodiscard]] std::string as_junit(const Findings& findings);

// The rules themselves, as the Markdown that stands in docs/driver-check.md, and as JSON.
[[nodiscard]] std::string rules_as_markdown();
[[nodiscard]] nlohmann::ordered_json rules_as_json();

}  // namespace weir::check
