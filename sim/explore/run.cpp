// SPDX-License-Identifier: MIT
#include "sim/explore/run.hpp"

#include "core/config/driver_options.hpp"
#include "core/observe/texts.hpp"
#include "core/runtime/basic_pool.hpp"
#include "sim/check/ledger.hpp"
#include "sim/explore/asking.hpp"
#include "sim/explore/backend.hpp"
#include "sim/explore/rules.hpp"

#include <weir/retry.hpp>

#include <algorithm>
#include <initializer_list>

namespace weir::runtime {
extern template class BasicExecutor<sim::SimRuntime>;
extern template class BasicHost<sim::SimRuntime>;
extern template class BasicPool<sim::SimRuntime>;
}  // namespace weir::runtime

namespace weir::sim {

std::string_view to_string(Action::What what) noexcept {
  constexpr std::string_view names[] = {"resize", "suspend", "resume", "evict", "drain"};
  return names[static_cast<std::size_t>(what)];
}

namespace {

using SimPool = runtime::BasicPool<SimRuntime>;
using SimExecutor = runtime::BasicExecutor<SimRuntime>;

class Simulation final : StepWatcher {
 public:
  Simulation(const Scenario& scenario, const RunOptions& options, const Host& host)
      : scenario_(scenario),
        options_(options),
        host_(host),
        world_(world_options(), scenario.schedule),
        backend_(make_backend(scenario, world_)),
        server_(backend_ ? (*backend_)->server() : nullptr),
        judge_(world_, server_) {
    world_.watch(this);
  }

  Report run() {
    report_.ending = world_.run([this] { main(); });
    report_.judgement = std::move(judge_).judgement();
    report_.virtual_time = std::max(report_.ending.at - World::beginning, Duration{});
    report_.stalled = world_.stalled() - stalled_before_;
    report_.deviations = world_.deviations();
    if (server_ != nullptr) report_.sessions_max = server_->ledger().sessions_max;
    report_.trace = world_.take_trace();
    for (ThreadId id = 1; id <= world_.threads(); ++id) {
      report_.thread_names.push_back(world_.name_of(id));
    }
    return std::move(report_);
  }

  // What nothing on the stacks of a failed run refers to.
  void forget() {
    if (server_ != nullptr) server_->forget_ledger();
    judge_.forget();
  }

 private:
  WorldOptions world_options() const {
    WorldOptions o;
    o.seed = scenario_.seed;
    o.mode = scenario_.mode;
    o.engine = options_.engine;
    o.steps_max = scenario_.steps_max;
    o.time_max = scenario_.duration + std::chrono::hours(24);
    o.keep_trace = options_.keep_trace;
    o.wall_clock = scenario_.clock == Clock::wall;
    if (host_.prepare || !scenario_.setup.empty()) o.lead = std::chrono::minutes(1);
    o.lead += start_wait();
    return o;
  }
  // How long the pool may take to be there at the beginning, as a host with an eager one waits.
  Duration start_wait() const {
    if (scenario_.pool.start != Start::eager) return {};
    return std::min<Duration>(scenario_.pool.start_timeout, std::chrono::minutes(30));
  }
  Instant end_of_faults() const { return after(World::beginning, scenario_.duration); }

  void main() {
    executor_ = std::make_shared<SimExecutor>();
    if (!backend_) return refuse(backend_.error());
    if (const auto why = unable_on(options_.engine, scenario_)) return refuse(*why);
    if (!open()) return;
    if (world_.options().lead > Duration{}) prepare();
    std::vector<Thread> threads;
    for (const ClientGroup& group : scenario_.clients) start_clients(group, threads);
    threads.emplace_back([this] { act(); });
    world_.name_thread("main");
    for (Thread& thread : threads) thread.join();
    report_.worked = std::max(world_.now() - World::beginning, scenario_.duration);
    heal();
    report_.stats = pool_->stats();
    judge_books(judge_, report_.stats);
    if (host_.check && !drained_) ask_host();
    end();
  }

  // Ends a run that cannot be made, which says nothing of the pool.
  void refuse(const Error& why) {
    report_.unable = why;
    world_.fail(unable_to_run, why.message());
  }

