// SPDX-License-Identifier: MIT
//
// The work of bench_query: pgbench's tables, its two kinds of transaction in the spelling of each
// database, and the numbers that the threads draw. Every pool is given the same.
//
// The size is not pgbench's. In TPC-B every transaction changes the row of a branch and holds it
// until the commit. With a branch for each thread, as pgbench would have it, most transactions meet
// one that is taken: 1 - (7/8)^7, where all eight threads are between the update and the commit.
// What is measured then is how a database queues for locks, and no pool is anywhere in sight. With
// eight branches for each thread it is one in ten at most. Nor are there more accounts, since a
// server is set up anew for each measurement, and has to be ready soon.
//
// Used by: bench_query. Threads: a Draw for each.
#pragma once

#include "bench/subjects.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace weir::bench::query {

inline constexpr int threads = 8;
inline constexpr int branches = 8 * threads;
inline constexpr int tellers = 10 * branches;
inline constexpr int accounts = 10'000;

inline std::vector<Load> loads() {
  const auto load = [](const char* name, unsigned wide) {
    return Load{name, wide, wide, Load::Hold::query, {}};
  };
  // SQLite works in the thread that asks; a second one would wait for the first's processor.
  return {load("pg-select", threads), load("pg-tpcb", threads), load("my-select", threads),
          load("my-tpcb", threads), load("lite-select", 1)};
}

// How a pool does a load.
struct Cell {
  const char* pool;
  const char* load;
  std::function<Outcome(const Load&, std::chrono::duration<double>)> run;  // throws CannotRun
};

// Those of a database, where it was built in. Its server starts when the first of them runs.
std::vector<Cell> postgres_cells();
std::vector<Cell> mysql_cells();
std::vector<Cell> sqlite_cells();

// ---------------------------------------------------------------- what is drawn

struct Transfer {
  int account;
  int teller;
  int branch;
  int delta;
};

// Splitmix64. The thread is the seed, so a thread draws the same in each pool.
class Draw {
 public:
  explicit Draw(unsigned thread) : state_(thread) { next(); }

  int account() { return from_one_to(accounts); }
  Transfer transfer() {
    const int account = from_one_to(accounts);
    const int teller = from_one_to(tellers);
    const int branch = from_one_to(branches);
    return {account, teller, branch, from_one_to(10'001) - 5'001};
  }

 private:
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E37'79B9'7F4A'7C15;
    z = (z ^ (z >> 30U)) * 0xBF58'476D'1CE4'E5B9;
    z = (z ^ (z >> 27U)) * 0x94D0'49BB'1331'11EB;
    return z ^ (z >> 31U);
  }
  int from_one_to(int most) {
    return 1 + static_cast<int>(((next() >> 32U) * static_cast<std::uint64_t>(most)) >> 32U);
  }

  std::uint64_t state_;
};

// ---------------------------------------------------------------- what is sent

enum class Step : std::uint8_t { account, select, teller, branch, history };
inline constexpr std::size_t steps = 5;
using Texts = std::array<std::string, steps>;  // by Step

// `parameter(n)` spells the n-th one, n from 1.
template <class Parameter>
Texts texts(Parameter&& parameter) {
  const std::string p1 = parameter(1);
  const std::string p2 = parameter(2);
  return {"UPDATE accounts SET abalance = abalance + " + p1 + " WHERE aid = " + p2,
          "SELECT abalance FROM accounts WHERE aid = " + p1,
          "UPDATE tellers SET tbalance = tbalance + " + p1 + " WHERE tid = " + p2,
          "UPDATE branches SET bbalance = bbalance + " + p1 + " WHERE bid = " + p2,
          "INSERT INTO history (tid, bid, aid, delta, mtime) VALUES (" + p1 + ", " + p2 + ", " +
              parameter(3) + ", " + parameter(4) + ", CURRENT_TIMESTAMP)"};
}

inline std::string question_mark(int) { return "?"; }
inline std::string dollar(int n) { return "$" + std::to_string(n); }
inline std::string colon(int n) { return ":p" + std::to_string(n); }

inline const std::string& text_of(const Texts& texts, Step step) {
  return texts[static_cast<std::size_t>(step)];
}

// pgbench's transaction, but for its begin and commit. The client has change(step, numbers...) and
// select(account).
template <class Client>
int transfer(Client& client, const Transfer& t) {
  client.change(Step::account, t.delta, t.account);
  const int balance = client.select(t.account);
  client.change(Step::teller, t.delta, t.teller);
  client.change(Step::branch, t.delta, t.branch);
  client.change(Step::history, t.teller, t.branch, t.account, t.delta);
  return balance;
}

// Keeps a result that nobody looks at.
inline void keep(int value) { asm volatile("" : : "r"(value)); }

// Clients that are each the thread's own: `make()` connects. With it, a connection is in a variable
// and not in a pool.
template <class Make>
Outcome run_owned(const Load& load, std::chrono::duration<double> time, bool transactions,
                  Make&& make) {
  return run_each(load, time, [&](unsigned thread) {
    return [client = make(), draw = Draw(thread), transactions](auto&&) mutable {
      if (!transactions) return keep(client->select(draw.account()));
      client->begin();
      keep(transfer(*client, draw.transfer()));
      client->commit();
    };
  });
}

}  // namespace weir::bench::query
