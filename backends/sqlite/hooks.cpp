// SPDX-License-Identifier: MIT
//
// hooks.cpp: what SQLite asks the driver while it works: may I wait, shall I stop, may I do this?
// Called from C: nothing here may throw.
#include "backends/sqlite/conn.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace weir::sqlite {
namespace {

// How many instructions of SQLite's machine lie between two looks at the clock: some 20 µs, so that
// deadlines are kept to well below a millisecond and the clock costs next to nothing.
constexpr int instructions_between_looks = 1000;

// Short first, because most locks are held for the time of one commit; then rarer. Measured: a
// release is noticed within 1.5 ms (SQLite's own handler: 23 ms).
weir_time pause_before_try(int tries) {
  if (tries < 5) return 200'000;
  return tries < 10 ? 1'000'000 : 2'000'000;
}

weir_time add(weir_time at, std::int64_t ns) { return at > INT64_MAX - ns ? INT64_MAX : at + ns; }

// 1: waited, try again. 0: give up, the statement ends with SQLITE_BUSY.
int on_busy(void* context, int tries) noexcept {
  Conn& conn = *static_cast<Conn*>(context);
  const weir_host& host = conn.host;
  conn.asked_to_wait = true;
  if (conn.gate->aborted() || conn.gate->cancelled()) return 0;
  weir_time now = host.now(host.ctx);
  if (tries == 0) conn.busy_since = now;
  const weir_time give_up = add(conn.busy_since, conn.busy_timeout_ns);
  const weir_time until = std::min({add(now, pause_before_try(tries)), give_up, conn.deadline});
  while (now < until) {
    host.wait(host.ctx, conn.tag, -1, 0, until);
    if (conn.gate->aborted() || conn.gate->cancelled()) return 0;
    now = host.now(host.ctx);  // a wait may end without cause
  }
  if (now >= conn.deadline) conn.deadline_met = true;
  return now < give_up && now < conn.deadline ? 1 : 0;
}

// Non-zero: stop, the statement ends with SQLITE_INTERRUPT.
int on_progress(void* context) noexcept {
  Conn& conn = *static_cast<Conn*>(context);
  if (conn.gate->aborted() || conn.gate->cancelled()) return 1;
  if (conn.deadline == WEIR_NO_DEADLINE) return 0;
  if (conn.host.now(conn.host.ctx) < conn.deadline) return 0;
  conn.deadline_met = true;
  return 1;
}

// What SQLite names, which may be nothing.
bool is(const char* name, const char* wanted) {
  return name != nullptr && sqlite3_stricmp(name, wanted) == 0;
}

int deny(Conn& conn, const char* why) {
  conn.denied = why;
  return SQLITE_DENY;
}

// Some pragmas act while they are compiled, so what is compiled counts, whether it runs or not.
int see_pragma(Conn& conn, const char* name, const char* argument, const char* schema) {
  if (argument == nullptr) return SQLITE_OK;  // reads
  const Pragma* pragma = find_pragma(name);
  const PragmaScope scope = pragma == nullptr ? PragmaScope::session : pragma->scope;
  if (scope == PragmaScope::process) {
    return deny(conn, "this PRAGMA would change every connection of the process");
  }
  // What is stored in temp ends with the session.
  if (scope == PragmaScope::session || (scope == PragmaScope::data && is(schema, "temp"))) {
    if (conn.rehearsing) {
      conn.pragma_held = true;
      return SQLITE_DENY;
    }
    conn.dirty = true;
    conn.pragmas_touched.add(pragma);
    if (sqlite3_stricmp(name, "busy_timeout") == 0) {
      const std::int64_t ms = std::max(0, std::atoi(argument));
      conn.busy_timeout_ns = ms * 1'000'000;
      conn.busy_handler_gone = true;
    }
  }
  return SQLITE_OK;
}

int see_attach(Conn& conn, const char* file) {
  if (file == nullptr) {
    return deny(conn, "ATTACH needs the file name as a literal, so that the driver can check it");
  }
  if (const char* why = forbidden_file_name(file)) return deny(conn, why);
  conn.seen.attaches = conn.attaches = true;
  conn.dirty = true;
  return SQLITE_OK;
}

// Rows changed by the statement itself; `trigger` names the trigger or view that does it otherwise.
// Where a virtual table is met for the first time, SQLite's writes to the schema are seen, too.
void see_change(Conn& conn, int action, const char* table, const char* schema,
                const char* trigger) {
  if (trigger != nullptr || is(table, "sqlite_master") || is(table, "sqlite_temp_master")) return;
  if (conn.seen.inserts && action == SQLITE_UPDATE && is(table, conn.insert_table.c_str()) &&
      is(schema, conn.insert_schema.c_str())) {
    conn.seen.upserts = true;  // ON CONFLICT DO UPDATE
  }
  if (conn.seen.changes_rows) return;
  conn.seen.changes_rows = true;
  if (action != SQLITE_INSERT) return;
  conn.seen.inserts = true;
  conn.insert_table.assign(table == nullptr ? "" : table);
  conn.insert_schema.assign(schema == nullptr ? "" : schema);
}

int see(Conn& conn, int action, const char* a, const char* b, const char* schema,
        const char* trigger) {
  switch (action) {
    case SQLITE_READ:
    case SQLITE_SELECT:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE:
      see_change(conn, action, a, schema, trigger);
      return SQLITE_OK;
    case SQLITE_PRAGMA:
      return see_pragma(conn, a, b, schema);
    case SQLITE_ATTACH:
      return see_attach(conn, a);
    case SQLITE_TRANSACTION:
      conn.seen.ends_tx = is(a, "ROLLBACK");
      conn.seen.commits = is(a, "COMMIT");
      return SQLITE_OK;
    case SQLITE_SAVEPOINT:
      conn.seen.commits = is(a, "RELEASE");
      return SQLITE_OK;
    default:  // CREATE, DROP, ALTER, DETACH ...: their writes to the schema are no rows
      conn.ddl_seen = true;
      if (action == SQLITE_DETACH || is(schema, "temp")) conn.dirty = true;
      return SQLITE_OK;
  }
}

int on_authorize(void* context, int action, const char* a, const char* b, const char* schema,
                 const char* trigger) noexcept {
  Conn& conn = *static_cast<Conn*>(context);
  if (conn.internal) return SQLITE_OK;
  try {
    return see(conn, action, a, b, schema, trigger);
  } catch (const std::bad_alloc&) {
    return deny(conn, "out of memory in the driver");
  }
}

}  // namespace

void install_busy_handler(Conn& conn) noexcept {
  sqlite3_busy_handler(conn.db, on_busy, &conn);
  conn.busy_handler_gone = false;
}

void install_hooks(Conn& conn) noexcept {
  install_busy_handler(conn);
  sqlite3_progress_handler(conn.db, instructions_between_looks, on_progress, &conn);
  sqlite3_set_authorizer(conn.db, on_authorize, &conn);
}

}  // namespace weir::sqlite
