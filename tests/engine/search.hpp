// SPDX-License-Identifier: MIT
//
// Search: breadth first through every state that a SmallPool can reach, with every input in each of
// them. What was reached first was reached by a shortest path, so the path that is printed with a
// violation is one that nothing can be left out of.
#pragma once

#include "tests/engine/small_pool.hpp"

#include <deque>
#include <functional>
#include <unordered_map>

namespace weir::engine::test {

class Search {
 public:
  // Called for each step: the pool before it, the input, and the pool after it.
  using Visitor = std::function<void(const SmallPool&, const Input&, const SmallPool&)>;

  explicit Search(const Scope& scope);

  // Until every state that can be reached has been seen. Throws Violation, with the path.
  void run(const Visitor& visit = {});

  // Each state leads, by what a world does in which nothing fails, to one in which nobody waits and
  // min is kept (L2, L3), or everything is closed (L5). Throws Violation, with the path. Returns:
  // the greatest number of steps that it takes. Requires: run().
  [[nodiscard]] std::size_t heals() const;

  [[nodiscard]] std::size_t states() const noexcept { return nodes_.size(); }
  [[nodiscard]] std::size_t steps() const noexcept { return steps_; }
  [[nodiscard]] std::size_t depth() const noexcept { return depth_; }
  // The inputs from the beginning to what is being done now, one a line.
  [[nodiscard]] std::string path() const { return path_to(at_) + "  " + text_of(input_) + '\n'; }

 private:
  using Node = std::uint32_t;
  static constexpr Node none = UINT32_MAX;
  struct Record {
    Node parent = none;
    Node heals_to = none;  // by one step of healing(); itself if it is healed
    std::uint32_t depth = 0;
    Input input;
  };

  void expand(Node node, const SmallPool& pool, const Visitor& visit);
  [[nodiscard]] std::string path_to(Node node) const;

  const Scope* scope_;
  std::vector<Record> nodes_;
  std::unordered_map<std::string, Node> known_;
  std::deque<SmallPool> frontier_;  // of the last so many nodes
  std::size_t steps_ = 0;
  std::size_t depth_ = 0;
  Node at_ = 0;
  Input input_;
};

}  // namespace weir::engine::test
