// SPDX-License-Identifier: MIT
//
// The shipping pool under the simulator: thousands of drawn scenarios in which every property
// holds, each run twice with the same trace; and the cases that once failed, replayed.
#include "sim/explore/campaign.hpp"
#include "sim/explore/scenario_file.hpp"
#include "tests/sim/explore/scale.hpp"

#include <weir/pool.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;

constexpr const char* properties[] = {
    "C4",  "F1",  "F2", "L1", "L2", "L3",  "L5",  "L7",  "L8",  "O1",
    "O2",  "O3",  "O4", "R1", "R2", "R3",  "R5",  "R8",  "S1",  "S1 by the server",
    "S3",  "S5",  "S7", "S8", "S9", "S10", "S11", "S12", "S13", "S17",
    "S18", "S19", "T2", "T3", "T4", "T5",  "T6",  "T8",  "T9",  "T10",
    "T11", "T13"};

// A property that was never put to the test has shown nothing.
bool tried(const CampaignState& state, const char* property) {
  return state.judgement.checked.count(property) > 0;
}

TEST(Explore, every_property_holds_and_each_was_put_to_the_test) {
  // A busy machine makes fewer runs in the same time, so it may go on until all were tried.
  const Duration least = full() ? 120s : 20s;
  bool enough = false;
  CampaignOptions options;
  options.budget = 6 * least;
  options.progress = [&](const CampaignState& state) {
    enough = state.wall >= least && state.runs >= 200 &&
             std::all_of(std::begin(properties), std::end(properties),
                         [&](const char* property) { return tried(state, property); });
  };
  options.interrupted = [&] { return enough; };
  const CampaignState state = explore(options);
  for (const CaseFound& found : state.found) {
    ADD_FAILURE() << found.minimal.expected.property << ": " << found.minimal.expected.story << "\n"
                  << to_toml(found.minimal);
  }
  for (const std::string& differs : state.nondeterministic) ADD_FAILURE() << differs;
  EXPECT_GE(state.runs, 200U);
  for (const char* property : properties) EXPECT_TRUE(tried(state, property)) << property;
  // The rarest turns take more runs than a busy machine makes in the short time.
  for (const auto& [mark, times] : state.judgement.marks) {
    EXPECT_TRUE(times > 0 || !full()) << mark;
  }
  RecordProperty("runs", static_cast<int>(state.runs));
}

Scenario busy(std::uint64_t seed) {
  Scenario s;
  s.seed = seed;
  s.duration = 200ms;
  s.pool.name = "main";
  s.pool.driver = "mock";
  s.pool.url = Secret("mock:sim");
  s.pool.max = 2;
  s.pool.idle_timeout = no_timeout;
  s.pool.max_lifetime = no_timeout;
  s.pool.hold_warn = no_timeout;
  s.pool.log.info = false;
  s.server.statement = Distribution::parse("exp(1ms)").value();
  ClientGroup clients;
  clients.count = 4;
  clients.every = Distribution::parse("exp(1ms)").value();
  clients.sql = {"SELECT 1"};
  s.clients.push_back(clients);
  s.mode = Mode::adversarial;
  s.schedule.kind = ScheduleSpec::Kind::random;
  s.steps_max = 300'000;
  return s;
}

TEST(Run, is_the_same_on_every_engine) {
  const Scenario scenario = busy(7);
  const Report fibers = run(scenario);
  ASSERT_TRUE(fibers.ok()) << fibers.ending.text;
  for (const Engine engine : {Engine::ucontext, Engine::threads}) {
    const Report other = run(scenario, {.engine = engine});
    EXPECT_EQ(other.ending.trace_hash, fibers.ending.trace_hash) << to_string(engine);
  }
}

TEST(Run, another_seed_is_another_run) {
  EXPECT_NE(run(busy(1)).ending.trace_hash, run(busy(2)).ending.trace_hash);
}

