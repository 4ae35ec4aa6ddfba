// SPDX-License-Identifier: MIT
#include "backends/mysql/errors.hpp"

#include <algorithm>
#include <iterator>

namespace weir::mysql {
namespace {

constexpr std::uint8_t usable = WEIR_CONN_USABLE;
constexpr std::uint8_t broken = WEIR_CONN_BROKEN;
constexpr std::uint8_t definite = WEIR_EFFECT_DEFINITE;
constexpr std::uint8_t maybe = WEIR_EFFECT_UNKNOWN;
constexpr std::uint32_t transient = WEIR_ERROR_TRANSIENT;

// Numbers and names: MariaDB's "Error Code Reference" and MySQL's "Server Error Message Reference"
// and "Client Error Message Reference". 1000 to 1999 and 3000 on come from the server, 2000 to 2999
// from the client library. MariaDB and MySQL agree up to 1877.
constexpr CodeMeaning lines[] = {
    // ---- the connection
    {2002, WEIR_E_CONNECT, broken, definite, transient, ""},  // CR_CONNECTION_ERROR
    {2003, WEIR_E_CONNECT, broken, definite, transient, ""},  // CR_CONN_HOST_ERROR
    {2005, WEIR_E_RESOLVE, broken, definite, transient, ""},  // CR_UNKNOWN_HOST
    {2006, WEIR_E_CONN_LOST, broken, maybe, 0, ""},           // CR_SERVER_GONE_ERROR
    {2013, WEIR_E_CONN_LOST, broken, maybe, 0, ""},           // CR_SERVER_LOST
    {2055, WEIR_E_CONN_LOST, broken, maybe, 0, ""},           // CR_SERVER_LOST_EXTENDED
    {2026, WEIR_E_TLS, broken, definite, 0, ""},              // CR_SSL_CONNECTION_ERROR
    {2000, WEIR_E_OTHER, broken, maybe, 0, ""},               // CR_UNKNOWN_ERROR
    {2007, WEIR_E_PROTOCOL, broken, definite, 0, ""},         // CR_VERSION_ERROR
    {2012, WEIR_E_PROTOCOL, broken, definite, 0, ""},         // CR_SERVER_HANDSHAKE_ERR
    {2014, WEIR_E_INTERNAL, broken, maybe, 0, ""},            // CR_COMMANDS_OUT_OF_SYNC
    {2020, WEIR_E_DATA, broken, maybe, 0,
     "a packet is larger than the client accepts"},           // CR_NET_PACKET_TOO_LARGE
    {2027, WEIR_E_PROTOCOL, broken, maybe, 0, ""},            // CR_MALFORMED_PACKET
    {2059, WEIR_E_AUTH, broken, definite, 0, ""},             // CR_AUTH_PLUGIN_CANNOT_LOAD
    {2061, WEIR_E_AUTH, broken, definite, 0, ""},             // CR_AUTH_PLUGIN_ERR
    {2008, WEIR_E_NOMEM, broken, maybe, 0, ""},               // CR_OUT_OF_MEMORY
    {1042, WEIR_E_RESOLVE, broken, definite, transient, ""},  // ER_BAD_HOST_ERROR
    {1043, WEIR_E_PROTOCOL, broken, definite, 0, ""},         // ER_HANDSHAKE_ERROR
    {1045, WEIR_E_AUTH, broken, definite, 0, ""},             // ER_ACCESS_DENIED_ERROR
    {1698, WEIR_E_AUTH, broken, definite, 0, ""},             // ER_ACCESS_DENIED_NO_PASSWORD
    {1251, WEIR_E_AUTH, broken, definite, 0, ""},             // ER_NOT_SUPPORTED_AUTH_MODE
    {1862, WEIR_E_AUTH, broken, definite, 0, ""},             // ER_MUST_CHANGE_PASSWORD_LOGIN
    {1820, WEIR_E_AUTH, usable, definite, 0, ""},             // ER_MUST_CHANGE_PASSWORD
    {3118, WEIR_E_AUTH, broken, definite, 0, ""},             // ER_ACCOUNT_HAS_BEEN_LOCKED (MySQL)
    {4151, WEIR_E_AUTH, broken, definite, 0, ""},  // ER_ACCOUNT_HAS_BEEN_LOCKED (MariaDB)
    {1130, WEIR_E_AUTH, broken, definite, 0, ""},  // ER_HOST_NOT_PRIVILEGED
    {1129, WEIR_E_AUTH, broken, definite, 0, ""},  // ER_HOST_IS_BLOCKED
    {1040, WEIR_E_TOO_MANY_CONNECTIONS, broken, definite, transient, ""},  // ER_CON_COUNT_ERROR
    {1203, WEIR_E_TOO_MANY_CONNECTIONS, broken, definite, transient,
     ""},  // ER_TOO_MANY_USER_CONNECTIONS
    {1226, WEIR_E_TOO_MANY_CONNECTIONS, broken, definite, transient,
     ""},  // ER_USER_LIMIT_REACHED: max_user_connections, or of queries in an hour
    {1053, WEIR_E_SERVER_NOT_READY, broken, definite, transient, ""},  // ER_SERVER_SHUTDOWN
    {1077, WEIR_E_SERVER_NOT_READY, broken, definite, transient, ""},  // ER_NORMAL_SHUTDOWN
    {1079, WEIR_E_SERVER_NOT_READY, broken, definite, transient, ""},  // ER_SHUTDOWN_COMPLETE
    {1047, WEIR_E_SERVER_NOT_READY, usable, definite, transient,
     ""},  // ER_UNKNOWN_COM_ERROR: of Galera, whose node is not part of its cluster just now
    {1184, WEIR_E_CONN_LOST, broken, maybe, 0, ""},  // ER_NEW_ABORTING_CONNECTION
    {1927, WEIR_E_CONN_LOST, broken, maybe, 0, ""},  // ER_CONNECTION_KILLED (MariaDB)
    {3169, WEIR_E_CONN_LOST, broken, maybe, 0, ""},  // ER_SESSION_WAS_KILLED (MySQL)
    {4031, WEIR_E_CONN_LOST, broken, maybe, 0, ""},  // ER_CLIENT_INTERACTION_TIMEOUT (MySQL)
    {1153, WEIR_E_DATA, broken, definite, 0,
     "raise max_allowed_packet of the server"},      // ER_NET_PACKET_TOO_LARGE
    {1156, WEIR_E_PROTOCOL, broken, maybe, 0, ""},   // ER_NET_PACKETS_OUT_OF_ORDER
    {1158, WEIR_E_CONN_LOST, broken, maybe, 0, ""},  // ER_NET_READ_ERROR
    {1159, WEIR_E_CONN_LOST, broken, maybe, 0, ""},  // ER_NET_READ_INTERRUPTED
    {1160, WEIR_E_CONN_LOST, broken, maybe, 0, ""},  // ER_NET_ERROR_ON_WRITE
    {1161, WEIR_E_CONN_LOST, broken, maybe, 0, ""},  // ER_NET_WRITE_INTERRUPTED
    // ---- being stopped
    {1317, WEIR_E_CANCELLED, usable, definite, 0, ""},  // ER_QUERY_INTERRUPTED
    {1969, WEIR_E_TIMEOUT, usable, definite, transient,
     "max_statement_time of the session or the account"},     // ER_STATEMENT_TIMEOUT (MariaDB)
    {3024, WEIR_E_TIMEOUT, usable, definite, transient, ""},  // ER_QUERY_TIMEOUT (MySQL)
    // ---- others in the way
    {1205, WEIR_E_LOCK_TIMEOUT, usable, definite, transient, ""},   // ER_LOCK_WAIT_TIMEOUT
    {1213, WEIR_E_DEADLOCK, usable, definite, transient, ""},       // ER_LOCK_DEADLOCK
    {1614, WEIR_E_DEADLOCK, usable, definite, transient, ""},       // ER_XA_RBDEADLOCK
    {1020, WEIR_E_SERIALIZATION, usable, definite, transient, ""},  // ER_CHECKREAD
    {3058, WEIR_E_DEADLOCK, usable, definite, transient,
     "give back a lock of GET_LOCK: the end of a transaction does not"},  // ER_USER_LOCK_DEADLOCK
    {3101, WEIR_E_SERIALIZATION, usable, definite, transient,
     ""},  // ER_TRANSACTION_ROLLBACK_DURING_COMMIT (MySQL): Group Replication found a conflict
    {3572, WEIR_E_LOCK_TIMEOUT, usable, definite, transient, ""},  // ER_LOCK_NOWAIT (MySQL)
    // ---- the statement
    {other_columns, WEIR_E_OTHER, usable, maybe, 0,
     "it was carried out, but its rows are lost: its columns are not those it was prepared with"},
    {1064, WEIR_E_SYNTAX, usable, definite, 0, ""},            // ER_PARSE_ERROR
    {1149, WEIR_E_SYNTAX, usable, definite, 0, ""},            // ER_SYNTAX_ERROR
    {1065, WEIR_E_INVALID_ARGUMENT, usable, definite, 0, ""},  // ER_EMPTY_QUERY
    {1295, WEIR_E_UNSUPPORTED, usable, definite, 0,
     "run it without parameters and without prepare"},    // ER_UNSUPPORTED_PS
    {1235, WEIR_E_UNSUPPORTED, usable, definite, 0, ""},  // ER_NOT_SUPPORTED_YET
    {1046, WEIR_E_INVALID_STATE, usable, definite, 0,
     "name a database in the url, or write database.table"},  // ER_NO_DB_ERROR
    {1049, WEIR_E_NOT_FOUND, usable, definite, 0, ""},        // ER_BAD_DB_ERROR
    {1051, WEIR_E_NOT_FOUND, usable, definite, 0, ""},        // ER_BAD_TABLE_ERROR
    {1054, WEIR_E_NOT_FOUND, usable, definite, 0, ""},        // ER_BAD_FIELD_ERROR
    {1091, WEIR_E_NOT_FOUND, usable, definite, 0, ""},        // ER_CANT_DROP_FIELD_OR_KEY
    {1109, WEIR_E_NOT_FOUND, usable, definite, 0, ""},        // ER_UNKNOWN_TABLE
    {1128, WEIR_E_NOT_FOUND, usable, definite, 0, ""},        // ER_FUNCTION_NOT_DEFINED
    {1146, WEIR_E_NOT_FOUND, usable, definite, 0, ""},        // ER_NO_SUCH_TABLE
    {1176, WEIR_E_NOT_FOUND, usable, definite, 0, ""},        // ER_KEY_DOES_NOT_EXITS
    {1193, WEIR_E_NOT_FOUND, usable, definite, 0, ""},        // ER_UNKNOWN_SYSTEM_VARIABLE
    {1243, WEIR_E_NOT_FOUND, usable, definite, 0, ""},        // ER_UNKNOWN_STMT_HANDLER
    {1305, WEIR_E_NOT_FOUND, usable, definite, 0, ""},        // ER_SP_DOES_NOT_EXIST
    {1094, WEIR_E_NOT_FOUND, usable, definite, 0, ""},        // ER_NO_SUCH_THREAD
    {1022, WEIR_E_CONSTRAINT, usable, definite, 0, ""},       // ER_DUP_KEY
    {1048, WEIR_E_CONSTRAINT, usable, definite, 0, ""},       // ER_BAD_NULL_ERROR
    {1062, WEIR_E_CONSTRAINT, usable, definite, 0, ""},       // ER_DUP_ENTRY
    {1169, WEIR_E_CONSTRAINT, usable, definite, 0, ""},       // ER_DUP_UNIQUE
    {1216, WEIR_E_CONSTRAINT, usable, definite, 0, ""},       // ER_NO_REFERENCED_ROW
    {1217, WEIR_E_CONSTRAINT, usable, definite, 0, ""},       // ER_ROW_IS_REFERENCED
    {1364, WEIR_E_CONSTRAINT, usable, definite, 0, ""},       // ER_NO_DEFAULT_FOR_FIELD
    {1451, WEIR_E_CONSTRAINT, usable, definite, 0, ""},       // ER_ROW_IS_REFERENCED_2
    {1452, WEIR_E_CONSTRAINT, usable, definite, 0, ""},       // ER_NO_REFERENCED_ROW_2
    {1586, WEIR_E_CONSTRAINT, usable, definite, 0, ""},       // ER_DUP_ENTRY_WITH_KEY_NAME
    {3819, WEIR_E_CONSTRAINT, usable, definite, 0, ""},     // ER_CHECK_CONSTRAINT_VIOLATED (MySQL)
    {4025, WEIR_E_CONSTRAINT, usable, definite, 0, ""},     // ER_CONSTRAINT_FAILED (MariaDB)
    {1264, WEIR_E_DATA, usable, definite, 0, ""},           // ER_WARN_DATA_OUT_OF_RANGE
    {1265, WEIR_E_DATA, usable, definite, 0, ""},           // WARN_DATA_TRUNCATED
    {1292, WEIR_E_DATA, usable, definite, 0, ""},           // ER_TRUNCATED_WRONG_VALUE
    {1300, WEIR_E_DATA, usable, definite, 0, ""},           // ER_INVALID_CHARACTER_STRING
    {1365, WEIR_E_DATA, usable, definite, 0, ""},           // ER_DIVISION_BY_ZERO
    {1366, WEIR_E_DATA, usable, definite, 0, ""},           // ER_TRUNCATED_WRONG_VALUE_FOR_FIELD
    {1367, WEIR_E_DATA, usable, definite, 0, ""},           // ER_ILLEGAL_VALUE_FOR_TYPE
    {1406, WEIR_E_DATA, usable, definite, 0, ""},           // ER_DATA_TOO_LONG
    {1690, WEIR_E_DATA, usable, definite, 0, ""},           // ER_DATA_OUT_OF_RANGE
    {1242, WEIR_E_DATA, usable, definite, 0, ""},           // ER_SUBQUERY_NO_1_ROW
    {1568, WEIR_E_INVALID_STATE, usable, definite, 0, ""},  // ER_CANT_CHANGE_TX_CHARACTERISTICS
    // ---- rights
    {1044, WEIR_E_PERMISSION, usable, definite, 0, ""},  // ER_DBACCESS_DENIED_ERROR
    {1142, WEIR_E_PERMISSION, usable, definite, 0, ""},  // ER_TABLEACCESS_DENIED_ERROR
    {1143, WEIR_E_PERMISSION, usable, definite, 0, ""},  // ER_COLUMNACCESS_DENIED_ERROR
    {1227, WEIR_E_PERMISSION, usable, definite, 0, ""},  // ER_SPECIFIC_ACCESS_DENIED_ERROR
    {1370, WEIR_E_PERMISSION, usable, definite, 0, ""},  // ER_PROCACCESS_DENIED_ERROR
    {1095, WEIR_E_PERMISSION, usable, definite, 0, ""},  // ER_KILL_DENIED_ERROR
    {1036, WEIR_E_READ_ONLY, usable, definite, 0, ""},   // ER_OPEN_AS_READONLY
    {1290, WEIR_E_READ_ONLY, usable, definite, 0, ""},   // ER_OPTION_PREVENTS_STATEMENT
    {1792, WEIR_E_READ_ONLY, usable, definite, 0, ""},   // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
    {1836, WEIR_E_READ_ONLY, usable, definite, 0, ""},   // ER_READ_ONLY_MODE
    // ---- the server's means
    {1021, WEIR_E_RESOURCE, usable, definite, transient, ""},  // ER_DISK_FULL
    {1037, WEIR_E_RESOURCE, usable, definite, transient, ""},  // ER_OUTOFMEMORY
    {1038, WEIR_E_RESOURCE, usable, definite, transient, ""},  // ER_OUT_OF_SORTMEMORY
    {1041, WEIR_E_RESOURCE, usable, definite, transient, ""},  // ER_OUT_OF_RESOURCES
    {1114, WEIR_E_RESOURCE, usable, definite, 0, ""},          // ER_RECORD_FILE_FULL
    {1206, WEIR_E_RESOURCE, usable, definite, transient, ""},  // ER_LOCK_TABLE_FULL
    {1461, WEIR_E_RESOURCE, usable, definite, transient, ""},  // ER_MAX_PREPARED_STMT_COUNT
    {1637, WEIR_E_RESOURCE, usable, definite, transient, ""},  // ER_TOO_MANY_CONCURRENT_TRXS
};

// Classes of SQLSTATE, for numbers without a line.
struct StateMeaning {
  std::string_view prefix;
  weir_status kind;
};
constexpr StateMeaning states[] = {
    {"22", WEIR_E_DATA},          {"23", WEIR_E_CONSTRAINT},   {"40001", WEIR_E_DEADLOCK},
    {"28", WEIR_E_AUTH},          {"42S02", WEIR_E_NOT_FOUND}, {"42S22", WEIR_E_NOT_FOUND},
    {"25", WEIR_E_INVALID_STATE}, {"0A", WEIR_E_UNSUPPORTED},
};

}  // namespace

CodeMeaning meaning_of(int code, std::string_view sqlstate) noexcept {
  for (const CodeMeaning& line : lines) {
    if (line.code == code) return line;
  }
  const bool of_client = code >= 2000 && code < 3000;
  const bool of_network = sqlstate.substr(0, 2) == "08";
  CodeMeaning other{code, WEIR_E_OTHER, usable, definite, 0, ""};
  if (of_client || of_network) {
    other.conn_fate = broken;
    other.effect = maybe;
    if (of_network) other.kind = WEIR_E_CONN_LOST;
    return other;
  }
  for (const StateMeaning& state : states) {
    if (sqlstate.substr(0, state.prefix.size()) == state.prefix) other.kind = state.kind;
  }
  return other;
}

bool rolls_back(int code) noexcept {
  constexpr int codes[] = {
      1206,  // ER_LOCK_TABLE_FULL
      1213,  // ER_LOCK_DEADLOCK
      3101,  // ER_TRANSACTION_ROLLBACK_DURING_COMMIT
  };
  return std::find(std::begin(codes), std::end(codes), code) != std::end(codes);
}

weir_status report(const Failure& failure, weir_error* error) noexcept {
  const weir_status kind = backend::fail(error, failure.facts, {failure.text});
  if (error == nullptr || failure.sqlstate.size() != 5) return kind;
  weir_error full = backend::read_in(error);
  failure.sqlstate.copy(full.sqlstate, 5);
  backend::write_out(error, full);
  return kind;
}

}  // namespace weir::mysql
