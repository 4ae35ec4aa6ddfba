// SPDX-License-Identifier: MIT
//
// report.html: one run on one page: verdicts; the pool's connections, its waiters and the server's
// faults over one time axis; how long waits took, up to the rarest; how rounds ended; which states
// met which events; and of a run that failed its end, step by step, one lane per thread. A file of
// its own, that needs no network: it is attached to issues and kept by CI.
//
// Called by: the CLI. Owns nothing. Threads: any.
// Invariants: every text that is not ours is escaped; sections without data are left out; the page
//             is readable without scripts, in light and dark, and does not tell things apart by
//             colour alone. Never throws for what a report holds.
#pragma once

#include "sim/report/facts.hpp"

namespace weir::sim {

struct HtmlOptions {
  std::size_t lane_rows_max = 200;
};

[[nodiscard]] std::string to_html(const Case& shown, const HtmlOptions& options = {});

// `text` where HTML text or an attribute's value is meant; control characters become U+FFFD.
[[nodiscard]] std::string html_text(std::string_view text);

}  // namespace weir::sim
