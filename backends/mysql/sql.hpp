// SPDX-License-Identifier: MIT
//
// sql.hpp: what the text of a statement tells about what it will do to the session. The client
// library shows neither the server's transaction flag nor its session tracker, so the text has to
// do; where it does not tell, the answer errs towards "changed".
//
// Called by: execute.cpp, statement.cpp on the host's thread. Pure. Threads: any.
// What it cannot see: changes that stored functions and triggers make, which ordinary statements
// may call.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::mysql {

// How string literals are written depends on the session's sql_mode.
struct SqlMode {
  bool known = true;                 // false: somebody may have changed it
  bool backslash_is_plain = false;   // NO_BACKSLASH_ESCAPES
  bool double_quotes_names = false;  // ANSI_QUOTES
};
SqlMode parse_sql_mode(std::string_view sql_mode) noexcept;

enum class Verb : std::uint8_t {
  none,       // there is no statement
  read,       // SELECT, SHOW ...
  write,      // INSERT, UPDATE ...
  define,     // CREATE, ALTER ...: commits what is open
  begin,      // BEGIN, START TRANSACTION
  commit,     // COMMIT
  rollback,   // ROLLBACK, not TO a savepoint
  savepoint,  // SAVEPOINT, RELEASE SAVEPOINT, ROLLBACK TO
  set,        // SET
  call,       // CALL
  other,      // anything else
};

struct SqlTraits {
  Verb verb = Verb::none;
  bool many = false;             // something follows a semicolon
  bool opaque = false;           // more may be in it than was seen: /*! */, stored program bodies
  bool changes_session = false;  // or may
  bool one_shot = false;         // SET TRANSACTION: holds for the next transaction only
  bool autocommit = false;       // SET names autocommit
  bool temporary = false;        // CREATE, DROP of what is temporary, or may be: commits nothing
  bool commits = false;          // SET PASSWORD, SET DEFAULT ROLE: commits what is open
  bool chain = false;            // COMMIT AND CHAIN: another transaction follows at once
  bool says_chain = false;       // it tells whether one follows: completion_type does not count
  bool sql_mode = false;         // SET names sql_mode
  bool loads = false;            // LOAD, which may read a file of this machine
  bool returning = false;        // a write that answers rows
  bool answers = false;          // a SELECT, which answers rows: not one INTO something
  std::uint32_t params = 0;      // question marks
};

SqlTraits scan(std::string_view sql, const SqlMode& mode) noexcept;

// Whether every byte of `text` is part of a well-formed UTF-8 character.
bool is_utf8(std::string_view text) noexcept;

}  // namespace weir::mysql
