// SPDX-License-Identifier: MIT
//
// Nesting: the waiters whose task holds a lease of this pool already. If every lease is held by
// such a task, nobody can give anything back: they wait for each other, in one thread or across
// many. Ordinary waiters are not recorded, so that the question costs nothing where nobody nests.
//
// Invariant: holds the ids, in order of arrival, of exactly those queued waiters that held a lease
//            under the same task when they were queued, or that may come to hold one while they
//            wait (Waiter::part).
// Source:    pools.md, property S18; decision 0004 says what a task is.
// Threads:   none; the engine owns it.
#pragma once

#include "core/base/assert.hpp"
#include "core/engine/types.hpp"

#include <algorithm>
#include <vector>

namespace weir::engine {

class Nesting {
 public:
  void add(WaiterId id, TaskId task) { nested_.push_back({id, task}); }
  void remove(WaiterId id) {
    if (nested_.empty()) return;
    std::erase_if(nested_, [&](const Nested& n) { return n.id == id; });
  }
  [[nodiscard]] bool empty() const noexcept { return nested_.empty(); }
  [[nodiscard]] bool waits(TaskId task) const noexcept {
    return task != no_task && std::any_of(nested_.begin(), nested_.end(),
                                          [&](const Nested& n) { return n.task == task; });
  }
  // The youngest whose task holds a lease, by `holds`. REQUIRES: there is one.
  template <class Holds>
  [[nodiscard]] WaiterId youngest(Holds&& holds) const noexcept {
    const auto found = std::find_if(nested_.rbegin(), nested_.rend(),
                                    [&](const Nested& n) { return holds(n.task); });
    WEIR_ASSERT(found != nested_.rend());
    return found->id;
  }

 private:
  struct Nested {
    WaiterId id;
    TaskId task;
  };
  std::vector<Nested> nested_;
};

}  // namespace weir::engine
