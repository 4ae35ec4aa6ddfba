// SPDX-License-Identifier: MIT
#include "sim/explore/backend.hpp"

#include "backends/mock/weir_mock.h"
#include "core/loader/loader.hpp"
#include "sim/server/extension.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#ifdef WEIR_SIM_SQLITE
#include "backends/sqlite/weir_sqlite.h"
#include "sim/sqlite/configure.hpp"
#include "sim/sqlite/vfs.hpp"
#endif

namespace weir::sim {
namespace {

using loader::LoadedDriver;

// Checked once: it is the same for every world, and constant.
std::shared_ptr<const LoadedDriver> linked_in(const weir_driver* driver) {
  return std::make_shared<const LoadedDriver>(LoadedDriver{
      *loader::DriverTable::create(driver, "linked in"), "(linked in)", {}, {}, false, {}});
}

// ---------------------------------------------------------------- the mock

class MockBackend final : public Backend {
 public:
  explicit MockBackend(const Scenario& scenario)
      : server_(servers_.add(scenario.pool.url.reveal(), settings(scenario))) {}

  std::shared_ptr<const LoadedDriver> driver() const override {
    static const auto loaded = linked_in(weir_mock_driver());
    return loaded;
  }
  const void* extension(std::string_view id) const override { return servers_.find(id); }
  Server* server() noexcept override { return &server_; }

 private:
  // On the world's clock, and over before the heal phase.
  static Settings settings(const Scenario& scenario) {
    Settings s = scenario.server;
    s.seed = scenario.seed;
    const weir_time zero = on_servers_clock(World::beginning);
    const weir_time end = on_servers_clock(after(World::beginning, scenario.duration));
    for (Fault& fault : s.faults) {
      fault.from = std::min(fault.from + zero, end);
      fault.to = fault.to == WEIR_NO_DEADLINE ? end : std::min(fault.to + zero, end);
    }
    return s;
  }

  Servers servers_;
  Server& server_;
};

// ---------------------------------------------------------------- SQLite

#ifdef WEIR_SIM_SQLITE

class SqliteBackend final : public Backend, SqliteEnvironment {
 public:
  SqliteBackend(const Scenario& scenario, World& world)
      : world_(world),
        settings_(scenario.disk),
        begin_(World::beginning),
        random_(world.stream("sqlite")),
        delays_(world.stream("disk latency")),
        disk_(world.stream("disk").next(), {.loses_power = false}),
        vfs_(disk_, *this) {
    vfs_.set_faults(faults(scenario));
    vfs_.set_latency([this](DiskOp op) { return latency(op); });
  }

  std::shared_ptr<const LoadedDriver> driver() const override {
    static const auto loaded = linked_in(weir_sqlite_driver());
    return loaded;
  }

 private:
  static std::vector<DiskFault> faults(const Scenario& scenario) {
    std::vector<DiskFault> all;
    for (const DiskTrouble& trouble : scenario.disk.faults) {
      const Duration end = std::min(trouble.to.value_or(scenario.duration), scenario.duration);
      all.push_back({.at = trouble.on,
                     .kind = trouble.what,
                     .from = after(World::beginning, trouble.from),
                     .until = after(World::beginning, end),
                     .nth = trouble.nth,
                     .probability = trouble.probability_ppm / 1e6,
                     .file_suffix = trouble.file});
    }
    return all;
  }

  // What only looks at the state of locks and names takes no time.
  Duration latency(DiskOp op) {
    if (world_.now() < begin_) return {};
    switch (op) {
      case DiskOp::sync:
        return Duration(settings_.sync.draw(delays_));
      case DiskOp::open:
      case DiskOp::read:
      case DiskOp::write:
      case DiskOp::truncate:
      case DiskOp::erase:
        return Duration(settings_.latency.draw(delays_));
      default:
        return {};
    }
  }

  Instant now() noexcept override { return world_.now(); }
  void sleep_until(Instant at) noexcept override { world_.sleep_until(at); }
  std::uint64_t random() noexcept override { return random_.next(); }
  void point(const char*) noexcept override { world_.point(Op::disk, 0); }
  void note(std::uint64_t value) noexcept override { world_.note(value); }

  World& world_;
  const DiskSettings& settings_;
  const Instant begin_;
  base::Random random_;
  base::Random delays_;
  Disk disk_;
  SqliteVfs vfs_;
};

Result<std::unique_ptr<Backend>> make_sqlite(const Scenario& scenario, World& world) {
  const std::string why = configure_sqlite([]() noexcept -> std::uint64_t {
    const World* const here = World::find();
    return here == nullptr ? 0 : here->running();
  });
  if (!why.empty()) return fail(Code::config_conflict, why);
  seed_sqlite(scenario.seed);
  return std::make_unique<SqliteBackend>(scenario, world);
}

#else

Result<std::unique_ptr<Backend>> make_sqlite(const Scenario&, World&) {
  return fail(Code::config_value,
              "this Weir was built without SQLite (meson: -Dsqlite=enabled), so no scenario can "
              "have driver = \"sqlite\"");
}

#endif

// ---------------------------------------------------------------- a plugin

class PluginBackend final : public Backend {
 public:
  explicit PluginBackend(std::shared_ptr<const LoadedDriver> driver) : driver_(std::move(driver)) {}
  std::shared_ptr<const LoadedDriver> driver() const override { return driver_; }

 private:
  std::shared_ptr<const LoadedDriver> driver_;
};

Result<std::unique_ptr<Backend>> make_plugin(const Scenario& scenario) {
  static std::mutex one_at_a_time;  // the loader's
  const std::lock_guard lock(one_at_a_time);
  DriversConfig config;
  if (!scenario.plugin.empty()) config.pins[scenario.pool.driver].path = scenario.plugin;
  auto loaded = loader::load(scenario.pool.driver, config, "/", {});
  if (!loaded) return fail(std::move(loaded).error());
  return std::make_unique<PluginBackend>(*std::move(loaded));
}

}  // namespace

Result<std::unique_ptr<Backend>> make_backend(const Scenario& scenario, World& world) {
  if (has_plugin(scenario)) return make_plugin(scenario);
  if (scenario.pool.driver == "sqlite") return make_sqlite(scenario, world);
  return std::make_unique<MockBackend>(scenario);
}

}  // namespace weir::sim
