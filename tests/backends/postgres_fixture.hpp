// SPDX-License-Identifier: MIT
//
// postgres_fixture.hpp: what the PostgreSQL tests share: the server, a host, one session, and a
// second session that is another program as far as the first can tell.
#pragma once

#include "tests/backends/abi_host.hpp"
#include "tests/backends/client.hpp"
#include "tests/backends/drivers.hpp"
#include "tests/backends/postgres_server.hpp"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::test {

class Postgres : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!PostgresServer::missing().empty()) GTEST_SKIP() << PostgresServer::missing();
    server = &PostgresServer::shared();
  }
  void use(const std::string& url, const Options& options = {}) {
    session.reset();
    source = std::make_unique<Source>(linked_postgres(), host.abi(), url, options);
    if (source->status == WEIR_OK) session = std::make_unique<Session>(*source);
  }
  // A session that works, through the socket.
  Session& open(const std::string& more = "", const Options& options = {}) {
    use(server->url(more), options);
    EXPECT_EQ(WEIR_OK, source->status) << source->error.what();
    EXPECT_EQ(WEIR_OK, session->open()) << session->error.what();
    return *session;
  }
  // Kind, or 0, of an open that a test expects to fail; the text is in `said`.
  weir_status try_open(const std::string& url, const Options& options = {}) {
    use(url, options);
    said = source->error.what();
    if (source->status != WEIR_OK) return source->status;
    session->deadline = host.now + patience;
    const weir_status status = session->open();
    said = session->error.what();
    return status;
  }
  // Runs a statement in a session of its own.
  void admin(const std::string& sql) {
    Source its(linked_postgres(), host.abi(), server->url());
    Session other(its, 99);
    ASSERT_EQ(WEIR_OK, other.open()) << other.error.what();
    ASSERT_EQ(WEIR_OK, other.query(sql)) << sql << ": " << other.error.what();
  }

  // Runs `sql`, or `stmt` if there is one, for the rows of one value each.
  weir_status many(Session& s, std::string_view sql, const Row& rows, weir_stmt* stmt = nullptr) {
    std::vector<weir_cell> cells;
    for (const Value& value : rows) cells.push_back(value.cell());
    weir_many_args args{};
    args.sql = text(sql);
    args.stmt = stmt;
    args.cells = cells.data();
    args.row_count = cells.size();
    args.param_count = 1;
    args.row_stride = 1;
    return many(s, args);
  }
  weir_status many(Session& s, weir_many_args args) {
    args.struct_size = sizeof args;
    done = {};
    done.struct_size = sizeof done;
    const weir_call call = s.call();
    return s.driver->execute_many(s.conn, &call, &args, &done, &s.error);
  }

  PostgresServer* server = nullptr;
  FakeHost host;
  std::unique_ptr<Source> source;
  std::unique_ptr<Session> session;
  std::string said;
  weir_many_out done{};  // of the last many()
  weir_time patience = 60'000'000'000;
};

}  // namespace weir::test
