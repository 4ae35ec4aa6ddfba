// SPDX-License-Identifier: MIT
#include "core/base/suggest.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <cstddef>

namespace weir {
namespace {

// Longer words are not misspelt keys, and the cost is quadratic.
constexpr std::size_t longest_word = 64;

std::string folded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '_' && c != '-') out += to_lower(c);
  }
  return out;
}

// Damerau-Levenshtein with neighbours swapped at most once (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> cost((a.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& { return cost[i * width + j]; };
  for (std::size_t i = 0; i <= a.size(); ++i) at(i, 0) = i;
  for (std::size_t j = 0; j <= b.size(); ++j) at(0, j) = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      std::size_t best = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        best = std::min(best, at(i - 2, j - 2) + 1);
      at(i, j) = best;
    }
  }
  return cost.back();
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string wanted = folded(word);
  if (wanted.empty() || wanted.size() > longest_word) return {};
  // One edit in three letters: beyond that a suggestion is a guess that costs the reader time.
  std::size_t best = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  std::string_view found;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > longest_word) continue;
    const std::string name = folded(candidate);
    if (name.empty()) continue;
    const std::size_t longer = std::max(wanted.size(), name.size());
    const std::size_t shorter = std::min(wanted.size(), name.size());
    // Each letter too many is an edit at least, so the table need not be filled in.
    std::size_t edits = longer - shorter < best ? distance(wanted, name) : longer - shorter;
    // "timeout" for "acquire_timeout" has many edits, but is one thought.
    const bool part = (wanted.size() >= 4 && name.find(wanted) != std::string::npos) ||
                      (name.size() >= 4 && wanted.starts_with(name));
    if (part) edits = std::min(edits, wanted.size() / 3);
    // A word shorter than its difference shares nothing with the candidate.
    if (edits < best && edits < longer) {
      best = edits;
      found = candidate;
    }
  }
  return found;
}

std::string_view nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  return nearest(word, std::span<const std::string_view>(views));
}

}  // namespace weir
