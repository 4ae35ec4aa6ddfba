// SPDX-License-Identifier: MIT
//
// support.hpp: a world for the SQLite that is simulated, as small as it can be: a clock that moves
// when somebody sleeps, one stream of chance, a hash, and hooks at the places where a real world
// would run somebody else. A hook that uses a second connection is a second virtual thread.
#pragma once

#include "core/base/random.hpp"
#include "sim/sqlite/configure.hpp"
#include "sim/sqlite/vfs.hpp"

#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace weir::test {

// The virtual thread that runs, as main.cpp tells SQLite's mutexes.
inline std::uint64_t running_thread = 1;

class FakeEnvironment final : public sim::SqliteEnvironment {
 public:
  explicit FakeEnvironment(std::uint64_t seed = 1) : random_(seed) {}

  Instant now() noexcept override { return clock; }
  void sleep_until(Instant at) noexcept override {
    if (at <= clock) return;
    sleeps.push_back(at - clock);
    clock = at;
    note(static_cast<std::uint64_t>(at.time_since_epoch().count()));
    if (on_sleep) on_sleep();
  }
  std::uint64_t random() noexcept override {
    if (on_random) on_random();
    return random_.next();
  }
  void point(const char* operation) noexcept override {
    ++points;
    last_operation = operation;
    if (!on_point || inside_) return;
    inside_ = true;
    on_point();
    inside_ = false;
  }
  void note(std::uint64_t value) noexcept override {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15U;
    hash ^= hash >> 29;
  }
  std::vector<std::int64_t> sleeps_ms() const {
    std::vector<std::int64_t> ms;
    for (const Duration sleep : sleeps) ms.push_back(sleep.count() / 1'000'000);
    return ms;
  }

  Instant clock{};
  std::uint64_t hash = 0;
  std::uint64_t points = 0;
  std::string_view last_operation;
  std::vector<Duration> sleeps;
  std::function<void()> on_sleep;
  std::function<void()> on_point;  // not from within itself
  std::function<void()> on_random;

 private:
  base::Random random_;
  bool inside_ = false;
};

// A connection of plain SQLite; results are extended codes.
class Db {
 public:
  explicit Db(const char* path = "/app.db") {
    constexpr int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    opened = sqlite3_open_v2(path, &handle_, flags, nullptr);
  }
  ~Db() { EXPECT_EQ(SQLITE_OK, sqlite3_close(handle_)); }
  Db(const Db&) = delete;
  Db& operator=(const Db&) = delete;

  int run(const std::string& sql) {
    return sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  }
  void must(const std::string& sql) {
    EXPECT_EQ(SQLITE_OK, run(sql)) << sql << ": " << sqlite3_errmsg(handle_);
  }
  // The first value, or "error N".
  std::string text(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v2(handle_, sql.c_str(), -1, &statement, nullptr);
    std::string value;
    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
      const unsigned char* bytes = sqlite3_column_text(statement, 0);
      value = bytes == nullptr ? "" : reinterpret_cast<const char*>(bytes);
    }
    if (code == SQLITE_ROW || code == SQLITE_DONE) code = SQLITE_OK;
    if (const int ended = sqlite3_finalize(statement)) code = ended;
    return code == SQLITE_OK ? value : "error " + std::to_string(code);
  }
  std::int64_t number(const std::string& sql) {
    return std::strtoll(text(sql).c_str(), nullptr, 10);
  }
  bool in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }
  sqlite3* handle() const { return handle_; }

  int opened;

 private:
  sqlite3* handle_ = nullptr;
};

// Everything that a test wants in one piece; a second World on `disk` finds the same files.
struct World {
  explicit World(std::uint64_t seed = 1, sim::DiskOptions options = {})
      : environment(seed), disk(seed, options) {
    sim::seed_sqlite(seed);
    vfs.emplace(disk, environment);
  }
  FakeEnvironment environment;
  sim::Disk disk;
  std::optional<sim::SqliteVfs> vfs;
};

constexpr const char* journal_modes[] = {"delete", "wal"};

}  // namespace weir::test
