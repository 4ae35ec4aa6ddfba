// SPDX-License-Identifier: MIT
#include "check.hpp"

#include <algorithm>
#include <map>

namespace demo {
namespace {

constexpr std::size_t problems_max = 10;  // the first few say it; a thousand more help nobody

std::string describe(const Transfer& t) {
  return "transfer " + std::to_string(t.id) + " of " + std::to_string(t.amount) + " from account " +
         std::to_string(t.from) + " to " + std::to_string(t.to);
}

void report(Verdict& verdict, std::string problem) {
  if (verdict.problems.size() < problems_max) verdict.problems.push_back(std::move(problem));
}

bool by_id(const Transfer& a, const Transfer& b) { return a.id < b.id; }

std::vector<Transfer> merged(const std::vector<Journal>& journals,
                             std::vector<Transfer> Journal::*list) {
  std::vector<Transfer> all;
  for (const Journal& journal : journals) {
    all.insert(all.end(), (journal.*list).begin(), (journal.*list).end());
  }
  std::sort(all.begin(), all.end(), by_id);
  return all;
}

weir::Result<std::vector<Transfer>> read_ledger(weir::Connection& c) {
  auto rows = c.stream("select id, from_account, to_account, amount from ledger order by id");
  if (!rows) return weir::fail(rows.error());
  std::vector<Transfer> ledger;
  while (true) {
    auto row = rows->next();
    if (!row) return weir::fail(row.error());
    if (!*row) return ledger;
    const auto at = [&](std::size_t column) { return (*row)->get<std::int64_t>(column); };
    ledger.push_back({at(0), at(1), at(2), at(3)});
  }
}

// Both lists are sorted by id, so one walk finds what is in only one of them.
void compare(const std::vector<Transfer>& committed, const std::vector<Transfer>& unknown,
             const std::vector<Transfer>& ledger, Verdict& verdict) {
  auto expected = committed.begin();
  for (const Transfer& found : ledger) {
    for (; expected != committed.end() && expected->id < found.id; ++expected) {
      report(verdict, "lost: " + describe(*expected) + " was committed and is not in the ledger");
    }
    if (expected != committed.end() && expected->id == found.id) {
      if (!(*expected == found)) {
        report(verdict, "changed: " + describe(*expected) + " stands there as " + describe(found));
      }
      ++expected;
    } else if (!std::binary_search(unknown.begin(), unknown.end(), found, by_id)) {
      report(verdict, "invented: " + describe(found) + " is there, and nobody was told so");
    }
  }
  for (; expected != committed.end(); ++expected) {
    report(verdict, "lost: " + describe(*expected) + " was committed and is not in the ledger");
  }
}

weir::Result<void> compare_balances(weir::Connection& c, const std::vector<Transfer>& ledger,
                                    std::int64_t accounts, std::int64_t opening, Verdict& verdict) {
  std::map<std::int64_t, std::int64_t> expected;
  for (std::int64_t id = 1; id <= accounts; ++id) expected[id] = opening;
  for (const Transfer& t : ledger) {
    expected[t.from] -= t.amount;
    expected[t.to] += t.amount;
  }
  auto rows = c.query("select id, balance from accounts order by id");
  if (!rows) return weir::fail(rows.error());
  std::int64_t total = 0;
  for (const auto& row : *rows) {
    const auto id = row.get<std::int64_t>("id");
    const auto balance = row.get<std::int64_t>("balance");
    total += balance;
    if (expected[id] != balance) {
      report(verdict, "account " + std::to_string(id) + " has " + std::to_string(balance) +
                          ", the ledger adds up to " + std::to_string(expected[id]));
    }
  }
  verdict.accounts = rows->size();
  if (total != accounts * opening) {
    report(verdict, "all accounts together have " + std::to_string(total) + ", they began with " +
                        std::to_string(accounts * opening));
  }
  return {};
}

}  // namespace

weir::Result<Verdict> check_books(weir::Pool& db, const std::vector<Journal>& journals,
                                  std::int64_t accounts, std::int64_t opening) {
  // One read transaction: ledger and balances of the same moment.
  const weir::TransactionOptions reading{.read_only = true, .write = false};
  return db.transaction(
      [&](weir::Connection& c) -> weir::Result<Verdict> {
        auto ledger = read_ledger(c);
        if (!ledger) return weir::fail(ledger.error());
        Verdict verdict;
        const auto committed = merged(journals, &Journal::committed);
        verdict.committed = committed.size();
        verdict.in_ledger = ledger->size();
        compare(committed, merged(journals, &Journal::unknown), *ledger, verdict);
        auto compared = compare_balances(c, *ledger, accounts, opening, verdict);
        if (!compared) return weir::fail(compared.error());
        return verdict;
      },
      reading);
}

}  // namespace demo
