// SPDX-License-Identifier: MIT
//
// writers.hpp: threads that commit rows through a pool for as long as they are let, and keep a
// ledger of what became of each. Afterwards the ledger is compared with the server's table.
//
// Called by: the tests in this folder. Threads: all members but the private ones by one thread.
#pragma once

#include <weir/weir.hpp>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace weir::test {

enum class Fate : std::uint8_t {
  committed,      // the commit was acknowledged
  not_committed,  // never asked to commit, or by the error it did not
  unknown,        // asked to commit, and the error leaves it open
};

class Writers {
 public:
  // `insert`: puts its one parameter, a number that no other row has, into the table ledger.
  Writers(Pool& db, std::string insert, int threads);
  ~Writers() { stop(); }
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  // Waits until each thread has committed one more row, begun after this call. How long that took;
  // nothing if it is not done within `limit`.
  std::optional<Duration> all_commit_again(Duration limit);
  // Ends the threads, each after its transaction.
  void stop();
  // After stop(): fails the test for each row whose presence contradicts the ledger.
  void expect_truth_in(Pool& db) const;

  // At any time.
  std::uint64_t count(Fate fate) const;
  std::string summary() const;  // the counts, and a line for each kind of failure

 private:
  void write(int thread);
  void note(int thread, std::int64_t id, int round, Fate fate, const weir::Error* error);

  Pool& db_;
  const std::string insert_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // of all that follows, until stop()
  std::condition_variable committed_;
  int round_ = 0;
  std::vector<int> last_round_;  // by thread: in which its newest committed row was begun
  std::map<std::int64_t, Fate> ledger_;
  std::map<std::string, int> failures_;  // by code, SQLSTATE and effect
  std::vector<std::thread> threads_;
};

}  // namespace weir::test
