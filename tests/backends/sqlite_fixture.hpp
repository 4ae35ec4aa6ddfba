// SPDX-License-Identifier: MIT
//
// sqlite_fixture.hpp: what the SQLite tests share: a fresh directory, a fake host, one session, and
// a second pair of eyes on the same file that is no part of the driver.
#pragma once

#include "tests/backends/abi_host.hpp"
#include "tests/backends/client.hpp"
#include "tests/backends/drivers.hpp"

#include <fstream>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

namespace weir::test {

// A bare sqlite3 handle: another program, as far as the driver can tell.
class Stranger {
 public:
  explicit Stranger(const std::string& path) {
    EXPECT_EQ(SQLITE_OK, sqlite3_open(path.c_str(), &db_));
  }
  ~Stranger() { sqlite3_close(db_); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  void run(const char* sql) {
    char* message = nullptr;
    EXPECT_EQ(SQLITE_OK, sqlite3_exec(db_, sql, nullptr, nullptr, &message)) << sql << message;
    sqlite3_free(message);
  }
  std::int64_t number(const char* sql) {
    sqlite3_stmt* stmt = nullptr;
    EXPECT_EQ(SQLITE_OK, sqlite3_prepare_v2(db_, sql, -1, &stmt, nullptr)) << sqlite3_errmsg(db_);
    EXPECT_EQ(SQLITE_ROW, sqlite3_step(stmt)) << sqlite3_errmsg(db_);
    const std::int64_t value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
  }

 private:
  sqlite3* db_ = nullptr;
};

class Sqlite : public ::testing::Test {
 protected:
  void use(const std::string& url, const Options& options = {}) {
    session.reset();
    source = std::make_unique<Source>(linked_sqlite(), host.abi(), url, options, dir.path);
    if (source->status == WEIR_OK) session = std::make_unique<Session>(*source);
  }
  // A session that works; "file:a.db" is file("a.db").
  Session& open(const std::string& url = "file:a.db", const Options& options = {}) {
    use(url, options);
    EXPECT_EQ(WEIR_OK, source->status) << source->error.what();
    EXPECT_EQ(WEIR_OK, session->open()) << session->error.what();
    return *session;
  }
  // Kind, or 0, of an open that a test expects to fail; the text is in `said`.
  weir_status try_open(const std::string& url, const Options& options = {}) {
    use(url, options);
    said = source->error.what();
    if (source->status != WEIR_OK) return source->status;
    const weir_status status = session->open();
    said = session->error.what();
    return status;
  }
  std::string file(std::string_view name) const { return dir.file(name); }
  void write_file(std::string_view name, std::string_view bytes) {
    std::ofstream(file(name)) << bytes;
  }

  TempDir dir;
  FakeHost host;
  std::unique_ptr<Source> source;
  std::unique_ptr<Session> session;
  std::string said;
};

// An unprivileged user for the life of this object, so that permissions count also for root.
class Nobody {
 public:
  Nobody() : root_(::geteuid() == 0) { become(65534); }
  ~Nobody() { become(0); }
  Nobody(const Nobody&) = delete;
  Nobody& operator=(const Nobody&) = delete;

 private:
  void become(uid_t user) const {
    const bool done = !root_ || ::setresuid(user, user, 0) == 0;
    EXPECT_TRUE(done);
  }
  bool root_;
};

}  // namespace weir::test
