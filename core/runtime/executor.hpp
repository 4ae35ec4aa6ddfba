// SPDX-License-Identifier: MIT
//
// BasicExecutor: the threads that do the pools' work: connects, resets, closes, timers. One per
// process (one per world in the simulator), shared by all pools, so that a process with twenty idle
// pools has no twenty threads.
//
// Threads come on demand and leave after `linger` without work. While timers are armed one thread
// stays, the watcher, which waits for the earliest; without timers and work there is none. A thread
// that turns to a task while timers are armed sees to it first that another one watches them,
// because a task may hang in a driver. Where threads_max threads are at tasks one more is there for
// the timers alone: with their deadlines those end what hangs.
//
// Invariants: 1. every task posted runs; a task waits for a thread only if threads_max are busy
// with
//                others.
//             2. a timer fires at most once per arm(), as a task, not before its time.
//             3. idle counts the threads that wait, the watcher among them; starting those that do
//                not run yet. No thread is started for a task that one of them will take.
//             4. of the threads that have ended all but one are joined, or are being joined.
// Threads:    every member from any thread. Tasks run under no lock.
// Lifetime:   destroyed by its last owner, which may be one of its own tasks.
#pragma once

#include "core/base/assert.hpp"
#include "core/runtime/runtime.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

namespace weir::runtime {

template <Runtime R>
class BasicExecutor {
 public:
  using Task = std::function<void()>;
  using TimerId = std::uint64_t;

  BasicExecutor() : state_(std::make_shared<State>()) {}
  BasicExecutor(const BasicExecutor&) = delete;
  BasicExecutor& operator=(const BasicExecutor&) = delete;

  // Runs what is queued, then joins the workers.
  ~BasicExecutor() {
    std::unique_lock lock(state_->mutex);
    state_->stopping = true;
    state_->timers.clear();
    state_->work.notify_all();
    state_->watch.notify_all();
    auto workers = std::move(state_->workers);
    state_->workers.clear();
    auto ended = std::move(state_->ended);
    lock.unlock();
    for (auto& thread : ended) thread.join();
    for (auto& [id, worker] : workers) {
      if (worker.thread_id == R::thread_id()) {
        worker.thread.detach();  // our own task was the last owner: this thread ends by itself
      } else {
        worker.thread.join();
      }
    }
  }

  void post(Task task) {
    const std::unique_lock lock(state_->mutex);
    state_->tasks.push_back(std::move(task));
    State::provide_worker(state_);
  }

  // A timer of the caller's own, not armed.
  [[nodiscard]] TimerId add_timer(Task fire) {
    const std::unique_lock lock(state_->mutex);
    const TimerId id = ++state_->last_timer;
    state_->fire.emplace(id, std::move(fire));
    return id;
  }
  // Fires `id` at `at` instead of at its former time; no_deadline disarms it.
  void arm(TimerId id, Instant at) {
    const std::unique_lock lock(state_->mutex);
    state_->disarm(id);
    if (at == no_deadline) return;
    state_->armed[id] = at;
    const auto [place, inserted] = state_->timers.insert({at, id});
    if (place == state_->timers.begin()) State::provide_watcher(state_);
  }
  // Afterwards `id` fires no more, and no firing is under way: what it uses may go. Called by the
  // firing itself it does not wait for itself.
  // Blocks: until a firing under way has ended.
  void remove_timer(TimerId id) {
    std::unique_lock lock(state_->mutex);
    state_->disarm(id);
    state_->fire.erase(id);
    const auto fires_elsewhere = [&] {
      return std::any_of(state_->firing.begin(), state_->firing.end(), [&](const auto& f) {
        return f.first == id && f.second != R::thread_id();
      });
    };
    while (fires_elsewhere()) R::wait_until(state_->fired, lock, no_deadline);
  }

  [[nodiscard]] std::size_t thread_count() const {
    const std::unique_lock lock(state_->mutex);
    return state_->workers.size();
  }
  // Threads that have ended, and whose stacks are still there.
  [[nodiscard]] std::size_t unjoined_count() const {
    const std::unique_lock lock(state_->mutex);
    return state_->ended.size();
  }

 private:
  static constexpr Duration linger = std::chrono::seconds(2);
  // At tasks. Bounds the damage of a program gone wrong, or of one with many calls under way at
  // once that each keep a thread (weir/async.hpp); further ones wait.
  static constexpr std::size_t threads_max = 256;

  struct Worker {
    typename R::thread thread;
    std::uint64_t thread_id = 0;  // 0 until it runs
  };

  struct State {
    typename R::mutex mutex;  // never held while a task runs
    typename R::condition_variable work;
    typename R::condition_variable watch;
    typename R::condition_variable fired;  // a timer's task has ended
    std::deque<TimerId> due;               // fell due, and wait for a thread: they come first
    std::deque<Task> tasks;                // posted
    std::size_t at_tasks = 0;              // threads that run one of those
    std::set<std::pair<Instant, TimerId>> timers;
    std::map<TimerId, Instant> armed;
    std::map<TimerId, Task> fire;
    // And by which thread: a timer armed anew while it fires may fire on another one beside it.
    std::set<std::pair<TimerId, std::uint64_t>> firing;
    TimerId last_timer = 0;
    std::map<std::uint64_t, Worker> workers;
    std::uint64_t last_worker = 0;
    std::vector<typename R::thread> ended;  // to be joined by the next one that comes or ends
    std::size_t idle = 0;
    std::size_t starting = 0;
    bool watched = false;
    bool stopping = false;

