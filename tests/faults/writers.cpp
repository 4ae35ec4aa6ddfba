// SPDX-License-Identifier: MIT
#include "tests/faults/writers.hpp"

#include <weir/driver.h>

#include <algorithm>

#include <gtest/gtest.h>

namespace weir::test {
namespace {

Fate fate_of(const Result<void>& done, bool asked_to_commit) {
  if (done) return Fate::committed;
  if (!asked_to_commit) return Fate::not_committed;
  const DatabaseError* facts = done.error().database();
  EXPECT_NE(facts, nullptr) << done.error().what();
  return facts == nullptr || facts->effect == WEIR_EFFECT_UNKNOWN ? Fate::unknown
                                                                  : Fate::not_committed;
}

std::string label(const weir::Error& error) {
  const DatabaseError* facts = error.database();
  if (facts == nullptr) return std::string(error.name());
  return std::string(error.name()) + ", SQLSTATE " + facts->sqlstate + ", effect " +
         std::to_string(facts->effect);
}

}  // namespace

Writers::Writers(Pool& db, std::string insert, int threads)
    : db_(db), insert_(std::move(insert)), last_round_(static_cast<std::size_t>(threads), 0) {
  for (int t = 0; t < threads; ++t) threads_.emplace_back([this, t] { write(t); });
}

void Writers::write(int thread) {
  int round = 0;
  for (std::int64_t n = 0; !stopping_; ++n) {
    {
      const std::lock_guard lock(mutex_);
      round = round_;
    }
    const std::int64_t id = thread * std::int64_t{1'000'000} + n;
    bool asked_to_commit = false;
    const Result<void> done = db_.transaction([&](Connection& c) -> Result<void> {
      if (auto inserted = c.execute(insert_, id); !inserted) return fail(inserted.error());
      asked_to_commit = true;
      return {};
    });
    note(thread, id, round, fate_of(done, asked_to_commit), done ? nullptr : &done.error());
  }
}

void Writers::note(int thread, std::int64_t id, int round, Fate fate, const weir::Error* error) {
  const std::lock_guard lock(mutex_);
  ledger_.emplace(id, fate);
  if (error != nullptr) ++failures_[label(*error)];
  if (fate != Fate::committed) return;
  last_round_[static_cast<std::size_t>(thread)] = round;
  committed_.notify_all();
}

std::optional<Duration> Writers::all_commit_again(Duration limit) {
  const auto start = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  ++round_;
  const auto done = [&] {
    return std::all_of(last_round_.begin(), last_round_.end(), [&](int r) { return r == round_; });
  };
  if (!committed_.wait_until(lock, start + limit, done)) return std::nullopt;
  return std::chrono::steady_clock::now() - start;
}

void Writers::stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Writers::expect_truth_in(Pool& db) const {
  const auto rows = db.query("SELECT id, count(*) FROM ledger GROUP BY id");
  ASSERT_TRUE(rows) << rows.error().what();
  std::map<std::int64_t, std::int64_t> found;
  for (const auto& row : *rows) found[row.get<std::int64_t>(0)] = row.get<std::int64_t>(1);
  for (const auto& [id, fate] : ledger_) {
    const auto at = found.find(id);
    const std::int64_t times = at == found.end() ? 0 : at->second;
    ASSERT_GE(times, fate == Fate::committed ? 1 : 0) << "a committed row is lost: " << id;
    ASSERT_LE(times, fate == Fate::not_committed ? 0 : 1) << "a row too often: " << id;
    found.erase(id);
  }
  EXPECT_TRUE(found.empty()) << "rows that nobody has written, the first is "
                             << found.begin()->first;
}

std::uint64_t Writers::count(Fate fate) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint64_t>(std::count_if(
      ledger_.begin(), ledger_.end(), [&](const auto& entry) { return entry.second == fate; }));
}

std::string Writers::summary() const {
  std::string text = std::to_string(count(Fate::committed)) + " committed, " +
                     std::to_string(count(Fate::not_committed)) + " not, " +
                     std::to_string(count(Fate::unknown)) + " unknown\n";
  const std::lock_guard lock(mutex_);
  for (const auto& [what, times] : failures_) {
    text += "  " + std::to_string(times) + " times " + what + "\n";
  }
  return text;
}

}  // namespace weir::test
