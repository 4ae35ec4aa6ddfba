// SPDX-License-Identifier: MIT
#include "tests/faults/server.hpp"

#include "tests/backends/drivers.hpp"
#ifdef WEIR_TEST_MYSQL
#include "tests/backends/mysql_server.hpp"
#endif
#ifdef WEIR_TEST_POSTGRES
#include "tests/backends/postgres_server.hpp"
#endif

#include <thread>

namespace weir::test {
namespace {

using namespace std::chrono_literals;

#ifdef WEIR_TEST_POSTGRES
// The other tests do without durability; here a commit has to outlive a crash.
constexpr const char* durable = "synchronous_commit = on\n";

Server postgres() {
  Server s;
  s.name = "postgres";
  s.driver = &linked_postgres;
  s.missing = &PostgresServer::missing;
  s.url = [] {
    static const bool restarted = (PostgresServer::shared().restart(durable), true);
    static_cast<void>(restarted);
    return PostgresServer::shared().url();
  };
  s.restart = [](bool crash) {
    PostgresServer& server = PostgresServer::shared();
    if (!crash) return server.restart(durable);
    server.crash();
    server.start();
  };
  s.allow_sessions = [](int at_most) {
    PostgresServer::shared().restart(durable + ("max_connections = " + std::to_string(at_most)) +
                                     "\nsuperuser_reserved_connections = 0\n");
  };
  s.insert = "INSERT INTO ledger VALUES ($1)";
  s.session_id = "SELECT pg_backend_pid()";
  s.end_session = "SELECT pg_terminate_backend(";
  s.sessions = "SELECT count(*) FROM pg_stat_activity WHERE pid = ";
  s.endless = "SELECT pg_sleep(3600)";
  s.running_endless =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = ";
  return s;
}
#endif

#ifdef WEIR_TEST_MYSQL
Server mysql() {
  Server s;
  s.name = "mysql";
  s.driver = &linked_mysql;
  s.missing = [] { return MysqlServer::instance().missing(); };
  s.url = [] { return MysqlServer::instance().fresh_database(); };
  s.restart = [](bool crash) { MysqlServer::instance().restart(crash); };
  s.allow_sessions = [](int at_most) {
    auto pools = open_pool(linked_mysql(), "mysql", MysqlServer::instance().url(), "max = 1\n");
    const auto set = or_throw(std::move(pools))["main"].execute("SET GLOBAL max_connections = " +
                                                                std::to_string(at_most));
    EXPECT_TRUE(set) << set.error().what();
  };
  s.insert = "INSERT INTO ledger VALUES (?)";
  s.session_id = "SELECT CONNECTION_ID()";
  s.end_session = "KILL (";
  s.sessions = "SELECT COUNT(*) FROM information_schema.processlist WHERE id = ";
  s.endless = "SELECT SLEEP(3600)";
  s.running_endless =
      "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User sleep' AND id = ";
  return s;
}
#endif

std::vector<Server> all() {
  std::vector<Server> list;
#ifdef WEIR_TEST_POSTGRES
  list.push_back(postgres());
#endif
#ifdef WEIR_TEST_MYSQL
  list.push_back(mysql());
#endif
  return list;
}

}  // namespace

const std::vector<Server>& servers() {
  static const std::vector<Server> list = all();
  return list;
}

std::string name_of(const testing::TestParamInfo<Server>& info) { return info.param.name; }

Result<Pools> open_pool(const weir_driver* driver, const std::string& name, const std::string& url,
                        const std::string& keys) {
  return Pools::builder()
      .driver(driver)
      .string("version = 1\n[pool.main]\ndriver = \"" + name + "\"\nurl = \"" + url +
              "\"\nlog = []\n" + keys)
      .open();
}

std::int64_t ask(Pool& db, const std::string& query) {
  const auto rows = db.query(query);
  EXPECT_TRUE(rows) << query << ": " << rows.error().what();
  return rows ? (*rows)[0].get<std::int64_t>(0) : -1;
}

void await(Pool& db, const std::string& query, std::int64_t answer) {
  const Instant end = db.now() + 60s;
  while (ask(db, query) != answer) {
    ASSERT_LT(db.now(), end) << "a minute long no " << answer << " to " << query;
    std::this_thread::yield();
  }
}

}  // namespace weir::test
