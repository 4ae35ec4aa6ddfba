// SPDX-License-Identifier: MIT
//
// Advice: a pool's first connection asks its server what it allows, and what of the pool's settings
// that does not allow is in the log, on the first day and not on the first busy one.
//
// Called by: BasicPool, once, when that connection is set up. Threads: that operation's.
#pragma once

#include "core/observe/server_advice.hpp"

#include <string>
#include <vector>

namespace weir::runtime {

class Session;

// One line for each setting that will not do, with the fix. Notes are left to `weir doctor`. No
// lines from a server that gives no answer in a second at most; it may cost the connection, of
// which another is made then, and not asked again.
// Blocks: for a statement or two.
[[nodiscard]] std::vector<std::string> advice_of_server(Session& session, const PoolConfig& pool,
                                                        const observe::ProcessFacts& process,
                                                        Instant deadline);

// Why a connection was not kept.
[[nodiscard]] Error broken_by_question();

// About this process and the pools that are opened together.
[[nodiscard]] observe::ProcessFacts facts_of_process(const Config& config);

}  // namespace weir::runtime
