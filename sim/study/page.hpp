// SPDX-License-Identifier: MIT
//
// What the pages of the studies are made of: a head with the button for light and dark, sections,
// tables. A page stands alone: nothing in it is loaded from anywhere, and it is readable without
// its script.
//
// Called by: sim/study's pages. Owns nothing. Threads: any; pure functions.
// Invariant: texts are escaped here, bodies are HTML.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::sim {

[[nodiscard]] std::string page_top(std::string_view title);
[[nodiscard]] std::string page_end();
[[nodiscard]] std::string page_section(std::string_view title, std::string_view body);
[[nodiscard]] std::string page_note(std::string_view text);  // a paragraph of small print
// What it comes to, first of all: good, bad, or neither; told by a sign, not by colour alone.
[[nodiscard]] std::string page_verdict(std::optional<bool> good, std::string_view text);

// "with the seeds 1 to 5"
[[nodiscard]] std::string seeds_text(std::uint64_t first, std::uint32_t runs);

struct PageTable {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
};
[[nodiscard]] std::string page_table(const PageTable& table);

}  // namespace weir::sim
