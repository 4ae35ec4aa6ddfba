// SPDX-License-Identifier: MIT
//
// weir ping.
#include "cli/command.hpp"
#include "cli/context.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir::cli {
namespace {

struct Pings {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  Duration least = Duration::max();
  Duration most{};
  Duration total{};

  void add(Duration took) {
    ++answered;
    least = std::min(least, took);
    most = std::max(most, took);
    total += took;
  }
};

// Sleeps in short pieces, so that SIGINT is heard.
void pause(const Context& context, Pool& pool, Duration time) {
  const Instant until = after(pool.now(), time);
  while (!context.interrupt.raised() && pool.now() < until) {
    pool.sleep_until(std::min(until, after(pool.now(), std::chrono::milliseconds(50))));
  }
}

void summarize(Context& context, const PoolConfig& pool, const Pings& pings) {
  const auto mean =
      pings.answered == 0 ? Duration{} : pings.total / static_cast<std::int64_t>(pings.answered);
  if (context.global.json) {
    nlohmann::ordered_json j{{"pool", pool.name}, {"sent", pings.sent}, {"ok", pings.answered}};
    if (pings.answered > 0) {
      j["min_ns"] = pings.least.count();
      j["mean_ns"] = mean.count();
      j["max_ns"] = pings.most.count();
    }
    context.json(j);
    return;
  }
  context.out.data(fmt::format("{} sent, {} answered", pings.sent, pings.answered));
  if (pings.answered > 0) {
    context.out.data(fmt::format(", min {}, mean {}, max {}", readable(pings.least), readable(mean),
                                 readable(pings.most)));
  }
  context.out.data("\n");
}

}  // namespace

int run_ping(Context& context) {
  context.out.end_with_reader();
  auto count = whole_number(context, "--count", 4, 1, 1'000'000'000);
  if (!count) return context.usage_error(count.error().message());
  auto interval = duration(context, "--interval", std::chrono::seconds(1));
  if (!interval) return context.usage_error(interval.error().message());
  auto config = load_config(context);
  if (!config) return context.fail(config.error());
  auto chosen = choose_pool(*config, context.text("POOL"));
  if (!chosen) return context.fail(chosen.error());
  auto pools = open_pool(context, *config, for_one_connection(*chosen));
  if (!pools) return context.fail(pools.error());
  Pool& pool = (*pools)[chosen->name];
  const Interrupt::Action stop(context.interrupt,
                               [&] { static_cast<void>(pools->drain(Duration{})); });

  const Instant asked = pool.now();
  auto lease = pool.acquire({.tag = "ping"});
  if (!lease) return context.fail(lease.error());
  if (!context.global.json) {
    context.out.data(fmt::format("PING {} ({}), connected in {}\n", chosen->name, chosen->driver,
                                 readable(pool.now() - asked)));
  }
  Pings pings;
  std::optional<Error> failed;
  while (pings.sent < *count && !context.interrupt.raised() && !failed) {
    if (pings.sent > 0) pause(context, pool, *interval);
    if (context.interrupt.raised()) break;
    const Instant sent = pool.now();
    auto answer = (*lease)->ping();
    ++pings.sent;
    if (!answer) {
      failed = answer.error();
      break;
    }
    const Duration took = pool.now() - sent;
    pings.add(took);
    if (!context.global.json) {
      context.out.data(fmt::format("seq={} time={}\n", pings.sent, readable(took)));
      context.out.flush();
    }
  }
  if (!failed || context.interrupt.raised()) summarize(context, *chosen, pings);
  return failed ? context.fail(*failed) : int{exit_ok};
}

}  // namespace weir::cli
