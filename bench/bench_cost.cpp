// SPDX-License-Identifier: MIT
//
// What the pool costs where no load is needed to see it: a line of JSON for each measure. What
// each counts is said at its function.
//
//   bench_cost [--measure NAME]...
//
// What cannot be measured here is left out, with the reason on stderr. Ends with 1 if a counter
// does not count what it is to count: its zero would mean nothing.
//
// Called by hand, by bench/peers/run.py, and by `./dev bench`.
#include "bench/counted.hpp"
#include "bench/mock_pool.hpp"
#include "bench/same_calls.hpp"

#ifdef WEIR_BENCH_SQLITE
#include "backends/sqlite/weir_sqlite.h"
#endif
#ifdef WEIR_BENCH_POSTGRES
#include "backends/postgres/weir_postgres.h"
#include "tests/backends/postgres_server.hpp"
#endif

#include <algorithm>
#include <filesystem>
#include <limits>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <thread>

namespace {

using namespace std::chrono_literals;
namespace counted = weir::bench::counted;

using Value = std::optional<double>;
using Mock = weir::bench::SameCalls<weir_mock_driver>;

constexpr int cycles = 1000;  // what counts are given for

template <class F>
void repeat(int times, F&& fn) {
  for (int i = 0; i < times; ++i) fn();
}

void leave_out(const char* measure, const std::string& why) {
  std::fprintf(stderr, "%s is left out: %s\n", measure, why.c_str());
}

// -- a driver call --------------------------------------------------------------------------

template <class F>
double ns_each(int times, F&& fn) {
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  repeat(times, fn);
  return std::chrono::duration<double, std::nano>(Clock::now() - begun).count() / times;
}

// From the caller of Statement::execute(), with the lease in hand, to the driver's function and
// back, without what that function takes: the checks of the lease and the session, the statement
// looked up, the arguments and the room for an error made, the answer unpacked. The direct calls
// are made with arguments that lie there ready. Of each the fastest of many short runs, by turns,
// since what disturbs can only add; divided by the calls that the pool makes in one execute().
Value boundary_ns() {
  constexpr const char* sql = "INSERT";  // of the mock's statements the one with the least to do
  std::uint64_t crossings = 0;
  double calls = 0;
  {
    Mock counting("mock", "mock:", sql, Mock::Wanted::no_rows, &crossings);
    crossings = 0;
    repeat(cycles, [&] { counting.through_pool(); });
    calls = static_cast<double>(crossings) / cycles;
  }
  if (calls < 1) throw std::runtime_error("boundary_ns: the driver was not called");
  Mock mock("mock", "mock:", sql, Mock::Wanted::no_rows);
  double through_pool = std::numeric_limits<double>::infinity();
  double directly = through_pool;
  for (int turn = 0; turn < 500; ++turn) {
    directly = std::min(directly, ns_each(cycles, [&] { mock.directly(); }));
    through_pool = std::min(through_pool, ns_each(cycles, [&] { mock.through_pool(); }));
  }
  return (through_pool - directly) / calls;
}

// -- what is sent ---------------------------------------------------------------------------

#ifdef WEIR_BENCH_POSTGRES
template <class F>
double sends_of(F&& fn) {
  const std::uint64_t before = counted::sends();
  repeat(cycles, fn);
  return static_cast<double>(counted::sends() - before);
}

// Of an acquire and its release: what is sent to a PostgreSQL server beyond the queries, in each
// cycle without a query or with one, whichever is more. The pool is as it is configured by default
// but for its size.
Value round_trips() {
  using weir::test::PostgresServer;
  if (const std::string missing = PostgresServer::missing(); !missing.empty()) {
    leave_out("round_trips", missing);
    return std::nullopt;
  }
  const weir::Pools pools =
      weir::bench::open_pools(weir_postgres_driver(), "postgres", PostgresServer::shared().url());
  weir::Pool& pool = pools["main"];
  const auto ask = [](weir::Connection& c) {
    static_cast<void>(weir::or_throw(c.query("SELECT 1")));
  };
  const auto use = [&] { ask(*weir::or_throw(pool.acquire())); };
  repeat(10, use);
  double of_queries = 0;
  {
    weir::Lease lease = weir::or_throw(pool.acquire());
    of_queries = sends_of([&] { ask(*lease); });
  }
  if (of_queries < cycles) {
    throw std::runtime_error("round_trips: queries were made, and nobody saw them sent");
  }
  const double unused = sends_of([&] { static_cast<void>(weir::or_throw(pool.acquire())); });
  const double used = sends_of(use) - of_queries;
  return std::max(unused, used) / cycles;
}
#else
Value round_trips() {
  leave_out("round_trips", "built without PostgreSQL's client library: apt install libpq-dev");
  return std::nullopt;
}
#endif

// -- what an idle pool keeps ----------------------------------------------------------------

// What the driver itself has allocated for a pool of so many connections, opened without a pool:
// its env, its source, its connections with their cancellers.
double driver_bytes(std::uint32_t connections) {
  const weir_driver& driver = *weir_mock_driver();
  weir::test::RealHost host;
  std::vector<std::pair<weir_conn*, weir_canceller*>> open(connections);
  const std::int64_t before = counted::bytes();
  weir_env* env = nullptr;
  weir_source* source = nullptr;
  weir_source_args args{};
  args.struct_size = sizeof args;
  args.url = {"mock:", 5};
  weir_source_traits traits{};
  traits.struct_size = sizeof traits;
  const auto good = [](weir_status status) {
    weir::bench::require(status == WEIR_OK, "opening without a pool");
  };
  good(driver.env_create(host.abi(), &env, nullptr));
  good(driver.source_create(env, &args, &source, &traits, nullptr));
  const weir_call call{
      .struct_size = sizeof call, .must_understand = 0, .op_id = 1, .deadline = WEIR_NO_DEADLINE};
  std::uint64_t tag = 0;
  for (auto& [conn, canceller] : open) {
    const weir_open_args open_args{
        .struct_size = sizeof open_args, .must_understand = 0, .conn_tag = ++tag};
    good(driver.canceller_create(source, tag, &canceller, nullptr));
    good(driver.open(source, &call, &open_args, canceller, &conn, nullptr));
  }
  const std::int64_t used = counted::bytes() - before;
  for (auto& [conn, canceller] : open) {
    driver.close(conn, &call);
    driver.canceller_release(canceller);
  }
  driver.source_destroy(source);
  driver.env_destroy(env);
  return static_cast<double>(used);
}

// Of the process beyond the main one.
std::ptrdiff_t threads() {
  using Tasks = std::filesystem::directory_iterator;
  return std::distance(Tasks("/proc/self/task"), Tasks()) - 1;
}

// Until no thread has come or gone for 3 s: one of the pools' ends after 2 s without work.
void settle() {
  std::ptrdiff_t last = threads();
  for (int same = 0; same < 30; ++same) {
    std::this_thread::sleep_for(100ms);
    const std::ptrdiff_t now = threads();
    if (now != last) same = 0;
    last = now;
  }
}

// Pools of the mock driver with all their connections open, and idle for so long that the threads
// which opened them have ended.
weir::Pools open_and_settle(const std::vector<std::uint32_t>& sizes) {
  std::vector<weir::PoolConfig> configs;
  for (const std::uint32_t size : sizes) {
    weir::PoolConfig& config =
        configs.emplace_back(weir::bench::mock_pool(size, weir::Fairness::bounded));
    config.name = "pool" + std::to_string(configs.size());
    // Those that are opened soon are opened as they are by default.
    if (size <= 10) config.max_connecting = weir::PoolConfig{}.max_connecting;
  }
  weir::Pools pools = weir::bench::open_mock(std::move(configs));
  settle();
  std::uint32_t idle = 0;
  for (const weir::PoolStats& stats : pools.stats()) idle += stats.now.idle;
  if (idle != std::accumulate(sizes.begin(), sizes.end(), 0U)) {
    throw std::runtime_error("an idle pool has lost connections");
  }
  return pools;
}

double bytes_of_pools(const std::vector<std::uint32_t>& sizes) {
  const std::int64_t before = counted::bytes();
  const weir::Pools pools = open_and_settle(sizes);
  return static_cast<double>(counted::bytes() - before);
}

// On the heap: a pool of 10 beside a pool of 1, less that pool of 1 alone, which pays for what a
// process has once; and less the driver's own. What the C library keeps on the heap for threads
// that have ended and that nobody has joined counts, too; their stacks do not.
Value idle_pool_bytes() {
  constexpr std::uint32_t connections = 10;
  const double alone = bytes_of_pools({1});
  return bytes_of_pools({1, connections}) - alone - driver_bytes(connections);
}

// The same of a connection, in a pool that is so large that the rest of it does not count.
Value idle_connection_bytes() {
  constexpr std::uint32_t connections = 10'000;
  return (bytes_of_pools({connections}) - driver_bytes(connections)) / connections;
}

// With three pools of 10.
Value idle_threads() {
  const weir::Pools pools = open_and_settle({10, 10, 10});
  return static_cast<double>(threads());
}

// -- allocations ----------------------------------------------------------------------------

// Of all threads. The least of some runs, since a timer of the pool may fall into one.
template <class F>
double allocations_of(F&& fn) {
  std::uint64_t least = UINT64_MAX;
  for (int run = 0; run < 5; ++run) {
    const std::uint64_t before = counted::allocations();
    repeat(cycles, fn);
    least = std::min(least, counted::allocations() - before);
  }
  return static_cast<double>(least);
}

// Of acquires and releases.
Value allocations_acquire() {
  // The library makes this one, and nobody else allocates.
  if (allocations_of([] { static_cast<void>(weir::Pools::builder()); }) < cycles) {
    throw std::runtime_error("allocations: the library's own are not counted");
  }
  const weir::Pools pools =
      weir::bench::open_mock(weir::bench::mock_pool(2, weir::Fairness::bounded));
  weir::Pool& pool = pools["main"];
  const auto cycle = [&] { static_cast<void>(weir::or_throw(pool.acquire())); };
  repeat(cycles, cycle);
  return allocations_of(cycle);
}

// Of a prepared statement, beyond those of the same calls made on the driver directly.
template <class Calls>
double allocations_beyond(Calls&& calls) {
  repeat(cycles, [&] { calls.through_pool(); });
  const double directly = allocations_of([&] { calls.directly(); });
  return allocations_of([&] { calls.through_pool(); }) - directly;
}

Value allocations_execute() {
  return allocations_beyond(Mock("mock", "mock:", "SELECT 1", Mock::Wanted::no_rows));
}

#ifdef WEIR_BENCH_SQLITE
Value allocations_query() {
  using Sqlite = weir::bench::SameCalls<weir_sqlite_driver>;
  return allocations_beyond(Sqlite("sqlite", ":memory:", "SELECT 1", Sqlite::Wanted::rows));
}
#else
Value allocations_query() {
  leave_out("allocations_query", "built without SQLite: apt install libsqlite3-dev");
  return std::nullopt;
}
#endif

// -------------------------------------------------------------------------------------------

struct Measure {
  const char* name;
  Value (*take)();
};

// bench/peers/goals.py says what is wanted of each.
constexpr Measure measures[] = {{"boundary_ns", boundary_ns},
                                {"round_trips", round_trips},
                                {"idle_pool_bytes", idle_pool_bytes},
                                {"idle_threads", idle_threads},
                                {"idle_connection_bytes", idle_connection_bytes},
                                {"allocations_acquire", allocations_acquire},
                                {"allocations_execute", allocations_execute},
                                {"allocations_query", allocations_query}};

void take(const std::vector<std::string>& names) {
  for (const Measure& one : measures) {
    if (!names.empty() && std::find(names.begin(), names.end(), one.name) == names.end()) continue;
    const Value value = one.take();
    if (!value) continue;
    std::printf("{\"measure\":\"%s\",\"value\":%.6g}\n", one.name, *value);
    std::fflush(stdout);
  }
}

bool is_measure(std::string_view name) {
  return std::any_of(std::begin(measures), std::end(measures),
                     [&](const Measure& one) { return name == one.name; });
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> names;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option.starts_with("--benchmark_")) continue;  // for the others that ./dev bench runs
    if (option != "--measure" || i + 1 == argc) {
      std::fprintf(stderr, "%s: no such option, or no value\n", argv[i]);
      return 64;
    }
    if (!is_measure(argv[++i])) {
      std::fprintf(stderr, "%s: no such measure; they are:", argv[i]);
      for (const Measure& one : measures) std::fprintf(stderr, " %s", one.name);
      std::fprintf(stderr, "\n");
      return 64;
    }
    names.emplace_back(argv[i]);
  }
  try {
    take(names);
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "bench_cost: %s\n", failed.what());
    return 1;
  }
  return 0;
}
