// SPDX-License-Identifier: MIT
#include "sim/explore/generate.hpp"

#include <algorithm>
#include <initializer_list>

namespace weir::sim {
namespace {

using namespace std::chrono_literals;

// Draws for one scenario.
class Dice {
 public:
  Dice(base::Random random, int size) : random_(random), size_(std::clamp(size, 0, 100)) {}

  [[nodiscard]] bool chance(int percent) {
    return below(100) < static_cast<std::uint64_t>(percent);
  }
  [[nodiscard]] std::uint64_t below(std::uint64_t n) { return random_.next() % n; }
  // Up to `most` at size 100, `least` at size 0.
  [[nodiscard]] std::uint32_t upto(std::uint32_t least, std::uint32_t most) {
    const std::uint32_t reach = least + (most - least) * static_cast<std::uint32_t>(size_) / 100;
    return least + static_cast<std::uint32_t>(below(reach - least + 1));
  }
  template <class T>
  [[nodiscard]] T one_of(std::initializer_list<T> values) {
    return *(values.begin() + static_cast<std::ptrdiff_t>(below(values.size())));
  }
  [[nodiscard]] Duration within(Duration longest) {
    return Duration(
        static_cast<std::int64_t>(below(static_cast<std::uint64_t>(longest.count()) + 1)));
  }
  [[nodiscard]] Distribution distribution(std::initializer_list<const char*> texts) {
    return Distribution::parse(one_of(texts)).value();
  }
  [[nodiscard]] std::uint64_t word() { return random_.next(); }

