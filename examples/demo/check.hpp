// SPDX-License-Identifier: MIT
//
// The demo's judge: was every commit that a thread was told about kept, once, and nothing else?
// It compares the threads' journals with the ledger row by row, and the balances with what the
// ledger says they must be.
#pragma once

#include "workload.hpp"

namespace demo {

struct Verdict {
  std::size_t committed = 0;  // acknowledged by the database and compared
  std::size_t in_ledger = 0;
  std::size_t accounts = 0;
  std::vector<std::string> problems;  // empty: exact
};

// Reads through `db`. `opening` is what each of the `accounts` accounts began with.
weir::Result<Verdict> check_books(weir::Pool& db, const std::vector<Journal>& journals,
                                  std::int64_t accounts, std::int64_t opening);

}  // namespace demo
