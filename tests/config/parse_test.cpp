// SPDX-License-Identifier: MIT
//
// What a good file means: every key, the units, references, URL parameters, origins.
#include "tests/config/support.hpp"

#include <chrono>

namespace weir::config {
namespace {

using namespace std::chrono_literals;

TEST(Parse, a_short_file_has_all_defaults) {
  PoolConfig expected;
  expected.name = "main";
  expected.driver = "sqlite";
  EXPECT_EQ(pool_of(in_pool("")), expected);
}

constexpr std::string_view everything = R"(
version = 1

[pool.main]
driver = "postgres"
url = "postgres://app@db/shop?application_name=shop"
min = 2
max = 20
start = "eager"
start_timeout = "20s"
acquire_timeout = "1m30s"
create_timeout = "none"
create_retry_interval = "100ms"
create_retry_max = "5s"
propagate_create_error = "any"
max_connecting = 3
idle_timeout = "none"
reap_interval = "250ms"
max_lifetime = "1h"
validate_after = "0s"
keepalive = "2m"
max_waiting = 0
fairness = "strict"
fair_after = "0s"
hold_warn = "none"
drain_timeout = "0s"
reset = "never"
init_sql = ["SET a = 1", "SET b = 2"]
slow_query = "250ms"
log = ["query", "error"]

[pool.main.auto]
instances = 4
reserve = 0

[pool.main.health]
interval = "30s"
sql = "SELECT id FROM users LIMIT 1"

[pool.main.options]
ssl = true
application_name = "shop"
retries = 3

[pool.other]
driver = "sqlite"

[drivers]
search = ["plugins", "/opt/weir"]
allow = ["sqlite", "postgres"]
allow_env = true
strict_permissions = false

[drivers.postgres]
path = "lib/postgres.so"
sha256 = "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"

[admin]
socket = "run/admin.sock"
)";

TEST(Parse, every_key_arrives) {
  const auto parsed = parse_with(everything, {}, "/srv/app");
  ASSERT_TRUE(parsed) << parsed.error().what();
  const Config& config = parsed->config;
  PoolConfig pool;
  pool.name = "main";
  pool.driver = "postgres";
  pool.url = Secret("postgres://app@db/shop?application_name=shop");
  pool.min = 2;
  pool.max = 20;
  pool.start = Start::eager;
  pool.start_timeout = 20s;
  pool.acquire_timeout = 90s;
  pool.create_timeout = no_timeout;
  pool.create_retry_interval = 100ms;
  pool.create_retry_max = 5s;
  pool.propagate_create_error = PropagateCreateError::any;
  pool.max_connecting = 3;
  pool.idle_timeout = no_timeout;
  pool.reap_interval = 250ms;
  pool.max_lifetime = 1h;
  pool.validate_after = 0s;
  pool.keepalive = 2min;
  pool.max_waiting = 0;
  pool.fairness = Fairness::strict;
  pool.fair_after = 0s;
  pool.hold_warn = no_timeout;
  pool.drain_timeout = 0s;
  pool.reset = ResetPolicy::never;
  pool.init_sql = {"SET a = 1", "SET b = 2"};
  pool.slow_query = 250ms;
  pool.log = {true, false, false, true};
  pool.auto_size = {4, 0};
  pool.health = {30s, "SELECT id FROM users LIMIT 1"};
  pool.options = {
      {"application_name", Secret("shop")}, {"retries", Secret("3")}, {"ssl", Secret("true")}};
  EXPECT_EQ(config.pools.at("main"), pool);
  EXPECT_EQ(config.pools.at("other").driver, "sqlite");
  EXPECT_EQ(config.file, "app.toml");
  EXPECT_EQ(config.base_dir, "/srv/app");

  DriversConfig drivers;
  drivers.search = {"/srv/app/plugins", "/opt/weir"};
  drivers.allow = {"sqlite", "postgres"};
  drivers.allow_env = true;
  drivers.strict_permissions = false;
  drivers.pins["postgres"] = {"/srv/app/lib/postgres.so",
                              "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};
  EXPECT_EQ(config.drivers, drivers);
  EXPECT_EQ(config.admin.socket, "/srv/app/run/admin.sock");
  EXPECT_TRUE(validate(pool));
}

TEST(Parse, the_admin_socket_has_to_fit_where_the_system_keeps_it_as_a_whole) {
  const auto with_path = [](std::size_t bytes) {
    return in_pool("[admin]\nsocket = '" + std::string(bytes, 'x') + "'");
  };
  const std::size_t base = std::string_view("/srv/app/").size();
  const auto longest = parse_with(with_path(107 - base), {}, "/srv/app");
  ASSERT_TRUE(longest) << longest.error().what();
  EXPECT_EQ(longest->config.admin.socket.size(), 107U);
  EXPECT_FALSE(parse_with(with_path(108 - base), {}, "/srv/app"));
  EXPECT_TRUE(pool_of(in_pool("")).name == "main" &&
              parse_with(in_pool(""))->config.admin.socket.empty());
}

TEST(Parse, max_may_be_left_to_the_server) {
  const PoolConfig pool =
      pool_of(in_pool("max = 'auto'\nmin = 3\n[pool.main.auto]\ninstances = 4\nreserve = 0"));
  EXPECT_EQ(pool.max, max_auto);
  EXPECT_EQ(pool.auto_size, (AutoSize{4, 0}));
  EXPECT_EQ(pool_of(in_pool("max = { env = 'MAX' }"), {{"MAX", "auto"}}).max, max_auto);
  EXPECT_FALSE(parse_with(in_pool("max = 4294967295")));
  EXPECT_FALSE(parse_with(in_pool("max = { env = 'MAX' }"), {{"MAX", "4294967295"}}));
  EXPECT_FALSE(parse_with(in_pool("url = 'file:a.db?connection_limit=4294967295'")));
}

TEST(Parse, booleans_are_aliases_of_propagate_create_error) {
  const auto value = [](std::string_view text) {
    return pool_of(in_pool("propagate_create_error = " + std::string(text))).propagate_create_error;
  };
  EXPECT_EQ(value("true"), PropagateCreateError::any);
  EXPECT_EQ(value("false"), PropagateCreateError::never);
  EXPECT_EQ(value("\"fatal\""), PropagateCreateError::fatal);
}

TEST(Parse, off_and_an_empty_log) {
  EXPECT_EQ(pool_of(in_pool("keepalive = \"off\"")).keepalive, no_timeout);
  EXPECT_EQ(pool_of(in_pool("log = []")).log, (LogLevels{false, false, false, false}));
}

TEST(References, any_value_may_come_from_the_environment) {
  const PoolConfig pool = pool_of(in_pool(R"(
url = { env = "URL" }
max = { env = "MAX", default = 5 }
min = { env = "MIN", default = 3 }
acquire_timeout = { env = "TIMEOUT" }
keepalive = { env = "KEEPALIVE" }
reset = { env = "RESET" }
propagate_create_error = { env = "PROPAGATE" }
log = { env = "LOG" }
init_sql = ["SET a = 1", { env = "SQL" }]
[pool.main.options]
password = { env = "PASSWORD" })"),
                                  {{"URL", "file:x.db"},
                                   {"MAX", "7"},
                                   {"TIMEOUT", "2s"},
                                   {"KEEPALIVE", "off"},
                                   {"RESET", "always"},
                                   {"PROPAGATE", "true"},
                                   {"LOG", "warn, error"},
                                   {"SQL", "SET b = 1, 2"},
                                   {"PASSWORD", "pw"}});
  EXPECT_EQ(pool.url.reveal(), "file:x.db");
  EXPECT_EQ(pool.max, 7u);
  EXPECT_EQ(pool.min, 3u);
  EXPECT_EQ(pool.acquire_timeout, 2s);
  EXPECT_EQ(pool.keepalive, no_timeout);
  EXPECT_EQ(pool.reset, ResetPolicy::always);
  EXPECT_EQ(pool.propagate_create_error, PropagateCreateError::any);
  EXPECT_EQ(pool.log, (LogLevels{false, false, true, true}));
  EXPECT_EQ(pool.init_sql, (std::vector<std::string>{"SET a = 1", "SET b = 1, 2"}));
  EXPECT_EQ(pool.options.at(0).value.reveal(), "pw");
}

TEST(References, the_drivers_table_takes_them_too) {
  const auto parsed = parse_with(in_pool(R"([drivers]
allow = { env = "ALLOW" }
allow_env = { env = "DEV", default = false }
strict_permissions = { env = "STRICT" })"),
                                 {{"ALLOW", "sqlite,mock"}, {"STRICT", "false"}});
  ASSERT_TRUE(parsed) << parsed.error().what();
  EXPECT_EQ(parsed->config.drivers.allow, (std::vector<std::string>{"sqlite", "mock"}));
  EXPECT_FALSE(parsed->config.drivers.allow_env);
  EXPECT_FALSE(parsed->config.drivers.strict_permissions);
}

TEST(References, an_empty_variable_counts_as_missing) {
  EXPECT_EQ(pool_of(in_pool("max = { env = \"MAX\", default = 5 }"), {{"MAX", ""}}).max, 5u);
}

TEST(References, secret_files_lose_one_line_end) {
  const ScratchDir dir;
  dir.write("a", "pw one\n");
  dir.write("b", "pw two\r\n", 0440);
  dir.write("c", "no end\n\n");
  const auto parsed = parse_with(in_pool(R"([pool.main.options]
a = { file = "a" }
b = { file = "b" }
c = { file = ")" + dir.path("c") + "\" }"),
                                 {}, dir.path());
  ASSERT_TRUE(parsed) << parsed.error().what();
  const auto& options = parsed->config.pools.at("main").options;
  EXPECT_EQ(options.at(0).value.reveal(), "pw one");
  EXPECT_EQ(options.at(1).value.reveal(), "pw two");
  EXPECT_EQ(options.at(2).value.reveal(), "no end\n");
}

TEST(Origins, say_where_each_value_came_from) {
  const auto parsed = parse_with(in_pool("url = { env = \"URL\" }\nmin = 1\n"
                                         "[pool.main.options]\nx = 1"),
                                 {{"URL", "file:a.db?pool_timeout=3"}});
  ASSERT_TRUE(parsed) << parsed.error().what();
  const auto origin = [&](std::string_view key) {
    return describe(parsed->origins, key, "app.toml");
  };
  EXPECT_EQ(origin("pool.main.driver"), "app.toml:3");
  EXPECT_EQ(origin("pool.main.url"), "env URL (app.toml:4)");
  EXPECT_EQ(origin("pool.main.acquire_timeout"), "URL parameter pool_timeout (app.toml:4)");
  EXPECT_EQ(origin("pool.main.min"), "app.toml:5");
  EXPECT_EQ(origin("pool.main.options.x"), "app.toml:7");
  EXPECT_EQ(origin("pool.main.max"), "default");
}

TEST(Url, parameters_of_the_pool_are_understood_and_taken_out) {
  const PoolConfig pool = pool_of(
      in_pool(R"(url = "postgres://u:p%40ss@h/db?connection_limit=20&a=%3F%26&pool_timeout=0&b")"
              "\ncreate_timeout = \"7s\""));
  EXPECT_EQ(pool.max, 20u);
  EXPECT_EQ(pool.acquire_timeout, no_timeout);
  EXPECT_EQ(pool.create_timeout, 7s);
  EXPECT_EQ(pool.url.reveal(), "postgres://u:p%40ss@h/db?a=%3F%26&b");
}

TEST(Url, only_what_is_the_pools_is_taken_out) {
  struct Case {
    const char* url;
    const char* rest;
  };
  constexpr Case cases[] = {
      {"file:app.db?mode=ro&cache=shared", "file:app.db?mode=ro&cache=shared"},
      {"file:app.db?connect_timeout=1", "file:app.db"},
      {"file:app.db?connect_timeout=1#frag", "file:app.db#frag"},
      {"file:app.db?a=1&connect_timeout=1&b=2#f?connect_timeout=9",
       "file:app.db?a=1&b=2#f?connect_timeout=9"},
      {"app.db?connection_limit=3", "app.db"},
      {"app.db?", "app.db?"},
      {"x?&&a", "x?&&a"},
      {"x?connection%5Flimit=4&y", "x?y"},
      {"my_connection_limit=4?", "my_connection_limit=4?"},
      {"x?my_connection_limit=4", "x?my_connection_limit=4"},
      {"host=h password=what?connect_timeout=3&x", "host=h password=what?connect_timeout=3&x"},
      {"mysql://h/d?connect_timeout=2&connect_timeout=2", "mysql://h/d"},
      {"postgres://u:abc==@h/d?connect_timeout=2", "postgres://u:abc==@h/d"},
      {"sqlite:with space.db?connect_timeout=2", "sqlite:with space.db"},
      {"host=h password=a://b?connect_timeout=3", "host=h password=a://b?connect_timeout=3"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(pool_of(in_pool("url = '" + std::string(c.url) + "'")).url.reveal(), c.rest) << c.url;
}

TEST(Url, a_parameter_that_agrees_with_its_key_is_no_conflict) {
  EXPECT_EQ(pool_of(in_pool("url = 'x?connection_limit=4'\nmax = 4")).max, 4u);
}

TEST(Parse, a_byte_order_mark_and_windows_line_ends_do_not_matter) {
  EXPECT_EQ(pool_of("\xef\xbb\xbfversion = 1\r\n[pool.main]\r\ndriver = \"sqlite\"\r\n").driver,
            "sqlite");
  EXPECT_NE(faults_of("\xef\xbb\xbfversion = 2\r\n[pool.main]\r\ndriver = \"a\"\r\n")
                .find("app.toml:1:11\n  |\n1 | version = 2\n  |           ^ "),
            std::string::npos);
}

TEST(Parse, the_public_functions_are_the_same_parser) {
  ::setenv("WEIR_TEST_MAX", "9", 1);
  const auto config = Config::from_string(in_pool("max = { env = \"WEIR_TEST_MAX\" }"));
  ::unsetenv("WEIR_TEST_MAX");
  ASSERT_TRUE(config) << config.error().what();
  EXPECT_EQ(config->pools.at("main").max, 9u);
  EXPECT_EQ(config->file, "<string>");
  EXPECT_EQ(config->base_dir, std::filesystem::current_path().string());
}

}  // namespace
}  // namespace weir::config
