// SPDX-License-Identifier: MIT
//
// Accounts, and money that is moved between them: a program's own module, as it is before anybody
// has thought of simulating it. It takes a weir::Pool& and knows nothing of the simulator.
//
// Threads: any, at the same time.
#pragma once

#include <weir/pool.hpp>

#include <cstdint>

namespace accounts {

// Moves money if there is enough of it. Errors: data_error if there is not, and the pool's.
[[nodiscard]] weir::Result<void> transfer_hastily(weir::Pool& db, int from, int to, int amount);
// The same, in a transaction, which is tried again when another one was in its way.
[[nodiscard]] weir::Result<void> transfer(weir::Pool& db, int from, int to, int amount);

// All the money there is.
[[nodiscard]] weir::Result<std::int64_t> total(weir::Pool& db);

}  // namespace accounts
