// SPDX-License-Identifier: MIT
//
// params.hpp: cells of the ABI as parameters of libpq.
//
// Types: a number, a boolean and a blob are declared as what they are (bigint, double precision,
// boolean, bytea), so that SELECT $1 gives back what went in. A text, a decimal, a date and the
// rest are declared as nothing, so that the server takes them for whatever stands there: uuid,
// jsonb, an enum. Only blobs travel in binary; the text form of all others fits any type that was
// inferred.
//
// Called by: execute, many, copy, statement. Owned by the conn. Threads: [conn].
#pragma once

#include "backends/common/abi.hpp"
#include "backends/common/arena.hpp"

#include <cstddef>
#include <cstdint>
#include <libpq-fe.h>
#include <string>
#include <string_view>
#include <vector>

namespace weir::postgres {

struct Conn;

// The protocol counts parameters in 16 bits.
inline constexpr std::uint32_t params_max = 65535;

// The server refuses a message, and a value, of 1 GiB; libpq would first build it, doubling its
// buffer on the way. So what cannot be taken is refused before.
inline constexpr std::size_t message_max = (std::size_t{1} << 30) - 65536;

// What `cell` declares itself as; 0: nothing.
Oid declared_type(const weir_cell& cell) noexcept;

// Why a cell cannot be sent; kind WEIR_OK if it can.
struct Objection {
  weir_status kind = WEIR_OK;
  std::string_view text;  // "is text with a NUL byte, ..."
};
Objection object_to(const weir_cell& cell) noexcept;

// Adds a number or a boolean as the server reads it. Exact.
void append_digits(std::string& text, const weir_cell& cell);
// Adds bytes as the server reads them: \x and two digits for each.
void append_hex(std::string& text, std::string_view bytes);

class Params {
 public:
  // Takes `count` cells instead of those it had. Texts are copied, because libpq wants a
  // terminator; blobs stay the caller's.
  weir_status take(const Conn& conn, const weir_cell* cells, std::uint32_t count,
                   weir_error* error);

  int count() const noexcept { return static_cast<int>(values_.size()); }
  const Oid* types() const noexcept { return types_.data(); }
  const char* const* values() const noexcept { return values_.data(); }
  const int* lengths() const noexcept { return lengths_.data(); }
  const int* formats() const noexcept { return formats_.data(); }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  void take_one(const weir_cell& cell);

  // What one call leaves, the next one uses: the same statement allocates once.
  std::vector<Oid> types_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  backend::Arena texts_;
  std::size_t bytes_ = 0;
};

}  // namespace weir::postgres
