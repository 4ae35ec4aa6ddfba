// SPDX-License-Identifier: MIT
//
// values.hpp: cells of the ABI to the library's parameters, its result sets to cells. Exact both
// ways: what MySQL could only store as something else is refused, never bent.
//
// Called by: check_params, copy_params on the host's thread; the rest where the work runs.
#pragma once

#include "backends/mysql/session.hpp"

#include <span>
#include <vector>

namespace weir::mysql {

// Why parameter `index` (from 0) cannot be bound; kind WEIR_OK if all can.
struct Objection {
  weir_status kind = WEIR_OK;
  std::uint32_t index = 0;
  const char* text = "";
};
Objection check_params(const weir_cell* params, std::uint32_t count) noexcept;

// With bytes of their own. The second adds them to those that are there.
std::vector<Param> copy_params(const weir_cell* params, std::uint32_t count);
void copy_params(const weir_cell* params, std::uint32_t count, std::vector<Param>& copies);

// The library keeps a parameter unsigned that was so once, whatever is bound to it afterwards.
// False: one of `params` would not be sent as it is.
bool fits(const std::vector<bool>& was_unsigned, std::span<const Param> params);
void note_unsigned(std::vector<bool>& was_unsigned, std::span<const Param> params);

// Binds all. `streams` holds the blobs, which the library reads when it executes.
class Binder {
 public:
  void bind(sql::PreparedStatement& statement, std::span<const Param> params);

 private:
  std::vector<std::unique_ptr<std::istream>> streams_;
};

// Fills session.columns and the plan of session.result by the result set's description.
void describe_columns(Session& session);

// Appends the current row to session.cells, its bytes to session.batch_bytes.
void append_row(Session& session);

}  // namespace weir::mysql
