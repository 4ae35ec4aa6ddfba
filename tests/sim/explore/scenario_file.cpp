// SPDX-License-Identifier: MIT
//
// Scenario files: they mean what they say, what is wrong in one is said at once and where, and
// docs/scenario.md has the keys that there are. scenario_round_trip.cpp holds what is written to
// what is read.
#include "sim/explore/scenario_file.hpp"

#include "sim/explore/scenario_keys.hpp"
#include "tests/config/support.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using config::ScratchDir;
using namespace std::chrono_literals;

Scenario good(std::string_view text) {
  auto read = scenario_from_string(text, "case.toml");
  if (!read) {
    ADD_FAILURE() << read.error().what();
    return {};
  }
  return *std::move(read);
}

// The diagnostics without the frame around them: neither "cannot be used" nor the count.
std::string faults_of(std::string_view text) {
  const auto read = scenario_from_string(text, "case.toml");
  if (read) return "accepted";
  EXPECT_EQ(read.error().exit_code(), 65);
  const std::string& message = read.error().message();
  const std::size_t first = message.find("\n\n") + 2;
  const std::size_t last = message.rfind("\n\n") + 1;
  return first < last ? message.substr(first, last - first) : message;
}

std::string after_format(std::string_view lines) { return "format = 1\n" + std::string(lines); }

void expect_fault(std::string_view lines, std::string_view words) {
  const std::string faults = faults_of(after_format(lines));
  EXPECT_NE(faults.find(words), std::string::npos) << lines << "\n" << faults;
}

// ---- reading

constexpr std::string_view full = R"toml(# A restart under load.
format = 1
name = "restart"
seed = "0xffffffffffffffff"
duration = "20s"
mode = "adversarial"
steps_max = 1000

[pool]
name = "orders"
max = 2
acquire_timeout = "1s"

[server]
network = "uniform(1ms,5ms)"
statement = "lognormal(2ms,0.5)"
cores = 4
sigma = 0.05
kappa = 0.000001
max_connections = 3
idle_timeout = "5s"
loose_cancels = true

[[client]]
number = 7
count = 3
loop = "open"
every = "exp(10ms)"
from = "1s"
to = "19s"
sql = ["SELECT 1", "PUT k v"]
transaction = true
retry = true
hold = "3ms"
timeout = "none"
within = "700ms"
waits = "event_loop"
gives_up = "8ms"
nested = 1
leak = 0.01

[[client]]
rounds = 2
together = 2

[[fault]]
what = "slow"
at = "2s"
for = "500ms"
target = 12
probability = 0.25
amount = 300

[[fault]]
what = "slow_close"
at = "3s"
amount = "40ms"

[[action]]
what = "resize"
at = "4s"
min = 1
max = 3

[schedule]
deviations = ["3.17p5", "1.2s1"]

[expect]
property = "S3"
trace_hash = "0xfedcba9876543210"
build = "0.1.0"
story = "A lease is lent twice."
)toml";

Distribution distribution(std::string_view text) { return *Distribution::parse(text); }

