// SPDX-License-Identifier: MIT
//
// Backend: what a scenario's pool connects to, made anew for one world: the server of the mock, or
// SQLite with a disk of its own, with the drivers that ship, linked in; or whatever the driver of a
// plugin connects to, of which nothing is simulated but what it asks weir_host for.
//
// Called by: run(). Owner: run(), which destroys it after the pool. Threads: virtual ones.
// Process: SQLite's settings are global. The first world on SQLite makes them, and cannot if the
//          process has used SQLite before; and there is one such world at a time.
#pragma once

#include "sim/explore/scenario.hpp"
#include "sim/world/world.hpp"

#include <weir/error.hpp>

#include <memory>
#include <string_view>

namespace weir::loader {
struct LoadedDriver;
}

namespace weir::sim {

class Backend {
 public:
  virtual ~Backend() = default;
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  [[nodiscard]] virtual std::shared_ptr<const loader::LoadedDriver> driver() const = 0;
  // weir_host.extension() of the drivers in this world.
  [[nodiscard]] virtual const void* extension(std::string_view) const { return nullptr; }
  // Whose ledger can be judged; null: there is none.
  [[nodiscard]] virtual Server* server() noexcept { return nullptr; }
};

// The mock's server counts a world's time in ns.
[[nodiscard]] inline weir_time on_servers_clock(Instant at) noexcept {
  return at.time_since_epoch().count();
}

// By the driver of the scenario's pool. Faults end where the scenario's time does.
[[nodiscard]] Result<std::unique_ptr<Backend>> make_backend(const Scenario& scenario, World& world);

}  // namespace weir::sim
