// SPDX-License-Identifier: MIT
#include "tests/backends/drivers.hpp"

#include "backends/mock/weir_mock.h"
#include "backends/sqlite/weir_sqlite.h"
#if defined(WEIR_TEST_MYSQL)
#include "backends/mysql/weir_mysql.h"
#include "tests/backends/mysql_server.hpp"
#endif
#include "tests/backends/abi_host.hpp"
#include "tests/backends/client.hpp"
#ifdef WEIR_TEST_POSTGRES
#include "backends/postgres/weir_postgres.h"
#include "tests/backends/postgres_server.hpp"
#endif

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>

namespace weir::test {
namespace {

// Never closed, as a host does it.
const weir_driver* load(const std::string& path) {
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", ::dlerror());
    std::abort();
  }
  const auto entry = reinterpret_cast<weir_plugin_entry>(::dlsym(library, "weir_plugin_v1"));
  static FakeHost host;
  Error error;
  const weir_driver* driver = entry(host.abi(), &error);
  if (driver == nullptr) {
    std::fprintf(stderr, "%s\n", error.what().c_str());
    std::abort();
  }
  return driver;
}

std::string in_plugin_dir(const char* file) {
  const char* directory = std::getenv("WEIR_TEST_PLUGIN_DIR");
  return std::string(directory == nullptr ? "." : directory) + "/" + file;
}

Quirks sqlite_quirks() {
  Quirks q;
  q.url = "file:conformance.db";
  q.rows_1000 =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1000) "
      "SELECT i, 'row '||i FROM n";
  q.create = "CREATE TABLE t(x)";
  q.dirty = "CREATE TEMP TABLE private(x)";
  q.endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT sum(i) FROM n";
  q.some_duration = "busy_timeout";
  return q;
}

Quirks mock_quirks() {
  Quirks q;
  q.url = "mock:conformance";
  q.rows_1000 = "ROWS 1000";
  q.dirty = "DIRTY";
  q.endless = "SLEEP 2000000000";
  q.some_duration = "exec_latency";
  return q;
}

Quirks template_quirks() {
  Quirks q;
  q.url = "template:conformance";
  q.select_one = "echo 1";
  q.echo_two = "echo ? ?";
  q.rows_1000 = "list";
  q.create = "fill 1000";
  q.insert = "set 'key' ?";
  q.dirty = "readonly";
  q.endless = "sleep 2000000000";
  q.some_duration = "lock_timeout";
  return q;
}

#ifdef WEIR_TEST_POSTGRES
Quirks postgres_quirks(std::string name, const weir_driver* (*driver)()) {
  Quirks q;
  q.name = std::move(name);
  q.driver = driver;
  q.url = "postgresql://weir@/postgres";  // for what needs no server
  q.missing = &PostgresServer::missing;
  q.server_url = [] { return PostgresServer::shared().url(); };
  q.echo_two = "SELECT $1, $2";
  q.rows_1000 = "SELECT i::bigint, 'row ' || i FROM generate_series(1, 1000) AS n(i)";
  q.create = "CREATE TABLE IF NOT EXISTS t(x bigint)";
  q.insert = "INSERT INTO t VALUES ($1)";
  q.dirty = "CREATE TEMP TABLE IF NOT EXISTS private(x int)";
  q.endless = "SELECT pg_sleep(3600)";
  q.some_duration = "endpoint_timeout";
  q.bad_option_value = "soon";
  q.nul_in_text = false;
  q.error_fails_tx = true;
  return q;
}
#endif

#if defined(WEIR_TEST_MYSQL)
Quirks mysql_quirks() {
  Quirks q;
  q.url = "mysql://nobody@localhost/";  // for what needs no server
  q.missing = [] { return MysqlServer::instance().missing(); };
  q.server_url = [] { return MysqlServer::instance().fresh_database(); };
  q.rows_1000 =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1000) "
      "SELECT i, CONCAT('row ', i) FROM n";
  q.create = "CREATE TABLE IF NOT EXISTS t(x BIGINT)";
  q.dirty = "CREATE OR REPLACE TEMPORARY TABLE private(x INT)";
  q.endless = "SELECT SLEEP(2000000)";
  q.lasting = "SELECT SLEEP(0.02)";
  q.some_duration = "connect_timeout";
  return q;
}
#endif

}  // namespace

const weir_driver* linked_sqlite() { return weir_sqlite_driver(); }
const weir_driver* linked_mock() { return weir_mock_driver(); }
const weir_driver* plugin_sqlite() {
  static const weir_driver* driver = load(in_plugin_dir("weir_sqlite.so"));
  return driver;
}
const weir_driver* plugin_mock() {
  static const weir_driver* driver = load(in_plugin_dir("weir_mock.so"));
  return driver;
}

#ifdef WEIR_TEST_POSTGRES
const weir_driver* linked_postgres() { return weir_postgres_driver(); }
const weir_driver* plugin_postgres() {
  static const weir_driver* driver = load(in_plugin_dir("weir_postgres.so"));
  return driver;
}
#endif

#if defined(WEIR_TEST_MYSQL)
const weir_driver* linked_mysql() { return weir_mysql_driver(); }
const weir_driver* plugin_mysql() {
  static const weir_driver* driver = load(in_plugin_dir("weir_mysql.so"));
  return driver;
}
#endif

const weir_driver* plugin_template() {
  static const weir_driver* driver = load(WEIR_TEMPLATE_PLUGIN);
  return driver;
}

TempDir::~TempDir() {
  std::error_code ignored;  // a test that takes permissions away gives them back itself
  std::filesystem::remove_all(path, ignored);
}

std::vector<Quirks> all_drivers() {
  std::vector<Quirks> all{sqlite_quirks(), sqlite_quirks(), mock_quirks(), mock_quirks(),
                          template_quirks()};
  std::vector<const char*> names = {"sqlite_linked", "sqlite_plugin", "mock_linked", "mock_plugin",
                                    "template_plugin"};
  std::vector<const weir_driver* (*)()> drivers = {&linked_sqlite, &plugin_sqlite, &linked_mock,
                                                   &plugin_mock, &plugin_template};
#if defined(WEIR_TEST_MYSQL)
  for (int i = 0; i < 2; ++i) all.push_back(mysql_quirks());
  names.insert(names.end(), {"mysql_linked", "mysql_plugin"});
  drivers.insert(drivers.end(), {&linked_mysql, &plugin_mysql});
#endif
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].name = names[i];
    all[i].driver = drivers[i];
    all[i].bad_option_value = "soon";
  }
#ifdef WEIR_TEST_POSTGRES
  all.push_back(postgres_quirks("postgres_linked", &linked_postgres));
  all.push_back(postgres_quirks("postgres_plugin", &plugin_postgres));
#endif
  return all;
}

}  // namespace weir::test
