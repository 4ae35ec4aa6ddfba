// SPDX-License-Identifier: MIT
//
// watchdog.hpp: ends calls at their deadline whose callers are in the client library themselves: it
// cuts their links (link_socket.hpp).
//
// Shape:     one per env. One thread of the crew's for all of it, while there is something to watch
//            and a while longer.
// Owner:     the env, and that thread.
// Threads:   any.
// Cost:      a call that ends in time wakes the thread only if its deadline is the earliest that
//            there was since the thread looked; it looks at all that are there.
// Invariant: once a Watch has ended, its canceller is not touched on its behalf.
#pragma once

#include "backends/mysql/canceller.hpp"
#include "backends/mysql/crew.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

namespace weir::mysql {

class Watchdog : public std::enable_shared_from_this<Watchdog> {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Watchdog(std::shared_ptr<Crew> crew) : crew_(std::move(crew)) {}
  // The thread ends soon. After the last Watch.
  void stop() noexcept;

  // One call. On its caller's stack.
  class Watch {
   public:
    // Throws std::system_error where no thread can be started.
    Watch(Watchdog& watchdog, Canceller& canceller, Clock::time_point due);
    ~Watch() { end(); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // Returns: whether it has cut the link. Idempotent.
    bool end() noexcept;

   private:
    friend class Watchdog;
    Watchdog& watchdog_;
    Canceller& canceller_;
    const Clock::time_point due_;

    // Guarded by the watchdog's mutex.
    Watch* next_ = nullptr;
    Watch** link_ = nullptr;  // what points to this one; null: not watched any more
    bool cut_ = false;
  };

 private:
  void add(Watch& watch);
  static void remove(Watch& watch) noexcept;
  // Cuts what is due. Returns: when the next one is.
  Clock::time_point look(Clock::time_point now) noexcept;
  void run() noexcept;

  const std::shared_ptr<Crew> crew_;

  std::mutex mutex_;
  std::condition_variable changed_;

  // Guarded by mutex_.
  Watch* first_ = nullptr;
  Clock::time_point wakes_at_;  // of the thread, if it runs
  bool running_ = false;
  bool stopped_ = false;
};

}  // namespace weir::mysql
