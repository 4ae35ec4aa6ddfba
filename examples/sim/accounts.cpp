// SPDX-License-Identifier: MIT
#include "accounts.hpp"

#include <weir/retry.hpp>

namespace accounts {
namespace {

using weir::Connection;
using weir::Result;

Result<std::int64_t> balance(Connection& c, int account) {
  auto rows = c.query("SELECT balance FROM account WHERE id = ?", account);
  if (!rows) return weir::fail(std::move(rows).error());
  if (rows->empty()) return weir::fail(weir::Code::data_error, "no such account");
  return (*rows)[0].get<std::int64_t>(0);
}

Result<void> set_balance(Connection& c, int account, std::int64_t to) {
  auto done = c.execute("UPDATE account SET balance = ? WHERE id = ?", to, account);
  return done ? Result<void>() : weir::fail(std::move(done).error());
}

// Reads, thinks, writes. Right only if nobody else writes in between, and if all of it happens.
Result<void> move(Connection& c, int from, int to, int amount) {
  const auto source = balance(c, from);
  if (!source) return weir::fail(source.error());
  const auto target = balance(c, to);
  if (!target) return weir::fail(target.error());
  if (*source < amount) return weir::fail(weir::Code::data_error, "not enough money");
  if (auto taken = set_balance(c, from, *source - amount); !taken) return taken;
  return set_balance(c, to, *target + amount);
}

}  // namespace

// The bug: the four statements of a move are on their own.
Result<void> transfer_hastily(weir::Pool& db, int from, int to, int amount) {
  return db.with([&](Connection& c) { return move(c, from, to, amount); });
}

Result<void> transfer(weir::Pool& db, int from, int to, int amount) {
  weir::RetryPolicy policy = db.config().retry;
  policy.on.conflict = true;  // the database has undone everything when it reports one
  return weir::retry(db, policy, [&](weir::Pool& pool) {
    return pool.transaction([&](Connection& c) { return move(c, from, to, amount); });
  });
}

Result<std::int64_t> total(weir::Pool& db) {
  auto rows = db.query("SELECT sum(balance) FROM account");
  if (!rows) return weir::fail(std::move(rows).error());
  return (*rows)[0].get<std::int64_t>(0);
}

}  // namespace accounts
