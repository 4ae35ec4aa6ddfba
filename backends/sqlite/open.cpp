// SPDX-License-Identifier: MIT
//
// open.cpp: from a path to a handle that is proven to work. sqlite3_open_v2 proves little: it takes
// a text file for a database, and a file that it may not write for one that it may.
#include "backends/sqlite/conn.hpp"
#include "backends/sqlite/errors.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace weir::sqlite {
namespace {

constexpr weir_time pause_ns = 2'000'000;

// What there is at a path. Uses stat only: opening and closing the file here would drop the locks
// that SQLite holds on it for other conns of this process.
enum class Found : std::uint8_t { nothing, file, directory, other };

Found look(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return Found::nothing;
  if (S_ISREG(info.st_mode)) return Found::file;
  return S_ISDIR(info.st_mode) ? Found::directory : Found::other;
}

// As the process acts, not as the user who started it.
bool may(const std::string& path, int what) {
  return ::faccessat(AT_FDCWD, path.c_str(), what, AT_EACCESS) == 0;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

weir_status cannot(Conn& conn, weir_error* error, weir_status kind, int code,
                   std::initializer_list<std::string_view> why) {
  std::string text;
  for (std::string_view piece : why) text += piece;
  Facts facts;
  facts.kind = kind;
  facts.stage = conn.stage;
  facts.effect = WEIR_EFFECT_DEFINITE;
  facts.native_code = code;
  return fail(error, facts, {"cannot open '", conn.source.config.path, "': ", text});
}

// SQLITE_CANTOPEN says nothing of the cause, and sqlite3_system_errno may mislead (it says "no such
// file" for a directory that cannot be written), so look at what is there.
weir_status explain_cantopen(Conn& conn, int code, int system_error, weir_error* error) {
  const Config& config = conn.source.config;
  const std::string directory = parent_of(config.path);
  const bool denied = system_error == EACCES || system_error == EPERM;
  switch (look(config.path)) {
    case Found::directory:
      return cannot(conn, error, WEIR_E_CONNECT, code,
                    {"it is a directory: the url must name a file"});
    case Found::file:
    case Found::other:
      if (!may(config.path, R_OK)) {
        return cannot(conn, error, WEIR_E_PERMISSION, code,
                      {"this user may not read the file: change its permissions"});
      }
      break;
    case Found::nothing:
      if (look(directory) == Found::nothing && !denied) {
        return cannot(
            conn, error, WEIR_E_CONNECT, code,
            {"the directory '", directory, "' does not exist: create it, or correct url"});
      }
      if (look(directory) == Found::file) {
        return cannot(conn, error, WEIR_E_CONNECT, code, {"'", directory, "' is not a directory"});
      }
      if (config.mode != Mode::read_write_create) {
        return cannot(conn, error, WEIR_E_CONNECT, code,
                      {"the file does not exist, and only mode = \"rwc\" creates it"});
      }
      return cannot(conn, error,
                    denied || !may(directory, W_OK) ? WEIR_E_PERMISSION : WEIR_E_CONNECT, code,
                    {"the file does not exist and cannot be created in '", directory,
                     "': check the permissions of the directory"});
  }
  return cannot(conn, error, denied ? WEIR_E_PERMISSION : WEIR_E_CONNECT, code,
                {system_error == 0 ? sqlite3_errstr(code) : std::strerror(system_error)});
}

// Any other failure while opening: SQLite's meaning, and where.
weir_status explain(Conn& conn, int code, weir_error* error) {
  const int primary = code & 0xFF;
  if (primary == SQLITE_CANTOPEN) {
    return explain_cantopen(conn, code, sqlite3_system_errno(conn.db), error);
  }
  if (primary == SQLITE_NOTADB) {
    return cannot(conn, error, WEIR_E_PROTOCOL, code,
                  {"the file is not a SQLite database (or it is encrypted): correct url"});
  }
  const std::string context = "cannot open '" + conn.source.config.path + "'";
  return conn.report(error, code, context);
}

std::string immutable_uri(const std::string& path) {
  std::string uri = "file://";  // with no host, or one would be read out of a path like //tmp/a
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      constexpr const char* digits = "0123456789ABCDEF";
      uri += '%';
      uri += digits[static_cast<unsigned char>(c) >> 4U];
      uri += digits[static_cast<unsigned char>(c) & 15U];
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

int open_handle(Conn& conn, bool again) {
  const Config& config = conn.source.config;
  // NOMUTEX: one conn, one caller at a time is the contract already.
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (config.mode == Mode::read_only && !config.memory) {
    flags |= SQLITE_OPEN_READONLY;
  } else {
    flags |= SQLITE_OPEN_READWRITE;
    if (config.memory || (config.mode == Mode::read_write_create && !again)) {
      flags |= SQLITE_OPEN_CREATE;
    }
  }
  // An absolute path is never taken for a uri, whatever is in it.
  if (!config.immutable) return sqlite3_open_v2(config.path.c_str(), &conn.db, flags, nullptr);
  return sqlite3_open_v2(immutable_uri(config.path).c_str(), &conn.db, flags | SQLITE_OPEN_URI,
                         nullptr);
}

// Switching to WAL meets the locks of others with an immediate BUSY: SQLite does not ask the busy
// handler there. So wait here, by the same rules.
int set_journal_mode(Conn& conn, std::string& mode) {
  const std::string& wanted = conn.source.config.journal_mode;
  int code = conn.run("PRAGMA journal_mode", &mode);
  if (code != SQLITE_OK || mode == wanted) return code;
  const std::string sql = "PRAGMA journal_mode=" + wanted;
  const weir_host& host = conn.host;
  const weir_time start = host.now(host.ctx);
  const weir_time give_up =
      start > INT64_MAX - conn.busy_timeout_ns ? INT64_MAX : start + conn.busy_timeout_ns;
  for (;;) {
    code = conn.run(sql.c_str(), &mode);
    const weir_time now = host.now(host.ctx);
    if ((code & 0xFF) != SQLITE_BUSY || now >= std::min(give_up, conn.deadline)) break;
    if (conn.gate->aborted() || conn.gate->cancelled()) break;
    conn.asked_to_wait = true;
    host.wait(host.ctx, conn.tag, -1, 0, std::min({now + pause_ns, give_up, conn.deadline}));
  }
  if ((code & 0xFF) == SQLITE_BUSY && host.now(host.ctx) >= conn.deadline) conn.deadline_met = true;
  return code;
}

weir_status set_up(Conn& conn, weir_error* error) {
  const Config& config = conn.source.config;
  if (conn.opening) conn.stage = WEIR_STAGE_SETUP;
  // The proof that the file is a database: the first statement that reads it.
  if (const int code = conn.run_own(Own::schema_version)) return explain(conn, code, error);
  conn.read_only = sqlite3_db_readonly(conn.db, "main") == 1;
  if (conn.read_only && config.mode != Mode::read_only) {
    return cannot(conn, error, WEIR_E_PERMISSION, SQLITE_READONLY,
                  {"this user may not write the file: change its permissions, or set mode = \"ro\" "
                   "to use it as it is"});
  }
  if (!config.memory && !conn.read_only) {
    std::string mode;
    if (const int code = set_journal_mode(conn, mode)) return explain(conn, code, error);
    if (mode != config.journal_mode) {
      return cannot(conn, error, WEIR_E_CONFIG, 0,
                    {"journal_mode \"", config.journal_mode,
                     "\" is not possible for this file, it stays \"", mode, "\""});
    }
  }
  const std::string synchronous = "PRAGMA synchronous=" + config.synchronous;
  if (const int code = conn.run(synchronous.c_str())) return explain(conn, code, error);
  const char* foreign_keys =
      config.foreign_keys ? "PRAGMA foreign_keys=1" : "PRAGMA foreign_keys=0";
  if (const int code = conn.run(foreign_keys)) return explain(conn, code, error);
  return WEIR_OK;
}

// In memory there is no opening again, so a reset has to put back what was.
int remember_pragmas(Conn& conn) {
  for (const Pragma& pragma : pragmas()) {
    std::string value = pragma.initial == nullptr ? "" : pragma.initial;
    if (pragma.scope == PragmaScope::session && pragma.initial == nullptr) {
      const std::string sql = std::string("PRAGMA ") + pragma.name;
      if (const int code = conn.run(sql.c_str(), &value)) return code;
    }
    conn.pragma_values.push_back(std::move(value));
  }
  return SQLITE_OK;
}

}  // namespace

weir_status connect(Conn& conn, bool again, weir_error* error) {
  if (const int code = open_handle(conn, again)) {
    return conn.db == nullptr ? conn.report(error, SQLITE_NOMEM) : explain(conn, code, error);
  }
  attach_gate(conn);
  conn.busy_timeout_ns = conn.source.config.busy_timeout_ns;
  install_hooks(conn);
  if (const auto bad = set_up(conn, error)) return bad;
  if (conn.source.config.memory && conn.pragma_values.empty()) {
    if (const int code = remember_pragmas(conn)) return explain(conn, code, error);
  }
  conn.changes_at_start = sqlite3_total_changes64(conn.db);
  return WEIR_OK;
}

void attach_gate(Conn& conn) noexcept {
  conn.gate->attach(conn.db, [](void* db) { sqlite3_interrupt(static_cast<sqlite3*>(db)); });
}

bool file_moved(Conn& conn) noexcept {
  int moved = 0;
  if (conn.source.config.memory) return false;
  return sqlite3_file_control(conn.db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
         moved != 0;
}

}  // namespace weir::sqlite
