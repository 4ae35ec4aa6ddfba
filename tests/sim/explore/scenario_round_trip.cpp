// SPDX-License-Identifier: MIT
//
// Any scenario is read from its file as the one that was written, to the last bit: else a failing
// case that was kept would not fail again.
#include "core/base/duration_text.hpp"
#include "sim/explore/scenario_file.hpp"

#include <chrono>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;

Distribution distribution(std::string_view text) { return *Distribution::parse(text); }

rc::Gen<Duration> any_duration(Duration most) {
  return rc::gen::map(rc::gen::inRange<std::int64_t>(0, most.count() + 1),
                      [](std::int64_t ns) { return Duration(ns); });
}

std::string any_text() {
  return *rc::gen::container<std::string>(rc::gen::elementOf(std::string("aZ0 \"\\'\n\t#=[].-_")));
}

Distribution any_distribution() {
  const auto duration = [] { return duration_text(*any_duration(1h)); };
  const auto number = [](std::int64_t least, std::int64_t most) {
    return decimal_text(*rc::gen::inRange(least, most));
  };
  std::string low = duration();
  std::string high = duration();
  if (*parse_duration(high) < *parse_duration(low)) std::swap(low, high);
  switch (*rc::gen::inRange(0, 8)) {
    case 0:
      return distribution(low);
    case 1:
      return distribution("uniform(" + low + "," + high + ")");
    case 2:
      return distribution("exp(" + low + ")");
    case 3:
      return distribution("lognormal(" + low + "," + number(0, 10'000'001) + ")");
    case 4:
      return distribution("pareto(" + low + "," + number(100'000, 9'999'000'000) + ")");
    case 5:
      return distribution("bimodal(" + low + "," + high + "," + number(0, 1'000'001) + ")");
    case 6:
      return distribution("empirical(" + high + "," + low + "," + duration() + ")");
    default:
      return {};
  }
}

template <class Enum>
Enum any_of(Enum last) {
  return static_cast<Enum>(*rc::gen::inRange(0, static_cast<int>(last) + 1));
}

Deviation any_deviation() {
  return {*rc::gen::arbitrary<ThreadId>(), *rc::gen::arbitrary<std::uint32_t>(),
          any_of(Question::spurious), *rc::gen::arbitrary<ThreadId>()};
}

Fault any_fault(Duration end) {
  Fault fault;
  fault.what = any_of(FaultKind::error);
  fault.target = *rc::gen::arbitrary<std::uint64_t>();
  fault.from = (*any_duration(end)).count();
  if (*rc::gen::arbitrary<bool>()) fault.to = fault.from + 1 + (*any_duration(1h)).count();
  if (fault.what != FaultKind::read_only) fault.probability_ppm = *rc::gen::inRange(0U, 1'000'001U);
  if (fault.what == FaultKind::full) fault.amount = *rc::gen::arbitrary<std::uint16_t>();
  if (fault.what == FaultKind::slow) fault.amount = *rc::gen::inRange(1, 1'000'001);
  if (fault.what == FaultKind::slow_connect || fault.what == FaultKind::slow_close)
    fault.amount = (*any_duration(1h)).count();
  return fault;
}

Action any_action(Duration end) {
  Action action;
  action.what = any_of(Action::What::drain);
  action.at = *any_duration(end);
  if (action.what == Action::What::resize) {
    action.max = *rc::gen::inRange(1U, 100U);
    action.min = *rc::gen::inRange(0U, action.max + 1);
  }
  if (action.what == Action::What::suspend || action.what == Action::What::drain)
    action.timeout = *any_duration(1h);
  return action;
}

