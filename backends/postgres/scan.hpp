// SPDX-License-Identifier: MIT
//
// scan.hpp: what can be seen of a statement without asking the server: whether there is exactly
// one, how many parameters it has, what it may do to the session. Follows the server's rules for
// strings, quoted names, dollar quotes and nested comments; it is no parser, and where it cannot be
// sure it leaves the judgement to the server.
//
// Called by: execute, prepare, execute_many. Pure. Threads: any.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::postgres {

// By the first word.
enum class Verb : std::uint8_t {
  none,     // there is no statement
  query,    // SELECT, VALUES, TABLE, and a WITH that only reads
  change,   // INSERT, UPDATE, DELETE, MERGE, and a WITH that has one of them
  session,  // SET, LISTEN, PREPARE ...: the session is another one afterwards
  define,   // CREATE, ALTER, DROP ...
  copy,     // COPY
  code,     // DO, CALL, EXECUTE: may do anything
  other,
};

struct Scan {
  Verb verb = Verb::none;
  bool several = false;      // more than one statement, for certain
  bool rolls_back = false;   // ROLLBACK, ABORT
  bool chains = false;       // one with AND CHAIN: another transaction is open afterwards
  bool copies_in = false;    // COPY ... FROM STDIN in the format that is the default
  bool temporary = false;    // names something temporary
  bool calls = false;        // calls a function that is not known to leave the session alone
  std::uint32_t params = 0;  // the highest n of $n
};

// `plain_strings`: standard_conforming_strings is on, so a backslash in '...' is just that.
Scan scan(std::string_view sql, bool plain_strings) noexcept;

}  // namespace weir::postgres