  bool open() {
    const auto loaded = (*backend_)->driver();
    auto options = driver_options(loaded->table.info());
    if (!options) return refuse(options.error()), false;
    runtime::PoolParts<SimRuntime> parts{
        scenario_.pool,
        *std::move(options),
        ".",
        loaded,
        executor_,
        [this](LogLevel level, std::string_view, std::string_view line) { log(level, line); },
        [this](std::string_view id) { return (*backend_)->extension(id); },
        std::nullopt,
        host_.hooks};
    auto pool = SimPool::create(std::move(parts));
    if (!pool) return refuse(pool.error()), false;
    pool_ = *std::move(pool);
    if (scenario_.pool.start != Start::lazy) pool_->start();
    return true;
  }

  // Kept from run to run: a search asks the same thousands of times a second.
  Result<std::vector<DriverOption>> driver_options(const weir_info& driver) const {
    struct Asked {
      const weir_info* driver = nullptr;
      std::vector<DriverOption> options;
      std::vector<DriverOption> checked;
    };
    thread_local Asked last;
    const std::vector<DriverOption>& options = scenario_.pool.options;
    if (last.driver != &driver || last.options != options) {
      auto checked =
          config::check_driver_options(options, driver, {"scenario", scenario_.pool.name});
      if (!checked) return checked;
      last = {&driver, options, *std::move(checked)};
    }
    return last.checked;
  }

  // Before the beginning, when nothing goes wrong and nobody is preempted.
  void prepare() {
    Result<void> done;
    if (start_wait() > Duration{}) done = pool_->wait_ready(start_wait());
    if (done) done = set_up();
    if (done && host_.prepare) done = host_.prepare(*pool_);
    if (!done) world_.fail("setup", done.error().message());
    if (world_.now() > World::beginning) {
      world_.fail("setup", "it took " + observe::short_duration(world_.now() - World::beginning +
                                                                world_.options().lead));
    }
    if (!world_.options().wall_clock) world_.sleep_until(World::beginning);
    world_.begin();
    stalled_before_ = world_.stalled();
  }

  Result<void> set_up() {
    if (scenario_.setup.empty()) return {};
    auto lease = acquire_by(World::beginning, {Code::queue_full});
    if (!lease) return fail(std::move(lease).error());
    for (const std::string& sql : scenario_.setup) {
      auto answer = (*lease)->query(std::string_view(sql));
      if (!answer) return fail(std::move(answer).error());
    }
    return {};
  }

  // Asks again where the answer says no more than that a connection is still to come.
  Result<weir::Lease> acquire_by(Instant until, std::initializer_list<Code> not_yet) {
    auto lease = pool_->acquire_until(until);
    while (!lease && world_.now() < until &&
           std::find(not_yet.begin(), not_yet.end(), lease.error().code()) != not_yet.end()) {
      world_.sleep_until(std::min(until, after(world_.now(), std::chrono::milliseconds(50))));
      lease = pool_->acquire_until(until);
    }
    return lease;
  }

  void log(LogLevel level, std::string_view line) {
    judge_.log_called();
    if (!options_.keep_history || report_.log.size() >= log_lines_max) return;
    report_.log.push_back(observe::short_duration(world_.now() - World::beginning) + " " +
                          std::string(to_string(level)) + " " + std::string(line));
  }

  // ---- clients

  struct Arrivals {  // of an open group: shared by its clients
    Instant next;
    std::uint32_t count = 0;
    base::Random gaps;
  };

  void start_clients(const ClientGroup& group, std::vector<Thread>& threads) {
    auto arrivals = std::make_shared<Arrivals>(
        Arrivals{after(World::beginning, group.from), 0, world_.stream("arrivals", group.number)});
    for (std::uint32_t i = 0; i < group.count; ++i) {
      threads.emplace_back([this, &group, arrivals, i] {
        world_.name_thread("client " + std::to_string(group.number) + "." + std::to_string(i));
        if (group.loop == ClientGroup::Loop::open) {
          serve(group, *arrivals, i);
        } else {
          repeat(group, i);
        }
      });
    }
  }

  Instant end_of(const ClientGroup& group) const {
    return after(World::beginning,
                 std::min(group.to.value_or(scenario_.duration), scenario_.duration));
  }

  void serve(const ClientGroup& group, Arrivals& arrivals, std::uint32_t client) {
    const Instant end = end_of(group);
    for (;;) {
      arrivals.next += Duration(group.every.draw(arrivals.gaps));
      const Instant due = arrivals.next;
      if (due >= end || (group.rounds != 0 && arrivals.count == group.rounds)) return;
      base::Random luck = luck_of(group, arrivals.count++);
      if (due > world_.now()) world_.sleep_until(due);
      round(group, client, due, luck);
    }
  }