Scenario what_full_says() {
  Scenario s;
  s.name = "restart";
  s.seed = UINT64_MAX;
  s.duration = 20s;
  s.mode = Mode::adversarial;
  s.steps_max = 1000;
  s.pool.name = "orders";
  s.pool.driver = "mock";
  s.pool.url = Secret("mock:orders");
  s.pool.max = 2;
  s.pool.acquire_timeout = 1s;
  s.server.network = distribution("uniform(1ms,5ms)");
  s.server.statement = distribution("lognormal(2ms,0.5)");
  s.server.capacity = {4, 50'000, 1};
  s.server.max_connections = 3;
  s.server.idle_timeout_ns = 5'000'000'000;
  s.server.loose_cancels = true;
  ClientGroup client;
  client.number = 7;
  client.count = 3;
  client.loop = ClientGroup::Loop::open;
  client.every = distribution("exp(10ms)");
  client.from = 1s;
  client.to = 19s;
  client.sql = {"SELECT 1", "PUT k v"};
  client.transaction = client.retry = true;
  client.hold = Distribution::constant(3'000'000);
  client.timeout = no_timeout;
  client.within = 700ms;
  client.waits = ClientGroup::Waits::event_loop;
  client.gives_up = 8ms;
  client.nested = 1;
  client.leak_ppm = 10'000;
  s.clients = {client, {}};
  s.clients[1].number = 8;
  s.clients[1].rounds = 2;
  s.clients[1].together = 2;
  s.server.faults = {
      {FaultKind::slow, 12, 2'000'000'000, 2'500'000'000, 250'000, 300},
      {FaultKind::slow_close, 0, 3'000'000'000, WEIR_NO_DEADLINE, 1'000'000, 40'000'000}};
  s.actions = {{Action::What::resize, 4s, 1, 3, 1s}};
  s.schedule.kind = ScheduleSpec::Kind::replay;
  s.schedule.deviations = {{3, 17, Question::preempt, 5}, {1, 2, Question::spurious, 1}};
  s.expected = {"S3", 0xfedcba9876543210, "0.1.0", "A lease is lent twice."};
  return s;
}

TEST(ScenarioFile, means_what_it_says) { EXPECT_EQ(good(full), what_full_says()); }

TEST(ScenarioFile, needs_no_more_than_its_format) {
  Scenario defaults;
  defaults.pool.name = "main";
  defaults.pool.driver = "mock";
  defaults.pool.url = Secret("mock:main");
  EXPECT_EQ(good("format = 1\n"), defaults);
  EXPECT_EQ(to_toml(defaults), "format = 1\nseed = 1\nduration = \"10s\"\n");
}

TEST(ScenarioFile, tells_its_story_first) {
  Scenario s = what_full_says();
  s.expected.story = "one\nline";
  EXPECT_EQ(to_toml(s).substr(0, 22), "# one line\nformat = 1\n");
}

TEST(ScenarioFile, is_called_by_its_name_on_disk_if_it_has_no_other) {
  const ScratchDir dir;
  const auto read = read_scenario(dir.write("fail-7f3a.toml", "format = 1\n"));
  ASSERT_TRUE(read) << read.error().what();
  EXPECT_EQ(read->name, "fail-7f3a");
  const auto none = read_scenario(dir.path("none.toml"));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::config_unreadable);
}

// ---- the pool

TEST(ScenarioPool, is_that_of_a_weir_toml_with_the_mock_in_place_of_its_database) {
  const ScratchDir dir;
  dir.write("weir.toml",
            "version = 1\n[pool.orders]\ndriver = \"postgres\"\n"
            "url = \"postgres://u:secret@host/db?connection_limit=7&sslmode=require\"\n"
            "max_lifetime = \"1h\"\nmin = 2\n[pool.orders.options]\napplication_name = \"x\"\n"
            "[pool.orders.retry]\nattempts = 5\nfactor = 3\n"
            "[pool.other]\ndriver = \"postgres\"\nurl = { env = \"WEIR_TEST_UNSET\" }\n");
  const auto read = read_scenario(
      dir.write("s.toml",
                "format = 1\npool_file = \"weir.toml\"\n[pool]\nname = \"orders\"\nmin = 3\n"
                "[pool.retry]\nattempts = 4\n"));
  ASSERT_TRUE(read) << read.error().what();
  PoolConfig expected;
  expected.name = "orders";
  expected.driver = "mock";
  expected.url = Secret("mock:orders");
  expected.max_lifetime = 1h;
  expected.min = 3;
  expected.max = 7;
  expected.retry.attempts = 4;
  expected.retry.factor = 3;
  EXPECT_EQ(read->pool, expected);
  EXPECT_EQ(read->pool_file, "weir.toml");
  EXPECT_EQ(good(to_toml(*read)).pool, expected);
}

TEST(ScenarioPool, keeps_a_database_that_runs_inside) {
  const ScratchDir dir;
  dir.write("weir.toml",
            "version = 1\n[pool.main]\ndriver = \"sqlite\"\nurl = \"file:app.db\"\n"
            "[pool.main.options]\njournal_mode = \"wal\"\n");
  const std::string head = "format = 1\npool_file = \"weir.toml\"\n";
  const auto mock = read_scenario(dir.write("a.toml", head));
  const auto real = read_scenario(dir.write("b.toml", head + "[pool]\ndriver = \"sqlite\"\n"));
  ASSERT_TRUE(mock && real);
  EXPECT_EQ(mock->pool.driver, "mock");
  EXPECT_TRUE(mock->pool.options.empty());
  EXPECT_EQ(real->pool.driver, "sqlite");
  EXPECT_EQ(real->pool.url, Secret("file:app.db"));
  EXPECT_EQ(real->pool.options.size(), 1U);
}

TEST(ScenarioPool, shows_the_faults_of_its_file_with_their_lines) {
  const ScratchDir dir;
  dir.write("weir.toml", "version = 1\n[pool.main]\ndriver = \"postgres\"\nmaxx = 3\n");
  const auto faulty = read_scenario(dir.write("a.toml", "format = 1\npool_file = \"weir.toml\"\n"));
  ASSERT_FALSE(faulty);
  EXPECT_NE(faulty.error().message().find("weir.toml:4:1"), std::string::npos)
      << faulty.error().message();
  EXPECT_NE(faulty.error().message().find("did you mean `max`?"), std::string::npos);
  const auto unnamed = read_scenario(
      dir.write("b.toml", "format = 1\npool_file = \"weir.toml\"\n[pool]\nname = \"mian\"\n"));
  ASSERT_FALSE(unnamed);
  EXPECT_NE(unnamed.error().message().find("did you mean name = \"main\"?"), std::string::npos)
      << unnamed.error().message();
  const auto missing =
      read_scenario(dir.write("c.toml", "format = 1\npool_file = \"weird.toml\"\n"));
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().message().find("weird.toml does not exist"), std::string::npos);
}

TEST(ScenarioPool, is_checked_as_in_a_weir_toml) {
  EXPECT_EQ(faults_of("format = 1\n[pool]\nmin = 3\nmax = 2\nacquire_timout = \"1s\"\n"),
            R"toml(error[W107]: [pool]: `min` is 3, but `max` is 2
 --> case.toml:3:7
  |
3 | min = 3
  |       ^ raise `max` or lower `min`
  = `max` is set in line 4

error[W103]: unknown key `acquire_timout` in [pool]
 --> case.toml:5:1
  |
5 | acquire_timout = "1s"
  | ^^^^^^^^^^^^^^ did you mean `acquire_timeout`?
)toml");
  expect_fault("[pool]\ndriver = \"sqlit\"\n", "did you mean \"sqlite\"?");
  expect_fault("[pool]\nurl = \"postgres://h/d\"\n", "this is no URL of the mock's");
  expect_fault("[pool]\nname = 3\n", "`name` must be text");
  expect_fault("[pool]\nname = \"a b\"\n", "this cannot be the name of a pool");
  expect_fault("pool = 3\n", "`pool` must be a table");
}

// ---- what is refused

TEST(ScenarioFaults, come_all_in_one_run_with_their_places) {
  EXPECT_EQ(faults_of(R"toml(format = 1
duration = "10s"
sede = 3
[server]
statement = "expp(5ms)"
cpus = 4
[[client]]
number = 1
sql = ["SELECT 1", " "]
[[fault]]
what = "restrat"
at = "12s"
[[fault]]
what = "full"
at = 5
)toml"),
            R"toml(error[W103]: unknown key `sede` in the file
 --> case.toml:3:1
  |
3 | sede = 3
  | ^^^^ did you mean `seed`?

error[W105]: `statement`: 'expp(5ms)': there is no distribution 'expp'
 --> case.toml:5:13
  |
5 | statement = "expp(5ms)"
  |             ^^^^^^^^^^^ did you mean `exp`?

error[W103]: unknown key `cpus` in [server]
 --> case.toml:6:1
  |
6 | cpus = 4
  | ^^^^
  = docs/scenario.md lists all keys

error[W105]: an element of `sql` is empty
 --> case.toml:9:20
  |
9 | sql = ["SELECT 1", " "]
  |                    ^^^

error[W105]: `what` must be "restart", "refuse", "black_hole", "mute", "half_open", "reset", "auth_failure", "full", "read_only", "slow", "slow_connect", "slow_close", "hang", "deaf", "garbage" or "error"
  --> case.toml:11:8
   |
11 | what = "restrat"
   |        ^^^^^^^^^ did you mean "restart"?

error[W107]: `at` of [[fault]] is after the end of the scenario
  --> case.toml:12:6
   |
12 | at = "12s"
   |      ^^^^^ it ends at 10s

error[W106]: [[fault]] has no `amount`
  --> case.toml:13:1
   |
13 | [[fault]]
   | ^^^^^^^^^ such as amount = 1
   = needed with "full"

error[W104]: `at` needs a unit
  --> case.toml:15:6
   |
15 | at = 5
   |      ^ write "5s" or "5ms"?
)toml");
}

TEST(ScenarioFaults, of_a_newer_format_are_not_guessed_at) {
  const std::string faults = faults_of("format = 2\nwhatever = 1\n");
  EXPECT_NE(faults.find("this file has format 2, and this Weir reads formats up to 1"),
            std::string::npos)
      << faults;
  EXPECT_EQ(faults.find("whatever"), faults.rfind("whatever"));
  EXPECT_EQ(faults.find("unknown key"), std::string::npos);
  EXPECT_NE(faults_of("seed = 1\n").find("`format` is missing"), std::string::npos);
  EXPECT_NE(faults_of("format = 0\n").find("`format` must be 1"), std::string::npos);
}

TEST(ScenarioFaults, of_syntax_are_told_as_those_of_a_weir_toml) {
  EXPECT_NE(faults_of("format = 1\n[server]\nnetwork = 5ms\n").find("case.toml:3"),
            std::string::npos);
}

TEST(ScenarioFaults, are_values_out_of_range_or_of_another_type) {
  struct Case {
    std::string_view lines;
    std::string_view words;
  };
  constexpr Case cases[] = {
      {"seed = -1\n", "`seed` cannot be negative"},
      {"seed = \"0xg\"\n", "0x and up to 16 hexadecimal digits"},
      {"duration = \"0s\"\n", "`duration` must be \"1ns\" to \"8760h\""},
      {"duration = \"1.5s\"\n", "write \"1s500ms\"?"},
      {"duration = \"none\"\n", "`duration` cannot be turned off"},
      {"[[fault]]\nwhat = \"restart\"\nfor = \"0s\"\n", "`for` must be \"1ns\" to \"8760h\""},
      {"[pool]\ndriver = \"sqlite\"\n[[disk_fault]]\nwhat = \"full\"\non = \"write\"\nfor = "
       "\"0s\"\n",
       "`for` must be \"1ns\" to \"8760h\""},
      {"mode = \"ideel\"\n", "did you mean \"ideal\"?"},
      {"steps_max = \"100\"\n", "write 100 without quotes"},
      {"name = 3\n", "`name` must be text, not a whole number"},
      {"[server]\nsigma = 0.1234567\n", "more than six digits"},
      {"[server]\nkappa = 11\n", "`kappa` must be 0 to 10"},
      {"[server]\nsigma = nan\n", "`sigma` must be 0 to 10"},
      {"[server]\nloose_cancels = \"true\"\n", "remove the quotes"},
      {"[server]\nnetwork = 5\n", "write \"5s\" or \"5ms\"?"},
      {"[server]\nseed = 5\n", "it belongs at the top of the file"},
      {"[server]\nacquire_timeout = \"5s\"\n", "it belongs in [pool]"},
      {"[[client]]\nsql = \"SELECT 1\"\n", "put it in brackets"},
      {"[[client]]\nsql = [3]\n", "an element of `sql` must be text"},
      {"[[client]]\nleak = 1.5\n", "`leak` must be 0 to 1"},
      {"[schedule]\ndeviations = [\"3.17x5\"]\n", "must be like \"3.17p5\""},
      {"[schedule]\nkind = \"random\"\nrate = 1.1\n", "`rate` must be 0 to 1"},
      {"[client]\nnumber = 1\n", "write [[client]]"},
      {"[[server]]\ncores = 1\n", "there is one [server]"},
      {"server = 3\n", "`server` must be a table, not a whole number"},
      {"client = [3]\n", "`client` must be a list of tables"},
  };
  for (const Case& c : cases) expect_fault(c.lines, c.words);
}

TEST(ScenarioFaults, are_keys_that_say_nothing_or_contradict_each_other) {
  struct Case {
    std::string_view lines;
    std::string_view words;
  };
  constexpr Case cases[] = {
      {"[[client]]\nnumber = 1\n[[client]]\nnumber = 1\n", "two clients have the number 1"},
      {"[[client]]\nnumber = 2\n[[client]]\nnumber = 1\n[[client]]\n", "the other is in line 3"},
      {"[[client]]\nfrom = \"3s\"\nto = \"2s\"\n", "`to` is before `from`"},
      {"[[fault]]\nwhat = \"read_only\"\nprobability = 0.5\n",
       "`probability` means nothing with what = \"read_only\""},
      {"[[client]]\nwaits = \"event_loop\"\ntogether = 2\n",
       "an event loop takes one connection at a time"},
      {"[[client]]\nto = \"11s\"\n", "`to` of [[client]] is after the end"},
      {"[[client]]\nloop = \"open\"\n", "never ends"},
      {"[[fault]]\nwhat = \"reset\"\namount = 3\n",
       "it goes with \"full\", \"slow\", \"slow_connect\" or \"slow_close\""},
      {"[[fault]]\nat = \"1s\"\n", "[[fault]] has no `what`"},
      {"[[action]]\nwhat = \"evict\"\ntimeout = \"1s\"\n",
       "`timeout` means nothing with what = \"evict\""},
      {"[[action]]\nwhat = \"resize\"\nmin = 3\nmax = 2\n", "`min` is 3, but `max` is 2"},
      {"[[action]]\nwhat = \"resize\"\nmin = 3\n", "[[action]] has no `max`"},
      {"[schedule]\ndepth = 3\n", "`depth` means nothing with kind = \"fifo\""},
      {"[schedule]\nkind = \"pct\"\ndeviations = [\"1.1p2\"]\n",
       "`deviations` means nothing with kind = \"pct\""},
  };
  for (const Case& c : cases) expect_fault(c.lines, c.words);
}

TEST(ScenarioFaults, are_tables_of_what_is_behind_another_driver) {
  const std::string sqlite = "[pool]\ndriver = \"sqlite\"\n";
  expect_fault(sqlite + "[server]\nauth = \"1ms\"\n",
               "[server] means nothing with the driver sqlite");
  expect_fault(sqlite + "[[fault]]\nwhat = \"mute\"\nat = \"1s\"\n",
               "write [disk] and [[disk_fault]]");
  expect_fault("[disk]\nsync = \"1ms\"\n", "[disk] means nothing with the driver mock");
  expect_fault("[[disk_fault]]\nwhat = \"full\"\non = \"write\"\n",
               "add driver = \"sqlite\" to [pool]");
}

TEST(ScenarioFaults, are_plugins_and_clocks_that_do_not_go_with_the_rest) {
  const std::string other = "[pool]\ndriver = \"other\"\nurl = \"other:x\"\n";
  expect_fault(other, "needs `plugin`, its library");
  expect_fault("plugin = \"x.so\"\n", "the driver mock is linked in and has no plugin");
  expect_fault("clock = \"wall\"\n", "the driver mock runs by virtual time only");
  expect_fault("clock = \"real\"\n", "\"virtual\" or \"wall\"");
  expect_fault("clock = \"wall\"\nmode = \"adversarial\"\n" + other,
               "nobody decides who runs when");
  expect_fault("plugin = \"x.so\"\n" + other + "[server]\nauth = \"1ms\"\n",
               "nothing around the driver of a plugin is simulated");
}

TEST(ScenarioFaults, are_faults_of_a_disk_where_they_cannot_happen) {
  const std::string sqlite = "[pool]\ndriver = \"sqlite\"\n[[disk_fault]]\n";
  expect_fault(sqlite + "what = \"full\"\non = \"read\"\n", "this fault cannot happen at `read`");
  expect_fault(sqlite + "what = \"full\"\non = \"read\"\n", "it can at open or write");
  expect_fault(sqlite + "what = \"full\"\n", "[[disk_fault]] has no `on`");
  expect_fault(sqlite + "what = \"fire\"\non = \"read\"\n", "io_error");
}

TEST(ScenarioFaults, do_not_cause_others) {
  EXPECT_EQ(faults_of("format = 1\nduration = 3\n[[action]]\nwhat = \"evict\"\nat = \"1m\"\n"),
            R"toml(error[W104]: `duration` needs a unit
 --> case.toml:2:12
  |
2 | duration = 3
  |            ^ write "3s" or "3ms"?
)toml");
}

// ---- the documentation

TEST(ScenarioDocs, have_the_keys_that_there_are) {
  const char* root = std::getenv("WEIR_TEST_SOURCE_ROOT");
  const std::string path = std::string(root != nullptr ? root : ".") + "/docs/scenario.md";
  constexpr std::string_view begin =
      "<!-- keys: generated from sim/explore/scenario_keys.cpp -->\n";
  constexpr std::string_view end = "<!-- end of the keys -->\n";
  std::ifstream file(path, std::ios::binary);
  std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::size_t from = page.find(begin);
  const std::size_t to = page.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos) << path;
  const std::size_t first = from + begin.size();
  const std::string expected = scenario_keys_markdown() + "\n";
  const bool same = page.substr(first, to - first) == expected;
  if (!same && std::getenv("WEIR_UPDATE_DOCS") != nullptr)
    std::ofstream(path, std::ios::binary) << page.replace(first, to - first, expected);
  for (const std::string_view fault : scenario_table("fault").find("what")->words) {
    EXPECT_NE(page.find("\n| `" + std::string(fault) + "` | "), std::string::npos) << fault;
  }
  EXPECT_TRUE(same) << "docs/scenario.md has other keys than the table; write it anew: "
                    << "WEIR_UPDATE_DOCS=1 ./dev test -- scenario_file";
}

// The page's example has every key, so that somebody can copy the line that they need.
TEST(ScenarioDocs, have_an_example_that_is_a_good_file_with_every_key) {
  const char* root = std::getenv("WEIR_TEST_SOURCE_ROOT");
  std::ifstream file(std::string(root != nullptr ? root : ".") + "/docs/scenario.md");
  const std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  constexpr std::string_view fence = "```toml\n";
  std::string all;
  for (std::size_t at = page.find(fence); at != std::string::npos; at = page.find(fence, at + 1)) {
    const std::size_t start = at + fence.size();
    const std::string text = page.substr(start, page.find("```", start) - start);
    const auto read = scenario_from_string(text, "docs/scenario.md");
    EXPECT_TRUE(read || text.find("\npool_file") != std::string::npos) << read.error().what();
    all += "\n" + text;
  }
  for (const ScenarioTable& table : scenario_tables()) {
    if (!table.name.empty()) {
      EXPECT_NE(all.find("\n" + table.header() + "\n"), std::string::npos) << table.name;
    }
    for (const ScenarioKey& key : table.keys) {
      EXPECT_NE(all.find("\n" + std::string(key.name) + " = "), std::string::npos) << key.name;
    }
  }
}

}  // namespace
}  // namespace weir::sim
