// SPDX-License-Identifier: MIT
//
// mysql_fixture.hpp: what the suites of the MySQL driver share: a database of the test's own on the
// program's server, seen through the ABI on the machine's clock, and a second way to the server for
// looking and for doing harm.
#pragma once

#include "backends/mysql/link.hpp"
#include "backends/mysql/weir_mysql.h"
#include "tests/backends/abi_host.hpp"
#include "tests/backends/client.hpp"
#include "tests/backends/mysql_server.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <gmock/gmock.h>

namespace weir::test {

class Mysql : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!server().missing().empty()) GTEST_SKIP() << server().missing();
    url = server().fresh_database();
    source.emplace(weir_mysql_driver(), host.abi(), url);
    ASSERT_EQ(WEIR_OK, source->status) << source->error.what();
    session = std::make_unique<Session>(*source, 1);
    ASSERT_EQ(WEIR_OK, session->open()) << session->error.what();
  }
  void TearDown() override {
    other_.reset();
    session.reset();
    source.reset();
  }

  static MysqlServer& server() { return MysqlServer::instance(); }

  void run(std::string_view sql, const Row& params = {}) {
    ASSERT_EQ(WEIR_OK, session->query(sql, params)) << sql << ": " << session->error.what();
  }
  // What the server says, over a connection beside the driver's.
  std::string observe(const std::string& query) { return mysql::ask(other(), query.c_str()); }
  void interfere(const std::string& statement) { mysql::tell(other(), statement.c_str()); }
  std::uint64_t backend_id() const {
    weir_conn_state state{};
    state.struct_size = sizeof state;
    session->driver->state(session->conn, &state);
    return state.backend_id;
  }
  std::string database() const {
    const std::size_t end = url.find('?');
    const std::size_t slash = url.rfind('/', end);
    return url.substr(slash + 1, end - slash - 1);
  }
  // Until the server answers so. Ends the program after a minute: who waits for that would hang.
  void await(const std::string& query, const std::string& answer) {
    const weir_time end = RealHost::now() + 60'000'000'000;
    while (observe(query) != answer) {
      if (RealHost::now() > end) {
        std::fprintf(stderr, "a minute long no '%s' to %s\n", answer.c_str(), query.c_str());
        std::abort();
      }
      std::this_thread::yield();
    }
  }
  // Until the server shows the session at work with `part` in its statement.
  void await_running(std::uint64_t id, const std::string& part) {
    await(sessions_with(id) + " AND info LIKE '%" + part + "%'", "1");
  }
  bool session_lives(std::uint64_t id) { return observe(sessions_with(id)) == "1"; }
  void await_end_of_session(std::uint64_t id) { await(sessions_with(id), "0"); }
  static std::string sessions_with(std::uint64_t id) {
    return "SELECT COUNT(*) FROM information_schema.processlist WHERE id=" + std::to_string(id);
  }

  RealHost host;
  std::string url;
  std::optional<Source> source;
  std::unique_ptr<Session> session;

 private:
  sql::Connection& other() {
    if (other_ == nullptr) {
      mysql::Config config;
      config.socket = server().socket();
      config.user = MysqlServer::user;
      config.password = MysqlServer::password;
      config.database = database();
      other_ = mysql::dial(config, std::chrono::seconds(60), std::chrono::seconds(600));
    }
    return *other_;
  }
  std::unique_ptr<sql::Connection> other_;
};

}  // namespace weir::test