TEST(Run, its_deviations_replay_it) {
  const Scenario scenario = busy(3);
  const Report first = run(scenario);
  ASSERT_FALSE(first.deviations.empty());
  Scenario replay = scenario;
  replay.schedule.kind = ScheduleSpec::Kind::replay;
  replay.schedule.deviations = first.deviations;
  EXPECT_EQ(run(replay).ending.trace_hash, first.ending.trace_hash);
  replay.schedule.deviations.resize(first.deviations.size() / 2);
  EXPECT_NE(run(replay).ending.trace_hash, first.ending.trace_hash);
}

TEST(Run, what_is_kept_for_a_report_changes_nothing) {
  const Scenario scenario = busy(5);
  EXPECT_EQ(run(scenario, {.keep_trace = true, .keep_history = true}).ending.trace_hash,
            run(scenario).ending.trace_hash);
}

TEST(Run, its_history_knows_who_used_which_session) {
  const Report report = run(busy(5), {.keep_history = true});
  ASSERT_FALSE(report.history.empty());
  for (const Round& round : report.history) {
    if (round.lent == no_deadline) continue;
    EXPECT_GE(round.slot_session, 1U);
    EXPECT_LE(round.slot_session, report.stats.created);
  }
}

TEST(Run, a_program_that_reads_the_address_of_its_data_is_found_out) {
  const Scenario scenario = busy(1);
  const HostFunction work = [](Pool& pool) -> Result<void> {
    const auto leaks = std::make_unique<char[]>(100);
    World::current().note(reinterpret_cast<std::uintptr_t>(leaks.get()) >> 4);
    if (auto lease = pool.acquire(); !lease) return fail(std::move(lease).error());
    return {};
  };
  const Report first = run(scenario, {}, {.work = work});
  EXPECT_NE(compare_runs(scenario, first, default_engine(), {.work = work}), "");
}

TEST(Run, limits_of_none_break_nothing) {
  for (const Mode mode : {Mode::ideal, Mode::adversarial, Mode::cpu_model}) {
    Scenario scenario = busy(4);
    scenario.mode = mode;
    scenario.pool.start_timeout = no_timeout;
    scenario.pool.acquire_timeout = no_timeout;
    scenario.pool.create_timeout = no_timeout;
    scenario.pool.validate_after = no_timeout;
    scenario.pool.drain_timeout = no_timeout;
    const Report report = run(scenario);
    EXPECT_TRUE(report.ok()) << report.signature() << ": " << report.ending.text;
  }
}

TEST(Run, an_attempt_without_a_limit_may_wait_for_ever_for_a_silent_server) {
  Scenario scenario = busy(4);
  scenario.pool.create_timeout = no_timeout;
  scenario.pool.acquire_timeout = 50ms;
  scenario.server.faults.push_back({.what = FaultKind::black_hole, .from = 0, .to = 100'000'000});
  const Report report = run(scenario);
  EXPECT_TRUE(report.ok()) << report.signature() << ": " << report.ending.text;
  EXPECT_GT(report.unserved, 0U);
}

TEST(Run, a_round_that_is_tried_again_has_one_wait) {
  Scenario scenario = busy(6);
  scenario.mode = Mode::ideal;
  scenario.clients[0].retry = true;
  scenario.pool.retry.on.conflict = true;
  scenario.clients[0].sql = {"FAIL serialization"};
  const Report served = run(scenario);
  ASSERT_TRUE(served.ok()) << served.ending.text;
  EXPECT_GT(served.stats.leases, served.rounds);
  EXPECT_EQ(served.wait.count(), served.rounds);
  EXPECT_EQ(served.unserved, 0U);
  // Whose first attempt found no connection is not one who never had any.
  scenario.clients[0].sql = {"SELECT 1"};
  scenario.clients[0].hold = Distribution::parse("exp(4ms)").value();
  scenario.clients[0].timeout = 1ms;
  scenario.clients[0].count = 20;
  const Report crowded = run(scenario);
  ASSERT_TRUE(crowded.ok()) << crowded.ending.text;
  EXPECT_GT(crowded.unserved, 0U);
  EXPECT_EQ(crowded.wait.count() + crowded.unserved, crowded.rounds);
}

