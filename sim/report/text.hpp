// SPDX-License-Identifier: MIT
//
// The verdict of one run as people read it, on one screen: first what was broken, what held and
// what was never put to the test; then how long things took, how they ended, and what it takes to
// see the same run again. Plain ASCII of ours around the texts of others: colour is the CLI's.
//
// Called by: the CLI and failing tests. Owns nothing. Threads: any.
// Invariant: never throws for what a report holds; the failure comes first and is never shortened.
#pragma once

#include "sim/report/facts.hpp"

namespace weir::sim {

struct TextOptions {
  std::size_t width = 80;
  bool every_promise = false;  // one line for each property, with what it says
};
[[nodiscard]] std::string to_text(const Case& shown, const TextOptions& options = {});

// `text` in lines of at most `width`, each after `indent` spaces; a longer word has a line of its
// own. Its own line breaks stay.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace weir::sim
