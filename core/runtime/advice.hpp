// SPDX-License-Identifier: MIT
//
// Advice: a pool's first connection asks its server what it allows. What of the pool's settings
// that does not allow is in the log, on the first day and not on the first busy one, and `max =
// "auto"` becomes a number.
//
// Called by: BasicPool, once for each server, when that connection is set up. Threads: that
// operation's.
#pragma once

#include "core/observe/server_advice.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::runtime {

class Session;

// What the server says of itself. None if it gives no answer in a second at most; it may cost the
// connection, of which another is made then, and not asked again.
// Blocks: for a statement or two.
[[nodiscard]] std::optional<observe::ServerFacts> facts_of_server(Session& session,
                                                                  std::string_view driver,
                                                                  Instant deadline);

// One line for each setting that will not do, with the fix. Notes are left to `weir doctor`.
[[nodiscard]] std::vector<std::string> warnings(const PoolConfig& pool,
                                                const observe::ServerFacts& server,
                                                const observe::ProcessFacts& process);

// Why a connection was not kept.
[[nodiscard]] Error broken_by_question();

// About this process and the pools that are opened together.
[[nodiscard]] observe::ProcessFacts facts_of_process(const Config& config);

}  // namespace weir::runtime
