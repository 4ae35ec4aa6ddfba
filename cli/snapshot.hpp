// SPDX-License-Identifier: MIT
//
// Snapshot: what a running program says of its pools at one moment, as values: its answers to
// `stats` and `health` put together. Pure functions; used by `weir stats`, `weir top` and `weir
// pause --wait`, which get one from take_snapshot (admin_client.hpp).
#pragma once

#include "cli/output.hpp"

#include <weir/result.hpp>
#include <weir/time.hpp>

#include <vector>

#include <nlohmann/json.hpp>

namespace weir::cli {

using Json = nlohmann::ordered_json;

// Of one kind of time: how often, how long in all, and the quantiles since the pool was opened.
struct Times {
  std::uint64_t count = 0;
  Duration sum{};
  Duration p50{};
  Duration p99{};
};

struct PoolReason {
  std::string status;  // what it makes of the pool: "degraded", "not_ready"
  std::string text;
};

struct PoolView {
  std::string name;
  std::string state;   // "open", "suspended", "draining", "closed"
  std::string health;  // "ready", "degraded", "not_ready"
  std::vector<PoolReason> reasons;
  std::uint64_t max = 0;
  std::uint64_t active = 0;
  std::uint64_t idle = 0;
  std::uint64_t opening = 0;
  std::uint64_t other = 0;
  std::uint64_t waiting = 0;
  Duration oldest_wait{};
  std::uint64_t leases = 0;
  std::uint64_t timeouts = 0;
  Times wait;  // of the callers that had to
  Times use;
  Json json;  // the program's own words, with "health" in them
};

struct Snapshot {
  std::int64_t pid = 0;
  std::vector<PoolView> pools;
};

// From the two answers. Errors: unsupported.
[[nodiscard]] Result<std::vector<PoolView>> read_pools(const Json& stats, const Json& health);

// Leaves the pool called `name`, or all of them if it is empty. Errors: unknown_pool, naming the
// nearest one.
[[nodiscard]] Result<void> keep_pool(Snapshot& snapshot, std::string_view name);

// The tone of a state or of a health: good, bad, or plain for what is neither.
[[nodiscard]] Tone tone_of(std::string_view word);

}  // namespace weir::cli
