// SPDX-License-Identifier: MIT
//
// `config show`: the effective configuration, what it hides, and that it can be read back.
#include "core/config/show.hpp"

#include "core/config/redact.hpp"
#include "tests/config/support.hpp"

namespace weir::config {
namespace {

TEST(Show, prints_every_key_with_its_origin) {
  const auto parsed =
      parse_with(in_pool(R"(url = { env = "URL" }
min = 1
init_sql = ["PRAGMA key = 'hunter2'"]
[pool.main.options]
"odd key" = "hunter2"
[drivers]
search = ["/opt/weir"]
[drivers.sqlite]
path = "/opt/weir/sqlite.so"
[admin]
socket = "/run/app.sock"
[pool.main.retry]
attempts = 5)"),
                 {{"URL", "postgres://app:hunter2@db/shop?pool_timeout=0&x=hunter2"}});
  ASSERT_TRUE(parsed) << parsed.error().what();
  EXPECT_EQ(show(*parsed, true), R"(# effective configuration of app.toml
version = 1

[pool.main]
driver = "sqlite"                         # app.toml:3
url = "postgres://app:***@db/shop?x=***"  # env URL (app.toml:4)
min = 1                                   # app.toml:5
max = 10                                  # default
start = "background"                      # default
start_timeout = "10s"                     # default
acquire_timeout = "none"                  # URL parameter pool_timeout (app.toml:4)
create_timeout = "5s"                     # default
create_retry_interval = "200ms"           # default
create_retry_max = "2s"                   # default
propagate_create_error = "fatal"          # default
max_connecting = 2                        # default
quarantine_max = 2                        # default
idle_timeout = "10m"                      # default
reap_interval = "1s"                      # default
max_lifetime = "30m"                      # default
validate_after = "500ms"                  # default
keepalive = "off"                         # default
max_waiting = 1024                        # default
fairness = "bounded"                      # default
fair_after = "5ms"                        # default
hold_warn = "1m"                          # default
drain_timeout = "30s"                     # default
reset = "auto"                            # default
init_sql = ["PRAGMA key ***"]             # app.toml:6
slow_query = "off"                        # default
log = ["info", "warn", "error"]           # default

[pool.main.auto]
instances = 1  # default
reserve = 5    # default

[pool.main.health]
interval = "off"  # default
sql = "SELECT 1"  # default

[pool.main.retry]
attempts = 5                             # app.toml:16
base = "50ms"                            # default
factor = 2                               # default
max = "2s"                               # default
jitter = "full"                          # default
budget = 10                              # default
deposit_percent = 10                     # default
on = ["acquire", "not_sent", "refused"]  # default

[pool.main.options]
"odd key" = "***"  # app.toml:8

[drivers]
search = ["/opt/weir"]     # app.toml:10
allow = []                 # default
allow_env = false          # default
strict_permissions = true  # default

[drivers.sqlite]
path = "/opt/weir/sqlite.so"  # app.toml:12

[admin]
socket = "/run/app.sock"  # app.toml:14
)");
}

TEST(Show, without_origin_it_has_no_comments) {
  const auto parsed = parse_with(in_pool(""));
  ASSERT_TRUE(parsed);
  const std::string text = show(*parsed, false);
  EXPECT_EQ(std::count(text.begin(), text.end(), '#'), 1) << text;  // the first line
}

TEST(Show, an_option_is_shown_if_its_driver_says_so) {
  const auto parsed = parse_with(in_pool("[pool.main.options]\na = \"x\"\nb = \"y\""));
  ASSERT_TRUE(parsed);
  ShowOptions options;
  options.option_is_public = [](const PoolConfig&, std::string_view key) { return key == "a"; };
  const std::string text = show(parsed->config, options);
  EXPECT_NE(text.find("\na = \"x\"\nb = \"***\"\n"), std::string::npos) << text;
}

// What is shown is the configuration: parsing it gives the same, but for the secrets.
TEST(Show, can_be_read_back) {
  const auto parsed = parse_with(in_pool(R"(url = "file:app.db?mode=ro"
min = 2
start = "lazy"
acquire_timeout = "none"
keepalive = "90s"
validate_after = "0s"
propagate_create_error = true
log = []
health = { interval = "30s", sql = "SELECT 1 FROM \"users\"" }
retry = { attempts = 2, jitter = "decorrelated", on = ["unknown", "acquire"] }
[admin]
socket = "a.sock"
[drivers]
allow = ["sqlite"]
[drivers.sqlite]
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")"));
  ASSERT_TRUE(parsed) << parsed.error().what();
  const auto again = parse_with(show(*parsed, true));
  ASSERT_TRUE(again) << again.error().what();
  EXPECT_EQ(again->config.pools, parsed->config.pools);
  EXPECT_EQ(again->config.drivers, parsed->config.drivers);
  EXPECT_EQ(again->config.admin, parsed->config.admin);
}

TEST(RedactUrl, keeps_what_helps_and_hides_the_rest) {
  struct Case {
    const char* url;
    const char* shown;
  };
  constexpr Case cases[] = {
      {"file:app.db?mode=ro&key=s3cret", "file:app.db?mode=ro&key=***"},
      {"sqlite:///abs/app.db", "sqlite:///abs/app.db"},
      {"data/app.db", "data/app.db"},
      {":memory:", ":memory:"},
      {"postgres://app@h:5432/d", "postgres://app@h:5432/d"},
      {"postgres://app:s3cret@h:5432/d", "postgres://app:***@h:5432/d"},
      {"postgres://app:s3/cr?e#t@h/d", "postgres://app:***@h/d"},
      {"postgres://app:s3@cret@h/d", "postgres://app:***@h/d"},
      {"postgres://:s3cret@h/d", "postgres://:***@h/d"},
      {"app:s3cret@h", "app:***@h"},
      {"postgres://h/d?password=s3cret&sslmode=require",
       "postgres://h/d?password=***&sslmode=require"},
      {"postgres://h/d?s3cret", "postgres://h/d?***"},
      {"postgres://h/d#s3cret", "postgres://h/d#***"},
      {"host=h password=s3cret", "***"},
      {"host=db.example.com user=u password=s3@cret", "***"},
      {"postgres://h/d?user=u&password=s3@cret", "postgres://***"},
      {"postgres://h:5432/d?password=s3@cret", "postgres://***"},
      {"postgres://u:s3cret@h/d?password=s3@cret", "postgres://***"},
      {"Server=h;Pwd=s3cret;", "***"},
      {"", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(redact_url(c.url), c.shown) << c.url;
}

TEST(RedactSql, shows_leading_words_only) {
  struct Case {
    const char* sql;
    const char* shown;
  };
  constexpr Case cases[] = {
      {"PRAGMA key = 's3cret'", "PRAGMA key ***"},
      {"PRAGMA key='s3cret'", "PRAGMA ***"},
      {"SET ROLE s3cret", "SET ROLE ***"},
      {"SET x", "SET x"},
      {" BEGIN ", "BEGIN"},
      {"secretword", "***"},
      {"select secretword from t", "select ***"},
      {"PRAGMA optimize;", "PRAGMA optimize ***"},
      {"s3cret", "***"},
      {"'s3cret'", "***"},
      {"", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(redact_sql(c.sql), c.shown) << c.sql;
}

}  // namespace
}  // namespace weir::config
