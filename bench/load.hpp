// SPDX-License-Identifier: MIT
//
// A load on a pool, whoever's: threads that borrow a connection, hold it for a moment, and give it
// back, as fast as they can. What is measured is the pool and the system's scheduler. One load is
// of coroutines instead, which bench/coro.hpp runs.
//
// A hold is nothing, a spin (a query that is served from memory by a busy processor) or a sleep
// (one that waits for the network). Without a hold nobody looks at a clock between, since that
// would cost more than what is measured. Or it is a query, which the borrower sends himself, and
// then it is the whole cycle that is timed.
//
// Used by: bench_load, bench_query, coro.hpp and the peers' programs. Threads: its own, gone when
// run() returns.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace weir::bench {

struct Load {
  enum class Hold : std::uint8_t { none, busy, sleep, query };
  std::string name;
  unsigned threads = 1;
  unsigned connections = 1;
  Hold hold = Hold::none;
  std::chrono::nanoseconds held{};
  unsigned workers = 0;  // not 0: `threads` are coroutines, on so many threads
};

struct Outcome {
  double cycles_per_s = 0;
  double spread = 0;  // cycles of the luckiest thread or coroutine, over those of the unluckiest
  // Of the acquire, or of the cycle with its query; zero without a hold.
  std::chrono::nanoseconds p50{}, p99{}, p999{}, max{};
};

// The cells of reference/peers.md.
inline std::vector<Load> known_loads() {
  using namespace std::chrono_literals;
  using Hold = Load::Hold;
  return {{"u1", 1, 32, Hold::none, {}},       {"t2", 2, 32, Hold::none, {}},
          {"t8", 8, 32, Hold::none, {}},       {"t32", 32, 32, Hold::none, {}},
          {"c8", 8, 2, Hold::none, {}},        {"c32", 32, 2, Hold::none, {}},
          {"busy", 32, 2, Hold::busy, 20us},   {"sleep", 32, 2, Hold::sleep, 20us},
          {"coro", 32, 2, Hold::busy, 20us, 2}};
}

inline void hold_for(Load::Hold hold, std::chrono::nanoseconds time) {
  if (hold == Load::Hold::sleep) return std::this_thread::sleep_for(time);
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until) {
  }
}

// What one thread or coroutine has done.
struct alignas(128) Own {
  std::uint64_t cycles = 0;
  std::vector<std::chrono::nanoseconds> waits;
};

inline Outcome outcome_of(const std::vector<Own>& own, std::chrono::duration<double> took) {
  Outcome all;
  std::uint64_t cycles = 0;
  std::uint64_t most = 0;
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  std::vector<std::chrono::nanoseconds> waits;
  for (const Own& one : own) {
    cycles += one.cycles;
    most = std::max(most, one.cycles);
    least = std::min(least, one.cycles);
    waits.insert(waits.end(), one.waits.begin(), one.waits.end());
  }
  all.cycles_per_s = static_cast<double>(cycles) / took.count();
  all.spread = least == 0 ? std::numeric_limits<double>::infinity()
                          : static_cast<double>(most) / static_cast<double>(least);
  if (waits.empty()) return all;
  std::sort(waits.begin(), waits.end());
  const auto at = [&](double quantile) {
    return waits[static_cast<std::size_t>(quantile * static_cast<double>(waits.size() - 1))];
  };
  all.p50 = at(0.5), all.p99 = at(0.99), all.p999 = at(0.999), all.max = waits.back();
  return all;
}

// `make(i)` is called on thread i, before the time begins, and lives as long as the thread. What it
// returns is the borrower: `borrow(fn)` calls fn() while it has a connection.
template <class Make>
Outcome run_each(const Load& load, std::chrono::duration<double> time, Make&& make) {
  using Clock = std::chrono::steady_clock;
  std::vector<Own> own(load.threads);
  std::atomic<unsigned> ready{0};
  std::atomic<bool> go{false};
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < load.threads; ++i) {
    threads.emplace_back([&, i] {
      Own& mine = own[i];
      auto&& borrow = make(i);
      std::uint64_t cycles = 0;
      ++ready;
      go.wait(false);
      while (!over.load(std::memory_order_relaxed)) {
        if (load.hold == Load::Hold::none) {
          borrow([] {});
        } else if (load.hold == Load::Hold::query) {
          const auto asked = Clock::now();
          borrow([] {});
          mine.waits.push_back(Clock::now() - asked);
        } else {
          const auto asked = Clock::now();
          borrow([&] {
            mine.waits.push_back(Clock::now() - asked);
            hold_for(load.hold, load.held);
          });
        }
        ++cycles;
      }
      mine.cycles = cycles;
    });
  }
  while (ready < load.threads) std::this_thread::yield();
  const auto begun = Clock::now();
  go = true;
  go.notify_all();
  std::this_thread::sleep_for(time);
  over = true;
  const std::chrono::duration<double> took = Clock::now() - begun;
  for (std::thread& thread : threads) thread.join();
  return outcome_of(own, took);
}

// The same borrower for all threads.
template <class Borrow>
Outcome run(const Load& load, std::chrono::duration<double> time, Borrow&& borrow) {
  return run_each(load, time, [&](unsigned) { return std::ref(borrow); });
}

// One line that bench/peers/run.py reads.
inline void print(const std::string& pool, const Load& load, const Outcome& outcome) {
  const auto us = [](std::chrono::nanoseconds d) { return static_cast<double>(d.count()) / 1000; };
  std::printf(
      "{\"pool\":\"%s\",\"load\":\"%s\",\"threads\":%u,\"connections\":%u,\"per_s\":%.0f,"
      "\"spread\":%.3f,\"p50_us\":%.3f,\"p99_us\":%.3f,\"p999_us\":%.3f,\"max_us\":%.3f}\n",
      pool.c_str(), load.name.c_str(), load.threads, load.connections, outcome.cycles_per_s,
      std::min(outcome.spread, 9999.0), us(outcome.p50), us(outcome.p99), us(outcome.p999),
      us(outcome.max));
  std::fflush(stdout);
}

}  // namespace weir::bench
