// SPDX-License-Identifier: MIT
//
// Scenario: everything that a simulation depends on, as one plain value: the pool, the server
// behind it, who uses it and how, what goes wrong, and in which order threads run. The same
// scenario in the same build gives the same run, down to the trace hash. A file holds one
// (scenario_file.hpp); a generator draws one (generate.hpp); a shrinker makes it smaller and it
// stays valid.
//
// Times are relative to the beginning of the run. Clients, faults and actions have numbers that
// they keep when others are taken away, because their streams of chance are keyed by them.
#pragma once

#include "sim/server/distribution.hpp"
#include "sim/server/server.hpp"
#include "sim/sqlite/faults.hpp"
#include "sim/world/world.hpp"

#include <weir/config.hpp>

#include <optional>
#include <string>
#include <vector>

namespace weir::sim {

// A group of clients that do the same, each on a thread of its own.
struct ClientGroup {
  std::uint64_t number = 1;
  std::uint32_t count = 1;
  // closed: each repeats think, work. open: work arrives at the group by `every`, whether or not a
  // client is free, and is late if none is; latencies count from when it was due.
  enum class Loop : std::uint8_t { closed, open } loop = Loop::closed;
  Distribution every;        // think time; or the gap between arrivals
  std::uint32_t rounds = 0;  // per client, or arrivals in all; 0: until `to`
  Duration from{};
  std::optional<Duration> to;       // nothing: the scenario's duration
  std::vector<std::string> sql;     // of one round, on one lease; "?" parameters are not bound
  bool transaction = false;         // around the round's statements
  bool retry = false;               // weir::retry around the round, by the pool's policy
  Distribution hold;                // beside the statements, with the lease in hand
  std::optional<Duration> timeout;  // of the acquire; nothing: the pool's
  Duration within = std::chrono::seconds(10);  // for each statement
  // Whether an acquire blocks the client's thread, or ends on an event loop that it runs.
  enum class Waits : std::uint8_t { thread, event_loop } waits = Waits::thread;
  std::optional<Duration> gives_up;  // when the host stops an acquire, or leaves it
  std::uint32_t together = 1;        // leases that are taken at once; of `thread`
  std::uint32_t nested = 0;          // further leases taken while the first is held
  std::uint32_t leak_ppm = 0;        // how often a lease is kept for the rest of the run
  friend bool operator==(const ClientGroup&, const ClientGroup&) = default;
};

// What the host does to the pool meanwhile.
struct Action {
  enum class What : std::uint8_t { resize, suspend, resume, evict, drain } what = What::evict;
  Duration at{};
  std::uint32_t min = 0;  // resize
  std::uint32_t max = 0;
  Duration timeout = std::chrono::seconds(1);  // suspend, drain
  friend bool operator==(const Action&, const Action&) = default;
};
[[nodiscard]] std::string_view to_string(Action::What) noexcept;

// The disk under SQLite, and what goes wrong with it.
struct DiskTrouble {
  DiskFaultKind what = DiskFaultKind::io_error;
  DiskOp on = DiskOp::write;
  Duration from{};
  std::optional<Duration> to;  // nothing: the scenario's duration
  std::uint32_t nth = 0;       // only at the nth such operation; 0: at each
  std::uint32_t probability_ppm = 1'000'000;
  std::string file;  // whose names end in this: "-wal"
  friend bool operator==(const DiskTrouble&, const DiskTrouble&) = default;
};
struct DiskSettings {
  Distribution latency;  // of each read, write, truncation, opening and deletion
  Distribution sync;
  std::vector<DiskTrouble> faults;
  friend bool operator==(const DiskSettings&, const DiskSettings&) = default;
};

// wall: virtual time is real time. For drivers of plugins that block in the real world; such a run
// is not reproducible.
enum class Clock : std::uint8_t { simulated, wall };

// What a failing case is known to do.
struct Expected {
  std::string property;          // empty: it holds
  std::uint64_t trace_hash = 0;  // 0: not known
  std::string build;
  std::string story;  // one line
  friend bool operator==(const Expected&, const Expected&) = default;
};

struct Scenario {
  std::string name;
  std::uint64_t seed = 1;
  Duration duration = std::chrono::seconds(10);
  Clock clock = Clock::simulated;
  std::string plugin;     // absolute path of the driver's library or manifest; empty: see Backend
  PoolConfig pool;        // driver "mock" or "sqlite", or one of a plugin
  std::string pool_file;  // where it comes from, if it does; as written, relative to the scenario
  Settings server;        // of the mock; its times are ns from the beginning of the run
  DiskSettings disk;      // of SQLite
  std::vector<std::string> setup;  // statements before the beginning, while all is well
  std::vector<ClientGroup> clients;
  std::vector<Action> actions;
  Mode mode = Mode::ideal;
  ScheduleSpec schedule;
  std::uint64_t steps_max = 50'000'000;
  Expected expected;
  friend bool operator==(const Scenario&, const Scenario&) = default;
};

// Whether the pool's driver is one of a plugin, around which nothing is simulated.
[[nodiscard]] inline bool has_plugin(const Scenario& scenario) {
  return scenario.pool.driver != "mock" && scenario.pool.driver != "sqlite";
}

}  // namespace weir::sim
