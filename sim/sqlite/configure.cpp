// SPDX-License-Identifier: MIT
#include "sim/sqlite/configure.hpp"

#include "core/base/assert.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>

#include <sqlite3.h>

// SQLite declares it without members; each program of mutexes completes it.
struct sqlite3_mutex {
  int kind = 0;
  int depth = 0;
  std::uint64_t owner = 0;
};

namespace weir::sim {
namespace {

CurrentThread current_thread = nullptr;

// Of sqlite3.h: 0 and 1 are made on demand, the others exist once.
constexpr int first_static = SQLITE_MUTEX_STATIC_MAIN;
constexpr std::size_t static_count = SQLITE_MUTEX_STATIC_VFS3 - first_static + 1;

const char* kind_name(int kind) {
  constexpr const char* names[] = {"FAST",        "RECURSIVE",   "STATIC_MAIN", "STATIC_MEM",
                                   "STATIC_OPEN", "STATIC_PRNG", "STATIC_LRU",  "STATIC_PMEM",
                                   "STATIC_APP1", "STATIC_APP2", "STATIC_APP3", "STATIC_VFS1",
                                   "STATIC_VFS2", "STATIC_VFS3"};
  return names[kind];
}

[[noreturn]] void entered_while_held(const sqlite3_mutex& mutex, std::uint64_t thread) {
  std::fprintf(stderr,
               "weir: virtual thread %llu entered SQLite's mutex %s, which virtual thread %llu "
               "holds: threads were switched where SQLite allows it not, such as in random() or "
               "now() of the SqliteEnvironment.\nThis is a bug of Weir, please report it.\n",
               static_cast<unsigned long long>(thread), kind_name(mutex.kind),
               static_cast<unsigned long long>(mutex.owner));
  std::abort();
}

struct MutexCalls {
  static int begin() noexcept { return SQLITE_OK; }
  static int end() noexcept { return SQLITE_OK; }

  static sqlite3_mutex* make(int kind) noexcept {
    static std::array<sqlite3_mutex, static_count> statics;
    if (kind < first_static) return new (std::nothrow) sqlite3_mutex{kind, 0, 0};
    sqlite3_mutex& mutex = statics[static_cast<std::size_t>(kind - first_static)];
    mutex.kind = kind;
    return &mutex;
  }
  static void destroy(sqlite3_mutex* mutex) noexcept {
    WEIR_ASSERT(mutex->depth == 0);
    delete mutex;
  }
  static void enter(sqlite3_mutex* mutex) noexcept {
    const std::uint64_t thread = current_thread();
    if (mutex->depth > 0 && mutex->owner != thread) entered_while_held(*mutex, thread);
    mutex->owner = thread;
    ++mutex->depth;
  }
  // "Somebody else has it" is an answer that SQLite allows here.
  static int attempt(sqlite3_mutex* mutex) noexcept {
    if (mutex->depth > 0 && mutex->owner != current_thread()) return SQLITE_BUSY;
    enter(mutex);
    return SQLITE_OK;
  }
  static void leave(sqlite3_mutex* mutex) noexcept {
    WEIR_ASSERT(mutex->depth > 0 && mutex->owner == current_thread());
    --mutex->depth;
  }
  static int held(sqlite3_mutex* mutex) noexcept {
    return mutex->depth > 0 && mutex->owner == current_thread() ? 1 : 0;
  }
  static int not_held(sqlite3_mutex* mutex) noexcept { return held(mutex) == 0 ? 1 : 0; }
};

// The first thing that SQLite refuses, or SQLITE_OK.
int set_options() {
  sqlite3_mutex_methods methods = {MutexCalls::begin,   MutexCalls::end,   MutexCalls::make,
                                   MutexCalls::destroy, MutexCalls::enter, MutexCalls::attempt,
                                   MutexCalls::leave,   MutexCalls::held,  MutexCalls::not_held};
  if (const int code = sqlite3_config(SQLITE_CONFIG_MUTEX, &methods)) return code;
  // With it, SQLite enters a mutex at each allocation: 50 a query in place of one.
  if (const int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0)) return code;
  // A connection's own small allocator: what it gives depends on what came before.
  if (const int code = sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0)) return code;
  return sqlite3_initialize();
}

}  // namespace

std::string configure_sqlite(CurrentThread current) {
  const bool first = current_thread == nullptr;
  current_thread = current;
  if (!first) return "";
  const int code = set_options();
  if (code != SQLITE_OK) {
    current_thread = nullptr;
    if (code != SQLITE_MISUSE) return std::string("SQLite: ") + sqlite3_errstr(code);
    return "SQLite is in use in this process already, so it cannot be prepared for a simulation: "
           "call configure_sqlite() at the top of main(), before any database is opened";
  }
  // datetime(..., 'localtime') asks libc, which asks the machine.
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  return "";
}

bool sqlite_is_configured() noexcept { return current_thread != nullptr; }

void seed_sqlite(std::uint64_t seed) noexcept {
  // SQLite takes 32 bits, and 0 for no seed.
  seed = (seed ^ (seed >> 32)) * 0x9e3779b97f4a7c15U;
  const auto word = static_cast<std::uint32_t>(seed >> 32);
  const int folded = word == 0 ? 1 : static_cast<int>(word);
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, folded, static_cast<sqlite3*>(nullptr));
}

}  // namespace weir::sim