TEST(Run, a_round_that_is_tried_again_is_shown_with_its_wait) {
  Scenario scenario = busy(6);
  scenario.mode = Mode::ideal;
  scenario.clients[0].retry = true;
  scenario.pool.retry.on.conflict = true;
  scenario.clients[0].sql = {"FAIL serialization"};
  const Report report = run(scenario, {.keep_history = true});
  ASSERT_TRUE(report.ok()) << report.ending.text;
  Duration longest{};
  bool again = false;
  for (const Round& round : report.history) {
    longest = std::max(longest, round.served - round.due);
    again = again || round.lent > round.served;
  }
  EXPECT_TRUE(again);
  EXPECT_EQ(longest, report.wait.summary().max);
}

TEST(Run, an_acquire_that_is_answered_is_not_given_up) {
  for (const auto waits : {ClientGroup::Waits::thread, ClientGroup::Waits::event_loop}) {
    if (waits == ClientGroup::Waits::thread && default_engine() == Engine::threads) continue;
    Scenario scenario = busy(5);
    scenario.mode = Mode::ideal;
    scenario.pool.max = 4;
    scenario.clients[0].waits = waits;
    scenario.clients[0].gives_up = 1s;
    const Report served = run(scenario);
    ASSERT_TRUE(served.ok()) << served.ending.text;
    EXPECT_TRUE(served.failures.empty());
    EXPECT_GT(served.rounds, 40U);
    EXPECT_LT(served.wait.summary().max, 100ms);

    scenario.pool.max = 1;
    scenario.clients[0].hold = Distribution::parse("50ms").value();
    scenario.clients[0].gives_up = 5ms;
    const Report crowded = run(scenario);
    ASSERT_TRUE(crowded.ok()) << crowded.ending.text;
    ASSERT_EQ(crowded.failures.size(), 1U);
    EXPECT_EQ(crowded.failures[0].first, Code::cancelled);
    EXPECT_LT(crowded.wait.summary().max, 50ms);
  }
}

// Its Work is in the client's loop then, and holds the pool, which can only end in its world.
TEST(Run, a_wait_may_be_left_in_the_moment_of_its_answer) {
  Scenario scenario = busy(5);
  scenario.mode = Mode::ideal;
  scenario.pool.max = 1;
  ClientGroup& clients = scenario.clients[0];
  clients.count = 2;
  clients.every = {};
  clients.rounds = 1;
  clients.sql.clear();
  clients.hold = Distribution::parse("20ms").value();
  clients.waits = ClientGroup::Waits::event_loop;
  clients.gives_up = 20ms;
  for (scenario.seed = 1; scenario.seed <= 20; ++scenario.seed) {
    const Report report = run(scenario);
    EXPECT_TRUE(report.ok()) << report.ending.text;
  }
}

TEST(Run, an_eager_pool_is_there_at_the_beginning) {
  Scenario scenario = busy(8);
  scenario.mode = Mode::ideal;
  scenario.pool.start = Start::eager;
  scenario.pool.min = 2;
  scenario.pool.start_timeout = 3s;
  scenario.server.auth = Distribution::parse("2s").value();
  const Report report = run(scenario, {.keep_history = true});
  ASSERT_TRUE(report.ok()) << report.signature() << ": " << report.ending.text;
  ASSERT_FALSE(report.history.empty());
  EXPECT_LT(report.history.front().served, World::beginning + 1s);

  scenario.pool.start_timeout = 1s;
  const Report late = run(scenario);
  EXPECT_EQ(late.signature(), "setup");
  EXPECT_NE(late.ending.text.find("not ready"), std::string::npos) << late.ending.text;
}

TEST(Run, a_pool_where_nobody_may_wait_is_set_up_and_heals) {
  Scenario scenario = busy(8);
  scenario.pool.max_waiting = 0;
  scenario.pool.start = Start::lazy;
  scenario.setup = {"SELECT 1"};
  const Report report = run(scenario);
  EXPECT_TRUE(report.ok()) << report.signature() << ": " << report.ending.text;
  EXPECT_GT(report.judgement.checked.count("R1"), 0U);
}

