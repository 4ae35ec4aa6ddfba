// SPDX-License-Identifier: MIT
//
// Rules of a run that follow from its scenario alone, or from what the pool has counted: which
// scenarios cannot be run, what the server lets be judged, and how long things may take.
//
// Called by: run(). Owns nothing. Threads: any; pure but for the judge.
#pragma once

#include "sim/check/judge.hpp"
#include "sim/explore/scenario.hpp"

#include <weir/error.hpp>
#include <weir/stats.hpp>

#include <optional>

namespace weir::sim {

// Why this engine cannot run it; nothing if it can. Errors: config_conflict.
[[nodiscard]] std::optional<Error> unable_on(Engine engine, const Scenario& scenario);
// Of clients whose rounds take no time, and that stop for nothing else: the clock waits for
// everybody who could go on. Errors: config_conflict.
[[nodiscard]] Error endless(const ClientGroup& group);

// Whether the mock's server sees it soon when a client has gone, and a client when the server has;
// else sessions stay that are nobody's, and calls that nobody answers.
[[nodiscard]] bool server_notices(const Scenario& scenario);

// How long the pool may take to come to rest once nothing disturbs it any more.
[[nodiscard]] Duration heal_bound(const PoolConfig& config);

// O1: what the pool has counted adds up.
void judge_books(Judge& judge, const PoolStats& stats);

}  // namespace weir::sim