 private:
  base::Random random_;
  int size_;
};

PoolConfig draw_pool(Dice& dice) {
  PoolConfig c;
  c.name = "main";
  c.driver = "mock";
  c.url = Secret("mock:sim");
  c.max = dice.upto(1, 8);
  c.min = dice.chance(50) ? static_cast<std::uint32_t>(dice.below(c.max + 1)) : 0;
  c.max_connecting = dice.upto(1, 3);
  c.start = dice.chance(30) ? Start::lazy : Start::background;
  c.acquire_timeout = dice.one_of<Duration>({20ms, 100ms, 500ms, 3s});
  c.create_timeout = dice.one_of<Duration>({50ms, 200ms, 1s, 5s});
  c.create_retry_interval = dice.one_of<Duration>({10ms, 50ms, 200ms});
  c.create_retry_max =
      std::max<Duration>(dice.one_of<Duration>({100ms, 500ms, 2s}), c.create_retry_interval);
  c.propagate_create_error = dice.one_of(
      {PropagateCreateError::fatal, PropagateCreateError::never, PropagateCreateError::any});
  c.quarantine_max = dice.upto(0, 2);
  c.reap_interval = dice.one_of<Duration>({50ms, 200ms, 1s});
  c.idle_timeout = dice.one_of<Duration>({200ms, 1s, 10s, no_timeout});
  c.max_lifetime = dice.one_of<Duration>({1s, 5s, 30min, no_timeout});
  c.validate_after = dice.one_of<Duration>({0ms, 20ms, 500ms});
  c.keepalive = dice.chance(30) ? dice.one_of<Duration>({300ms, 2s}) : no_timeout;
  c.max_waiting = dice.chance(20) ? dice.upto(1, 6) : 64;
  c.fairness = dice.chance(50) ? Fairness::bounded : Fairness::strict;
  c.fair_after = dice.one_of<Duration>({1ms, 5ms, 20ms});
  c.hold_warn = dice.one_of<Duration>({100ms, 1s, 60s});
  c.drain_timeout = dice.one_of<Duration>({200ms, 2s});
  c.reset = dice.chance(20) ? ResetPolicy::always : ResetPolicy::automatic;
  if (dice.chance(20)) c.init_sql = {"SELECT 1"};
  c.log.info = false;
  if (!validate(c)) {
    // A contradiction between two of the above: the defaults have none.
    PoolConfig plain;
    plain.name = c.name;
    plain.driver = c.driver;
    plain.url = c.url;
    plain.max = c.max;
    plain.log.info = false;
    return plain;
  }
  return c;
}

void draw_health(Dice& dice, PoolConfig& c) {
  c.health.interval = dice.one_of<Duration>({10ms, 100ms, 1s});
  const bool fails = dice.chance(20);
  c.health.sql = c.driver == "sqlite" ? (fails ? "no statement" : "SELECT count(*) FROM t")
                                      : (fails ? "FAIL constraint" : "SELECT 1");
}

void draw_server(Dice& dice, const PoolConfig& pool, Settings& s) {
  // A database that takes no time: then the pool's own locks and wake-ups are all that there is.
  if (dice.chance(15)) {
    for (auto field : {&Settings::network, &Settings::resolve, &Settings::tls, &Settings::auth,
                       &Settings::statement, &Settings::commit, &Settings::ping, &Settings::reset,
                       &Settings::goodbye}) {
      s.*field = Distribution{};
    }
    return;
  }
  s.network = dice.distribution({"0ms", "100us", "exp(200us)", "uniform(100us,1ms)"});
  s.auth = dice.distribution({"0ms", "1ms", "exp(3ms)", "bimodal(2ms,80ms,0.05)"});
  s.statement = dice.distribution({"0ms", "1ms", "exp(2ms)", "lognormal(1ms,0.8)",
                                   "bimodal(1ms,50ms,0.05)", "pareto(1ms,1.5)"});
  s.commit = dice.distribution({"0ms", "500us", "exp(1ms)"});
  s.ping = dice.distribution({"0ms", "100us", "exp(200us)"});
  s.reset = dice.distribution({"0ms", "100us", "exp(200us)"});
  s.goodbye = dice.distribution({"0ms", "1ms", "exp(5ms)"});
  if (dice.chance(40)) s.capacity.cores = dice.upto(1, 4);
  if (dice.chance(20)) s.max_connections = 1 + static_cast<std::uint32_t>(dice.below(pool.max + 2));
  // Where a server has no room for the whole of an eager pool, its host does not start: no finding.
  if (pool.start == Start::eager && s.max_connections > 0) {
    s.max_connections = std::max(s.max_connections, pool.min);
  }
  if (dice.chance(10)) s.idle_timeout_ns = Duration(dice.one_of<Duration>({300ms, 2s})).count();
}

const char* draw_statement(Dice& dice, const PoolConfig& pool) {
  const bool sqlite = pool.driver == "sqlite";
  // Where nothing is cleaned the host promises to change no session.
  if (pool.reset == ResetPolicy::never) {
    return sqlite
               ? dice.one_of<const char*>({"SELECT n FROM t WHERE id = 1", "SELECT count(*) FROM t",
                                           "UPDATE t SET n = n + 1 WHERE id = 1", "no statement"})
               : dice.one_of<const char*>(
                     {"SELECT 1", "ROWS 3", "FAIL constraint", "ADD k", "GET k"});
  }
  return sqlite ? dice.one_of<const char*>(
                      {"SELECT n FROM t WHERE id = 1", "SELECT count(*) FROM t",
                       "UPDATE t SET n = n + 1 WHERE id = 1", "INSERT INTO t(n) VALUES (7)",
                       "DELETE FROM t WHERE id > 9", "CREATE TEMP TABLE IF NOT EXISTS own(x)",
                       "PRAGMA cache_size = 10", "BEGIN", "INSERT INTO t(id, n) VALUES (1, 1)",
                       "no statement"})
                : dice.one_of<const char*>({"SELECT 1", "SELECT 1", "SHOW STATE", "ROWS 3",
                                            "FAIL constraint", "SET zone x", "TEMP t", "LOCK a",
                                            "ROLE r", "LISTEN c", "ADD k", "GET k", "BEGIN",
                                            "SHOW zone"});
}

ClientGroup draw_clients(Dice& dice, std::uint64_t number, Duration duration,
                         const PoolConfig& pool) {
  ClientGroup g;
  g.number = number;
  g.count = dice.upto(1, 6);
  g.loop = dice.chance(30) ? ClientGroup::Loop::open : ClientGroup::Loop::closed;
  g.every = g.loop == ClientGroup::Loop::open
                ? dice.distribution({"exp(2ms)", "exp(10ms)", "5ms"})
                : dice.distribution({"0ms", "1ms", "exp(5ms)", "exp(50ms)"});
  g.rounds = dice.upto(2, 60);
  if (dice.chance(20)) g.from = dice.within(duration / 2);
  const std::uint32_t statements = dice.upto(0, 3);
  for (std::uint32_t i = 0; i < statements; ++i) g.sql.emplace_back(draw_statement(dice, pool));
  g.transaction = dice.chance(25);
  if (g.transaction && dice.chance(30)) g.sql.emplace_back("FAIL constraint");  // is rolled back
  if (dice.chance(15)) g.within = dice.one_of<Duration>({5ms, 50ms});
  g.retry = dice.chance(15);
  g.hold = dice.distribution({"0ms", "0ms", "exp(1ms)", "5ms", "bimodal(1ms,200ms,0.02)"});
  if (dice.chance(30)) g.timeout = dice.one_of<Duration>({0ms, 1ms, 30ms, 1s});
  if (dice.chance(25)) g.waits = ClientGroup::Waits::event_loop;
  if (dice.chance(20)) g.gives_up = dice.one_of<Duration>({0ms, 1ms, 20ms});
  if (g.waits == ClientGroup::Waits::thread && dice.chance(10)) g.together = 2;
  if (dice.chance(10)) g.nested = 1;
  if (dice.chance(5)) g.leak_ppm = 20'000;
  return g;
}

std::int64_t amount_of(FaultKind kind, Dice& dice) {
  switch (kind) {
    case FaultKind::full:
      return static_cast<std::int64_t>(dice.below(3));
    case FaultKind::slow:
      return dice.one_of({300, 1000, 5000});
    case FaultKind::slow_connect:
      return Duration(dice.one_of<Duration>({20ms, 300ms, 6s})).count();
    case FaultKind::slow_close:
      return Duration(dice.one_of<Duration>({20ms, 300ms, 3s})).count();
    default:
      return 0;
  }
}

Fault draw_fault(Dice& dice, FaultKind kind, Duration duration) {
  Fault f;
  f.what = kind;
  f.from = dice.within(duration).count();
  f.to = f.from + dice.within(duration / 2).count() + 1;
  f.probability_ppm = dice.chance(50) ? 1'000'000 : dice.one_of({10'000U, 100'000U, 500'000U});
  if (kind == FaultKind::read_only) f.probability_ppm = 1'000'000;
  f.amount = amount_of(kind, dice);
  return f;
}

// ---- SQLite

void to_sqlite(Dice& dice, PoolConfig& c) {
  c.driver = "sqlite";
  c.url = Secret("file:/sim/" + c.name + ".db");
  if (dice.chance(30)) c.options.push_back({"journal_mode", Secret("delete")});
  const auto busy = dice.one_of<const char*>({"0ms", "20ms", "500ms"});
  if (dice.chance(50)) c.options.push_back({"busy_timeout", Secret(busy)});
}

DiskTrouble draw_trouble(Dice& dice, Duration duration) {
  DiskTrouble t;
  t.what = dice.one_of(
      {DiskFaultKind::io_error, DiskFaultKind::io_error, DiskFaultKind::full, DiskFaultKind::busy});
  do {
    t.on = static_cast<DiskOp>(dice.below(disk_op_count));
  } while (!can_happen(t.what, t.on));
  t.from = dice.within(duration);
  t.to = t.from + dice.within(duration / 2) + 1ns;
  if (dice.chance(30)) t.nth = dice.upto(1, 20);
  t.probability_ppm = dice.chance(50) ? 1'000'000 : dice.one_of({10'000U, 100'000U, 500'000U});
  if (dice.chance(40)) t.file = dice.one_of({"-wal", "-journal", ".db"});
  return t;
}

void draw_disk(Dice& dice, Scenario& s) {
  s.setup = {"CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER NOT NULL)",
             "INSERT INTO t VALUES (1, 0), (2, 0)"};
  s.disk.latency = dice.distribution({"0ms", "10us", "exp(100us)", "bimodal(50us,30ms,0.01)"});
  s.disk.sync = dice.distribution({"0ms", "1ms", "exp(3ms)", "bimodal(1ms,200ms,0.05)"});
  if (!dice.chance(60)) return;
  const std::uint32_t count = dice.upto(1, 4);
  for (std::uint32_t i = 0; i < count; ++i) {
    s.disk.faults.push_back(draw_trouble(dice, s.duration));
  }
}

Action draw_action(Dice& dice, const PoolConfig& pool, Duration duration) {
  Action a;
  a.what = dice.one_of({Action::What::resize, Action::What::resize, Action::What::suspend,
                        Action::What::resume, Action::What::evict, Action::What::drain});
  a.at = dice.within(duration);
  a.max = 1 + static_cast<std::uint32_t>(dice.below(pool.max + 2));
  a.min = static_cast<std::uint32_t>(dice.below(a.max + 1));
  a.timeout = dice.one_of<Duration>({10ms, 200ms});
  return a;
}

void draw_schedule(Dice& dice, Scenario& s) {
  s.mode = dice.chance(60) ? Mode::adversarial : dice.chance(75) ? Mode::ideal : Mode::cpu_model;
  s.schedule.kind = dice.chance(45)   ? ScheduleSpec::Kind::pct
                    : dice.chance(75) ? ScheduleSpec::Kind::random
                                      : ScheduleSpec::Kind::fifo;
  s.schedule.depth = 2 + static_cast<std::uint32_t>(dice.below(3));
  s.schedule.steps = dice.one_of({200U, 1000U, 5000U});
  s.schedule.rate = dice.one_of({0.01, 0.05, 0.3});
  s.schedule.spurious = dice.chance(50);
}

}  // namespace

Scenario draw(base::Random random, int size, const Generator& generator) {
  Dice dice(random, size);
  Scenario s;
  s.seed = dice.word() >> 1;  // TOML's integers have a sign
  s.duration = dice.within(dice.one_of<Duration>({20ms, 200ms, 2s, generator.longest})) + 1ms;
  s.duration = std::min(s.duration, generator.longest);
  s.pool = generator.pool ? *generator.pool : draw_pool(dice);
  if (!generator.pool && generator.driver == "sqlite") to_sqlite(dice, s.pool);
  if (s.pool.driver != "sqlite") draw_server(dice, s.pool, s.server);
  const std::uint32_t groups = dice.upto(1, 4);
  for (std::uint32_t i = 1; i <= groups; ++i) {
    s.clients.push_back(draw_clients(dice, i, s.duration, s.pool));
    ClientGroup& group = s.clients.back();
    if (generator.engine == Engine::threads && group.waits == ClientGroup::Waits::thread) {
      group.gives_up.reset();
    }
  }
  if (s.pool.driver == "sqlite") {
    draw_disk(dice, s);
  } else if (dice.chance(70)) {
    constexpr int kinds = static_cast<int>(FaultKind::error) + 1;
    for (int kind = 0; kind < kinds; ++kind) {
      if (!dice.chance(15)) continue;
      const std::uint32_t count = dice.upto(1, 3);
      for (std::uint32_t i = 0; i < count; ++i) {
        s.server.faults.push_back(draw_fault(dice, static_cast<FaultKind>(kind), s.duration));
      }
    }
  }
  if (dice.chance(40)) {
    const std::uint32_t count = dice.upto(1, 3);
    for (std::uint32_t i = 0; i < count; ++i) {
      s.actions.push_back(draw_action(dice, s.pool, s.duration));
    }
  }
  draw_schedule(dice, s);
  if (!generator.pool && dice.chance(20)) draw_health(dice, s.pool);
  s.steps_max = 3'000'000;
  if (generator.shape) generator.shape(s);
  return s;
}

// ---------------------------------------------------------------- smaller ones

namespace {

// Copies of `scenario` without halves, quarters ... single members of one of its lists.
template <class Member>
void without_some(const Scenario& scenario, Member member, std::vector<Scenario>& out) {
  const std::size_t size = member(scenario).size();
  for (std::size_t chunk = size; chunk > 0; chunk /= 2) {
    for (std::size_t at = 0; at < size; at += chunk) {
      Scenario smaller = scenario;
      auto& list = member(smaller);
      const auto from = list.begin() + static_cast<std::ptrdiff_t>(at);
      const auto to = list.begin() + static_cast<std::ptrdiff_t>(std::min(at + chunk, size));
      list.erase(from, to);
      out.push_back(std::move(smaller));
    }
  }
}

template <class Change>
void changed(const Scenario& scenario, std::vector<Scenario>& out, Change&& change) {
  Scenario smaller = scenario;
  if (change(smaller)) out.push_back(std::move(smaller));
}

template <class T, class V>
bool set(T& field, const V& value) {
  if (field == value) return false;
  field = value;
  return true;
}

void simpler_clients(const Scenario& s, std::vector<Scenario>& out) {
  for (std::size_t i = 0; i < s.clients.size(); ++i) {
    const auto with = [&](auto&& change) {
      changed(s, out, [&](Scenario& smaller) { return change(smaller.clients[i]); });
    };
    with([](ClientGroup& g) { return set(g.count, (g.count + 1) / 2); });
    // A few rounds instead of all that fit, so that they can lose the time between them: whether
    // fewer clients meet then does not depend on when each of them happens to begin.
    with([](ClientGroup& g) { return g.rounds == 0 && set(g.rounds, 8U); });
    with([](ClientGroup& g) { return g.rounds > 1 && set(g.rounds, g.rounds / 2); });
    with([](ClientGroup& g) { return g.rounds > 1 && set(g.rounds, g.rounds - 1); });
    with([](ClientGroup& g) { return !g.sql.empty() && (g.sql.pop_back(), true); });
    with([](ClientGroup& g) { return set(g.transaction, false); });
    with([](ClientGroup& g) { return set(g.retry, false); });
    with([](ClientGroup& g) { return set(g.waits, ClientGroup::Waits::thread); });
    with([](ClientGroup& g) { return set(g.gives_up, std::optional<Duration>{}); });
    with([](ClientGroup& g) { return set(g.together, 1U); });
    with([](ClientGroup& g) { return set(g.nested, 0U); });
    with([](ClientGroup& g) { return set(g.leak_ppm, 0U); });
    with([](ClientGroup& g) { return set(g.timeout, std::optional<Duration>{}); });
    with([](ClientGroup& g) { return set(g.within, ClientGroup{}.within); });
    with([](ClientGroup& g) { return set(g.from, Duration{}); });
    with([](ClientGroup& g) { return set(g.loop, ClientGroup::Loop::closed); });
    with([](ClientGroup& g) { return set(g.hold, Distribution{}); });
    // Without rounds it would go on for ever at one instant.
    with([](ClientGroup& g) { return g.rounds > 0 && set(g.every, Distribution{}); });
  }
}

void simpler_pool(const Scenario& s, std::vector<Scenario>& out) {
  const PoolConfig plain;
  const auto with = [&](auto&& change) {
    changed(s, out, [&](Scenario& smaller) {
      return change(smaller.pool) && validate(smaller.pool).has_value();
    });
  };
  with([](PoolConfig& c) { return set(c.min, 0U); });
  with([](PoolConfig& c) { return c.max > 1 && set(c.max, c.max / 2) && set(c.min, 0U) | true; });
  with([](PoolConfig& c) { return c.max > 1 && set(c.max, c.max - 1) && c.min <= c.max; });
  with([&](PoolConfig& c) { return set(c.acquire_timeout, plain.acquire_timeout); });
  with([&](PoolConfig& c) { return set(c.create_timeout, plain.create_timeout); });
  with([&](PoolConfig& c) { return set(c.create_retry_interval, plain.create_retry_interval); });
  with([&](PoolConfig& c) { return set(c.create_retry_max, plain.create_retry_max); });
  with([&](PoolConfig& c) { return set(c.propagate_create_error, plain.propagate_create_error); });
  with([&](PoolConfig& c) { return set(c.max_connecting, 1U); });
  with([&](PoolConfig& c) { return set(c.quarantine_max, plain.quarantine_max); });
  with([&](PoolConfig& c) { return set(c.idle_timeout, no_timeout); });
  with([&](PoolConfig& c) { return set(c.max_lifetime, no_timeout); });
  with([&](PoolConfig& c) { return set(c.keepalive, no_timeout); });
  with([&](PoolConfig& c) { return set(c.validate_after, plain.validate_after); });
  with([&](PoolConfig& c) { return set(c.reap_interval, plain.reap_interval); });
  with([&](PoolConfig& c) { return set(c.health, plain.health); });
  with([&](PoolConfig& c) { return set(c.hold_warn, plain.hold_warn); });
  with([&](PoolConfig& c) { return set(c.fairness, Fairness::strict); });
  with([&](PoolConfig& c) { return set(c.reset, plain.reset); });
  with([&](PoolConfig& c) { return !c.init_sql.empty() && (c.init_sql.clear(), true); });
}

void simpler_server(const Scenario& s, std::vector<Scenario>& out) {
  const auto with = [&](auto&& change) {
    changed(s, out, [&](Scenario& smaller) { return change(smaller.server); });
  };
  with([](Settings& v) { return set(v.capacity.cores, 0U); });
  with([](Settings& v) { return set(v.max_connections, 0U); });
  with([](Settings& v) { return set(v.idle_timeout_ns, 0); });
  for (auto field : {&Settings::network, &Settings::resolve, &Settings::tls, &Settings::auth,
                     &Settings::statement, &Settings::commit, &Settings::ping, &Settings::reset,
                     &Settings::goodbye}) {
    with([&](Settings& v) { return set(v.*field, Distribution{}); });
  }
  changed(s, out, [](Scenario& v) { return set(v.disk.latency, Distribution{}); });
  changed(s, out, [](Scenario& v) { return set(v.disk.sync, Distribution{}); });
  for (std::size_t i = 0; i < s.server.faults.size(); ++i) {
    with([&](Settings& v) { return set(v.faults[i].probability_ppm, 1'000'000U); });
    with([&](Settings& v) {
      Fault& f = v.faults[i];
      return set(f.from, f.from / 1'000'000 * 1'000'000);
    });
  }
}

void simpler_schedule(const Scenario& s, std::vector<Scenario>& out) {
  changed(s, out, [](Scenario& smaller) {
    const bool plain = smaller.schedule == ScheduleSpec{} && smaller.mode == Mode::ideal;
    smaller.schedule = {};
    smaller.mode = Mode::ideal;
    return !plain;
  });
  if (s.schedule.kind != ScheduleSpec::Kind::replay) return;
  without_some(
      s, [](auto& x) -> auto& { return x.schedule.deviations; }, out);
}

}  // namespace

void cut_to(Scenario& scenario, Duration duration) {
  scenario.duration = duration;
  std::erase_if(scenario.server.faults,
                [&](const Fault& fault) { return fault.from >= duration.count(); });
  std::erase_if(scenario.disk.faults, [&](const DiskTrouble& t) { return t.from >= duration; });
  for (DiskTrouble& t : scenario.disk.faults) t.to = std::min(t.to.value_or(duration), duration);
  std::erase_if(scenario.actions, [&](const Action& action) { return action.at >= duration; });
  for (Fault& fault : scenario.server.faults) fault.to = std::min(fault.to, duration.count());
  for (ClientGroup& group : scenario.clients) {
    group.from = std::min(group.from, duration);
    if (group.to) group.to = std::min(*group.to, duration);
  }
}

std::vector<Scenario> candidates(const Scenario& scenario) {
  std::vector<Scenario> out;
  changed(scenario, out,
          [](Scenario& s) { return s.duration > 2ms && (cut_to(s, s.duration / 2), true); });
  without_some(
      scenario, [](auto& s) -> auto& { return s.server.faults; }, out);
  without_some(
      scenario, [](auto& s) -> auto& { return s.disk.faults; }, out);
  without_some(
      scenario, [](auto& s) -> auto& { return s.clients; }, out);
  without_some(
      scenario, [](auto& s) -> auto& { return s.actions; }, out);
  simpler_schedule(scenario, out);
  simpler_clients(scenario, out);
  simpler_server(scenario, out);
  simpler_pool(scenario, out);
  changed(scenario, out, [](Scenario& s) {
    const Duration rounded = s.duration / 1'000'000 * 1'000'000;
    return rounded > Duration{} && rounded != s.duration && (cut_to(s, rounded), true);
  });
  return out;
}

rc::Gen<Scenario> scenarios(const Generator& generator) {
  return [generator](const rc::Random& random, int size) {
    rc::Random copy = random;
    return rc::shrinkable::shrinkRecur(
        draw(base::Random(copy.next()), size, generator),
        [](const Scenario& s) { return rc::seq::fromContainer(candidates(s)); });
  };
}

}  // namespace weir::sim
