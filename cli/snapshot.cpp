// SPDX-License-Identifier: MIT
#include "cli/snapshot.hpp"

#include "cli/columns.hpp"
#include "core/base/suggest.hpp"
#include "core/base/text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace weir::cli {
namespace {

// Seconds of JSON. A number beyond reason must not become undefined behaviour.
Duration time_of(const Json& seconds) {
  constexpr double most = 9e9;
  const double value = seconds.get<double>();
  return Duration(
      static_cast<std::int64_t>((std::isfinite(value) ? std::clamp(value, 0.0, most) : 0.0) * 1e9));
}

Times times_of(const Json& latency) {
  return {.count = latency.at("count").get<std::uint64_t>(),
          .sum = time_of(latency.at("sum")),
          .p50 = time_of(latency.at("p50")),
          .p99 = time_of(latency.at("p99"))};
}

PoolView view_of(const Json& stats) {
  PoolView view;
  const auto count = [&](const char* key) { return stats.at(key).get<std::uint64_t>(); };
  view.name = stats.at("pool").get<std::string>();
  view.state = one_line(stats.at("state").get<std::string>());
  view.max = count("max");
  view.active = count("active");
  view.idle = count("idle");
  view.opening = count("connecting");
  view.other = count("other");
  view.waiting = count("waiting");
  view.oldest_wait = time_of(stats.at("oldest_wait"));
  view.leases = count("leases");
  view.timeouts = count("timeouts");
  view.wait = times_of(stats.at("wait"));
  view.use = times_of(stats.at("use"));
  view.json = stats;
  return view;
}

void add_health(PoolView& view, const Json& all) {
  for (const Json& health : all) {
    if (health.at("pool").get<std::string>() != view.name) continue;
    view.health = one_line(health.at("status").get<std::string>());
    for (const Json& reason : health.at("reasons")) {
      view.reasons.push_back({one_line(reason.at("status").get<std::string>()),
                              one_line(reason.at("text").get<std::string>())});
    }
    view.json["health"] = health;
  }
}

}  // namespace

Result<std::vector<PoolView>> read_pools(const Json& stats, const Json& health) {
  std::vector<PoolView> pools;
  try {
    for (const Json& pool : stats.at("pools")) {
      pools.push_back(view_of(pool));
      add_health(pools.back(), health.at("pools"));
    }
  } catch (const Json::exception& error) {
    return weir::fail(Code::unsupported,
                      fmt::format("the program's answer is not what this version of the command "
                                  "knows: {}\nUse the weir command of the version that the program "
                                  "is linked with",
                                  one_line(error.what())));
  }
  return pools;
}

Result<void> keep_pool(Snapshot& snapshot, std::string_view name) {
  if (name.empty()) return {};
  std::vector<std::string> names;
  for (PoolView& pool : snapshot.pools) {
    if (pool.name == name) {
      PoolView only = std::move(pool);
      snapshot.pools.clear();
      snapshot.pools.push_back(std::move(only));
      return {};
    }
    names.push_back(one_line(pool.name));
  }
  const std::string_view near = nearest(name, names);
  return weir::fail(Code::unknown_pool,
                    fmt::format("the program has no pool '{}'; {}", printable(name),
                                near.empty() ? fmt::format("it has {}", fmt::join(names, ", "))
                                             : fmt::format("did you mean '{}'?", near)));
}

Tone tone_of(std::string_view word) {
  if (word == "ready") return Tone::good;
  return word == "degraded" || word == "not_ready" || word == "suspended" ? Tone::bad : Tone::plain;
}

}  // namespace weir::cli
