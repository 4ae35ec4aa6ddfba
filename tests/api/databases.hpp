// SPDX-License-Identifier: MIT
//
// The databases that a test of the public API runs on: SQLite on a file, and a PostgreSQL and a
// MariaDB server of the program's own where they are installed. Drivers are linked in.
#pragma once

#include "backends/sqlite/weir_sqlite.h"
#include "tests/api/made.hpp"
#ifdef WEIR_TEST_POSTGRES
#include "backends/postgres/weir_postgres.h"
#include "tests/backends/postgres_server.hpp"
#endif
#ifdef WEIR_TEST_MYSQL
#include "backends/mysql/weir_mysql.h"
#include "tests/backends/mysql_server.hpp"
#endif

#include <weir/weir.hpp>

#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace weir::test {

struct Database {
  std::string name;
  const weir_driver* (*driver)() noexcept;
  std::string (*missing)();  // what there is no server without; empty if there is one
  std::string (*url)(const std::filesystem::path& directory);
};
inline void PrintTo(const Database& database, std::ostream* out) { *out << database.name; }

inline std::vector<Database> databases() {
  std::vector<Database> all;
  all.push_back({"sqlite", weir_sqlite_driver, [] { return std::string(); },
                 [](const std::filesystem::path& directory) {
                   return "file:" + (directory / "test.db").string();
                 }});
#ifdef WEIR_TEST_POSTGRES
  all.push_back({"postgres", weir_postgres_driver, [] { return PostgresServer::missing(); },
                 [](const std::filesystem::path&) { return PostgresServer::shared().url(""); }});
#endif
#ifdef WEIR_TEST_MYSQL
  all.push_back(
      {"mysql", weir_mysql_driver, [] { return MysqlServer::instance().missing(); },
       [](const std::filesystem::path&) { return MysqlServer::instance().fresh_database(); }});
#endif
  return all;
}

// Those whose sessions are on a server, which can end them.
inline std::vector<Database> servers() {
  std::vector<Database> list = databases();
  std::erase_if(list, [](const Database& one) { return one.name == "sqlite"; });
  return list;
}

// A pool on each of them.
class EachDatabase : public testing::TestWithParam<Database> {
 protected:
  void SetUp() override {
    if (const std::string missing = GetParam().missing(); !missing.empty()) GTEST_SKIP() << missing;
    std::string path = (std::filesystem::temp_directory_path() / "weir-api-XXXXXX").string();
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    directory_ = path;
    auto opened = open("max = 2");
    ASSERT_TRUE(opened) << opened.error().what();
    pools_.emplace(*std::move(opened));
  }
  void TearDown() override {
    pools_.reset();
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  // Of the same database, with these lines about the pool.
  [[nodiscard]] Result<Pools> open(const std::string& settings, Hooks hooks = {}) const {
    return Pools::builder()
        .driver(GetParam().driver())
        .hooks(std::move(hooks))
        .string("version = 1\n[pool.main]\nlog = []\ndriver = \"" + GetParam().name +
                "\"\nurl = \"" + GetParam().url(directory_) + "\"\n" + settings)
        .open();
  }

  [[nodiscard]] bool is(std::string_view name) const { return GetParam().name == name; }
  [[nodiscard]] Pool& db() { return (*pools_)["main"]; }
  void run(Sql sql) {
    const auto done = db().execute(sql);
    ASSERT_TRUE(done) << sql.text() << ": " << done.error().what();
  }
  [[nodiscard]] long long number(Sql sql) { return or_throw(db().query(sql))[0].get<long long>(0); }

 private:
  std::filesystem::path directory_;
  std::optional<Pools> pools_;
};

inline std::string name_of(const testing::TestParamInfo<Database>& info) { return info.param.name; }

}  // namespace weir::test
