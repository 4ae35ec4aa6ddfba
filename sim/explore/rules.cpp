// SPDX-License-Identifier: MIT
#include "sim/explore/rules.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace weir::sim {

// On threads of the operating system the one that stops a wait could hold the token that the other
// needs to end it.
std::optional<Error> unable_on(Engine engine, const Scenario& scenario) {
  if (engine != Engine::threads) return std::nullopt;
  const auto group = std::find_if(
      scenario.clients.begin(), scenario.clients.end(),
      [](const ClientGroup& g) { return g.gives_up && g.waits == ClientGroup::Waits::thread; });
  if (group == scenario.clients.end()) return std::nullopt;
  return Error(Code::config_conflict,
               fmt::format("client {} has `gives_up` and waits = \"thread\", which the engine "
                           "`threads` cannot run; take another engine, or waits = \"event_loop\"",
                           group->number));
}

Error endless(const ClientGroup& group) {
  return Error(Code::config_conflict,
               fmt::format("client {} never ends: its rounds take no time, so it repeats them at "
                           "one instant; set `every` or `hold`, `rounds`, or times of the [server]",
                           group.number));
}

bool server_notices(const Scenario& scenario) {
  if (has_plugin(scenario) || scenario.pool.driver == "sqlite") return false;
  if (scenario.server.notice_ns > 0) return false;
  return std::none_of(
      scenario.server.faults.begin(), scenario.server.faults.end(), [](const Fault& fault) {
        return fault.what == FaultKind::half_open || fault.what == FaultKind::black_hole ||
               fault.what == FaultKind::mute || fault.what == FaultKind::slow_close;
      });
}

// An attempt that began before is given up and hangs, its successor waits for the longest backoff,
// and then `min` is filled a few at a time. An attempt without a limit takes as long as the server.
Duration heal_bound(const PoolConfig& c) {
  const Duration attempt =
      c.create_timeout == no_timeout ? Duration(std::chrono::minutes(1)) : c.create_timeout;
  const Duration backoff = c.create_retry_max + c.create_retry_max / 4;
  const std::int64_t batches = c.min / std::max(c.max_connecting, 1U) + 4;
  const Duration hung = std::chrono::seconds(12);  // an abort, and then set aside
  return 2 * attempt + backoff + hung + batches * (attempt + c.reap_interval);
}

void judge_books(Judge& judge, const PoolStats& s) {
  judge.require(s.acquires == s.leases + s.timeouts + s.rejected + s.failed + s.now.waiting, "O1",
                "acquires are not leases, failures and waiters");
  judge.require(s.leases == s.returned + s.now.lent, "O1", "leases are not returns and lent ones");
  judge.require(s.wait.count == s.waited, "O1",
                "a histogram does not have the values that its counter says");
  // One lease in 64 stands for those of its connection that were not measured before it.
  const std::uint64_t late = 64 * (s.created + judge.times(runtime::Mark::sample_skipped));
  judge.require(s.use.count <= s.returned && s.use.count + late >= s.returned, "O1",
                "more or fewer leases were measured than have ended");
}

}  // namespace weir::sim
