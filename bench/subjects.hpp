// SPDX-License-Identifier: MIT
//
// The command line of a program that puts loads on pools of one kind or another: it says which
// pools, which loads, how long and how often, and gets a line of JSON for each.
//
//   PROGRAM [--pool NAME]... [--load NAME]... [--seconds S] [--rounds N] [--scaling]
//   PROGRAM --list | --version
//
// Used by: bench_load, bench_query and the peers' programs. Threads: those of load.hpp.
#pragma once

#include "bench/load.hpp"

#include <cstdlib>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string_view>

namespace weir::bench {

// Thrown by a subject that cannot run a load here, with the reason. It is no failure.
struct CannotRun : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Subject {
  // Which loads make sense.
  enum class Takes : std::uint8_t { threads, threads_without_hold, coroutines };
  const char* name;
  std::function<Outcome(const Load&, std::chrono::duration<double>)> run;
  Takes takes = Takes::threads;
};

inline bool fits(const Subject& subject, const Load& load) {
  if (load.workers > 0) return subject.takes == Subject::Takes::coroutines;
  if (load.hold == Load::Hold::none) return subject.takes != Subject::Takes::coroutines;
  return subject.takes == Subject::Takes::threads;
}

// 1 to 64 threads on pools of 2 to 256.
inline std::vector<Load> scaling_loads() {
  std::vector<Load> loads;
  for (const unsigned connections : {2U, 32U, 256U}) {
    for (const unsigned threads : {1U, 2U, 4U, 8U, 16U, 32U, 64U}) {
      const std::string at = std::to_string(threads) + "x" + std::to_string(connections);
      const std::chrono::microseconds held(20);
      loads.push_back({"none-" + at, threads, connections, Load::Hold::none, {}});
      loads.push_back({"busy-" + at, threads, connections, Load::Hold::busy, held});
    }
  }
  return loads;
}

struct Wanted {
  std::vector<std::string> pools;
  std::vector<std::string> names;
  std::vector<Load> loads = known_loads();
  std::vector<Load> scaling = scaling_loads();  // empty: no such option
  double seconds = 0.5;                         // of a load without a hold
  // With one there is a cycle for a thousand of those without, and fairness to be seen.
  double held_seconds = 2.5;
  int rounds = 1;
};

inline bool wanted(const std::vector<std::string>& names, std::string_view name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

// The programs in other languages have no table of loads; bench/peers/run.py hands them this one.
inline void list(const std::vector<Load>& loads) {
  constexpr const char* holds[] = {"none", "busy", "sleep", "query"};
  for (const Load& load : loads) {
    std::printf(
        "{\"load\":\"%s\",\"threads\":%u,\"connections\":%u,\"hold\":\"%s\",\"held_ns\":%lld,"
        "\"workers\":%u}\n",
        load.name.c_str(), load.threads, load.connections, holds[static_cast<int>(load.hold)],
        static_cast<long long>(load.held.count()), load.workers);
  }
}

// False: the option is not known, or lacks its value; `i` is at it.
inline bool take_option(int argc, char** argv, int& i, Wanted& into) {
  const std::string_view option = argv[i];
  if (option.starts_with("--benchmark_")) return true;  // for the others that ./dev bench runs
  if (option == "--scaling" && !into.scaling.empty()) {
    into.loads = into.scaling;
    return true;
  }
  if (i + 1 == argc) return false;
  const char* const value = argv[i + 1];
  if (option == "--pool") {
    into.pools.emplace_back(value);
  } else if (option == "--load") {
    into.names.emplace_back(value);
  } else if (option == "--seconds") {
    into.seconds = into.held_seconds = std::strtod(value, nullptr);
  } else if (option == "--rounds") {
    into.rounds = std::atoi(value);
  } else {
    return false;
  }
  ++i;
  return true;
}

// False, and says so, if one of the names is of nothing.
template <class All, class NameOf>
bool all_known(const std::vector<std::string>& names, const All& all, NameOf&& name_of) {
  for (const std::string& name : names) {
    const auto is = [&](const auto& one) { return name_of(one) == name; };
    if (std::any_of(all.begin(), all.end(), is)) continue;
    std::fprintf(stderr, "%s: there is none of that name; there are:", name.c_str());
    for (const auto& one : all) std::fprintf(stderr, " %s", name_of(one).c_str());
    std::fprintf(stderr, "\n");
    return false;
  }
  return true;
}

// What main() returns. `want` is what goes without options.
inline int measure(int argc, char** argv, const std::string& version,
                   const std::vector<Subject>& subjects, Wanted want = {}) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--version") == 0) return std::puts(version.c_str()), 0;
    if (std::strcmp(argv[i], "--list") == 0) return list(want.loads), 0;
    if (!take_option(argc, argv, i, want)) {
      std::fprintf(stderr, "%s: no such option, or no value\n", argv[i]);
      return 64;
    }
  }
  if (!all_known(want.names, want.loads, [](const Load& load) { return load.name; }) ||
      !all_known(want.pools, subjects, [](const Subject& s) { return std::string(s.name); })) {
    return 64;
  }
  for (int round = 0; round < want.rounds; ++round) {
    for (const Load& load : want.loads) {
      if (!wanted(want.names, load.name)) continue;
      for (std::size_t turn = 0; turn < subjects.size(); ++turn) {
        // Another one first in each round: who comes first has a machine that has rested.
        const Subject& subject =
            subjects[(turn + static_cast<std::size_t>(round)) % subjects.size()];
        if (!wanted(want.pools, subject.name) || !fits(subject, load)) continue;
        try {
          const bool held = load.hold != Load::Hold::none;
          const std::chrono::duration<double> time(held ? want.held_seconds : want.seconds);
          print(subject.name, load, subject.run(load, time));
        } catch (const CannotRun& why) {
          std::fprintf(stderr, "%s with %s: left out: %s\n", load.name.c_str(), subject.name,
                       why.what());
        }
      }
    }
  }
  return 0;
}

}  // namespace weir::bench