  void repeat(const ClientGroup& group, std::uint32_t client) {
    const Instant end = end_of(group);
    world_.sleep_until(after(World::beginning, group.from));
    std::uint32_t at_once = 0;  // rounds, one after another
    for (std::uint32_t n = 0; group.rounds == 0 || n < group.rounds; ++n) {
      const Instant before = world_.now();
      base::Random luck = luck_of(group, std::uint64_t{client} << 32 | n);
      world_.sleep_until(after(world_.now(), Duration(group.every.draw(luck))));
      if (world_.now() >= end) return;
      round(group, client, world_.now(), luck);
      at_once = world_.now() == before ? at_once + 1 : 0;
      if (group.rounds == 0 && at_once == at_once_max) refuse(endless(group));
    }
  }

  // Of one piece of work, by its number: what it needs does not depend on which client does it, nor
  // on what became of earlier ones, so that two pools are compared on the same work.
  base::Random luck_of(const ClientGroup& group, std::uint64_t work) const {
    return world_.stream("client " + std::to_string(group.number), work);
  }

  void round(const ClientGroup& group, std::uint32_t client, Instant due, base::Random& luck) {
    Round seen{group.number, client,      world_.running(), due,    world_.now(),
               no_deadline,  no_deadline, no_deadline,      Code{}, 0};
    const Result<void> result = host_.work ? host_.work(*pool_)
                                : group.retry
                                    ? retry(*pool_, [&] { return use(group, luck, seen); })
                                    : use(group, luck, seen);
    seen.done = world_.now();
    ++report_.rounds;
    report_.round.add(seen.done - due);
    if (!host_.work && seen.served == no_deadline) ++report_.unserved;
    if (!result) {
      seen.result = result.error().code();
      count_failure(seen.result);
    }
    world_.note(static_cast<std::uint64_t>(seen.result));
    if (options_.keep_history && report_.history.size() < history_max) {
      report_.history.push_back(seen);
    }
  }

  void count_failure(Code code) {
    auto& failures = report_.failures;
    const auto it = std::find_if(failures.begin(), failures.end(),
                                 [&](const auto& entry) { return entry.first == code; });
    if (it == failures.end()) {
      failures.emplace_back(code, 1);
    } else {
      ++it->second;
    }
  }

  Result<std::vector<weir::Lease>> acquire(const ClientGroup& group, std::uint32_t count) {
    const Duration timeout = group.timeout.value_or(scenario_.pool.acquire_timeout);
    Judge::Acquire call{world_.now(), after(world_.now(), timeout), {}, world_.stalled(), nullptr};
    std::optional<Instant> answered;
    auto leases = asking_.ask(*pool_, group, count, answered);
    if (!answered) return leases;  // it was left
    call.answered = *answered;
    call.error = leases ? nullptr : &leases.error();
    judge_.acquired(call);
    if (leases && count > 1) {
      judge_.require(leases->size() == count, "S17", "not as many as were asked for");
    }
    return leases;
  }

  Result<void> use(const ClientGroup& group, base::Random& luck, Round& seen) {
    // All of it before anything can go wrong: the next attempt has the same luck either way.
    const bool leaks = luck.next() % 1'000'000 < group.leak_ppm;
    const Duration hold(group.hold.draw(luck));
    const std::uint64_t of_statements = luck.next() >> 32;
    auto leases = acquire(group, group.together);
    if (!leases) return fail(std::move(leases).error());
    weir::Lease& lease = leases->front();
    seen.lent = world_.now();
    // A later attempt has had the service of an earlier one meanwhile.
    if (seen.served == no_deadline) {
      seen.served = seen.lent;
      report_.wait.add(seen.served - seen.due);
    }
    // Tells the server whose statements these are: by that it knows what one lease saw of another,
    // and how long they take.
    const LeaseMark who{seen.thread, ++leases_};
    const std::string mark = " /*c" + std::to_string(who.client) + "." +
                             std::to_string(who.number) + "." + std::to_string(of_statements) +
                             "*/";
    const auto statements = [&](Connection& c) -> Result<void> {
      for (const std::string& sql : group.sql) {
        auto answer = c.query(std::string_view(server_ == nullptr ? sql : sql + mark));
        if (!answer) return fail(std::move(answer).error());
      }
      return {};
    };
    Connection own = lease->within(group.within);
    Result<void> result = group.transaction ? own.transaction(statements) : statements(own);
    if (options_.keep_history) seen.slot_session = session_of(who);
    std::vector<weir::Lease> inner;
    for (std::uint32_t i = 0; result && i < group.nested; ++i) {
      auto further = acquire(group, 1);
      if (!further) {
        result = fail(std::move(further).error());
      } else {
        inner.push_back(std::move(further->front()));
      }
    }
    if (hold > Duration{}) world_.sleep_until(after(world_.now(), hold));
    if (leaks) leaked_.push_back(std::move(lease));
    return result;
  }

