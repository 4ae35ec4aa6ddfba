// SPDX-License-Identifier: MIT
//
// pragmas.hpp: what each PRAGMA changes, as far as resets care. A name that is not in the table may
// change anything.
//
// Called by: the authorizer, reset. Threads: any; the table is constant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace weir::sqlite {

enum class PragmaScope : std::uint8_t {
  none,     // reads, or maintains the file, also when given an argument
  data,     // changes what is stored, as an UPDATE does; in temp that ends with the session
  session,  // changes this handle, until it is closed
  process,  // changes every connection of the process: refused
};

struct Pragma {
  const char* name;
  PragmaScope scope;
  const char* initial;  // the value to restore (of data: in temp); null: what it was after open
};

std::span<const Pragma> pragmas() noexcept;
const Pragma* find_pragma(const char* name) noexcept;  // null: unknown

// The pragmas that a session has set: those of the table, and whether there were others.
struct PragmaSet {
  std::uint64_t bits = 0;
  bool others = false;

  void add(const Pragma* pragma) noexcept;
  bool has(std::size_t index) const noexcept { return (bits >> index & 1U) != 0; }
};

}  // namespace weir::sqlite
