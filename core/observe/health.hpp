// SPDX-License-Identifier: MIT
//
// What the state of a pool means for its health. A pure function: the shell collects the facts
// under its lock and has them judged outside of it.
#pragma once

#include <weir/error.hpp>
#include <weir/health.hpp>

#include <string>

namespace weir::observe {

struct HealthFacts {
  std::string name;
  bool forked = false;
  bool closed = false;
  bool lost = false;  // closed, because the data is gone
  bool suspended = false;
  bool starting = false;  // it makes connections of its own accord and has never had one
  bool failing = false;   // the last connect failed
  Duration failing_for{};
  std::string create_error;
  std::uint32_t up = 0;  // connections that are there, whatever they are at
  PoolCounts counts;
  Duration oldest_wait{};
  Duration acquire_timeout{};
  std::optional<CheckReport> last_check;
};

[[nodiscard]] PoolHealth assess(HealthFacts facts);

}  // namespace weir::observe