  // By the server's ledger, not far from its end; 0 if the lease did not say anything.
  std::uint32_t session_of(const LeaseMark& who) const {
    if (server_ == nullptr) return 0;
    const auto& records = server_->ledger().records;
    const auto end = records.rbegin() + std::min<std::ptrdiff_t>(std::ssize(records), 1000);
    const auto last = std::find_if(records.rbegin(), end,
                                   [&](const Record& record) { return record.lease == who; });
    return last == end ? 0 : static_cast<std::uint32_t>(last->session);
  }

  // ---- what the host does meanwhile

  void act() {
    world_.name_thread("host");
    auto actions = scenario_.actions;
    std::stable_sort(actions.begin(), actions.end(),
                     [](const Action& a, const Action& b) { return a.at < b.at; });
    for (const Action& action : actions) {
      const Instant at = after(World::beginning, action.at);
      if (at >= end_of_faults()) break;
      world_.sleep_until(at);
      carry_out(action);
    }
    pool_->resume();  // whatever was suspended
  }

  // Their results depend on when they come; that they come back in time is what is judged.
  void carry_out(const Action& action) {
    const Instant asked = world_.now();
    const Duration stalled = world_.stalled();
    switch (action.what) {
      case Action::What::resize:
        static_cast<void>(pool_->resize(action.min, action.max));
        return;
      case Action::What::suspend:
        static_cast<void>(pool_->suspend(action.timeout));
        break;
      case Action::What::resume:
        pool_->resume();
        return;
      case Action::What::evict:
        static_cast<void>(pool_->evict());
        return;
      case Action::What::drain:
        static_cast<void>(pool_->drain(action.timeout));
        judge_.closed(asked);
        drained_ = true;
        break;
    }
    const Duration took = world_.now() - asked - (world_.stalled() - stalled) - scarce();
    const Duration grace =
        action.what == Action::What::drain ? std::chrono::seconds(6) : Duration{};
    judge_.require(took <= action.timeout + grace, "L5", [&] {
      return std::string(to_string(action.what)) + " took " + observe::short_duration(took);
    });
  }

  // What a thread may have to wait for a processor.
  Duration scarce() const {
    return scenario_.mode == Mode::cpu_model ? std::chrono::milliseconds(5) : Duration{};
  }

  // ---- what is watched

  void stepped(const std::string& pool, const engine::Engine& engine, const engine::PlainRack& rack,
               const engine::Effects& fx) override {
    if (options_.interrupted && options_.interrupted()) {
      world_.fail(interrupted_run, "the run was interrupted");
    }
    judge_.stepped(pool, engine, rack, fx);
    if (!options_.keep_history || world_.now() < next_sample_) return;
    next_sample_ = world_.now() + scenario_.duration / samples_max;
    report_.samples.push_back(
        {world_.now(), engine.counts(), server_ == nullptr ? 0 : server_->ledger().sessions});
  }
  void reached(runtime::Mark mark) override { judge_.reached(mark); }
  void waits() override { judge_.waits(); }

  // ---- the end