ClientGroup any_client(std::uint64_t number, Duration end) {
  ClientGroup c;
  c.number = number;
  c.count = *rc::gen::inRange(1U, 100U);
  c.loop = any_of(ClientGroup::Loop::open);
  c.every = any_distribution();
  c.rounds = *rc::gen::inRange(1U, 100U);
  c.from = *any_duration(end);
  if (*rc::gen::arbitrary<bool>()) c.to = c.from + *any_duration(end - c.from);
  const int statements = *rc::gen::inRange(0, 4);
  for (int i = 0; i < statements; ++i) c.sql.push_back("SELECT " + any_text());
  c.transaction = *rc::gen::arbitrary<bool>();
  c.retry = *rc::gen::arbitrary<bool>();
  c.hold = any_distribution();
  if (*rc::gen::arbitrary<bool>())
    c.timeout = *rc::gen::arbitrary<bool>() ? no_timeout : *any_duration(1h);
  c.within = *any_duration(1h);
  c.waits = any_of(ClientGroup::Waits::event_loop);
  if (*rc::gen::arbitrary<bool>()) c.gives_up = *any_duration(1h);
  if (c.waits == ClientGroup::Waits::thread) c.together = *rc::gen::inRange(1U, 10U);
  c.nested = *rc::gen::inRange(0U, 10U);
  c.leak_ppm = *rc::gen::inRange(0U, 1'000'001U);
  return c;
}

ScheduleSpec any_schedule() {
  ScheduleSpec s;
  using Kind = ScheduleSpec::Kind;
  s.kind = any_of(Kind::replay);
  if (s.kind == Kind::pct) s.depth = *rc::gen::inRange(1U, 1001U);
  if (s.kind == Kind::pct) s.steps = *rc::gen::inRange(1U, 1'000'000U);
  if (s.kind == Kind::random) s.rate = *rc::gen::inRange(0, 1 << 30) / double{1 << 30};
  if (s.kind == Kind::random || s.kind == Kind::pct) {
    s.clock = *rc::gen::arbitrary<bool>();
    s.spurious = *rc::gen::arbitrary<bool>();
  }
  const int count = s.kind == Kind::replay ? *rc::gen::inRange(0, 40) : 0;
  for (int i = 0; i < count; ++i) s.deviations.push_back(any_deviation());
  return s;
}

Settings any_server(Duration end) {
  Settings s;
  for (Distribution* d : {&s.network, &s.resolve, &s.tls, &s.auth, &s.statement, &s.commit, &s.ping,
                          &s.reset, &s.goodbye})
    *d = any_distribution();
  s.capacity = {*rc::gen::inRange(0U, 100U), *rc::gen::inRange(0U, 10'000'001U),
                *rc::gen::inRange(0U, 10'000'001U)};
  s.max_connections = *rc::gen::arbitrary<std::uint32_t>() / 2;
  s.idle_timeout_ns = (*any_duration(1h)).count();
  s.notice_ns = (*any_duration(1h)).count();
  s.loose_cancels = *rc::gen::arbitrary<bool>();
  const int faults = *rc::gen::inRange(0, 5);
  for (int i = 0; i < faults; ++i) s.faults.push_back(any_fault(end));
  return s;
}

DiskTrouble any_trouble(Duration end) {
  DiskTrouble t;
  t.what = any_of(DiskFaultKind::lie);
  std::vector<DiskOp> possible;
  for (std::size_t i = 0; i < disk_op_count; ++i) {
    if (can_happen(t.what, static_cast<DiskOp>(i))) possible.push_back(static_cast<DiskOp>(i));
  }
  t.on = *rc::gen::elementOf(possible);
  t.from = *any_duration(end);
  if (*rc::gen::arbitrary<bool>()) t.to = t.from + Duration(1) + *any_duration(1h);
  t.nth = *rc::gen::inRange(0U, 100U);
  t.probability_ppm = *rc::gen::inRange(0U, 1'000'001U);
  t.file = any_text();
  return t;
}

DiskSettings any_disk(Duration end) {
  DiskSettings d;
  d.latency = any_distribution();
  d.sync = any_distribution();
  const int faults = *rc::gen::inRange(0, 4);
  for (int i = 0; i < faults; ++i) d.faults.push_back(any_trouble(end));
  return d;
}

