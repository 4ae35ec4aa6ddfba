// SPDX-License-Identifier: MIT
//
// request.hpp: a statement on its way to the work: checked on the host's thread, where a refusal is
// a promise that nothing was sent, and copied, because work on the crew may outlive the call.
//
// Called by: execute.cpp, statement.cpp. Threads: check and copy the host's, run where the work
// runs.
#pragma once

#include "backends/mysql/conn.hpp"
#include "backends/mysql/values.hpp"

#include <span>
#include <string>
#include <vector>

namespace weir::mysql {

struct Request {
  std::string sql;
  std::uint64_t stmt = 0;  // 0: `sql` is to be run
  SqlTraits traits;
  std::uint32_t param_count = 0;

  // Checks text or statement. WEIR_OK, or the refusal.
  weir_status choose(Conn& conn, weir_text text, weir_stmt* prepared, weir_error* error);
  weir_status check_count(const Conn& conn, std::uint32_t given, weir_error* error) const;
  weir_status check_row(const Conn& conn, const weir_cell* params, std::uint32_t count,
                        weir_error* error) const;
};

// Checks that a text may be sent at all; traits in *traits.
weir_status check_sql(const Conn& conn, std::string_view sql, SqlTraits& traits, weir_error* error);

// How much a batch may hold.
struct Limits {
  std::uint64_t rows;
  std::uint64_t bytes;
  bool keep;  // false: nobody wants the rows
};

// Runs `request` once; leaves its result, if any, open in session.result.
void run(Session& session, const Request& request, std::span<const Param> params);

// Reads rows until a limit or the end, which closes the result. Sets session.ended.
void fill(Session& session, const Limits& limits);

}  // namespace weir::mysql
