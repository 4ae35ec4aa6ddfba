// SPDX-License-Identifier: MIT
#include "cli/top_view.hpp"

#include "core/base/duration_text.hpp"
#include "core/base/text.hpp"
#include "core/observe/texts.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace weir::cli {
namespace {

using observe::short_duration;

constexpr std::size_t name_width_max = 20;
constexpr std::size_t bar_width = 10;
constexpr std::string_view nothing = "-";

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

// Counters only grow, so one that has shrunk is another program's, and so are all of them then.
bool another_program(const PoolView& before, const PoolView& now) {
  return now.leases < before.leases || now.timeouts < before.timeouts ||
         now.wait.count < before.wait.count || now.use.count < before.use.count;
}

std::optional<Duration> mean_between(const Times& before, const Times& now) {
  const std::uint64_t count = now.count - before.count;
  if (count == 0) return std::nullopt;
  // The sums were rounded on their way.
  const Duration sum = std::max(now.sum - before.sum, Duration{});
  return Duration(sum.count() / static_cast<std::int64_t>(count));
}

std::string text_of(const std::optional<Duration>& time) {
  return time ? short_duration(*time) : std::string(nothing);
}

std::string rate_text(const std::optional<double>& rate) {
  if (!rate) return std::string(nothing);
  return fmt::format("{:.{}f}", *rate, *rate > 0 && *rate < 10 ? 1 : 0);
}

Line heading_line(const Heading& heading) {
  return {{"weir top", Tone::strong},
          {fmt::format("  pid {}  {}  every {}  {}",
                       heading.pid == 0 ? std::string(nothing) : fmt::format("{}", heading.pid),
                       heading.time, duration_text(heading.interval), one_line(heading.socket)),
           Tone::plain}};
}

Line titles() {
  Line line;
  for (const char* title : {"POOL", "STATE", "HEALTH", "CONNECTIONS"}) {
    line.push_back({title, Tone::dim, false});
  }
  for (const char* title : {"WAITING", "OLDEST", "LEASES/s", "WAIT", "USE", "TIMEOUTS"}) {
    line.push_back({title, Tone::dim, true});
  }
  return line;
}

Line row(const PoolTick& tick, bool utf8) {
  const PoolView& pool = tick.pool;
  const auto right = [](std::string text, bool bad = false) {
    return Cell{std::move(text), bad ? Tone::bad : Tone::plain, true};
  };
  std::string connections =
      fmt::format("{} {}+{}/{}", bar(pool, bar_width, utf8), pool.active, pool.idle, pool.max);
  if (pool.opening > 0) connections += fmt::format(" {} opening", pool.opening);
  return {{std::string(cut(one_line(pool.name), name_width_max)), Tone::strong},
          {pool.state, tone_of(pool.state)},
          {pool.health, tone_of(pool.health)},
          {std::move(connections)},
          right(fmt::format("{}", pool.waiting)),
          right(pool.waiting == 0 ? std::string(nothing) : short_duration(pool.oldest_wait)),
          right(rate_text(tick.rates.leases_per_second)),
          right(text_of(tick.rates.wait)),
          right(text_of(tick.rates.use)),
          right(fmt::format("{} of {}",
                            tick.rates.timeouts ? fmt::format("{}", *tick.rates.timeouts) : nothing,
                            pool.timeouts),
                tick.rates.timeouts.value_or(0) > 0)};
}

}  // namespace

Rates rates_between(const PoolView* before, const PoolView& now, Duration between) {
  if (before == nullptr || between <= Duration{} || another_program(*before, now)) return {};
  Rates rates;
  rates.leases = now.leases - before->leases;
  rates.leases_per_second = static_cast<double>(*rates.leases) / seconds(between);
  rates.timeouts = now.timeouts - before->timeouts;
  rates.wait = mean_between(before->wait, now.wait);
  rates.use = mean_between(before->use, now.use);
  return rates;
}

std::vector<PoolTick> ticks_between(const Snapshot* before, const Snapshot& now, Duration between) {
  const bool same_program = before != nullptr && before->pid == now.pid;
  std::vector<PoolTick> ticks;
  for (const PoolView& pool : now.pools) {
    const PoolView* earlier = nullptr;
    for (std::size_t i = 0; same_program && i < before->pools.size(); ++i) {
      if (before->pools[i].name == pool.name) earlier = &before->pools[i];
    }
    ticks.push_back({pool, rates_between(earlier, pool, between)});
  }
  return ticks;
}