PoolConfig any_pool() {
  PoolConfig p;
  const bool mock = *rc::gen::arbitrary<bool>();
  p.name = *rc::gen::element<std::string>("main", "orders", "a-b_9");
  p.driver = mock ? "mock" : "sqlite";
  if (mock) p.url = Secret("mock:" + p.name + *rc::gen::element<std::string>("", "2"));
  if (!mock) p.url = Secret("file:" + p.name);
  p.max = *rc::gen::inRange(1U, 100U);
  p.min = *rc::gen::inRange(0U, p.max + 1);
  p.start = p.min > 0 ? any_of(Start::lazy) : Start::lazy;
  p.acquire_timeout = *rc::gen::arbitrary<bool>() ? no_timeout : Duration(7s + *any_duration(1h));
  p.fairness = any_of(Fairness::strict);
  p.reset = any_of(ResetPolicy::never);
  p.log.query = *rc::gen::arbitrary<bool>();
  p.log.warn = *rc::gen::arbitrary<bool>();
  p.retry.attempts = *rc::gen::inRange(1U, 5U);
  p.retry.jitter = any_of(RetryJitter::decorrelated);
  if (*rc::gen::arbitrary<bool>()) p.init_sql = {"SET x " + any_text()};
  if (*rc::gen::arbitrary<bool>()) p.options = {{"a key", Secret(any_text())}, {"b", Secret("1")}};
  return p;
}

Scenario any_scenario() {
  Scenario s;
  s.name = any_text();
  s.seed = *rc::gen::arbitrary<std::uint64_t>();
  s.duration = Duration(1) + *any_duration(1h);
  s.pool = any_pool();
  if (*rc::gen::arbitrary<bool>()) {
    s.pool.driver = "other";
    s.pool.url = Secret("other:x");
    s.plugin = *rc::gen::element<std::string>("", "/a b/\"x\".so");
    s.clock = s.plugin.empty() ? Clock::wall : any_of(Clock::wall);
  }
  if (s.pool.driver == "mock") s.server = any_server(s.duration);
  if (s.pool.driver == "sqlite") s.disk = any_disk(s.duration);
  if (*rc::gen::arbitrary<bool>()) s.setup = {"A" + any_text(), "B" + any_text()};
  const auto numbers = *rc::gen::arbitrary<std::set<std::uint64_t>>();
  for (const std::uint64_t number : numbers) {
    if (s.clients.size() < 4) s.clients.push_back(any_client(number, s.duration));
  }
  const int actions = *rc::gen::inRange(0, 4);
  for (int i = 0; i < actions; ++i) s.actions.push_back(any_action(s.duration));
  if (s.clock == Clock::simulated) {
    s.mode = any_of(Mode::cpu_model);
    s.schedule = any_schedule();
  }
  s.steps_max = *rc::gen::inRange<std::uint64_t>(1, INT64_MAX);
  s.expected = {any_text(), *rc::gen::arbitrary<std::uint64_t>(), any_text(), any_text()};
  return s;
}

RC_GTEST_PROP(ScenarioFile, is_read_as_the_scenario_that_was_written, ()) {
  const Scenario scenario = any_scenario();
  const std::string text = to_toml(scenario);
  RC_LOG() << text;
  const auto read = scenario_from_string(text, "case.toml");
  if (!read) RC_FAIL(read.error().what());
  RC_ASSERT(*read == scenario);
  RC_ASSERT(to_toml(*read) == text);
}

// As a shrinker leaves it that has taken time away: what is written can be read whatever it is.
TEST(ScenarioFile, has_no_time_after_its_end) {
  Scenario s;
  s.duration = 2s;
  s.pool.name = "main";
  s.pool.driver = "mock";
  s.pool.url = Secret("mock:main");
  s.server.faults = {{FaultKind::mute, 0, 3'000'000'000, 4'000'000'000, 1'000'000, 0}};
  s.actions = {{Action::What::evict, 5s, 0, 0, 1s}};
  s.clients.resize(1);
  s.clients[0].from = s.duration;
  s.clients[0].to = 7s;
  const auto read = scenario_from_string(to_toml(s), "case.toml");
  ASSERT_TRUE(read) << read.error().what();
  EXPECT_EQ(read->server.faults.at(0).from, 2'000'000'000);
  EXPECT_EQ(read->actions.at(0).at, 2s);
  EXPECT_EQ(read->clients.at(0).to, 2s);
}

}  // namespace
}  // namespace weir::sim