TEST(Run, clients_that_go_on_for_ever_at_one_instant_are_refused) {
  const auto smallest = scenario_from_string("format = 1\n[[client]]\nsql = [\"SELECT 1\"]\n");
  ASSERT_TRUE(smallest) << smallest.error().what();
  const Report report = run(*smallest);
  EXPECT_EQ(report.signature(), unable_to_run);
  ASSERT_TRUE(report.unable);
  EXPECT_EQ(report.unable->code(), Code::config_conflict);
  EXPECT_NE(report.unable->message().find("client 1 never ends"), std::string::npos);
  Scenario ends = *smallest;
  ends.clients[0].rounds = 20'000;
  EXPECT_TRUE(run(ends).ok());
}

TEST(Run, a_wait_that_another_thread_stops_is_refused_on_threads_of_the_system) {
  Scenario scenario = busy(9);
  scenario.clients[0].gives_up = 1ms;
  const Report report = run(scenario, {.engine = Engine::threads});
  ASSERT_TRUE(report.unable);
  EXPECT_NE(report.unable->message().find("gives_up"), std::string::npos);
  scenario.clients[0].waits = ClientGroup::Waits::event_loop;
  const Report loop = run(scenario, {.engine = Engine::threads});
  EXPECT_TRUE(loop.ok()) << loop.ending.text;
  EXPECT_EQ(loop.ending.trace_hash, run(scenario).ending.trace_hash);
}

TEST(Explore, draws_what_its_engine_can_run) {
  Generator fibers;
  fibers.engine = Engine::fiber;
  Generator threads;
  threads.engine = Engine::threads;
  bool differ = false;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Scenario expected = draw(base::Random(seed), 100, fibers);
    for (ClientGroup& group : expected.clients) {
      if (group.waits == ClientGroup::Waits::event_loop || !group.gives_up) continue;
      group.gives_up.reset();
      differ = true;
    }
    EXPECT_EQ(draw(base::Random(seed), 100, threads), expected) << seed;
  }
  EXPECT_TRUE(differ);
}

TEST(Explore, draws_no_server_that_an_eager_pool_cannot_start_on) {
  Generator generator;
  generator.pool = busy(1).pool;
  generator.pool->start = Start::eager;
  generator.pool->max = generator.pool->min = 4;
  bool limited = false;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const std::uint32_t room = draw(base::Random(seed), 50, generator).server.max_connections;
    EXPECT_TRUE(room == 0 || room >= 4) << seed;
    limited = limited || room > 0;
  }
  EXPECT_TRUE(limited);
}

TEST(Explore, draws_no_change_of_a_session_where_nothing_is_cleaned) {
  Generator generator;
  generator.pool = busy(1).pool;
  generator.pool->reset = ResetPolicy::never;
  generator.longest = 1s;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Report report = run(draw(base::Random(seed), 50, generator));
    EXPECT_TRUE(report.ok()) << seed << ": " << report.signature() << ": " << report.ending.text;
  }
}

TEST(Minimize, keeps_no_trace_that_is_too_long) {
  Scenario scenario = busy(1);
  scenario.steps_max = trace_steps_max + 1000;
  scenario.schedule.kind = ScheduleSpec::Kind::fifo;
  const HostFunction work = [](Pool& pool) -> Result<void> {
    for (;;) static_cast<void>(pool.acquire());
  };
  const Report report = run(scenario, {}, {.work = work});
  ASSERT_EQ(report.signature(), "hang") << report.ending.text;
  const CaseFound found = minimize(scenario, report, 0s, default_engine(), {}, {.work = work});
  EXPECT_EQ(found.report.signature(), "hang");
  EXPECT_TRUE(found.report.trace.empty());
}

