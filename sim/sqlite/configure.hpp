// SPDX-License-Identifier: MIT
//
// configure.hpp: what a process does to SQLite before it simulates: mutexes that know virtual
// threads, no statistics of memory, one time zone; and before each world, a fresh stream of chance.
//
// Called by:  main(), before anything opens a database; then a world at its start.
// Process:    all of it is global, because SQLite's settings are. It reaches the library that this
//             program is linked with: a plugin that carries a SQLite of its own is not simulated,
//             which SqliteVfs::calls() shows.
// Threads:    one at a time. The mutexes exclude nobody: where one virtual thread runs at a time,
//             the one who finds a mutex held was let in by a switch at a place where SQLite allows
//             none. That is a bug of the simulator, and the process ends, naming the mutex.
#pragma once

#include <cstdint>
#include <string>

namespace weir::sim {

// Names the virtual thread that runs.
using CurrentThread = std::uint64_t (*)() noexcept;

// Empty, or why it cannot be done: SQLite was used before. Repeating it replaces `current` only.
[[nodiscard]] std::string configure_sqlite(CurrentThread current);
bool sqlite_is_configured() noexcept;

// Makes SQLite's chance (WAL salts, journal nonces, random()) a function of `seed`. Requires that
// no database is open: SQLite has one stream for the process.
void seed_sqlite(std::uint64_t seed) noexcept;

}  // namespace weir::sim
