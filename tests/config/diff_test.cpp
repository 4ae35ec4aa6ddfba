// SPDX-License-Identifier: MIT
//
// What changes between two configurations: exactly the keys that differ, how far each change
// reaches into a running pool, and how it reads.
#include "core/config/diff.hpp"

#include "tests/config/support.hpp"

#include <rapidcheck/gtest.h>

namespace weir::config {
namespace {

// A configuration with a place for every option.
Config one_pool() {
  Config config;
  PoolConfig& pool = config.pools["main"];
  pool.name = "main";
  pool.driver = "sqlite";
  pool.url = Secret("file:app.db");
  config.drivers.pins["sqlite"].path = "/opt/weir/sqlite.so";
  return config;
}

Target target_of(Config& config) {
  Target target = target_in(config.pools["main"]);
  target.drivers = &config.drivers;
  target.pin = &config.drivers.pins["sqlite"];
  target.admin = &config.admin;
  return target;
}

// Another value of the same type, right or not: what is compared need not be checked.
Value other_than(const Option& option, Value value) {
  switch (option.type) {
    case Type::integer:
      ++value.number;
      break;
    case Type::duration:
      value.number = value.number == no_timeout.count() ? 1'000'000 : value.number + 1'000'000;
      break;
    case Type::choice:
      value.number = (value.number + 1) % static_cast<std::int64_t>(option.choices.size());
      break;
    case Type::boolean:
      value.number = 1 - value.number;
      break;
    case Type::text:
      value.text += "/x";
      break;
    case Type::list:
      if (option.choices.empty())
        value.list.emplace_back("select 1");
      else
        value.list.pop_back();
      break;
  }
  return value;
}

void change(const Option& option, Config& config) {
  store(option, other_than(option, load(option, target_of(config))), target_of(config));
}

std::string key_of(const Option& option) {
  if (is_in_pool(option)) return key_in_pool(option);
  const std::string_view table = option.scope == Scope::admin ? "admin."
                                 : option.scope == Scope::pin ? "drivers.sqlite."
                                                              : "drivers.";
  return std::string(table) + std::string(option.name);
}

std::vector<std::string> keys_of(const Diff& diff) {
  std::vector<std::string> keys;
  for (const Change& change : diff.changes) keys.push_back(change.key);
  return keys;
}

std::vector<Change> diff_of(std::string_view before, std::string_view after,
                            const OptionIsPublic& option_is_public = {}) {
  return diff(pool_of(in_pool(before)), pool_of(in_pool(after)), option_is_public);
}

std::string text_of(std::string_view before, std::string_view after,
                    const OptionIsPublic& option_is_public = {}) {
  std::string text;
  for (const Change& change : diff_of(before, after, option_is_public))
    text += to_text(change) + "\n";
  return text;
}

TEST(Diff, of_a_configuration_with_itself_is_empty) {
  const Config config = one_pool();
  EXPECT_EQ(diff(config, config), Diff{});
  EXPECT_TRUE(diff(config, config).empty());
  EXPECT_TRUE(diff(config.pools.at("main"), config.pools.at("main")).empty());
}

TEST(Diff, compares_what_is_in_force_and_not_how_it_was_written) {
  EXPECT_EQ(text_of("hold_warn = \"60s\"\nmax = 10\nurl = \"x:?connection_limit=10\"",
                    "url = \"x:\"\nhold_warn = \"1m\""),
            "");
  EXPECT_EQ(text_of("options = { a = \"1\", b = true }", "options = { b = true, a = 1 }"), "");
  PoolConfig sorted;
  PoolConfig unsorted;
  sorted.options = {{"a", Secret("1")}, {"b", Secret("2")}};
  unsorted.options = {{"b", Secret("2")}, {"a", Secret("1")}};
  EXPECT_TRUE(diff(sorted, unsorted).empty());
}

TEST(Diff, of_one_changed_option_is_that_option_alone) {
  for (const Option& option : options()) {
    if (option.scope == Scope::file) continue;  // a file has one version
    SCOPED_TRACE(option.name);
    const Config before = one_pool();
    Config after = before;
    change(option, after);
    const Diff found = diff(before, after);
    ASSERT_EQ(found.changes.size(), 1u);
    const Change& only = found.changes.front();
    EXPECT_EQ(only.pool, is_in_pool(option) ? "main" : "");
    EXPECT_EQ(only.key, key_of(option));
    EXPECT_EQ(only.reach, option.reach);
    EXPECT_FALSE(only.hidden);
    EXPECT_NE(only.before, only.after);
    EXPECT_TRUE(found.pools_added.empty() && found.pools_removed.empty());

    const Diff back = diff(after, before);
    ASSERT_EQ(back.changes.size(), 1u);
    EXPECT_EQ(back.changes.front().before, only.after);
    EXPECT_EQ(back.changes.front().after, only.before);
  }
}

RC_GTEST_PROP(Diff, of_many_changed_options_is_those_in_the_order_of_the_table, ()) {
  const Config before = one_pool();
  Config after = before;
  std::vector<std::string> changed;
  std::optional<Reach> farthest;
  for (const Option& option : options()) {
    if (option.scope == Scope::file || !*rc::gen::arbitrary<bool>()) continue;
    change(option, after);
    changed.push_back(key_of(option));
    if (!farthest || *farthest < option.reach) farthest = option.reach;
  }
  const Diff found = diff(before, after);
  RC_ASSERT(keys_of(found) == changed);
  RC_ASSERT(farthest_reach(found.changes) == farthest);
  RC_ASSERT(diff(before, after) == found);
}

TEST(Diff, lists_pools_by_name_their_driver_options_after_the_table_and_what_is_in_no_pool_last) {
  const auto before = parse_with(
      "version = 1\n[drivers]\nallow = [\"mock\"]\n"
      "[pool.b]\ndriver = \"mock\"\n[pool.a]\ndriver = \"mock\"\noptions = { y = 1, x = 1 }\n"
      "[pool.gone]\ndriver = \"mock\"");
  const auto after = parse_with(
      "version = 1\n[admin]\nsocket = \"/run/a\"\n[drivers.mock]\npath = \"/opt/mock.so\"\n"
      "[pool.b]\ndriver = \"mock\"\nmax = 3\n"
      "[pool.a]\ndriver = \"mock\"\nlog = []\nmin = 1\noptions = { y = 2, x = 2 }\n"
      "[pool.new]\ndriver = \"mock\"\n[pool.newer]\ndriver = \"mock\"");
  ASSERT_TRUE(before && after);
  const Diff found = diff(before->config, after->config);
  std::string text;
  for (const Change& change : found.changes)
    text += change.pool + " " + to_text(change) + " " + std::string(to_string(change.reach)) + "\n";
  EXPECT_EQ(text, R"(a min: 0 -> 1 size
a log: ["info", "warn", "error"] -> [] live
a options.x: "***" -> the same, but for what is not shown generation
a options.y: "***" -> the same, but for what is not shown generation
b max: 10 -> 3 size
 drivers.allow: ["mock"] -> [] restart
 drivers.mock.path: not set -> "/opt/mock.so" restart
 admin.socket: not set -> "/run/a" restart
)");
  EXPECT_EQ(found.pools_added, (std::vector<std::string>{"new", "newer"}));
  EXPECT_EQ(found.pools_removed, std::vector<std::string>{"gone"});
  EXPECT_FALSE(found.empty());
}

TEST(Diff, shows_of_a_secret_only_that_it_differs) {
  const auto changes =
      diff_of("url = \"mysql://app:hunter2@db/shop\"", "url = \"mysql://app:hunter3@db/shop\"");
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_TRUE(changes.front().hidden);
  EXPECT_EQ(to_text(changes.front()),
            R"(url: "mysql://app:***@db/shop" -> the same, but for what is not shown)");

  EXPECT_EQ(text_of("url = \"mysql://app:hunter2@db/shop\"", "url = \"mysql://app:hunter3@db2/\""),
            "url: \"mysql://app:***@db/shop\" -> \"mysql://app:***@db2/\"\n");
  EXPECT_EQ(text_of("", "url = \"mysql://app:hunter3@db2/\""),
            "url: not set -> \"mysql://app:***@db2/\"\n");
  EXPECT_EQ(
      text_of("init_sql = [\"PRAGMA key = 'hunter2'\"]", "init_sql = [\"PRAGMA key = 'hunter3'\"]"),
      "init_sql: [\"PRAGMA key ***\"] -> the same, but for what is not shown\n");
}

TEST(Diff, shows_a_driver_option_only_if_both_drivers_say_so) {
  constexpr std::string_view before = "options = { gone = 1, mode = \"wal\", \"odd key\" = 1 }";
  constexpr std::string_view after = "options = { mode = \"off\", new = 1, \"odd key\" = 2 }";
  EXPECT_EQ(text_of(before, after), R"(options.gone: "***" -> not set
options.mode: "***" -> the same, but for what is not shown
options.new: not set -> "***"
options."odd key": "***" -> the same, but for what is not shown
)");
  const auto all = [](const PoolConfig&, std::string_view) { return true; };
  EXPECT_EQ(text_of(before, after, all), R"(options.gone: "1" -> not set
options.mode: "wal" -> "off"
options.new: not set -> "1"
options."odd key": "1" -> "2"
)");
  const auto only_wal = [](const PoolConfig& pool, std::string_view key) {
    return key == "mode" && pool.options.front().key == "gone";
  };
  EXPECT_EQ(text_of(before, after, only_wal), text_of(before, after));
}

TEST(Diff, tells_an_empty_driver_option_from_none) {
  const auto all = [](const PoolConfig&, std::string_view) { return true; };
  EXPECT_EQ(text_of("", "options = { a = \"\" }", all), "options.a: not set -> \"\"\n");
}

TEST(Reach, of_several_changes_is_that_of_the_farthest) {
  EXPECT_EQ(farthest_reach({}), std::nullopt);
  EXPECT_EQ(farthest_reach(diff_of("", "log = []")), Reach::live);
  EXPECT_EQ(farthest_reach(diff_of("", "min = 1\nlog = []")), Reach::size);
  EXPECT_EQ(farthest_reach(diff_of("", "min = 1\nlog = []\noptions = { a = 1 }")),
            Reach::generation);
  PoolConfig other = pool_of(in_pool("init_sql = [\"BEGIN\"]"));
  other.driver = "mock";
  EXPECT_EQ(farthest_reach(diff(pool_of(in_pool("")), other)), Reach::restart);
}

}  // namespace
}  // namespace weir::config
