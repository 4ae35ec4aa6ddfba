// SPDX-License-Identifier: MIT
//
// language.hpp: the statements that a simulated server understands. Words are not case-sensitive,
// values may stand in 'quotes', and ? is a parameter.
//
//   SELECT ..., ROWS n, INSERT ..., SLEEP ms, FAIL kind, DIRTY, BREAK     as the mock's
//   BEGIN, COMMIT, ROLLBACK
//   PUT key value       writes; a key may exist once
//   ADD key             writes; the same key may be added again, so that a double effect shows
//   GET key             its value, or NULL
//   SET name value, SHOW name     a session's variable; SHOW STATE lists what is left of anybody
//   TEMP name           makes a temporary object
//   LOCK name, UNLOCK name        an advisory lock; one that another session holds is refused
//   ROLE name           acts as somebody else
//   LISTEN channel
//
// A comment at the end, /*c7.3*/, says whose lease runs it.
//
// Called by: the server. Pure. Threads: any.
#pragma once

#include "sim/server/ledger.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::sim {

enum class Verb : std::uint8_t {
  unknown,
  query,  // SELECT and ROWS: the driver makes the rows
  write,  // INSERT
  sleep,
  fail,
  dirty,
  break_off,
  begin,
  commit,
  rollback,
  put,
  add,
  get,
  set,
  show,
  temp,
  lock,
  unlock,
  role,
  listen
};

struct Command {
  Verb verb = Verb::unknown;
  std::string name;
  std::string value;
  std::int64_t number = 0;  // of SLEEP, in ns; the kind of FAIL
  LeaseMark lease;
  std::uint64_t luck = 0;  // of a lease's statements: what their chance is drawn from
};

[[nodiscard]] Command parse(std::string_view text, const std::vector<std::string>& parameters);

}  // namespace weir::sim
