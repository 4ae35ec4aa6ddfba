// SPDX-License-Identifier: MIT
//
// Fills the demo's database: tables, the catalogue of packages, and the accounts between which the
// workload moves money. Each function but the first is one transaction: it happens as a whole or
// not at all.
#pragma once

#include "catalogue.hpp"

#include <weir/weir.hpp>

namespace demo {

struct Imported {
  std::size_t packages = 0;
  std::size_t dependencies = 0;
};

weir::Result<void> create_tables(weir::Pool& db);
weir::Result<Imported> import_catalogue(weir::Pool& db, const std::vector<Package>& packages);
weir::Result<void> create_accounts(weir::Pool& db, std::int64_t count, std::int64_t balance);

}  // namespace demo
