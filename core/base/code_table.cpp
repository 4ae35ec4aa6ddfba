// SPDX-License-Identifier: MIT
//
// What is known about each code. `weir explain` prints it, so the texts are for somebody who has
// just met the error: what usually causes it, then what to do.
#include <weir/error.hpp>

#include <algorithm>
#include <iterator>

namespace weir {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_data = 65;
constexpr int exit_unavailable = 69;
constexpr int exit_software = 70;

constexpr CodeInfo code_table[] = {
    {Code::config_unreadable, "W101", "config_unreadable", exit_data,
     "the configuration file is missing or cannot be read",
     "The path is relative to the working directory of the process, which for a service is\n"
     "rarely the directory that you have in mind: pass an absolute path. A directory, a\n"
     "device, or a file of more than 1 MiB is refused as well. `weir init` writes a first\n"
     "file."},
    {Code::config_syntax, "W102", "config_syntax", exit_data, "the file is not valid TOML",
     "The usual causes: a text value without quotes, a quote that is never closed, the same\n"
     "key or [table] twice, a backslash in \"double quotes\" (use 'single quotes' for such\n"
     "text), or a file that is not UTF-8. Reading stops at the first such error; the rest\n"
     "shows up afterwards.\n"
     "The grammar: https://toml.io/en/v1.0.0"},
    {Code::config_unknown_key, "W103", "config_unknown_key", exit_data,
     "a key or table that does not exist",
     "Weir refuses what it does not know, because a misspelt limit that is silently ignored\n"
     "is found out in production. Check the spelling and the table it stands in; `weir help\n"
     "options` lists all keys. Names of tarn, HikariCP, Prisma, r2d2 and generic-pool are\n"
     "answered with the line to write instead. Options of the database belong in\n"
     "[pool.<name>.options]."},
    {Code::config_type, "W104", "config_type", exit_data,
     "a value of the wrong type, or a number without its unit",
     "Durations are text with a unit, \"250ms\", \"10s\", \"5m\", \"1h\" or \"1m30s\": a bare\n"
     "number would be seconds in one pool and milliseconds in the next. Whole numbers and true /\n"
     "false stand without quotes. A value from an environment variable is text and is read\n"
     "as the key's type."},
    {Code::config_value, "W105", "config_value", exit_data,
     "a value out of range, or not one of the choices",
     "The message names the range or the choices. \"none\", or \"off\" (of `keepalive`,\n"
     "`slow_query` and `health.interval`), has to be spelled where it is allowed; zero never\n"
     "means \"for ever\"."},
    {Code::config_missing, "W106", "config_missing", exit_data, "a required key is absent",
     "A file needs `version = 1`, at least one [pool.<name>], and a `driver` in each.\n"
     "Options that a driver requires are listed by `weir driver list`."},
    {Code::config_conflict, "W107", "config_conflict", exit_data,
     "two settings contradict each other, or what runs",
     "Both are named. The common ones: `min` above `max`, which often comes from setting\n"
     "only one of them, and a URL parameter (connection_limit, pool_timeout,\n"
     "connect_timeout) that says something else than the key. Weir does not guess which one\n"
     "you meant: remove one. A reload that running pools cannot take on, since it adds or\n"
     "removes a pool or names another driver, is refused with this code, too."},
    {Code::config_unresolved, "W108", "config_unresolved", exit_data,
     "an environment variable or a secret file is missing or unusable",
     "{ env = \"NAME\" } needs NAME to be set and not empty in the environment of this\n"
     "process: a service manager does not read your shell's profile. Give { env = \"NAME\",\n"
     "default = ... } if absence is normal. { file = \"...\" } needs a regular file that this\n"
     "process can read and that other users cannot: chmod 0400 or 0440 it."},
    {Code::config_many, "W109", "config_many", exit_data, "the configuration has several errors",
     "The message lists all of them, in the order of the file; each carries its own code."},

    {Code::driver_not_found, "W201", "driver_not_found", exit_unavailable,
     "no driver of that name in any place searched",
     "The message names each place and why it did not do. Install the driver's package, add\n"
     "its directory to `search` in [drivers], or register a linked-in driver with the\n"
     "builder. `weir driver list` shows what is found; WEIR_PLUGIN_PATH counts only with\n"
     "allow_env = true."},
    {Code::driver_untrusted, "W202", "driver_untrusted", exit_unavailable,
     "a driver was refused before it was loaded",
     "A plugin runs with all rights of your process. It is refused when it, or a directory\n"
     "above it, could have been written by another user, when its sha256 is not the pinned\n"
     "one, or when it is not on the allow-list. Correct owner and mode (root or you, not\n"
     "writable by others); update the pin only if you know why the file changed."},
    {Code::driver_unloadable, "W203", "driver_unloadable", exit_unavailable,
     "a driver's file cannot be opened as a library",
     "Mostly a missing client library (ldd on the file shows which), a file for another\n"
     "processor, or one that is not a library at all. The message is the dynamic loader's."},
    {Code::driver_invalid, "W204", "driver_invalid", exit_unavailable,
     "a driver loads but breaks the ABI",
     "It was built for another version of weir/driver.h, or lacks a required function.\n"
     "Install the driver that belongs to this Weir, or rebuild it. The message says what it\n"
     "breaks."},
    {Code::driver_manifest, "W205", "driver_manifest", exit_unavailable,
     "a driver's manifest is wrong or does not match its library",
     "The manifest names the driver, its file and its ABI, and all three must agree with the\n"
     "library. A half-finished upgrade is the usual cause: install the driver again."},

    {Code::acquire_timeout, "W301", "acquire_timeout", exit_failed,
     "no connection within the deadline (Prisma calls it P2024)",
     "The message names one class, and the class names the remedy:\n"
     "  all_busy       every connection was lent out for the whole wait. Look at the longest\n"
     "                 leases first: a lease held across a network call or a user's pause is\n"
     "                 the common cause; `hold_warn` finds them. Raise `max` only if the\n"
     "                 database has room: `weir bench` shows what a size really gives.\n"
     "  slow_connect   there was room to grow, but connects took too long. Keep connections\n"
     "                 ready (`min`), allow more connects at once (`max_connecting`), and\n"
     "                 look at name resolution, TLS and the server's load.\n"
     "  endpoint_down  connects fail: the database is down or cannot be reached. The message\n"
     "                 carries the last connect error. A larger pool or a longer wait will\n"
     "                 not help.\n"
     "  auth           the server refuses the credentials or the configuration. Correct\n"
     "                 them; trying again changes nothing.\n"
     "  server_full    the server takes no more sessions: all pools of all instances\n"
     "                 together ask for more than it allows. Lower `max`, or put a pooler in\n"
     "                 between.\n"
     "  suspended      somebody suspended the pool and has not resumed it.\n"
     "  closed         the pool is shutting down; new work should have been refused earlier.\n"
     "  self_deadlock  every connection is held by a thread that waits for another one. Pass\n"
     "                 the connection that you have instead of acquiring a second one inside\n"
     "                 `with`."},
    {Code::queue_full, "W302", "queue_full", exit_failed,
     "`max_waiting` callers are waiting already",
     "Demand is beyond what the pool can serve, and failing at once keeps the backlog\n"
     "bounded. Shed load or retry later with a backoff; raise `max_waiting` only for short\n"
     "bursts. The causes are those of W301."},
    {Code::pool_closed, "W303", "pool_closed", exit_failed, "the pool is draining or closed",
     "Work arrived after drain() or during the destruction of the Pools. Stop what produces\n"
     "work before you drain, and keep the Pools alive longer than its users."},
    {Code::pool_suspended, "W304", "pool_suspended", exit_failed, "the pool is suspended",
     "Somebody suspended it on purpose, for example for a failover. It works again after\n"
     "resume."},
    {Code::cancelled, "W305", "cancelled", exit_failed, "the host cancelled this acquire",
     "Your program did this: nothing is wrong with the pool."},
    {Code::create_failed, "W306", "create_failed", exit_unavailable,
     "a connection could not be made, and waiting would not help",
     "The message carries the database's answer. For wrong credentials or a wrong database\n"
     "name, correct `url`. With propagate_create_error = \"any\", a server that is briefly\n"
     "away ends here too; \"fatal\", the default, waits for it until `acquire_timeout`."},
    {Code::not_ready, "W307", "not_ready", exit_unavailable,
     "the pool did not reach `min` connections in time",
     "The message carries the last connect error, if there was one. With start =\n"
     "\"background\" a host starts without its database; raise `start_timeout` where a slow\n"
     "start is normal."},
    {Code::drain_timeout, "W308", "drain_timeout", exit_failed,
     "connections were still lent out when the drain had to end",
     "The message lists the longest leases with call site and tag: something holds a\n"
     "connection for longer than `drain_timeout`, or never returns it. Those connections\n"
     "were taken away."},
    {Code::none_idle, "W309", "none_idle", exit_failed, "no connection can be lent at once",
     "try_acquire never waits. Use acquire with a deadline where waiting is acceptable."},
    {Code::self_deadlock, "W310", "self_deadlock", exit_failed,
     "every connection is held by a caller that waits for another one",
     "None of them could ever be served, so the one that came last was told at once. Take one\n"
     "connection per task and pass it down, or make `max` larger than the tasks that nest."},

    {Code::unknown_pool, "W401", "unknown_pool", exit_failed, "no pool of that name is configured",
     "The name must be that of a [pool.<name>] in the file. The message offers the nearest\n"
     "one."},
    {Code::lease_returned, "W402", "lease_returned", exit_failed,
     "a connection was used after its lease had gone back",
     "A reference to the connection outlived its lease: typically kept in a member, captured\n"
     "by a callback, or used after release(). Nothing reached the database. Copy the rows,\n"
     "not the connection, out of `with`."},
    {Code::invalid_argument, "W403", "invalid_argument", exit_failed, "an argument is not usable",
     "For example the number of parameters does not match the statement, the text holds more\n"
     "than one statement, or SQL contains a NUL byte. Nothing was sent."},
    {Code::invalid_state, "W404", "invalid_state", exit_failed, "not possible in the present state",
     "For example a transaction inside a transaction, or a statement while rows of an\n"
     "earlier one are still to be read. Finish or drop the first before you begin the\n"
     "second. Nothing was done."},
    {Code::column_type, "W405", "column_type", exit_failed,
     "a value was asked for as a type that it is not, or was NULL",
     "get<T> wants exactly what the database returned. Use get<std::optional<T>> where NULL\n"
     "can occur, and cast in SQL where the type varies, as it does between the rows of a\n"
     "SQLite column."},
    {Code::callback_threw, "W406", "callback_threw", exit_failed, "a function handed to Weir threw",
     "A middleware or a hook; the exception's text is in the message. The call ended as if the\n"
     "function had returned an error, and nothing leaked. Catch inside the function what you\n"
     "expect."},
    {Code::forked, "W407", "forked", exit_failed, "a pool was used in a forked child",
     "Parent and child would talk over the same sockets. Open the pools after the fork."},
    {Code::next_not_called, "W408", "next_not_called", exit_failed,
     "a middleware returned success without calling next",
     "There is no answer to hand on, since the database was not asked. Let the middleware call\n"
     "next() and return what that returned, or return an Error to refuse the call."},

    {Code::unsupported, "W501", "unsupported", exit_failed, "the driver does not offer this",
     "`weir driver list` shows what each driver can do. Nothing was done."},
    {Code::connect_failed, "W502", "connect_failed", exit_unavailable,
     "the database could not be reached",
     "Check host, port, and that the server runs; for an embedded database the path, its\n"
     "directory and their permissions. `weir ping POOL` tries one connection. Of `weir stats`,\n"
     "`top` and the like: the running program could not be, through the socket of [admin]."},
    {Code::auth_failed, "W503", "auth_failed", exit_unavailable,
     "the database refused the credentials or the access",
     "Check user, password and database name, and which hosts the server lets in. If the\n"
     "password holds characters such as @ / : ? #, they must be percent-encoded in a URL."},
    {Code::server_full, "W504", "server_full", exit_unavailable,
     "the server takes no more sessions",
     "Add up `max` over all instances of all programs; the sum must stay below the server's\n"
     "limit. Lower `max`, or put a pooler such as PgBouncer in between."},
    {Code::connection_lost, "W505", "connection_lost", exit_failed,
     "the connection broke during the call",
     "A server restart, a failover, a proxy that cuts idle connections, or a session killed\n"
     "by an administrator. Unless the error says that nothing was sent, the statement may\n"
     "have taken effect: repeat it only if it is idempotent. If it hits idle connections,\n"
     "set `keepalive` or a `max_lifetime` below the limit of what closes them."},
    {Code::query_timeout, "W506", "query_timeout", exit_failed,
     "the statement did not end before its deadline",
     "A lock somebody else holds, a missing index, or a deadline too short for the work.\n"
     "Unless the error says otherwise, the statement may still have taken effect."},
    {Code::query_cancelled, "W507", "query_cancelled", exit_failed, "the statement was cancelled",
     "By your program, or by an administrator of the server."},
    {Code::sql_error, "W508", "sql_error", exit_failed,
     "the database does not accept the statement",
     "A syntax error, an unknown table, column or function, or a missing permission. SQL\n"
     "goes to the database verbatim: placeholders are its own (? or $1)."},
    {Code::constraint, "W509", "constraint", exit_failed, "a constraint would be violated",
     "A duplicate key, a missing parent row, a failed check, or NULL where none may be. The\n"
     "database changed nothing. Repeating will not help; decide in the program what a\n"
     "duplicate means."},
    {Code::data_error, "W510", "data_error", exit_failed, "a value does not fit",
     "Out of range, too long, or not convertible to the column's type."},
    {Code::conflict, "W511", "conflict", exit_failed,
     "a conflict with another transaction: run the transaction again",
     "A serialization failure, a deadlock, or a lock that was not granted in time. This is\n"
     "normal under concurrency: run the whole transaction again, with a short random pause.\n"
     "If it is frequent, shorten transactions and touch rows in one order."},
    {Code::read_only, "W512", "read_only", exit_failed, "the database cannot be written to",
     "A replica, a read-only transaction, a file opened with mode=ro or without write\n"
     "permission (for SQLite the directory must be writable, too)."},
    {Code::resource, "W513", "resource", exit_failed, "the database ran out of a resource",
     "Disk space or memory, mostly. Free some; waiting may help."},
    {Code::not_a_database, "W514", "not_a_database", exit_failed,
     "what answered is not such a database",
     "The file is something else, damaged or encrypted, or the port belongs to another\n"
     "service. Check `url` and `driver` against each other."},
    {Code::driver_error, "W515", "driver_error", exit_failed, "the driver failed",
     "An error that the driver could not classify, or a bug of the driver. The text is its\n"
     "own."},

    {Code::internal, "W900", "internal", exit_software, "a bug of Weir",
     "Something that cannot happen did. Please report it, with the message and the\n"
     "configuration (`weir config show` leaves secrets out)."},
};

}  // namespace

