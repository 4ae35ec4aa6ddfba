// SPDX-License-Identifier: MIT
//
// make_room(): a vector that has an element for each connection, or each caller that waits, grows
// by a quarter. By doubling a pool of many connections would leave up to half of its memory unused,
// for as long as it lives.
//
// Called before the vector gets longer.
#pragma once

#include <cstddef>
#include <vector>

namespace weir::base {

template <class T>
void make_room(std::vector<T>& vector, std::size_t size) {
  if (size > vector.capacity()) vector.reserve(size + size / 4);
}

}  // namespace weir::base
