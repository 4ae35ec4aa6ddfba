// SPDX-License-Identifier: MIT
//
// "Did you mean ...?": the candidate nearest to a misspelt word. Pure; used by the configuration,
// the loader, Pools and the command line.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// Returns: the nearest candidate, or an empty view if none is near enough to be worth showing.
// Letter case, - and _ do not count as differences; swapping two neighbours counts as one.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> candidates);
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       const std::vector<std::string>& candidates);

}  // namespace weir
