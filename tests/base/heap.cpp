// SPDX-License-Identifier: MIT
// Goal:   DeadlineHeap gives what is due first; ties come in the order in which they were added
// (T12). Method: long random runs against std::multimap, which keeps that order by definition.
#include "core/base/deadline_heap.hpp"
#include "core/base/random.hpp"

#include <map>

#include <gtest/gtest.h>

namespace weir::base {
namespace {

class Model {
 public:
  void set(std::uint32_t index, Instant deadline) {
    remove(index);
    if (deadline != no_deadline) where_[index] = entries_.emplace(deadline, index);
  }
  void remove(std::uint32_t index) {
    const auto it = where_.find(index);
    if (it == where_.end()) return;
    entries_.erase(it->second);
    where_.erase(it);
  }
  [[nodiscard]] bool contains(std::uint32_t index) const { return where_.count(index) > 0; }
  [[nodiscard]] const std::multimap<Instant, std::uint32_t>& entries() const { return entries_; }

 private:
  std::multimap<Instant, std::uint32_t> entries_;
  std::map<std::uint32_t, std::multimap<Instant, std::uint32_t>::iterator> where_;
};

TEST(DeadlineHeap, EqualsAMultimap) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    DeadlineHeap heap;
    Model model;
    for (int i = 0; i < 5000; ++i) {
      const auto index = static_cast<std::uint32_t>(random.next() % 64);
      const auto at = Instant(Duration(static_cast<std::int64_t>(random.next() % 20)));
      switch (random.next() % 4) {
        case 0:
          heap.remove(index);
          model.remove(index);
          break;
        case 1:
          heap.set(index, no_deadline);
          model.set(index, no_deadline);
          break;
        default:
          heap.set(index, at);
          model.set(index, at);
      }
      ASSERT_EQ(heap.size(), model.entries().size());
      ASSERT_EQ(heap.contains(index), model.contains(index));
      ASSERT_EQ(heap.empty(), model.entries().empty());
      if (heap.empty()) continue;
      ASSERT_EQ(heap.earliest(), model.entries().begin()->first);
      ASSERT_EQ(heap.front(), model.entries().begin()->second);
    }
    while (!heap.empty()) {  // the whole order, ties included
      ASSERT_EQ(heap.front(), model.entries().begin()->second);
      model.remove(heap.front());
      heap.remove(heap.front());
    }
    EXPECT_TRUE(model.entries().empty());
  }
}

TEST(DeadlineHeap, EmptyNeverFallsDue) {
  DeadlineHeap heap;
  EXPECT_EQ(heap.earliest(), no_deadline);
  heap.set(3, no_deadline);
  EXPECT_TRUE(heap.empty());
  heap.remove(7);
  EXPECT_FALSE(heap.contains(7));
  EXPECT_DEATH(static_cast<void>(heap.front()), "broken invariant");
}

TEST(DeadlineHeap, MovingAnEntryPutsItBehindItsEquals) {
  DeadlineHeap heap;
  heap.set(0, Instant(Duration(5)));
  heap.set(1, Instant(Duration(5)));
  heap.set(0, Instant(Duration(5)));
  EXPECT_EQ(heap.front(), 1U);
}

}  // namespace
}  // namespace weir::base
