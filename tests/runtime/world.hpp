// SPDX-License-Identifier: MIT
//
// A real pool on real threads with the mock driver linked in, for tests of the shell. Times are
// either far away (never reached) or tiny: no test waits for a delay to show that nothing happens.
#pragma once

#include "backends/mock/weir_mock.h"
#include "core/runtime/basic_pool.hpp"
#include "core/runtime/os_runtime.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace weir::runtime {

extern template class BasicPool<OsRuntime>;

using OsPool = BasicPool<OsRuntime>;
using OsExecutor = BasicExecutor<OsRuntime>;
using namespace std::chrono_literals;

struct Line {
  LogLevel level;
  std::string text;
};

class PoolTest : public testing::Test {
 protected:
  using Options = std::vector<std::pair<std::string, std::string>>;

  static PoolConfig small(std::uint32_t max) {
    PoolConfig c;
    c.name = "main";
    c.driver = "mock";
    c.url = Secret("mock:");
    c.max = max;
    c.start = Start::lazy;
    c.drain_timeout = 5s;
    return c;
  }

  Result<std::shared_ptr<OsPool>> try_open(PoolConfig config, const Options& options = {}) {
    auto loaded = std::make_shared<loader::LoadedDriver>(loader::LoadedDriver{
        *loader::DriverTable::create(driver, "linked in"), "(linked in)", {}, {}, {}, {}});
    std::vector<DriverOption> driver_options;
    for (const auto& [key, value] : options) driver_options.push_back({key, Secret(value)});
    return OsPool::create({std::move(config),
                           std::move(driver_options),
                           ".",
                           std::move(loaded),
                           executor,
                           [this](LogLevel level, std::string_view, std::string_view line) {
                             const std::lock_guard lock(lines_mutex);
                             lines.push_back({level, std::string(line)});
                           },
                           {},
                           {},
                           hooks});
  }
  std::shared_ptr<OsPool> open(PoolConfig config, const Options& options = {}) {
    auto pool = try_open(std::move(config), options);
    EXPECT_TRUE(pool) << pool.error().what();
    // What Pools does for a host: a pool is closed before it is let go.
    return std::shared_ptr<OsPool>(pool->get(), [inner = *pool](OsPool*) mutable {
      static_cast<void>(inner->drain(inner->config().drain_timeout));
      inner.reset();
    });
  }

  bool logged(std::string_view part) {
    const std::lock_guard lock(lines_mutex);
    for (const Line& line : lines) {
      if (line.text.find(part) != std::string::npos) return true;
    }
    return false;
  }
  std::size_t times_logged(std::string_view part) {
    const std::lock_guard lock(lines_mutex);
    return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [&](const Line& l) {
      return l.text.find(part) != std::string::npos;
    }));
  }

  // What the pools are opened with: the mock, or one that a test has changed; static.
  const weir_driver* driver = weir_mock_driver();
  Hooks hooks;  // of the pools that are opened from then on
  // Declared before the pools: it must outlive them.
  std::shared_ptr<OsExecutor> executor = std::make_shared<OsExecutor>();
  std::mutex lines_mutex;
  std::vector<Line> lines;
};

// Yields until `done`; the test's own time limit catches a condition that never comes true.
template <class F>
void eventually(F&& done) {
  while (!done()) std::this_thread::yield();
}

// Who waits in vain, as the first to be told this reason, or the last of many. On a busy machine
// the first may leave before the connect that fails has ended, or even begun, and is told of that.
inline Result<Lease> times_out_for(Pool& pool, AcquireClass reason) {
  const auto acquire = [&] { return pool.acquire({.timeout = 20ms}); };
  const auto is_told = [&](const AcquireReport* why) { return !why || why->reason == reason; };
  auto lease = acquire();
  for (int i = 0; i < 500 && !lease && !is_told(lease.error().acquire()); ++i) lease = acquire();
  return lease;
}

}  // namespace weir::runtime
