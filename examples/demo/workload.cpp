// SPDX-License-Identifier: MIT
#include "workload.hpp"

#include "dialect.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>
#include <thread>

namespace demo {
namespace {

constexpr int attempts_max = 20;  // per transfer, before a conflict counts as a failure

enum class Transferred { committed, declined };

struct Statements {
  explicit Statements(const weir::Pool& db)
      : take(in_dialect_of(
            db, "update accounts set balance = balance - ? where id = ? and balance >= ?")),
        give(in_dialect_of(db, "update accounts set balance = balance + ? where id = ?")),
        write(in_dialect_of(
            db, "insert into ledger (id, from_account, to_account, amount) values (?, ?, ?, ?)")),
        find(in_dialect_of(db, "select version, section, size_kib from packages where name = ?")),
        find_dependents(in_dialect_of(
            db,
            "select p.name, d.kind from dependencies d join packages p on p.id = d.package"
            " where d.on_name = ? order by p.name limit 20")),
        read_from(in_dialect_of(
            db, "select name, size_kib from packages where id > ? order by id limit 400")) {}
  std::string take, give, write, find, find_dependents, read_from;
};

// Moves money and writes the ledger in one transaction: both happen, or neither does.
weir::Result<Transferred> transfer(weir::Connection& connection, const Statements& sql,
                                   const Transfer& t) {
  return connection.transaction([&](weir::Connection& c) -> weir::Result<Transferred> {
    auto taken = c.execute(sql.take, t.amount, t.from, t.amount);
    if (!taken) return weir::fail(taken.error());
    if (taken->affected == std::uint64_t{0}) return Transferred::declined;
    auto given = c.execute(sql.give, t.amount, t.to);
    if (!given) return weir::fail(given.error());
    auto written = c.execute(sql.write, t.id, t.from, t.to, t.amount);
    if (!written) return weir::fail(written.error());
    return Transferred::committed;
  });
}

// A transaction that lost its connection during the commit may have happened all the same.
bool may_have_committed(const weir::Error& error) {
  const weir::DatabaseError* facts = error.database();
  return facts != nullptr && facts->stage == WEIR_STAGE_COMMIT &&
         facts->effect == WEIR_EFFECT_UNKNOWN;
}

// Counts of one thread: written by it alone, read by the thread that shows the progress.
class SharedCounts {
 public:
  void publish(const Counts& counts) {
    const std::lock_guard lock(mutex_);
    counts_ = counts;
  }
  [[nodiscard]] Counts read() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  mutable std::mutex mutex_;
  Counts counts_;
};

class Worker {
 public:
  Worker(weir::Pool& db, const Plan& plan, int number)
      : db_(db), sql_(db), plan_(plan), number_(number), random_(static_cast<unsigned>(number)) {}

  void run(const std::atomic<bool>& stop) {
    while (!stop.load(std::memory_order_relaxed) && failure_.empty()) {
      step();
      shared_.publish(counts_);
    }
  }

  [[nodiscard]] Counts counts() const { return shared_.read(); }
  // Only after run() has returned.
  [[nodiscard]] Journal& journal() { return journal_; }
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  void step() {
    const int dice = below(100);
    if (dice < 60) {
      settle(lookup(), counts_.lookups);
    } else if (dice < 75) {
      settle(reverse_lookup(), counts_.reverse_lookups);
    } else if (dice < 80) {
      settle(stream(), counts_.streams);
    } else {
      move_money();
    }
  }

  weir::Result<void> lookup() {
    // db_.query acquires, asks and gives back; a prepared statement is worth it for a hot query.
    return db_.with({.tag = "lookup"}, [&](weir::Connection& c) -> weir::Result<void> {
      auto find = c.prepare(sql_.find);
      if (!find) return weir::fail(find.error());
      auto rows = find->query(name());
      if (!rows) return weir::fail(rows.error());
      return {};
    });
  }

  weir::Result<void> reverse_lookup() {
    auto rows = db_.query(sql_.find_dependents, name());
    if (!rows) return weir::fail(rows.error());
    return {};
  }

