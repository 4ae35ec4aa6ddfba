// SPDX-License-Identifier: MIT
//
// weir-sim: the simulator in a host's own tests. With *my* pool, *my* functions, *my* retry policy
// and *my* faults, this must hold: functions that take weir::Pool& run here unchanged, on virtual
// threads, in virtual time, over a database that fails as the scenario says.
//
//   const auto outcome = weir::sim::simulate(R"toml(
//     format = 1
//     pool_file = "weir.toml"
//     [[client]]
//     count = 8
//     every = "exp(5ms)"
//     [[fault]]
//     what = "restart"
//     at = "3s"
//     for = "1s"
//   )toml", {.work = place_an_order});
//   ASSERT_TRUE(outcome) << outcome.error().what();
//   EXPECT_TRUE(outcome->ok()) << outcome->text() << outcome->scenario();
//
// A scenario is the text of its file, described in docs/scenario.md, so that every failing case is
// a file to keep. simulate() runs one; explore() draws many and makes what fails small.
//
// Linking:  libweir-sim has all of libweir in it and is linked instead of it (pkg-config weir-sim;
//           in CMake, find_package(weir COMPONENTS sim) and weir::sim). A library of the host's
//           that brings libweir along does no harm if both are of one version: they export the same
//           names, of which the process uses those that it finds first.
// Process:  libweir-sim comes before libc for the calls that must not be made in a run: real
//           clocks, sleep, chance and threads. Made by a virtual thread, such a call ends the
//           process, with its name and a stack; otherwise it goes through. Scenarios with the
//           driver "sqlite" set SQLite up for the whole process, and so come before any other use
//           of it.
// Threads:  simulate(), explore() and minimize() run on the caller's thread, one at a time in a
//           process. Virtual threads share it, with its thread_local variables, and take turns
//           inside of calls of the pool only; so a lock of the host's own that is held across such
//           a call can block all of them for ever.
// Memory:   a run that fails is not unwound. What its threads held stays for the rest of the
//           process, where a leak checker finds it.
#pragma once

#include <weir/hooks.hpp>
#include <weir/pool.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::sim {

// ---------------------------------------------------------------- what the host brings

// Time in it is pool.now(), sleep is pool.sleep_until(), and chance is Random.
using HostFunction = std::function<Result<void>(Pool&)>;

// A host's own code, on the virtual threads of the run; what is not given is not done. An exception
// that escapes from one of them is a finding, with the property "exception".
struct Host {
  // Once, before the beginning, while all is well; for a minute of virtual time at most. One Host
  // does many runs, so this is also where its own variables are set back. An error ends the run,
  // with the property "setup".
  HostFunction prepare = {};
  // A round of a client, instead of the scenario's statements. An error is counted.
  HostFunction work = {};
  // Once, after everything has healed; not if the scenario has drained the pool. An error is a
  // finding, with the property "host".
  HostFunction check = {};
  // Of the run's pool. Middleware is for `prepare`, which has the pool.
  Hooks hooks = {};
};

// Ends the run at once if it does not hold, as a finding with this property, a short name of the
// host's. For functions of a Host, and what they call; ends the process elsewhere. What is on the
// stack of the caller is not destroyed then. Throws: std::invalid_argument for a property that is
// empty or means something to the simulator: "config", "interrupted", "nondeterminism".
WEIR_API void require(bool holds, std::string_view property, std::string_view text = {});

// Chance for functions of a Host: a generator of uniform random bits, for the distributions of
// <random> and for %. Each virtual thread has a stream of its own, the same in each run of the
// scenario; every object draws from it. Ends the process outside of a run.
struct Random {
  using result_type = std::uint64_t;
  static constexpr result_type min() noexcept { return 0; }
  static constexpr result_type max() noexcept { return std::numeric_limits<result_type>::max(); }
  WEIR_API result_type operator()() const;
};

// ---------------------------------------------------------------- one run

struct SimulateOptions {
  std::string base_dir = ".";  // what `pool_file` is relative to
  // Run again, in a heap that is different: a host's function that depends on anything but the
  // scenario is a finding, with the property "nondeterminism".
  bool twice = true;
  // Virtual threads are threads of the operating system, of which one runs: for debuggers. The same
  // runs, but slower, and calls to real clocks and the like are not noticed. A scenario with
  // clients that wait on a thread and have `gives_up` is refused.
  bool os_threads = false;
};

// What a run has shown. A value; copies share. Threads: any.
class WEIR_API Outcome {
 public:
  [[nodiscard]] bool ok() const noexcept;
  // What was broken: one of docs/properties.md, "hang", "exception", "setup", "host",
  // "nondeterminism", or one of require(). Empty if all is well.
  [[nodiscard]] const std::string& property() const noexcept;
  [[nodiscard]] const std::string& story() const noexcept;  // what was seen; may have several lines
  [[nodiscard]] std::uint64_t trace_hash() const noexcept;  // equal: the same steps
  [[nodiscard]] Duration virtual_time() const noexcept;