    void disarm(TimerId id) {
      const auto it = armed.find(id);
      if (it == armed.end()) return;
      timers.erase({it->second, id});
      armed.erase(it);
    }

    // What could begin now, if there are threads for it.
    [[nodiscard]] std::size_t ready() const noexcept {
      return due.size() + std::min(tasks.size(), threads_max - at_tasks);
    }

    // Each of them is promised to one thread: to those that start, then to the followers, last to
    // the watcher.
    static void provide_worker(const std::shared_ptr<State>& self) {
      if (self->ready() <= self->starting) return;
      const std::size_t tasks = self->ready() - self->starting;
      const std::size_t followers = self->idle - (self->watched ? 1 : 0);
      if (tasks <= followers) {
        self->work.notify_one();
      } else if (tasks <= self->idle) {
        self->watch.notify_one();
      } else {
        spawn(self);
      }
    }

    // Somebody has to wait for the earliest timer, or to look at it again.
    static void provide_watcher(const std::shared_ptr<State>& self) {
      if (self->watched) {
        self->watch.notify_one();
      } else if (self->idle > 0) {
        self->work.notify_one();
      } else if (self->starting == 0) {  // who starts sees to it himself
        spawn(self);
      }
    }

    static void spawn(const std::shared_ptr<State>& self) {
      for (auto& thread : self->ended) thread.join();
      self->ended.clear();
      if (self->workers.size() > threads_max || self->stopping) return;
      const std::uint64_t id = ++self->last_worker;
      Worker& worker = self->workers[id];
      try {
        worker.thread = typename R::thread([self, id] { run(self, id); });
        ++self->starting;
      } catch (const std::system_error&) {
        // No thread to be had: what is queued waits for a worker that ends its task, or for the
        // next post. Callers still time out by themselves.
        self->workers.erase(id);
      }
    }

    void queue_due_timers(Instant now) {
      while (!timers.empty() && timers.begin()->first <= now) {
        const TimerId id = timers.begin()->second;
        disarm(id);
        due.push_back(id);
      }
    }

    // Returns: whether it is worth going on.
    static bool wait(State& s, std::unique_lock<typename R::mutex>& lock) {
      ++s.idle;
      bool go_on = true;
      if (!s.timers.empty() && !s.watched) {
        s.watched = true;
        R::wait_until(s.watch, lock, s.timers.begin()->first);
        s.watched = false;
      } else {
        const Instant until = after(R::now(), linger);
        R::wait_until(s.work, lock, until);
        go_on = R::now() < until;
      }
      --s.idle;
      return go_on;
    }

    // For a thread that is about to turn to what it has taken.
    static void provide(const std::shared_ptr<State>& self) {
      if (self->ready() > 0) provide_worker(self);
      if (!self->timers.empty() && !self->watched) provide_watcher(self);
    }

    static void fire_next(const std::shared_ptr<State>& self,
                          std::unique_lock<typename R::mutex>& lock) {
      State& s = *self;
      const TimerId timer = s.due.front();
      s.due.pop_front();
      provide(self);
      const auto found = s.fire.find(timer);
      if (found == s.fire.end()) return;  // removed since it fell due
      s.firing.insert({timer, R::thread_id()});
      call(Task(found->second), lock);
      s.firing.erase({timer, R::thread_id()});
      s.fired.notify_all();
    }

    static void run_next(const std::shared_ptr<State>& self,
                         std::unique_lock<typename R::mutex>& lock) {
      State& s = *self;
      Task task = std::move(s.tasks.front());
      s.tasks.pop_front();
      ++s.at_tasks;
      provide(self);
      call(std::move(task), lock);
      --s.at_tasks;
    }

    static void call(Task task, std::unique_lock<typename R::mutex>& lock) {
      lock.unlock();
      task();
      task = nullptr;  // may own the last reference to something: not under the lock
      lock.lock();
    }

    static void run(const std::shared_ptr<State>& self, std::uint64_t id) {
      State& s = *self;
      std::unique_lock lock(s.mutex);
      --s.starting;
      if (const auto me = s.workers.find(id); me != s.workers.end()) {
        me->second.thread_id = R::thread_id();
      }
      for (bool go_on = true;;) {
        s.queue_due_timers(R::now());
        if (s.ready() > 0) {
          go_on = true;
          if (!s.due.empty()) {
            fire_next(self, lock);
          } else {
            run_next(self, lock);
          }
          continue;
        }
        const bool needed = !s.timers.empty() && !s.watched;
        if (s.stopping || (!go_on && !needed)) break;
        go_on = wait(s, lock);
      }
      std::vector<typename R::thread> before;
      if (const auto me = s.workers.find(id); me != s.workers.end()) {
        before = std::exchange(s.ended, {});
        s.ended.push_back(std::move(me->second.thread));
        s.workers.erase(me);
      }
      lock.unlock();
      for (auto& thread : before) thread.join();
    }
  };

  std::shared_ptr<State> state_;
};

}  // namespace weir::runtime
