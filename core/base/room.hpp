// SPDX-License-Identifier: MIT
//
// grow_to(): makes a vector longer that has an element for each connection. Its capacity grows by a
// quarter: by doubling a pool of many connections would leave up to half of that memory unused, for
// as long as it lives.
#pragma once

#include <cstddef>
#include <vector>

namespace weir::base {

// No effect if it is that long already.
template <class T>
void grow_to(std::vector<T>& vector, std::size_t size, const T& value = T()) {
  if (size <= vector.size()) return;
  if (size > vector.capacity()) vector.reserve(size + size / 4);
  vector.resize(size, value);
}

}  // namespace weir::base
