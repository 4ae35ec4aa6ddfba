// SPDX-License-Identifier: MIT
//
// A range whose elements exist only while they are looked at: make(first) up to make(end), like
// std::views::iota and transform, which clang 14 cannot compile.
#pragma once

#include <cstddef>
#include <type_traits>

namespace weir::test {

template <class F>
class Made {
 public:
  Made(long long first, long long end, F make) : first_(first), end_(end), make_(make) {}

  class Iterator {
   public:
    using value_type = std::invoke_result_t<const F&, long long>;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const F* make, long long at) : make_(make), at_(at) {}
    value_type operator*() const { return (*make_)(at_); }
    Iterator& operator++() { return ++at_, *this; }
    Iterator operator++(int) { return {make_, at_++}; }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const F* make_ = nullptr;
    long long at_ = 0;
  };
  [[nodiscard]] Iterator begin() const { return {&make_, first_}; }
  [[nodiscard]] Iterator end() const { return {&make_, end_}; }

 private:
  long long first_;
  long long end_;
  F make_;
};

}  // namespace weir::test