// A host's function with a planted bug: it keeps its lease while it asks for another one.
TEST(Minimize, a_planted_bug_shrinks_to_its_cause) {
  Scenario scenario = busy(1);
  scenario.pool.acquire_timeout = no_timeout;
  scenario.clients[0].count = 5;
  ClientGroup innocent = scenario.clients[0];
  innocent.number = 2;
  scenario.clients.push_back(innocent);
  const HostFunction work = [](Pool& pool) -> Result<void> {
    auto outer = pool.acquire();
    if (!outer) return fail(std::move(outer).error());
    auto inner = pool.acquire();
    if (!inner) return fail(std::move(inner).error());
    return {};
  };
  const Report report = run(scenario, {}, {.work = work});
  ASSERT_EQ(report.signature(), "hang") << report.ending.text;
  const CaseFound found = minimize(scenario, report, 30s, default_engine(), {}, {.work = work});
  EXPECT_EQ(found.report.signature(), "hang");
  EXPECT_EQ(found.minimal.clients.size(), 1U);
  EXPECT_LE(found.minimal.clients[0].count * (found.minimal.pool.max == 1 ? 1 : 2), 4U);
  EXPECT_EQ(run(found.minimal, {}, {.work = work}).ending.trace_hash,
            found.minimal.expected.trace_hash);
  // And so does the file.
  auto read = scenario_from_string(to_toml(found.minimal));
  ASSERT_TRUE(read) << read.error().what();
  EXPECT_EQ(run(*read, {}, {.work = work}).ending.trace_hash, found.minimal.expected.trace_hash);
}

// What a shrinker has made shorter has nothing left that would come after its end.
TEST(Minimize, every_candidate_is_a_file) {
  base::Random random(1);
  const int scenarios = full() ? 40 : 8;
  for (int i = 0; i < scenarios; ++i) {
    const Scenario scenario =
        draw(base::Random(random.next()), i * 100 / (scenarios - 1), Generator{});
    for (const Scenario& smaller : candidates(scenario)) {
      const auto read = scenario_from_string(to_toml(smaller));
      ASSERT_TRUE(read) << read.error().what();
    }
  }
}

// ---------------------------------------------------------------- what people are shown

std::string root() {
  const char* const root = std::getenv("WEIR_TEST_SOURCE_ROOT");
  return root == nullptr ? "." : root;
}

TEST(Shown, the_scenario_of_the_documentation_runs_and_all_holds) {
  std::ifstream file(root() + "/docs/sim.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  const std::string fence = "```toml\n";
  const std::size_t from = page.find(fence);
  ASSERT_NE(from, std::string::npos);
  const std::size_t text = from + fence.size();
  const auto scenario = scenario_from_string(page.substr(text, page.find("```", text) - text));
  ASSERT_TRUE(scenario) << scenario.error().what();
  const Report report = run(*scenario);
  EXPECT_TRUE(report.ok()) << report.ending.text;
  EXPECT_FALSE(report.failures.empty());  // the outage was felt
}

TEST(Shown, the_first_minutes_of_the_demos_day_hold) {
  auto day = read_scenario(root() + "/examples/demo/day.toml");
  ASSERT_TRUE(day) << day.error().what();
  cut_to(*day, 2min);
  const Report report = run(*day);
  EXPECT_TRUE(report.ok()) << report.ending.text;
  EXPECT_GT(report.rounds, 3000U);
}

// ---------------------------------------------------------------- cases that once failed

class Regression : public testing::TestWithParam<std::string> {};

TEST_P(Regression, holds_now) {
  auto scenario = read_scenario(GetParam());
  ASSERT_TRUE(scenario) << scenario.error().what();
  const Report report = run(*scenario);
  EXPECT_TRUE(report.ok()) << scenario->expected.story << "\nbroken again: " << report.signature()
                           << ": " << report.ending.text;
}

std::vector<std::string> regressions() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(root() + "/tests/regressions")) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string name_of_case(const testing::TestParamInfo<std::string>& file) {
  std::string name = std::filesystem::path(file.param).stem().string();
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Files, Regression, testing::ValuesIn(regressions()), name_of_case);

}  // namespace
}  // namespace weir::sim
