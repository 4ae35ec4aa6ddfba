// SPDX-License-Identifier: MIT
//
// What the tests of the public API share: a directory of their own, and the text of a weir.toml
// that loads the SQLite plugin file of this build.
#pragma once

#include <weir/weir.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <gtest/gtest.h>

namespace weir::test {

using namespace std::chrono_literals;

inline std::string env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

class ApiTest : public testing::Test {
 protected:
  // Not in TearDown(): the pools that a test keeps as a member are open until here, and a
  // connection that closes meanwhile deletes SQLite's -wal and -shm from under remove_all().
  ~ApiTest() override {
    std::error_code failed;
    std::filesystem::remove_all(dir, failed);
    EXPECT_FALSE(failed) << dir << ": " << failed.message();
  }
  void SetUp() override {
    ASSERT_NE(env("WEIR_TEST_PLUGIN_DIR"), "") << "run this through meson test";
    const auto base = std::filesystem::temp_directory_path() / "weir-api-XXXXXX";
    std::string path = base.string();
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    dir = path;
  }

  // `pool` is the body of [pool.main]; `more` follows at the end.
  [[nodiscard]] std::string toml(const std::string& pool, const std::string& more = "") const {
    return "version = 1\n[drivers]\nsearch = [\"" + env("WEIR_TEST_PLUGIN_DIR") +
           "\"]\n[pool.main]\ndriver = \"sqlite\"\nlog = []\n" + pool + "\n" + more;
  }
  [[nodiscard]] Result<Pools> open(const std::string& pool, const std::string& more = "") const {
    return Pools::builder().string(toml(pool, more), dir.string()).open();
  }
  // A pool on a fresh file.
  [[nodiscard]] Result<Pools> open_file(const std::string& pool = "") const {
    return open("url = \"test.db\"\n" + pool);
  }

  std::filesystem::path dir;
};

}  // namespace weir::test
