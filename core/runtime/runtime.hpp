// SPDX-License-Identifier: MIT
//
// Runtime: the seam between the shell and what it runs on. BasicPool<OsRuntime> ships; the
// simulator instantiates the same source with a runtime of virtual threads and time. Nothing in
// core/ names a mutex, thread, clock or thread-local of the standard library but through this seam,
// and a lint test holds that.
//
// What a runtime offers:
//   mutex, condition_variable, atomic<T>, thread   the shapes of their std:: namesakes
//   now()                                          monotonic, never back
//   sleep_until(Instant)
//   wait_until(cv, lock, Instant)                  as cv.wait_until; no_deadline waits without one
//   thread_id()                                    small, never 0, of the calling (virtual) thread
//   random_seed()                                  for jitter
//   turns_before_lane                              how busy a pool must be to lend without its
//                                                  lock; few in the simulator, to see more of it
//   FdWaiter                                       waits for a descriptor or a wake-up
//   probe(Mark)                                    tells of a rare turn (marks.hpp); nothing in
//                                                  production
//   stepped(pool, engine, rack, effects)           tells judges of a step; nothing in production
#pragma once

#include "core/runtime/marks.hpp"

#include <weir/time.hpp>

#include <concepts>
#include <cstdint>
#include <mutex>

namespace weir::runtime {

template <class R>
concept Runtime = requires(typename R::mutex& mutex, typename R::condition_variable& cv,
                           std::unique_lock<typename R::mutex>& lock, typename R::FdWaiter& waiter,
                           Instant at) {
  typename R::thread;
  typename R::template atomic<std::uint64_t>;
  mutex.lock();
  { mutex.try_lock() } -> std::same_as<bool>;
  cv.notify_one();
  { R::now() }
  noexcept->std::same_as<Instant>;
  R::sleep_until(at);
  R::wait_until(cv, lock, at);
  { R::thread_id() }
  noexcept->std::same_as<std::uint64_t>;
  { R::random_seed() } -> std::same_as<std::uint64_t>;
  { waiter.wait(0, 0U, at) } -> std::same_as<std::int32_t>;
  waiter.wake();
  { R::turns_before_lane } -> std::convertible_to<std::uint32_t>;
  R::probe(Mark::leapt);
};

}  // namespace weir::runtime
