// SPDX-License-Identifier: MIT
//
// The option table against weir/config.hpp, and the rules as validate() tells them.
#include "core/config/rules.hpp"

#include "core/config/option_table.hpp"
#include "tests/config/support.hpp"

#include <chrono>
#include <set>

namespace weir::config {
namespace {

using namespace std::chrono_literals;

TEST(OptionTable, holds_every_key_once_with_words_for_people) {
  std::set<std::pair<Scope, std::string_view>> names;
  for (const Option& option : options()) {
    SCOPED_TRACE(option.name);
    EXPECT_TRUE(names.insert({option.scope, option.name}).second);
    EXPECT_FALSE(option.summary.empty());
    EXPECT_FALSE(option.summary.ends_with('.'));
    EXPECT_LE(option.summary.size(), 70u);
    EXPECT_TRUE(option.doc.ends_with('.'));
    EXPECT_EQ(find_option(option.scope, option.name), &option);
  }
}

TEST(OptionTable, defaults_of_the_headers_are_within_its_ranges) {
  for (const Option& option : options()) {
    if (option.required) continue;
    const auto finding = check_value(option, default_of(option));
    EXPECT_FALSE(finding) << option.name << ": " << (finding ? finding->message : "");
  }
  PoolConfig pool;
  pool.name = "main";
  pool.driver = "sqlite";
  EXPECT_TRUE(validate(pool));
}

// A member of PoolConfig that the table forgets would silently stay at its default.
TEST(OptionTable, covers_every_member_of_pool_config) {
  // Structured bindings name all members; a new one breaks this line and reminds of the table.
  const auto& [name, driver, url, min, max, start, start_timeout, acquire_timeout, create_timeout,
               create_retry_interval, create_retry_max, propagate_create_error, max_connecting,
               quarantine_max, idle_timeout, reap_interval, max_lifetime, validate_after, keepalive,
               max_waiting, fairness, fair_after, hold_warn, drain_timeout, reset, init_sql,
               slow_query, log, auto_size, health, retry, pool_options] = PoolConfig{};
  (void)name, (void)driver, (void)url, (void)min, (void)max, (void)start, (void)start_timeout,
      (void)acquire_timeout, (void)create_timeout, (void)create_retry_interval,
      (void)create_retry_max, (void)propagate_create_error, (void)max_connecting,
      (void)quarantine_max, (void)idle_timeout, (void)reap_interval, (void)max_lifetime,
      (void)validate_after, (void)keepalive, (void)max_waiting, (void)fairness, (void)fair_after,
      (void)hold_warn, (void)drain_timeout, (void)reset, (void)init_sql, (void)slow_query,
      (void)log, (void)auto_size, (void)health, (void)retry, (void)pool_options;
  // All but the name and the tables below it.
  EXPECT_EQ(option_names(Scope::pool).size(), 27u);
}

TEST(OptionTable, covers_every_member_of_auto_size) {
  const auto& [instances, reserve] = AutoSize{};
  (void)instances, (void)reserve;
  EXPECT_EQ(option_names(Scope::auto_size).size(), 2u);
}

TEST(OptionTable, covers_every_member_of_health_config) {
  const auto& [interval, sql] = HealthConfig{};
  (void)interval, (void)sql;
  EXPECT_EQ(option_names(Scope::health).size(), 2u);
}

TEST(OptionTable, covers_every_member_of_retry_policy) {
  const auto& [attempts, base, factor, max, jitter, on, budget, deposit_percent] = RetryPolicy{};
  (void)attempts, (void)base, (void)factor, (void)max, (void)jitter, (void)on, (void)budget,
      (void)deposit_percent;
  EXPECT_EQ(option_names(Scope::retry).size(), 8u);
}

// What stands in the table and what the library calls it must not part.
TEST(OptionTable, names_the_classes_of_a_retry_as_the_library_does) {
  const Option& on = *find_option(Scope::retry, "on");
  RetryPolicy policy;
  for (const RetryClass one : {RetryClass::acquire, RetryClass::not_sent, RetryClass::refused,
                               RetryClass::conflict, RetryClass::unknown}) {
    store(on, Value{0, {}, {std::string(to_string(one))}}, {.retry = &policy});
    for (const RetryClass other : {RetryClass::acquire, RetryClass::not_sent, RetryClass::refused,
                                   RetryClass::conflict, RetryClass::unknown})
      EXPECT_EQ(policy.on.has(other), other == one) << to_string(one);
  }
}

TEST(OptionTable, stores_and_loads_each_value_unchanged) {
  for (const Option& option : options()) {
    if (option.scope == Scope::file) continue;
    SCOPED_TRACE(option.name);
    PoolConfig pool;
    DriversConfig drivers;
    DriverPin pin;
    AdminConfig admin;
    Target target = target_in(pool);
    target.drivers = &drivers;
    target.pin = &pin;
    target.admin = &admin;
    Value value = load(option, target);
    switch (option.type) {
      case Type::integer:
      case Type::duration:
        value.number = option.most;
        break;
      case Type::choice:
        value.number = static_cast<std::int64_t>(option.choices.size()) - 1;
        break;
      case Type::boolean:
        value.number = 1 - value.number;
        break;
      case Type::text:
        value.text = "text";
        break;
      case Type::list:
        value.list = {option.choices.empty() ? "one" : std::string(option.choices.back())};
        break;
    }
    store(option, value, target);
    EXPECT_EQ(load(option, target), value);
  }
}

TEST(OptionTable, choices_are_in_the_order_of_the_enumerators) {
  const auto written = [](std::string_view name, std::int64_t number) {
    return to_toml(*find_option(Scope::pool, name), Value{number, {}, {}});
  };
  EXPECT_EQ(written("start", static_cast<int>(Start::eager)), "\"eager\"");
  EXPECT_EQ(written("start", static_cast<int>(Start::lazy)), "\"lazy\"");
  EXPECT_EQ(written("fairness", static_cast<int>(Fairness::strict)), "\"strict\"");
  EXPECT_EQ(written("reset", static_cast<int>(ResetPolicy::automatic)), "\"auto\"");
  EXPECT_EQ(written("reset", static_cast<int>(ResetPolicy::never)), "\"never\"");
  EXPECT_EQ(written("propagate_create_error", static_cast<int>(PropagateCreateError::never)),
            "\"never\"");
  EXPECT_EQ(written("propagate_create_error", static_cast<int>(PropagateCreateError::any)),
            "\"any\"");
}

PoolConfig good() {
  PoolConfig pool;
  pool.name = "main";
  pool.driver = "sqlite";
  return pool;
}

TEST(Validate, tells_each_rule) {
  struct Case {
    const char* message;
    Code code;
    void (*change)(PoolConfig&);
  };
  const Case cases[] = {
      {"pool main: `max` must be from 1 to 10000, not 0 (a pool without connections cannot serve "
       "anybody)",
       Code::config_value, [](PoolConfig& p) { p.max = 0; }},
      {"pool main: `max` must be from 1 to 10000, not 4000000000 (databases are fastest with far "
       "fewer; add PgBouncer or the like for more clients)",
       Code::config_value, [](PoolConfig& p) { p.max = 4'000'000'000; }},
      {"pool main: `min` is 11, but `max` is 10 (raise `max` or lower `min`)",
       Code::config_conflict, [](PoolConfig& p) { p.min = 11; }},
      {"pool main: `max_connecting` must be from 1 to 10000, not 0", Code::config_value,
       [](PoolConfig& p) { p.max_connecting = 0; }},
      {"pool main: `idle_timeout` cannot be zero, not \"0s\" (write \"none\" to turn it off)",
       Code::config_value, [](PoolConfig& p) { p.idle_timeout = 0s; }},
      {"pool main: `keepalive` cannot be zero, not \"0s\" (write \"off\" to turn it off)",
       Code::config_value, [](PoolConfig& p) { p.keepalive = 0s; }},
      {"pool main: `acquire_timeout` cannot be negative", Code::config_value,
       [](PoolConfig& p) { p.acquire_timeout = -1s; }},
      {"pool main: `acquire_timeout` must be from 1ms to 24h, not \"48h\" (write \"none\" for no "
       "limit)",
       Code::config_value, [](PoolConfig& p) { p.acquire_timeout = 48h; }},
      {"pool main: `reap_interval` cannot be turned off (write \"1ms\" to \"1h\")",
       Code::config_value, [](PoolConfig& p) { p.reap_interval = no_timeout; }},
      {"pool main: `create_retry_interval` is 3s, but `create_retry_max` is 2s (the first pause "
       "cannot be longer than the longest)",
       Code::config_conflict, [](PoolConfig& p) { p.create_retry_interval = 3s; }},
      {"pool main: `keepalive` is 1h, but `max_lifetime` is 30m (no connection would live to see a "
       "keepalive)",
       Code::config_conflict, [](PoolConfig& p) { p.keepalive = 1h; }},
      {"pool main: an eager start waits for `min` connections, but `min` is 0 (set `min` to 1 or "
       "more, or write start = \"background\")",
       Code::config_conflict, [](PoolConfig& p) { p.start = Start::eager; }},
      {"pool main: `retry.base` is 3s, but `retry.max` is 2s (the first pause cannot be longer "
       "than "
       "the longest)",
       Code::config_conflict, [](PoolConfig& p) { p.retry.base = 3s; }},
      {"pool main: `retry.attempts` must be from 1 to 100, not 0", Code::config_value,
       [](PoolConfig& p) { p.retry.attempts = 0; }},
      {"pool main: `retry.max` must be from 1ms to 1h, not \"2h\"", Code::config_value,
       [](PoolConfig& p) { p.retry.max = 2h; }},
      {"pool main: `start` must be \"background\", \"eager\" or \"lazy\"", Code::config_value,
       [](PoolConfig& p) { p.start = static_cast<Start>(9); }},
      {"pool main: `driver` is missing (name an installed driver, for example \"sqlite\")",
       Code::config_missing, [](PoolConfig& p) { p.driver.clear(); }},
      {"pool main: `init_sql` has an empty element", Code::config_value,
       [](PoolConfig& p) {
         p.init_sql = {"select 1", " "};
       }},
      {"pool main: `url` contains a NUL character", Code::config_value,
       [](PoolConfig& p) { p.url = Secret(std::string("a\0b", 3)); }},
      {"pool a b: `name` cannot be the name of a pool (a pool's name has letters, digits, _ and -, "
       "starts with a letter or digit, and is at most 64 characters long)",
       Code::config_value, [](PoolConfig& p) { p.name = "a b"; }},
  };
  for (const Case& c : cases) {
    PoolConfig pool = good();
    c.change(pool);
    const auto valid = validate(pool);
    ASSERT_FALSE(valid) << c.message;
    EXPECT_EQ(valid.error().message(), c.message);
    EXPECT_EQ(valid.error().code(), c.code);
  }
}

TEST(Validate, tells_all_faults_at_once_and_no_echo_of_them) {
  PoolConfig pool = good();
  pool.max = 0;
  pool.min = 5;  // above max, but max is the fault
  pool.idle_timeout = 0s;
  const auto valid = validate(pool);
  ASSERT_FALSE(valid);
  EXPECT_EQ(valid.error().code(), Code::config_many);
  const std::string& message = valid.error().message();
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 1) << message;
}

TEST(Validate, a_policy_without_a_pool) {
  EXPECT_TRUE(validate(RetryPolicy{}));
  const auto wrong = validate(RetryPolicy{.attempts = 0, .factor = 11});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code(), Code::config_many);
  EXPECT_EQ(wrong.error().message(),
            "retry policy: `retry.attempts` must be from 1 to 100, not 0\n"
            "retry policy: `retry.factor` must be from 1 to 10, not 11");
  // The maximum is what is wrong; that the base is above it says nothing more.
  const auto once = validate(RetryPolicy{.max = Duration{}});
  ASSERT_FALSE(once);
  EXPECT_EQ(once.error().message(),
            "retry policy: `retry.max` cannot be zero, not \"0s\" (the least is 1ms)");
}

TEST(Validate, names) {
  EXPECT_TRUE(is_driver_name("sqlite"));
  EXPECT_TRUE(is_driver_name("0_a-b"));
  EXPECT_TRUE(is_driver_name(std::string(64, 'a')));
  EXPECT_FALSE(is_driver_name(std::string(65, 'a')));
  EXPECT_FALSE(is_driver_name(""));
  EXPECT_FALSE(is_driver_name("_a"));
  EXPECT_FALSE(is_driver_name("Sqlite"));
  EXPECT_FALSE(is_driver_name("../x"));
  EXPECT_TRUE(is_pool_name("Main-2"));
  EXPECT_FALSE(is_pool_name("a.b"));
  EXPECT_FALSE(is_pool_name(std::string_view("a\0", 2)));
}

}  // namespace
}  // namespace weir::config