std::string bar(const PoolView& pool, std::size_t width, bool utf8) {
  const std::string_view full = utf8 ? "█" : "#";
  const std::string_view half = utf8 ? "▒" : "=";
  const std::string_view empty = utf8 ? "·" : ".";
  // With a smaller `max` after a reload there may be more for a while.
  const std::uint64_t all = std::max({pool.max, pool.active + pool.idle, std::uint64_t{1}});
  const auto part = [&](std::uint64_t count) -> std::size_t {
    if (count == 0) return 0;
    if (count == all) return width;
    const double share = static_cast<double>(count) / static_cast<double>(all);
    const auto cells = static_cast<std::size_t>(std::lround(share * static_cast<double>(width)));
    return std::clamp<std::size_t>(cells, 1, width - 1);
  };
  const std::size_t active = part(pool.active);
  const std::size_t open = std::max(part(pool.active + pool.idle), active);
  std::string text;
  for (std::size_t i = 0; i < width; ++i) text += i < active ? full : i < open ? half : empty;
  return text;
}

std::vector<Line> frame(const Heading& heading, const std::vector<PoolTick>& ticks, bool utf8) {
  std::vector<Line> lines = {heading_line(heading), {}};
  std::vector<Line> table = {titles()};
  for (const PoolTick& tick : ticks) table.push_back(row(tick, utf8));
  for (Line& line : aligned(std::move(table))) lines.push_back(std::move(line));
  lines.emplace_back();
  for (const PoolTick& tick : ticks) {
    for (const PoolReason& reason : tick.pool.reasons) {
      lines.push_back({{fmt::format("{}: ", one_line(tick.pool.name)), Tone::strong},
                       {reason.text, tone_of(reason.status)}});
    }
  }
  return lines;
}

std::vector<Line> frame_without_answer(const Heading& heading, const Error& error) {
  std::vector<Line> lines = {heading_line(heading), {}};
  std::string_view left = error.message();
  while (!left.empty()) {
    const auto end = std::min(left.find('\n'), left.size());
    lines.push_back({{one_line(left.substr(0, end)), Tone::bad}});
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  lines.push_back({{fmt::format("Trying again every {}.", duration_text(heading.interval))}});
  return lines;
}

std::string tick_text(std::string_view time, const PoolTick& tick) {
  const PoolView& pool = tick.pool;
  const auto ms = [](const std::optional<Duration>& d) {
    return d ? fmt::format("{:.3f}", seconds(*d) * 1e3) : std::string(nothing);
  };
  const Rates& rates = tick.rates;
  return fmt::format(
      "{} pool={} state={} health={} active={} idle={} opening={} max={} waiting={} "
      "oldest_wait_ms={} leases_per_s={} wait_ms={} use_ms={} timeouts={} timeouts_total={}",
      time, one_line(pool.name), pool.state, pool.health, pool.active, pool.idle, pool.opening,
      pool.max, pool.waiting, ms(pool.oldest_wait),
      rates.leases_per_second ? fmt::format("{:.1f}", *rates.leases_per_second) : nothing,
      ms(rates.wait), ms(rates.use), rates.timeouts ? fmt::format("{}", *rates.timeouts) : nothing,
      pool.timeouts);
}

Json tick_json(std::string_view time, const PoolTick& tick) {
  const PoolView& pool = tick.pool;
  const auto known = [](const auto& value) { return value ? Json(*value) : Json(); };
  const auto time_of = [](const std::optional<Duration>& d) {
    return d ? Json(seconds(*d)) : Json();
  };
  Json reasons = Json::array();
  for (const PoolReason& reason : pool.reasons) reasons.push_back(reason.text);
  return {{"time", std::string(time)},
          {"pool", pool.name},
          {"state", pool.state},
          {"health", pool.health},
          {"reasons", reasons},
          {"active", pool.active},
          {"idle", pool.idle},
          {"opening", pool.opening},
          {"max", pool.max},
          {"waiting", pool.waiting},
          {"oldest_wait", seconds(pool.oldest_wait)},
          {"leases", known(tick.rates.leases)},
          {"leases_per_second", known(tick.rates.leases_per_second)},
          {"wait", time_of(tick.rates.wait)},
          {"use", time_of(tick.rates.use)},
          {"timeouts", known(tick.rates.timeouts)},
          {"timeouts_total", pool.timeouts}};
}

}  // namespace weir::cli
