// SPDX-License-Identifier: MIT
//
// What `weir top` shows: of two snapshots and the time between them the rates, and of these a frame
// for a terminal, a line of text or an object. Pure functions: no socket, no clock, no terminal.
#pragma once

#include "cli/columns.hpp"
#include "cli/snapshot.hpp"

#include <weir/error.hpp>

#include <optional>

namespace weir::cli {

// What one pool did between two snapshots. Empty: nothing to tell, because there is no earlier
// snapshot, because it is another program's (a counter went down), or because nothing happened.
struct Rates {
  std::optional<std::uint64_t> leases;
  std::optional<double> leases_per_second;
  std::optional<std::uint64_t> timeouts;
  std::optional<Duration> wait;  // the mean of those that ended
  std::optional<Duration> use;
};

// `before` may be null.
[[nodiscard]] Rates rates_between(const PoolView* before, const PoolView& now, Duration between);

struct PoolTick {
  PoolView pool;
  Rates rates;
};

// The pools of `now` with what became of them since `before`, which may be null.
[[nodiscard]] std::vector<PoolTick> ticks_between(const Snapshot* before, const Snapshot& now,
                                                  Duration between);

struct Heading {
  std::int64_t pid = 0;
  std::string socket;
  Duration interval{};
  std::string time;  // of day
};

// Without colours cut or lines left out: the terminal's size is the caller's business.
[[nodiscard]] std::vector<Line> frame(const Heading& heading, const std::vector<PoolTick>& ticks,
                                      bool utf8);
// In its place while the program cannot be asked.
[[nodiscard]] std::vector<Line> frame_without_answer(const Heading& heading, const Error& error);

// active, idle and what could still be opened, of `width` characters: never empty for one, never
// full for less than all.
[[nodiscard]] std::string bar(const PoolView& pool, std::size_t width, bool utf8);

// For programs: key=value pairs, and the same as JSON with durations in seconds.
[[nodiscard]] std::string tick_text(std::string_view time, const PoolTick& tick);
[[nodiscard]] Json tick_json(std::string_view time, const PoolTick& tick);

}  // namespace weir::cli
