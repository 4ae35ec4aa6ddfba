// SPDX-License-Identifier: MIT
#include "sim/explore/scenario_keys.hpp"

#include "sim/explore/scenario_access.hpp"

#include <array>
#include <limits>

namespace weir::sim {
namespace {

// ---- the table

using std::string_view;

constexpr std::int64_t million = 1'000'000;
constexpr std::int64_t year = million * 1000 * 3600 * 24 * 365;
constexpr std::int64_t many = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t pool_size_max = 10'000;

template <class... Enums>
constexpr std::uint32_t words(Enums... enumerators) {
  return ((1U << static_cast<unsigned>(enumerators)) | ... | 0U);
}

constexpr std::array<string_view, 3> mode_words{"ideal", "adversarial", "cpu_model"};
constexpr std::array<string_view, 2> clock_words{"virtual", "wall"};
constexpr std::array<string_view, 2> loop_words{"closed", "open"};
constexpr std::array<string_view, 2> waits_words{"thread", "event_loop"};
constexpr std::array<string_view, 5> action_words{"resize", "suspend", "resume", "evict", "drain"};
constexpr std::array<string_view, 4> schedule_words{"fifo", "random", "pct", "replay"};
constexpr std::array<string_view, 5> disk_fault_words{"io_error", "full", "busy", "short_read",
                                                      "lie"};
constexpr auto disk_op_words = [] {
  std::array<string_view, disk_op_count> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = name(static_cast<DiskOp>(i));
  return all;
}();
constexpr auto fault_words = [] {
  std::array<string_view, static_cast<std::size_t>(FaultKind::error) + 1> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = name_of(static_cast<FaultKind>(i));
  return all;
}();

// Only checked: a scenario has no format.
constexpr Access format_access{
    [](const void*) -> std::optional<FileValue> { return number(scenario_format); },
    [](void*, const FileValue&) {}};

constexpr ScenarioKey top_keys[] = {
    {.name = "format",
     .form = Form::whole,
     .access = format_access,
     .least = scenario_format,
     .most = scenario_format,
     .required = true,
     .doc = "Version of this format. A newer one is refused, not read differently."},
    {.name = "name",
     .form = Form::text,
     .access = member<Scenario, &Scenario::name>,
     .doc = "What reports call it; of a file without one, the file's name."},
    {.name = "seed",
     .form = Form::seed,
     .access = member<Scenario, &Scenario::seed>,
     .spelled = true,
     .doc = "Of all chance. From 2^63 on it is written `\"0x...\"`."},
    {.name = "duration",
     .form = Form::duration,
     .access = member<Scenario, &Scenario::duration>,
     .least = 1,
     .most = year,
     .spelled = true,
     .doc = "Virtual time in which clients, faults and actions act. Healing comes after it."},
    {.name = "mode",
     .form = Form::word,
     .access = member<Scenario, &Scenario::mode>,
     .words = mode_words,
     .doc = "`ideal`: steps take no time. `adversarial`: timers may fire between any two steps. "
            "`cpu_model`: steps take time on a few processors."},
    {.name = "steps_max",
     .form = Form::whole,
     .access = member<Scenario, &Scenario::steps_max>,
     .least = 1,
     .most = std::numeric_limits<std::int64_t>::max(),
     .doc = "A run that takes more steps counts as a hang."},
    {.name = "clock",
     .form = Form::word,
     .access = member<Scenario, &Scenario::clock>,
     .words = clock_words,
     .doc = "`wall`: virtual time is real time, for a driver that blocks in the real world. No two "
            "such runs are the same, so they cannot be replayed."},
    {.name = "plugin",
     .form = Form::text,
     .access = member<Scenario, &Scenario::plugin>,
     .doc =
         "The library or the manifest, relative to this file, of the driver that `[pool]` names; "
         "else one that is not linked in is looked for in the installed plugins."},
    {.name = "pool_file",
     .form = Form::text,
     .access = member<Scenario, &Scenario::pool_file>,
     .written = false,
     .doc =
         "A `weir.toml`, relative to this file, whose pool `name` of `[pool]` is taken, less its "
         "driver, URL and driver options; the other keys of `[pool]` come on top."},
    {.name = "setup",
     .form = Form::statements,
     .access = member<Scenario, &Scenario::setup>,
     .doc = "Statements that run once, before the beginning, while nothing goes wrong."},
};

constexpr ScenarioKey server_keys[] = {
    {.name = "network",
     .form = Form::distribution,
     .access = member<Settings, &Settings::network>,
     .doc = "One way between client and server."},
    {.name = "resolve",
     .form = Form::distribution,
     .access = member<Settings, &Settings::resolve>,
     .doc = "Of a connect, before the server knows of it."},
    {.name = "tls",
     .form = Form::distribution,
     .access = member<Settings, &Settings::tls>,
     .doc = "Of a connect; from here on the session counts on the server."},
    {.name = "auth",
     .form = Form::distribution,
     .access = member<Settings, &Settings::auth>,
     .doc = "Of a connect, after that."},
    {.name = "statement",
     .form = Form::distribution,
     .access = member<Settings, &Settings::statement>,
     .doc = "Service time of a statement that runs alone."},
    {.name = "commit",
     .form = Form::distribution,
     .access = member<Settings, &Settings::commit>,
     .doc = "Service time of a commit that runs alone."},
    {.name = "ping",
     .form = Form::distribution,
     .access = member<Settings, &Settings::ping>,
     .doc = "Of a look at a connection."},
    {.name = "reset",
     .form = Form::distribution,
     .access = member<Settings, &Settings::reset>,
     .doc = "Of cleaning a session."},
    {.name = "goodbye",
     .form = Form::distribution,
     .access = member<Settings, &Settings::goodbye>,
     .doc = "Of a close."},
    {.name = "cores",
     .form = Form::whole,
     .access = member<Settings, &Settings::capacity, &Capacity::cores>,
     .most = 100'000,
     .doc = "Statements and commits share so many processors; 0: as many as there are of them."},
    {.name = "sigma",
     .form = Form::millionths,
     .access = member<Settings, &Settings::capacity, &Capacity::sigma_ppm>,
     .most = 10 * million,
     .doc = "Contention: each of n statements runs at 1/(1 + sigma(n-1) + kappa n(n-1))."},
    {.name = "kappa",
     .form = Form::millionths,
     .access = member<Settings, &Settings::capacity, &Capacity::kappa_ppm>,
     .most = 10 * million,
     .doc = "Coherency, as above: with it throughput has a peak and then falls."},
    {.name = "max_connections",
     .form = Form::whole,
     .access = member<Settings, &Settings::max_connections>,
     .most = many,
     .doc = "Sessions that the server has; 0: no limit."},
    {.name = "idle_timeout",
     .form = Form::duration,
     .access = member<Settings, &Settings::idle_timeout_ns>,
     .least = 1,
     .most = year,
     .none = 0,
     .doc = "After this the server ends an idle session."},
    {.name = "notice",
     .form = Form::duration,
     .access = member<Settings, &Settings::notice_ns>,
     .most = year,
     .doc = "How long the server takes to see that a client has closed."},
    {.name = "loose_cancels",
     .form = Form::flag,
     .access = member<Settings, &Settings::loose_cancels>,
     .doc = "A cancel ends whatever runs when it comes, as with a driver that does not fence it."},
};

constexpr ScenarioKey client_keys[] = {
    {.name = "number",
     .form = Form::seed,
     .access = member<ClientGroup, &ClientGroup::number>,
     .spelled = true,
     .doc =
         "Who this is: its chance depends on it, so it keeps it when others are removed. Without "
         "one: one more than the client before."},
    {.name = "count",
     .form = Form::whole,
     .access = member<ClientGroup, &ClientGroup::count>,
     .least = 1,
     .most = 100'000,
     .doc = "So many do the same, each on a thread of its own."},
    {.name = "loop",
     .form = Form::word,
     .access = member<ClientGroup, &ClientGroup::loop>,
     .words = loop_words,
     .doc = "`closed`: each thinks, then works, again and again. `open`: work arrives at the group "
            "whether or not somebody is free."},
    {.name = "every",
     .form = Form::distribution,
     .access = member<ClientGroup, &ClientGroup::every>,
     .doc = "Time to think; of an open loop, between arrivals."},
    {.name = "rounds",
     .form = Form::whole,
     .access = member<ClientGroup, &ClientGroup::rounds>,
     .most = many,
     .doc = "Of each client; of an open loop, arrivals in all. 0: until `to`."},
    {.name = "from",
     .form = Form::duration,
     .access = member<ClientGroup, &ClientGroup::from>,
     .most = year,
     .in_time = true,
     .doc = "When they begin."},
    {.name = "to",
     .form = Form::duration,
     .access = member<ClientGroup, &ClientGroup::to>,
     .most = year,
     .in_time = true,
     .doc = "When they stop; without it, at the end of `duration`."},
    {.name = "sql",
     .form = Form::statements,
     .access = member<ClientGroup, &ClientGroup::sql>,
     .doc = "The statements of a round, on one lease."},
    {.name = "transaction",
     .form = Form::flag,
     .access = member<ClientGroup, &ClientGroup::transaction>,
     .doc = "Around the statements of a round."},
    {.name = "retry",
     .form = Form::flag,
     .access = member<ClientGroup, &ClientGroup::retry>,
     .doc = "`weir::retry` around a round, by the pool's policy."},
    {.name = "hold",
     .form = Form::distribution,
     .access = member<ClientGroup, &ClientGroup::hold>,
     .doc = "Beside the statements, with the lease in hand."},
    {.name = "timeout",
     .form = Form::duration,
     .access = member<ClientGroup, &ClientGroup::timeout>,
     .most = year,
     .none = no_timeout.count(),
     .doc = "Of an acquire; without it, the pool's `acquire_timeout`."},
    {.name = "within",
     .form = Form::duration,
     .access = member<ClientGroup, &ClientGroup::within>,
     .most = year,
     .doc = "How long one statement may take."},
    {.name = "waits",
     .form = Form::word,
     .access = member<ClientGroup, &ClientGroup::waits>,
     .words = waits_words,
     .doc =
         "`thread`: an acquire blocks its client's thread. `event_loop`: it waits without one, and "
         "goes on when the client's loop gets to it."},
    {.name = "gives_up",
     .form = Form::duration,
     .access = member<ClientGroup, &ClientGroup::gives_up>,
     .most = year,
     .doc =
         "The host ends an acquire that has no answer by then: by a stop token, and of those of an "
         "event loop every second by leaving it."},
    {.name = "together",
     .form = Form::whole,
     .access = member<ClientGroup, &ClientGroup::together>,
     .least = 1,
     .most = 1000,
     .doc =
         "So many connections are taken at once, by `acquire_n`; more than one only of `thread`."},
    {.name = "nested",
     .form = Form::whole,
     .access = member<ClientGroup, &ClientGroup::nested>,
     .most = 1000,
     .doc = "Further leases that are taken while the first is held."},
    {.name = "leak",
     .form = Form::millionths,
     .access = member<ClientGroup, &ClientGroup::leak_ppm>,
     .most = million,
     .doc = "How often a lease is kept for the rest of the run."},
};

// A fault ends `for` after it began; a scenario has the end itself.
constexpr Access fault_length{[](const void* from) -> std::optional<FileValue> {
                                const Fault& fault = *static_cast<const Fault*>(from);
                                if (fault.to == WEIR_NO_DEADLINE) return std::nullopt;
                                return number(fault.to - fault.from);
                              },
                              [](void* into, const FileValue& value) {
                                Fault& fault = *static_cast<Fault*>(into);
                                fault.to = fault.from + value.number;
                              }};

constexpr ScenarioKey fault_keys[] = {
    {.name = "what",
     .form = Form::word,
     .access = member<Fault, &Fault::what>,
     .words = fault_words,
     .required = true,
     .doc = "Which; see [Faults](#faults)."},
    {.name = "at",
     .form = Form::duration,
     .access = member<Fault, &Fault::from>,
     .most = year,
     .in_time = true,
     .spelled = true,
     .doc = "When it begins."},
    {.name = "for",
     .form = Form::duration,
     .access = fault_length,
     .least = 1,
     .most = year,
     .doc = "How long; without it, and at the latest, until `duration` is over."},
    {.name = "target",
     .form = Form::seed,
     .access = member<Fault, &Fault::target>,
     .doc = "The tag of the one connection that it hits; 0: all."},
    {.name = "probability",
     .form = Form::millionths,
     .access = member<Fault, &Fault::probability_ppm>,
     .most = million,
     .doc = "With which it hits each connect or request that it may hit; `read_only` hits all."},
    {.name = "amount",
     .form = Form::whole,
     .access = member<Fault, &Fault::amount>,
     .most = many,
     .only = words(FaultKind::full),
     .required = true,
     .doc = "Connections that the server has meanwhile."},
    {.name = "amount",
     .form = Form::whole,
     .access = member<Fault, &Fault::amount>,
     .least = 1,
     .most = million,
     .only = words(FaultKind::slow),
     .required = true,
     .doc = "Percent of their time that connects and services take: 300 is three times as long."},
    {.name = "amount",
     .form = Form::duration,
     .access = member<Fault, &Fault::amount>,
     .most = year,
     .only = words(FaultKind::slow_connect, FaultKind::slow_close),
     .required = true,
     .doc = "What a connect, or a goodbye, takes more."},
};

constexpr ScenarioKey disk_keys[] = {
    {.name = "latency",
     .form = Form::distribution,
     .access = member<DiskSettings, &DiskSettings::latency>,
     .doc = "Of each read, write, truncation, opening and deletion."},
    {.name = "sync",
     .form = Form::distribution,
     .access = member<DiskSettings, &DiskSettings::sync>,
     .doc = "Of each sync."},
};

constexpr Access trouble_length{
    [](const void* from) -> std::optional<FileValue> {
      const DiskTrouble& trouble = *static_cast<const DiskTrouble*>(from);
      return trouble.to ? number((*trouble.to - trouble.from).count()) : std::nullopt;
    },
    [](void* into, const FileValue& value) {
      DiskTrouble& trouble = *static_cast<DiskTrouble*>(into);
      trouble.to = trouble.from + Duration(value.number);
    }};

constexpr ScenarioKey disk_fault_keys[] = {
    {.name = "what",
     .form = Form::word,
     .access = member<DiskTrouble, &DiskTrouble::what>,
     .words = disk_fault_words,
     .required = true,
     .doc = "`io_error`: the operation fails. `full`: no space is left. `busy`: a lock is held. "
            "`short_read`: less is there than was asked for. `lie`: a sync does nothing."},
    {.name = "on",
     .form = Form::word,
     .access = member<DiskTrouble, &DiskTrouble::on>,
     .words = disk_op_words,
     .required = true,
     .doc = "At which operation. `full`: `open` or `write`; `busy`: `lock` or `shm_lock`; "
            "`short_read`: `read`; `lie`: `sync`; `io_error`: any."},
    {.name = "at",
     .form = Form::duration,
     .access = member<DiskTrouble, &DiskTrouble::from>,
     .most = year,
     .in_time = true,
     .spelled = true,
     .doc = "When it begins."},
    {.name = "for",
     .form = Form::duration,
     .access = trouble_length,
     .least = 1,
     .most = year,
     .doc = "How long; without it, and at the latest, until `duration` is over."},
    {.name = "nth",
     .form = Form::whole,
     .access = member<DiskTrouble, &DiskTrouble::nth>,
     .most = many,
     .doc = "Only at the nth such operation in that time; 0: at each."},
    {.name = "probability",
     .form = Form::millionths,
     .access = member<DiskTrouble, &DiskTrouble::probability_ppm>,
     .most = million,
     .doc = "With which it hits each of them."},
    {.name = "file",
     .form = Form::text,
     .access = member<DiskTrouble, &DiskTrouble::file>,
     .doc = "Only files whose names end in this, such as `-wal`."},
};

constexpr ScenarioKey action_keys[] = {
    {.name = "what",
     .form = Form::word,
     .access = member<Action, &Action::what>,
     .words = action_words,
     .required = true,
     .doc = "What the host does to the pool."},
    {.name = "at",
     .form = Form::duration,
     .access = member<Action, &Action::at>,
     .most = year,
     .in_time = true,
     .spelled = true,
     .doc = "When."},
    {.name = "min",
     .form = Form::whole,
     .access = member<Action, &Action::min>,
     .most = pool_size_max,
     .only = words(Action::What::resize),
     .doc = "The new one."},
    {.name = "max",
     .form = Form::whole,
     .access = member<Action, &Action::max>,
     .least = 1,
     .most = pool_size_max,
     .only = words(Action::What::resize),
     .required = true,
     .doc = "The new one."},
    {.name = "timeout",
     .form = Form::duration,
     .access = member<Action, &Action::timeout>,
     .most = year,
     .only = words(Action::What::suspend, Action::What::drain),
     .doc = "How long the host waits for it."},
};

using Kind = ScheduleSpec::Kind;
constexpr ScenarioKey schedule_keys[] = {
    {.name = "kind",
     .form = Form::word,
     .access = member<ScheduleSpec, &ScheduleSpec::kind>,
     .words = schedule_words,
     .doc = "`fifo`: who is ready first runs first. `random`: threads are preempted at random. "
            "`pct`: priorities that change `depth` - 1 times. `replay`: by `deviations`."},
    {.name = "depth",
     .form = Form::whole,
     .access = member<ScheduleSpec, &ScheduleSpec::depth>,
     .least = 1,
     .most = 1000,
     .only = words(Kind::pct),
     .doc = "Ordering constraints that a bug may need to be found with the promised chance."},
    {.name = "steps",
     .form = Form::whole,
     .access = member<ScheduleSpec, &ScheduleSpec::steps>,
     .least = 1,
     .most = many,
     .only = words(Kind::pct),
     .doc = "How many steps a run is taken to have."},
    {.name = "rate",
     .form = Form::real,
     .access = member<ScheduleSpec, &ScheduleSpec::rate>,
     .most = 1,
     .only = words(Kind::random),
     .doc = "How often a thread is preempted, at one point."},
    {.name = "clock",
     .form = Form::flag,
     .access = member<ScheduleSpec, &ScheduleSpec::clock>,
     .only = words(Kind::random, Kind::pct),
     .doc = "Timers may fire while threads are ready, in mode `adversarial`."},
    {.name = "spurious",
     .form = Form::flag,
     .access = member<ScheduleSpec, &ScheduleSpec::spurious>,
     .only = words(Kind::random, Kind::pct),
     .doc = "Waits may end, and weak operations fail, without cause."},
    {.name = "deviations",
     .form = Form::deviations,
     .access = member<ScheduleSpec, &ScheduleSpec::deviations>,
     .only = words(Kind::replay),
     .doc =
         "Where a run left the default. `3.17p5`: at step 17 of thread 3, thread 5 goes on (`n`: "
         "is next, `w`: is woken, `s`: fails spuriously). Means `kind = \"replay\"`."},
};

constexpr ScenarioKey expect_keys[] = {
    {.name = "property",
     .form = Form::text,
     .access = member<Expected, &Expected::property>,
     .doc = "The property that the run breaks; without it, it breaks none."},
    {.name = "trace_hash",
     .form = Form::hash,
     .access = member<Expected, &Expected::trace_hash>,
     .doc = "Of the run, in the build below."},
    {.name = "build",
     .form = Form::text,
     .access = member<Expected, &Expected::build>,
     .doc = "That found it."},
    {.name = "story",
     .form = Form::text,
     .access = member<Expected, &Expected::story>,
     .doc = "What happens, in one line."},
};

template <class T>
const void* fresh() {
  static const T defaults{};
  return &defaults;
}

// Where the tables of a file are in a scenario: one of a kind, or a list.
template <class T, auto... Path>
constexpr ScenarioTable one(ScenarioTable table) {
  table.all = [](const Scenario& s) { return std::vector<const void*>{&(s.*....*Path)}; };
  table.add = [](Scenario& s) -> void* { return &(s.*....*Path); };
  table.fresh = fresh<T>;
  return table;
}
template <class T, auto... Path>
constexpr ScenarioTable list(ScenarioTable table) {
  table.many = true;
  table.all = [](const Scenario& s) {
    std::vector<const void*> all;
    for (const T& item : (s.*....*Path)) all.push_back(&item);
    return all;
  };
  table.add = [](Scenario& s) -> void* { return &(s.*....*Path).emplace_back(); };
  table.fresh = fresh<T>;
  return table;
}

constexpr ScenarioTable top_table{
    .keys = top_keys,
    .fresh = fresh<Scenario>,
    .all = [](const Scenario& s) { return std::vector<const void*>{&s}; },
    .add = [](Scenario& s) -> void* { return &s; },
    .doc = "At the top of the file, before any table."};

constexpr ScenarioTable tables[] = {
    top_table,
    one<Settings, &Scenario::server>(
        {.name = "server",
         .keys = server_keys,
         .doc = "The database server behind the mock driver. What is not there takes no time."}),
    list<ClientGroup, &Scenario::clients>(
        {.name = "client",
         .keys = client_keys,
         .doc = "Who uses the pool, and how. One table for each group that does the same."}),
    list<Fault, &Scenario::server, &Settings::faults>(
        {.name = "fault",
         .selector = "what",
         .keys = fault_keys,
         .doc = "What goes wrong with the server. One table for each."}),
    one<DiskSettings, &Scenario::disk>(
        {.name = "disk",
         .keys = disk_keys,
         .doc = "The disk under SQLite, with `driver = \"sqlite\"` in `[pool]`. It lives as long "
                "as the run, and takes no time unless this says so."}),
    list<DiskTrouble, &Scenario::disk, &DiskSettings::faults>(
        {.name = "disk_fault",
         .keys = disk_fault_keys,
         .doc = "What goes wrong with the disk under SQLite. One table for each."}),
    list<Action, &Scenario::actions>(
        {.name = "action",
         .selector = "what",
         .keys = action_keys,
         .doc = "What the host does to the pool meanwhile. One table for each."}),
    one<ScheduleSpec, &Scenario::schedule>({.name = "schedule",
                                            .selector = "kind",
                                            .keys = schedule_keys,
                                            .doc = "In which order threads run."}),
    one<Expected, &Scenario::expected>(
        {.name = "expect", .keys = expect_keys, .doc = "What a failing case is known to do."}),
};

}  // namespace

std::span<const ScenarioTable> scenario_tables() noexcept { return tables; }

const ScenarioTable& scenario_table(std::string_view name) {
  for (const ScenarioTable& table : tables) {
    if (table.name == name) return table;
  }
  return tables[0];
}

}  // namespace weir::sim