  [[nodiscard]] std::uint64_t rounds() const noexcept;
  [[nodiscard]] std::uint64_t failures() const noexcept;  // rounds that ended with an error
  [[nodiscard]] std::uint64_t failures(Code) const noexcept;
  [[nodiscard]] LatencySummary round() const;             // how long they took, from when due
  [[nodiscard]] const PoolStats& stats() const noexcept;  // after everything has healed
  // How often a property of the pool was put to the test; 0 says that the run shows nothing of it.
  [[nodiscard]] std::uint64_t checked(std::string_view property) const;

  // The scenario as a file, with [expect] if it failed: simulate() with it is this run again.
  [[nodiscard]] std::string scenario() const;
  // What `weir sim run` prints: the verdict and, if it failed, columns().
  [[nodiscard]] std::string text() const;
  // The end of a run that failed, step by step, one column for each thread; empty if all is well.
  [[nodiscard]] std::string columns() const;
  // The run as one page without any network access.
  [[nodiscard]] std::string html() const;

  struct Data;
  explicit Outcome(std::shared_ptr<const Data> data) noexcept : data_(std::move(data)) {}
  [[nodiscard]] const Data& data() const noexcept { return *data_; }

 private:
  std::shared_ptr<const Data> data_;
};

// Runs the scenario. Errors: all that is wrong with the text, or with the pool in it (config_many,
// or the code of the only fault); config_unreadable for its `pool_file`; why its driver cannot be
// had; config_conflict for clients that would never end, or that the engine cannot run.
// Blocks: for as long as the run takes, seconds for a minute of a busy pool.
[[nodiscard]] WEIR_API Result<Outcome> simulate(std::string_view scenario, const Host& host = {},
                                                const SimulateOptions& options = {});
// The scenario of a file, to which its `pool_file` is relative. Errors: also config_unreadable.
[[nodiscard]] WEIR_API Result<Outcome> simulate_file(const std::string& path, const Host& host = {},
                                                     const SimulateOptions& options = {});

// The smallest scenario that was found in the time and breaks the same property; what does not fail
// is returned as it is. Blocks: for the budget, and one run more.
[[nodiscard]] WEIR_API Outcome minimize(const Outcome& outcome, const Host& host = {},
                                        Duration budget = std::chrono::seconds(10));

// ---------------------------------------------------------------- many runs

// What to search. Always drawn are the seed, the mode, the schedule and the duration, which is that
// of the scenario at most. What the scenario says stays; what it does not say is drawn:
//   the pool        stays, unless `pools` says otherwise
//   setup           stays
//   [[client]]      stay, each with 1 to `count` of them; without any, groups are drawn
//   [[fault]], [[disk_fault]], [[action]]
//                   stay; without any of one kind, they are drawn
//   [server], [disk]
//                   the times stay; without any, they are drawn
struct Search {
  std::string scenario = "format = 1";
  std::string base_dir = ".";  // what `pool_file` is relative to
  bool pools = false;          // draw limits and times of the pool as well; its driver stays
  bool faults = true;          // draw faults if the scenario has none
  bool actions = true;         // draw what a host does to the pool, if the scenario has none
  // Draw what clients say, if the scenario has neither [[client]] nor setup. No with Host::work.
  bool statements = true;
  std::uint64_t seed = 1;
  std::uint64_t runs_max = std::numeric_limits<std::uint64_t>::max();
  Duration budget = std::chrono::seconds(10);         // wall, and begin no run after it
  std::uint32_t findings_max = 1;                     // with different properties; then it stops
  Duration shrink_budget = std::chrono::seconds(10);  // wall, for each finding
  bool twice = true;                                  // as in SimulateOptions
  bool os_threads = false;                            // as in SimulateOptions
};

struct Findings {
  std::vector<Outcome> found;  // each made small
  // Where two runs of one scenario differed: a function of the host is not deterministic.
  std::vector<std::string> nondeterministic;
  std::uint64_t runs = 0;
  std::uint64_t steps = 0;
  Duration virtual_time{};
  Duration wall{};
  std::map<std::string, std::uint64_t, std::less<>> checked;  // how often each was put to the test
  [[nodiscard]] bool ok() const noexcept { return found.empty() && nondeterministic.empty(); }
  // What was found, with each case as a file; or how much was tried.
  [[nodiscard]] WEIR_API std::string text() const;
};

// Draws scenarios and runs them until the time is up or enough was found. Errors: as simulate().
// Blocks: for both budgets, and for one run more.
[[nodiscard]] WEIR_API Result<Findings> explore(const Search& search, const Host& host = {});

// ---- for other property-testing libraries; weir/sim_rapidcheck.hpp does it for rapidcheck

// One scenario of the search. The same arguments give the same text. `size` is from 0, small, to
// 100. Errors: as simulate().
[[nodiscard]] WEIR_API Result<std::string> draw(const Search& search, std::uint64_t seed,
                                                int size = 100);
// Scenarios that are a little smaller, the most promising ones first; in the end there are none.
// Errors: as simulate().
[[nodiscard]] WEIR_API Result<std::vector<std::string>> smaller(std::string_view scenario,
                                                                const std::string& base_dir = ".");

}  // namespace weir::sim
