// SPDX-License-Identifier: MIT
//
// Diff: what changes between two configurations, key by key, and how far each change reaches into a
// running pool. Plain data, for a reload and for `weir config diff`. Compares what is in force and
// not how it was written: "60s" and "1m" are the same, and so are a default and no line at all.
//
// Who:      the command line, and whoever reloads a pool.
// Secrets:  a value is shown exactly as far as `weir config show` shows it.
// Order:    pools by name, in each the order of the option table, then the driver's options by key;
//           [drivers] and [admin] come last. The same configurations always give the same list.
// Not here: the file's name and directory. A relative path in a `url` is the driver's to resolve,
//           and means another database beside another file. Options of a driver are compared as the
//           text that they are: only its declaration tells that "5000ms" is "5s".
// Pure.
#pragma once

#include "core/config/option_table.hpp"
#include "core/config/show.hpp"

#include <weir/config.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::config {

struct Change {
  std::string pool;    // its name; empty for a key of [drivers] or [admin]
  std::string key;     // as TOML: "max", "options.cache_size", "drivers.sqlite.sha256"
  std::string before;  // as TOML, secrets as "***"; empty if it was not set
  std::string after;   // empty if it is not set any more
  Reach reach = Reach::live;
  bool hidden = false;  // the values differ in what is not shown: `before` is `after`
  friend bool operator==(const Change&, const Change&) = default;
};

struct Diff {
  std::vector<Change> changes;  // of the pools that are in both, of [drivers] and of [admin]
  std::vector<std::string> pools_added;
  std::vector<std::string> pools_removed;
  [[nodiscard]] bool empty() const noexcept {
    return changes.empty() && pools_added.empty() && pools_removed.empty();
  }
  friend bool operator==(const Diff&, const Diff&) = default;
};

[[nodiscard]] Diff diff(const Config& before, const Config& after,
                        const OptionIsPublic& option_is_public = {});

// Of one pool; its name is that of `after` and is not compared.
[[nodiscard]] std::vector<Change> diff(const PoolConfig& before, const PoolConfig& after,
                                       const OptionIsPublic& option_is_public = {});

// How far all of them together reach: as far as the farthest. Nothing if there is no change.
[[nodiscard]] std::optional<Reach> farthest_reach(std::span<const Change> changes) noexcept;

// "max: 10 -> 20", one line for people, without the pool and the reach.
[[nodiscard]] std::string to_text(const Change& change);

}  // namespace weir::config