  // Reads some hundred rows one by one, in bounded memory.
  weir::Result<void> stream() {
    return db_.with({.tag = "stream"}, [&](weir::Connection& c) -> weir::Result<void> {
      auto rows = c.stream(sql_.read_from, below(static_cast<int>(plan_.names.size())));
      if (!rows) return weir::fail(rows.error());
      while (true) {
        auto row = rows->next();
        if (!row) return weir::fail(row.error());
        if (!*row) return {};  // the end
        total_kib_ += (*row)->get<std::int64_t>("size_kib");
        ++counts_.streamed_rows;
      }
    });
  }

  void move_money() {
    const Transfer wanted = draw_transfer();
    for (int attempt = 1;; ++attempt) {
      auto done = db_.with({.tag = "transfer"},
                           [&](weir::Connection& c) { return transfer(c, sql_, wanted); });
      if (done && *done == Transferred::committed) {
        journal_.committed.push_back(wanted);
        ++counts_.transfers;
      } else if (done) {
        ++counts_.declined;
      } else if (may_have_committed(done.error())) {
        journal_.unknown.push_back(wanted);
      } else if (done.error().code() == weir::Code::conflict && attempt < attempts_max) {
        ++counts_.conflicts;  // rolled back: nothing of it happened, so the same id may try again
        continue;
      } else {
        refuse(done.error());
      }
      return;
    }
  }

  void settle(const weir::Result<void>& result, std::uint64_t& counter) {
    if (result) {
      ++counter;
    } else {
      refuse(result.error());
    }
  }

  void refuse(const weir::Error& error) {
    if (error.code() == weir::Code::acquire_timeout) {
      ++counts_.timeouts;
    } else {
      failure_ = error.what();
    }
  }

  Transfer draw_transfer() {
    Transfer t;
    t.id = std::int64_t{number_} * 1'000'000'000 + ++drawn_;
    t.from = 1 + below(static_cast<int>(plan_.accounts));
    t.to = 1 + t.from % plan_.accounts;  // somebody else
    t.amount = 1 + below(50);
    return t;
  }

  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  const std::string& name() {
    return plan_.names[static_cast<std::size_t>(below(static_cast<int>(plan_.names.size())))];
  }

  weir::Pool& db_;
  const Statements sql_;
  const Plan& plan_;
  int number_;
  std::minstd_rand random_;
  std::int64_t drawn_ = 0;
  std::int64_t total_kib_ = 0;
  Counts counts_;
  SharedCounts shared_;
  Journal journal_;
  std::string failure_;
};

Counts sum(const std::vector<std::unique_ptr<Worker>>& workers) {
  Counts total;
  for (const auto& worker : workers) total += worker->counts();
  return total;
}

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  lookups += other.lookups;
  reverse_lookups += other.reverse_lookups;
  streams += other.streams;
  streamed_rows += other.streamed_rows;
  transfers += other.transfers;
  declined += other.declined;
  conflicts += other.conflicts;
  timeouts += other.timeouts;
  return *this;
}

Outcome run_workload(weir::Pool& db, const Plan& plan, const Progress& progress) {
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 1; i <= plan.threads; ++i) {
    workers.push_back(std::make_unique<Worker>(db, plan, i));
  }

  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  threads.reserve(workers.size());
  const weir::Instant start = db.now();
  for (const auto& worker : workers) {
    threads.emplace_back([&stop, w = worker.get()] { w->run(stop); });
  }
  const weir::Instant end = weir::after(start, plan.duration);
  while (db.now() < end) {
    db.sleep_until(std::min(end, db.now() + std::chrono::milliseconds(200)));
    progress(sum(workers), db.now() - start);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();

  Outcome outcome;
  outcome.elapsed = db.now() - start;
  outcome.counts = sum(workers);
  for (const auto& worker : workers) {
    outcome.journals.push_back(std::move(worker->journal()));
    if (!worker->failure().empty()) outcome.failures.push_back(worker->failure());
  }
  return outcome;
}

}  // namespace demo
