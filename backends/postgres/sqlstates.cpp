// SPDX-License-Identifier: MIT
//
// Source of the codes: PostgreSQL 15, Appendix A of the manual (src/backend/utils/errcodes.txt),
// and for 25P04 the same of 17.
#include "backends/postgres/sqlstates.hpp"

namespace weir::postgres {
namespace {

constexpr std::uint8_t usable = WEIR_CONN_USABLE;
constexpr std::uint8_t broken = WEIR_CONN_BROKEN;
constexpr std::uint32_t transient = WEIR_ERROR_TRANSIENT;

constexpr StateMeaning lines[] = {
    // 08 connection: between servers, or with a pooler in between
    {"08P01", WEIR_E_PROTOCOL, usable, 0, ""},  // also a wrong number of parameters
    {"08", WEIR_E_CONN_LOST, broken, transient, ""},
    {"0A", WEIR_E_UNSUPPORTED, usable, 0, ""},
    {"0B", WEIR_E_INVALID_STATE, usable, 0, ""},
    {"0L", WEIR_E_PERMISSION, usable, 0, ""},
    {"0P", WEIR_E_PERMISSION, usable, 0, ""},
    {"20", WEIR_E_DATA, usable, 0, ""},
    {"21", WEIR_E_DATA, usable, 0, ""},
    {"22", WEIR_E_DATA, usable, 0, ""},
    {"23", WEIR_E_CONSTRAINT, usable, 0, ""},
    {"24", WEIR_E_INVALID_STATE, usable, 0, ""},
    {"25006", WEIR_E_READ_ONLY, usable, 0, ""},
    {"25P03", WEIR_E_CONN_LOST, broken, 0,
     "the server ended the session: a transaction was idle for longer than "
     "idle_in_transaction_session_timeout"},
    {"25P04", WEIR_E_CONN_LOST, broken, 0,
     "the server ended the session: a transaction took longer than transaction_timeout"},
    {"25", WEIR_E_INVALID_STATE, usable, 0, ""},
    {"26", WEIR_E_INVALID_STATE, usable, 0, ""},
    {"27", WEIR_E_CONSTRAINT, usable, 0, ""},
    {"28", WEIR_E_AUTH, usable, 0, ""},
    {"2B", WEIR_E_CONSTRAINT, usable, 0, ""},
    {"2D", WEIR_E_INVALID_STATE, usable, 0, ""},
    {"34", WEIR_E_NOT_FOUND, usable, 0, ""},
    {"3B", WEIR_E_INVALID_STATE, usable, 0, ""},
    {"3D", WEIR_E_NOT_FOUND, usable, 0, ""},
    {"3F", WEIR_E_NOT_FOUND, usable, 0, ""},
    {"40002", WEIR_E_CONSTRAINT, usable, 0, ""},
    {"40P01", WEIR_E_DEADLOCK, usable, transient, ""},
    {"40", WEIR_E_SERIALIZATION, usable, transient, ""},
    {"42501", WEIR_E_PERMISSION, usable, 0, ""},
    {"42703", WEIR_E_NOT_FOUND, usable, 0, ""},
    {"42704", WEIR_E_NOT_FOUND, usable, 0, ""},
    {"42883", WEIR_E_NOT_FOUND, usable, 0, ""},
    {"42P01", WEIR_E_NOT_FOUND, usable, 0, ""},
    {"42P02", WEIR_E_INVALID_ARGUMENT, usable, 0, ""},
    {"42P18", WEIR_E_INVALID_ARGUMENT, usable, 0, ""},
    {"42", WEIR_E_SYNTAX, usable, 0, ""},
    {"44", WEIR_E_CONSTRAINT, usable, 0, ""},
    {"53300", WEIR_E_TOO_MANY_CONNECTIONS, broken, transient, ""},
    {"53", WEIR_E_RESOURCE, usable, 0, ""},
    {"54", WEIR_E_DATA, usable, 0, ""},
    {"55006", WEIR_E_LOCK_TIMEOUT, usable, transient, ""},
    {"55P03", WEIR_E_LOCK_TIMEOUT, usable, transient, ""},
    {"55", WEIR_E_INVALID_STATE, usable, 0, ""},
    {"57014", WEIR_E_CANCELLED, usable, 0, ""},
    {"57P01", WEIR_E_CONN_LOST, broken, transient, ""},
    {"57P02", WEIR_E_CONN_LOST, broken, transient, ""},
    {"57P03", WEIR_E_SERVER_NOT_READY, broken, transient, ""},
    {"57P04", WEIR_E_CONN_LOST, broken, 0, ""},
    {"57P05", WEIR_E_CONN_LOST, broken, transient,
     "the server ended the session, which was idle for longer than idle_session_timeout: set the "
     "pool's idle time below it"},
    {"57", WEIR_E_RESOURCE, usable, 0, ""},
    {"58", WEIR_E_RESOURCE, usable, 0, ""},
    {"72", WEIR_E_SERIALIZATION, usable, transient, ""},
    {"F0", WEIR_E_RESOURCE, usable, 0, ""},
    {"P0002", WEIR_E_NOT_FOUND, usable, 0, ""},
    {"XX001", WEIR_E_RESOURCE, usable, 0, "the data is damaged: restore it from a backup"},
    {"XX002", WEIR_E_RESOURCE, usable, 0, "an index is damaged: REINDEX it"},
};
constexpr StateMeaning other = {"", WEIR_E_OTHER, usable, 0, ""};

}  // namespace

const StateMeaning& meaning_of(std::string_view sqlstate) noexcept {
  for (const StateMeaning& line : lines) {
    if (sqlstate.starts_with(line.state)) return line;
  }
  return other;
}

weir_status login_kind_of(std::string_view sqlstate) noexcept {
  const std::string_view klass = sqlstate.substr(0, 2);
  if (klass == "3D") return WEIR_E_CONFIG;  // no such database
  if (klass == "22" || klass == "42") {     // a setting of the url that the server does not take
    return sqlstate == "42501" ? WEIR_E_PERMISSION : WEIR_E_CONFIG;
  }
  if (klass == "57") return WEIR_E_SERVER_NOT_READY;
  if (klass == "08") return WEIR_E_PROTOCOL;
  if (sqlstate == "55000") return WEIR_E_SERVER_NOT_READY;  // the database takes no connections
  return meaning_of(sqlstate).kind;
}

}  // namespace weir::postgres
