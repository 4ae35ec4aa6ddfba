// SPDX-License-Identifier: MIT
//
// language.hpp: the few statements that the mock understands. Words are not case-sensitive.
//
//   SELECT 1, 'two', ?     one row of these: numbers, 'text', NULL, SESSION (the session's id), ?
//   ROWS n                 n rows: their number and "row <number>"
//   INSERT ...             one affected row and a new id; anything may follow, ? are parameters
//   SLEEP ms               takes so long, on the host's clock
//   FAIL kind              that error, "FAIL constraint"
//   DIRTY                  changes the session
//   BREAK                  the server hangs up
//   BEGIN, COMMIT, ROLLBACK
//
// Called by: session.cpp. Pure. Threads: any.
#pragma once

#include "backends/common/abi.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::mock {

enum class Verb : std::uint8_t {
  select,
  rows,
  insert,
  sleep,
  fail,
  dirty,
  break_off,
  begin,
  commit,
  rollback,
  foreign  // what only a simulated server understands
};

struct Item {  // of a SELECT
  enum class Kind : std::uint8_t { null, integer, text, session, parameter } kind = Kind::null;
  std::int64_t number = 0;
  std::string text;
};

struct Statement {
  Verb verb = Verb::select;
  std::uint32_t parameters = 0;
  std::int64_t number = 0;  // of ROWS, SLEEP; the kind of FAIL
  std::vector<Item> items;
  std::string text;  // for a simulated server: all of it
};

// SYNTAX, or INVALID_ARGUMENT for a NUL byte or a second statement, if it is none of the above.
weir_status parse(std::string_view sql, Statement& statement, const backend::Facts& facts,
                  weir_error* error);

// The same where a simulated server has the last word: what is none of the above is foreign, and a
// comment at the end, by which a client says who it is, is not looked at.
weir_status parse_for_server(std::string_view sql, Statement& statement,
                             const backend::Facts& facts, weir_error* error);

}  // namespace weir::mock