// Never destroyed: errors are made until the last thread ends, later than static destructors.
const std::vector<CodeInfo>& all_codes() {
  static const auto* const codes =
      new std::vector<CodeInfo>(std::begin(code_table), std::end(code_table));
  return *codes;
}

const CodeInfo& info(Code code) noexcept {
  const auto& codes = all_codes();
  const auto found =
      std::lower_bound(codes.begin(), codes.end(), code,
                       [](const CodeInfo& entry, Code wanted) { return entry.code < wanted; });
  return found != codes.end() && found->code == code ? *found : codes.back();
}

std::string_view to_string(AcquirePhase phase) noexcept {
  switch (phase) {
    case AcquirePhase::busy:
      return "busy";
    case AcquirePhase::connecting:
      return "connecting";
    case AcquirePhase::initialising:
      return "initialising";
    case AcquirePhase::validating:
      return "validating";
    case AcquirePhase::resetting:
      return "resetting";
    case AcquirePhase::backoff:
      return "backoff";
    case AcquirePhase::suspended:
      return "suspended";
  }
  return "";
}

std::string_view to_string(AcquireClass reason) noexcept {
  switch (reason) {
    case AcquireClass::all_busy:
      return "all_busy";
    case AcquireClass::slow_connect:
      return "slow_connect";
    case AcquireClass::endpoint_down:
      return "endpoint_down";
    case AcquireClass::auth:
      return "auth";
    case AcquireClass::server_full:
      return "server_full";
    case AcquireClass::suspended:
      return "suspended";
    case AcquireClass::closed:
      return "closed";
    case AcquireClass::self_deadlock:
      return "self_deadlock";
  }
  return "unknown";
}

}  // namespace weir
