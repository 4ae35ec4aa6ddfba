// SPDX-License-Identifier: MIT
#include "tests/engine/search.hpp"

#include <algorithm>

namespace weir::engine::test {

Search::Search(const Scope& scope) : scope_(&scope) {
  frontier_.emplace_back(*scope_);
  known_.emplace(frontier_.back().key(), 0);
  nodes_.push_back({});
}

void Search::run(const Visitor& visit) {
  while (!frontier_.empty()) {
    const auto node = static_cast<Node>(nodes_.size() - frontier_.size());
    expand(node, frontier_.front(), visit);  // which adds at the back
    frontier_.pop_front();
  }
}

void Search::expand(Node node, const SmallPool& pool, const Visitor& visit) {
  at_ = node;
  depth_ = nodes_[node].depth;
  const bool healed = pool.healed();
  const std::optional<Input> healing = pool.healing();
  if (healed) nodes_[node].heals_to = node;
  for (const Input& input : pool.inputs()) {
    input_ = input;
    ++steps_;
    frontier_.emplace_back(pool);
    try {
      frontier_.back().apply(input);
    } catch (const Violation& violation) {
      throw Violation(violation.what() + std::string("\n") + path());
    }
    const SmallPool& next = frontier_.back();
    if (visit) visit(pool, input, next);
    const auto [place, is_new] = known_.try_emplace(next.key(), static_cast<Node>(nodes_.size()));
    const Node reached = place->second;
    if (SmallPool::has_to_be_refused(input) && reached != node) {
      throw Violation("S6: a refused input changed the state\n" + path());
    }
    if (!healed && healing && *healing == input) nodes_[node].heals_to = reached;
    if (is_new) {
      nodes_.push_back({node, none, nodes_[node].depth + 1, input});
    } else {
      frontier_.pop_back();
    }
  }
}

std::size_t Search::heals() const {
  constexpr std::uint32_t unknown = UINT32_MAX;
  std::vector<std::uint32_t> steps(nodes_.size(), unknown);  // from here to a healed state
  std::size_t most = 0;
  std::vector<Node> trail;
  for (Node node = 0; node < nodes_.size(); ++node) {
    trail.clear();
    Node to = node;
    while (steps[to] == unknown && nodes_[to].heals_to != to) {
      if (nodes_[to].heals_to == none || trail.size() > nodes_.size()) {
        throw Violation("L2, L3: does not recover although all is well\n" + path_to(node));
      }
      trail.push_back(to);
      to = nodes_[to].heals_to;
    }
    if (steps[to] == unknown) steps[to] = 0;
    std::uint32_t count = steps[to];
    for (auto it = trail.rbegin(); it != trail.rend(); ++it) steps[*it] = ++count;
    most = std::max<std::size_t>(most, count);
  }
  return most;
}

std::string Search::path_to(Node node) const {
  std::string path;
  for (; nodes_[node].parent != none; node = nodes_[node].parent) {
    path.insert(0, "  " + text_of(nodes_[node].input) + '\n');
  }
  return path;
}

}  // namespace weir::engine::test
