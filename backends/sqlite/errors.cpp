// SPDX-License-Identifier: MIT
#include "backends/sqlite/errors.hpp"

#include <sqlite3.h>

namespace weir::sqlite {
namespace {

constexpr std::uint8_t usable = WEIR_CONN_USABLE;
constexpr std::uint8_t unknown = WEIR_CONN_UNKNOWN;
constexpr std::uint8_t broken = WEIR_CONN_BROKEN;
constexpr std::uint8_t definite = WEIR_EFFECT_DEFINITE;
constexpr std::uint8_t maybe = WEIR_EFFECT_UNKNOWN;
constexpr std::uint32_t transient = WEIR_ERROR_TRANSIENT;

// Extended codes first: the search takes the first line that fits. An I/O error leaves open what
// the disk took, and whether the handle can go on; everything else SQLite rolls back exactly.
constexpr CodeMeaning lines[] = {
    {SQLITE_BUSY_SNAPSHOT, WEIR_E_SERIALIZATION, usable, definite, transient,
     "another connection committed after this transaction first read, so it cannot write any more: "
     "roll back and run it again; begin it as a write transaction to avoid this"},
    {SQLITE_READONLY_DBMOVED, WEIR_E_CONN_LOST, broken, definite, 0,
     "the database file was moved or deleted while open"},
    {SQLITE_READONLY_DIRECTORY, WEIR_E_READ_ONLY, usable, definite, 0,
     "SQLite needs to create files beside the database: make the directory writable, or open with "
     "?immutable=1 a file that nobody writes"},
    {SQLITE_IOERR_NOMEM, WEIR_E_NOMEM, usable, definite, 0, ""},
    {SQLITE_CONSTRAINT_DATATYPE, WEIR_E_DATA, usable, definite, 0, ""},
    {SQLITE_CONSTRAINT, WEIR_E_CONSTRAINT, usable, definite, 0, ""},
    {SQLITE_BUSY, WEIR_E_LOCK_TIMEOUT, usable, definite, transient,
     "another connection holds the lock longer than busy_timeout"},
    {SQLITE_LOCKED, WEIR_E_LOCK_TIMEOUT, usable, definite, transient, ""},
    {SQLITE_PROTOCOL, WEIR_E_LOCK_TIMEOUT, usable, definite, transient, ""},
    {SQLITE_INTERRUPT, WEIR_E_CANCELLED, usable, definite, 0, ""},
    {SQLITE_READONLY, WEIR_E_READ_ONLY, usable, definite, 0, ""},
    {SQLITE_FULL, WEIR_E_RESOURCE, usable, definite, 0, ""},
    {SQLITE_IOERR, WEIR_E_RESOURCE, unknown, maybe, 0, ""},
    {SQLITE_CORRUPT, WEIR_E_PROTOCOL, unknown, definite, 0,
     "the file is damaged: restore it from a backup, or see .recover of the sqlite3 shell"},
    {SQLITE_NOTADB, WEIR_E_PROTOCOL, unknown, definite, 0, ""},
    {SQLITE_CANTOPEN, WEIR_E_CONNECT, unknown, definite, 0, ""},
    {SQLITE_PERM, WEIR_E_PERMISSION, usable, definite, 0, ""},
    {SQLITE_AUTH, WEIR_E_PERMISSION, usable, definite, 0, ""},
    {SQLITE_NOMEM, WEIR_E_NOMEM, usable, definite, 0, ""},
    {SQLITE_MISMATCH, WEIR_E_DATA, usable, definite, 0, ""},
    {SQLITE_TOOBIG, WEIR_E_DATA, usable, definite, 0, ""},
    {SQLITE_RANGE, WEIR_E_INVALID_ARGUMENT, usable, definite, 0, ""},
    {SQLITE_ABORT, WEIR_E_INVALID_STATE, usable, definite, 0, ""},
    {SQLITE_SCHEMA, WEIR_E_OTHER, usable, definite, transient, ""},
    {SQLITE_MISUSE, WEIR_E_INTERNAL, unknown, definite, 0, ""},
    {SQLITE_INTERNAL, WEIR_E_INTERNAL, unknown, definite, 0, ""},
};

struct TextMeaning {
  std::string_view part;
  weir_status kind;
};
constexpr TextMeaning texts[] = {
    {"no such ", WEIR_E_NOT_FOUND},
    {"unknown database", WEIR_E_NOT_FOUND},
    {"syntax error", WEIR_E_SYNTAX},
    {"incomplete input", WEIR_E_SYNTAX},
    {"unrecognized token", WEIR_E_SYNTAX},
    {"within a transaction", WEIR_E_INVALID_STATE},
    {"no transaction is active", WEIR_E_INVALID_STATE},
    {"integer overflow", WEIR_E_DATA},
    {"malformed JSON", WEIR_E_DATA},
};

}  // namespace

CodeMeaning meaning_of(int extended_code, std::string_view message, std::uint8_t stage) noexcept {
  for (const CodeMeaning& line : lines) {
    if (line.code == extended_code || line.code == (extended_code & 0xFF)) return line;
  }
  CodeMeaning other{extended_code, WEIR_E_OTHER, usable, definite, 0, ""};
  // What SQLite finds while it compiles, and is none of the texts, is a mistake in the statement.
  if (stage == WEIR_STAGE_PREPARE) other.kind = WEIR_E_SYNTAX;
  for (const TextMeaning& text : texts) {
    if (message.find(text.part) == std::string_view::npos) continue;
    other.kind = text.kind;
    break;
  }
  return other;
}

}  // namespace weir::sqlite