  // Faults are over, clients are gone: the pool has to come to rest.
  void heal() {
    world_.calm();
    leaked_.clear();
    if (world_.now() < end_of_faults()) world_.sleep_until(end_of_faults());
    const bool notices = server_ == nullptr || server_notices(scenario_);
    // Sessions that the server keeps for clients that are gone may take all the room there is.
    if (drained_ || (scenario_.server.max_connections > 0 && !notices)) return;
    const PoolConfig config = pool_->config();
    // Without a limit an attempt waits for ever for a server that has gone in silence.
    if (config.create_timeout == no_timeout && !notices) return;
    const Duration stalled = world_.stalled();
    const Instant bound = after(world_.now(), heal_bound(config));
    // A pool that tells callers of failed connects at once may do so until the next attempt; one
    // where nobody may wait has begun to connect.
    auto lease = acquire_by(bound, {Code::create_failed, Code::queue_full});
    judge_.require(lease.has_value(), "R1", [&] {
      return "no connection after everything has healed: " + (lease ? "" : lease.error().message());
    });
    lease->release();
    PoolStats stats = pool_->stats();
    const std::uint32_t room = scenario_.server.max_connections;
    const std::uint32_t reachable = room == 0 ? config.min : std::min(config.min, room);
    // One of them may always be away for a health check.
    const std::uint32_t away = config.health.interval == no_timeout ? 0 : 1;
    const auto rests = [&] {
      return stats.now.waiting == 0 && stats.now.lent == 0 &&
             stats.now.idle + std::min(stats.now.other, away) >= reachable &&
             stats.now.idle <= config.max;
    };
    while (!rests() && world_.now() <= bound + (world_.stalled() - stalled)) {
      world_.sleep_until(after(world_.now(), std::chrono::milliseconds(50)));
      stats = pool_->stats();
    }
    judge_.require(rests(), "L3", [&] {
      return "the pool does not come to rest: " + observe::counts_text(stats.now) + ", min " +
             std::to_string(config.min);
    });
  }

  void ask_host() {
    const auto holds = host_.check(*pool_);
    judge_.require(holds.has_value(), "host", [&] { return holds.error().message(); });
  }

  void end() {
    const Instant asked = world_.now();
    const Duration stalled = world_.stalled();
    const auto drained = pool_->drain(scenario_.pool.drain_timeout);
    judge_.closed(asked);
    const Duration took = world_.now() - asked - (world_.stalled() - stalled);
    const Duration limit = scenario_.pool.drain_timeout;
    judge_.require(limit == no_timeout || took <= limit + std::chrono::seconds(6), "T10",
                   [&] { return "closing took " + observe::short_duration(took); });
    judge_.require(drained.has_value(), "L5", [&] {
      return "the pool does not close: " + (drained ? "" : drained.error().message());
    });
    const auto late = pool_->acquire({.timeout = std::chrono::seconds(1)});
    judge_.require(!late && late.error().code() == Code::pool_closed, "L8",
                   "an acquire after the close does not say that the pool is closed");
    asking_.forget();
    pool_.reset();
    executor_.reset();
    if (server_ != nullptr) judge_ledger();
  }

  void judge_ledger() {
    world_.sleep_until(after(world_.now(), std::chrono::minutes(2)));  // goodbyes arrive
    const auto all_of = [&](const char* property, const LedgerVerdict& verdict) {
      for (std::uint64_t i = 0; i < verdict.looked; ++i) judge_.require(true, property, "");
      for (const Finding& finding : verdict.findings) {
        judge_.require(false, property, [&] { return finding.text; });
      }
    };
    server_->advance(on_servers_clock(world_.now()));
    const Ledger& ledger = server_->ledger();
    if (ledger.overflowed) return;  // a run of days: S13, S14 and S10 were not put to the test
    all_of("S13", judge_leftovers(ledger));
    all_of("S14", judge_cancels(ledger));
    if (server_notices(scenario_)) all_of("S10", judge_end(ledger));
  }

  static constexpr std::uint32_t at_once_max = 10'000;  // rounds of one client
  static constexpr std::size_t log_lines_max = 10'000;
  static constexpr std::size_t history_max = 200'000;
  static constexpr int samples_max = 2000;

  const Scenario& scenario_;
  const RunOptions& options_;
  const Host& host_;
  Report report_;
  World world_;
  Result<std::unique_ptr<Backend>> backend_;
  Server* server_;
  Judge judge_;
  std::shared_ptr<SimExecutor> executor_;
  std::shared_ptr<SimPool> pool_;
  Asking asking_{world_};
  std::vector<weir::Lease> leaked_;
  Instant next_sample_ = World::beginning;
  Duration stalled_before_{};  // the beginning
  std::uint64_t leases_ = 0;
  bool drained_ = false;
};

}  // namespace

Report run(const Scenario& scenario, const RunOptions& options, const Host& host) {
  auto simulation = std::make_unique<Simulation>(scenario, options, host);
  Report report = simulation->run();
  if (report.ok()) return report;
  // What a failed world leaves behind refers to it, so it stays; where a leak checker finds it.
  static auto& left_behind = *new std::vector<std::unique_ptr<Simulation>>;
  simulation->forget();
  left_behind.push_back(std::move(simulation));
  return report;
}

}  // namespace weir::sim
