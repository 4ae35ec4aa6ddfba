// SPDX-License-Identifier: MIT
//
// The virtual primitives: what a program of virtual threads uses instead of std::mutex,
// std::condition_variable, std::atomic, std::thread and thread_local. Each operation is a
// scheduling point before it happens, so that every window in which another thread could see it
// pending is one that a schedule can hit.
//
// Semantics are as weak as the standard allows, so that a program which leans on more is found out:
// a mutex may be taken by whoever comes first after an unlock, notify_one wakes any waiter, waits
// and weak exchanges may fail for no reason, and so may try_lock. Atomics are sequentially
// consistent: weaker orders are not simulated (docs/sim.md says what finds those).
// tests/sim/world/primitives.cpp holds that std:: keeps the same promises.
//
// Threads: virtual ones of one world. Used outside of a world they end the process.
#pragma once

#include "core/base/assert.hpp"
#include "sim/world/world.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace weir::sim {

class Identified {
 protected:
  // Numbered at first use: the order of use is the same in every run.
  ObjectId id(World& world) noexcept {
    if (id_ == 0) id_ = world.next_object();
    return id_;
  }

 private:
  ObjectId id_ = 0;
};

class Mutex : Identified {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() {
    World& world = World::current();
    world.point(Op::lock, id(world));
    take(world);
  }
  [[nodiscard]] bool try_lock() {
    World& world = World::current();
    world.point(Op::try_lock, id(world));
    if (owner_ != 0 || world.spurious()) return false;
    owner_ = world.running();
    ++world.locks_held();
    return true;
  }
  void unlock() {
    World& world = World::current();
    world.point(Op::unlock, id(world));
    release(world);
  }

 private:
  friend class ConditionVariable;
  void take(World& world) {
    if (owner_ == world.running()) {
      world.fail("deadlock", world.name_of(owner_) + " locks a mutex that it holds");
    }
    while (owner_ != 0) world.block(waiting_, no_deadline, Op::lock, id(world));
    owner_ = world.running();
    ++world.locks_held();
  }
  void release(World& world) {
    if (owner_ != world.running()) {
      world.fail("misuse",
                 world.name_of(world.running()) + " unlocks a mutex that it does not hold");
    }
    owner_ = 0;
    --world.locks_held();
    world.wake_first(waiting_, true);
  }

  ThreadId owner_ = 0;
  World::WaitList waiting_;
};

class ConditionVariable : Identified {
 public:
  ConditionVariable() = default;
  ConditionVariable(const ConditionVariable&) = delete;
  ConditionVariable& operator=(const ConditionVariable&) = delete;
  ~ConditionVariable() { WEIR_ASSERT(waiting_.empty()); }

  void wait(std::unique_lock<Mutex>& lock) { static_cast<void>(wait_until(lock, no_deadline)); }
  template <class Predicate>
  void wait(std::unique_lock<Mutex>& lock, Predicate enough) {
    while (!enough()) wait(lock);
  }
  std::cv_status wait_until(std::unique_lock<Mutex>& lock, Instant until) {
    World& world = World::current();
    world.point(Op::wait, id(world));
    if (world.spurious()) {
      lock.mutex()->release(world);
      lock.mutex()->take(world);
      return std::cv_status::no_timeout;
    }
    // From here to the block no other thread runs: a notify in between would be lost.
    lock.mutex()->release(world);
    const bool woken = world.block(waiting_, until, Op::wait, id(world));
    lock.mutex()->take(world);
    return woken ? std::cv_status::no_timeout : std::cv_status::timeout;
  }
  void notify_one() noexcept {
    World& world = World::current();
    world.point(Op::notify, id(world));
    world.wake_first(waiting_, true);
  }
  void notify_all() noexcept {
    World& world = World::current();
    world.point(Op::notify, id(world));
    world.wake_all(waiting_);
  }

 private:
  World::WaitList waiting_;
};

// The order arguments are those of std::atomic and are handed on to a real one, so that a
// ThreadSanitizer that watches virtual threads sees what production does.
template <class T>
class Atomic : Identified {
 public:
  using value_type = T;
  static constexpr bool is_always_lock_free = std::atomic<T>::is_always_lock_free;

  constexpr Atomic() noexcept = default;
  constexpr Atomic(T value) noexcept : value_(value) {}  // NOLINT: as std::atomic
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load(std::memory_order order = std::memory_order_seq_cst) const noexcept {
    point(Op::load);
    return value_.load(order);
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst) noexcept {
    point(Op::store);
    value_.store(value, order);
  }
  T exchange(T value, std::memory_order order = std::memory_order_seq_cst) noexcept {
    point(Op::exchange);
    return value_.exchange(value, order);
  }
  bool compare_exchange_strong(T& expected, T wanted,
                               std::memory_order order = std::memory_order_seq_cst) noexcept {
    point(Op::exchange);
    return value_.compare_exchange_strong(expected, wanted, order);
  }
  bool compare_exchange_strong(T& expected, T wanted, std::memory_order success,
                               std::memory_order failure) noexcept {
    point(Op::exchange);
    return value_.compare_exchange_strong(expected, wanted, success, failure);
  }
  bool compare_exchange_weak(T& expected, T wanted,
                             std::memory_order order = std::memory_order_seq_cst) noexcept {
    return !fails_for_nothing(expected) && value_.compare_exchange_strong(expected, wanted, order);
  }
  bool compare_exchange_weak(T& expected, T wanted, std::memory_order success,
                             std::memory_order failure) noexcept {
    return !fails_for_nothing(expected) &&
           value_.compare_exchange_strong(expected, wanted, success, failure);
  }
  template <class U>
  T fetch_add(U by, std::memory_order order = std::memory_order_seq_cst) noexcept {
    point(Op::exchange);
    return value_.fetch_add(by, order);
  }
  template <class U>
  T fetch_sub(U by, std::memory_order order = std::memory_order_seq_cst) noexcept {
    point(Op::exchange);
    return value_.fetch_sub(by, order);
  }
  T fetch_and(T bits, std::memory_order order = std::memory_order_seq_cst) noexcept {
    point(Op::exchange);
    return value_.fetch_and(bits, order);
  }
  T fetch_or(T bits, std::memory_order order = std::memory_order_seq_cst) noexcept {
    point(Op::exchange);
    return value_.fetch_or(bits, order);
  }
  void wait(T old, std::memory_order order = std::memory_order_seq_cst) const noexcept {
    World& world = World::current();
    point(Op::wait);
    while (value_.load(order) == old) world.block(waiting_, no_deadline, Op::wait, 0);
  }
  void notify_one() noexcept {
    point(Op::notify);
    World::current().wake_first(waiting_, true);
  }
  void notify_all() noexcept {
    point(Op::notify);
    World::current().wake_all(waiting_);
  }

  operator T() const noexcept { return load(); }  // NOLINT: as std::atomic
  T operator=(T value) noexcept {                 // NOLINT: as std::atomic
    store(value);
    return value;
  }
  T operator++() noexcept { return fetch_add(1) + 1; }
  T operator--() noexcept { return fetch_sub(1) - 1; }

 private:
  void point(Op op) const noexcept {
    World& world = World::current();
    world.point(op, const_cast<Atomic*>(this)->id(world));
  }
  bool fails_for_nothing(T& expected) noexcept {
    point(Op::exchange);
    if (!World::current().spurious()) return false;
    expected = value_.load(std::memory_order_relaxed);
    return true;
  }

  std::atomic<T> value_{};
  mutable World::WaitList waiting_;
};

class Thread {
 public:
  Thread() noexcept = default;
  template <class F>
  explicit Thread(F body) {
    World& world = World::current();
    world.point(Op::spawn, 0);
    id_ = world.spawn(std::move(body));
  }
  Thread(Thread&& other) noexcept : id_(std::exchange(other.id_, 0)) {}
  Thread& operator=(Thread&& other) noexcept {
    WEIR_ASSERT(!joinable());
    id_ = std::exchange(other.id_, 0);
    return *this;
  }
  ~Thread() { WEIR_ASSERT(!joinable()); }

  [[nodiscard]] bool joinable() const noexcept { return id_ != 0; }
  [[nodiscard]] ThreadId id() const noexcept { return id_; }
  void join() {
    WEIR_ASSERT(joinable());
    World::current().join(std::exchange(id_, 0));
  }
  void detach() {
    WEIR_ASSERT(joinable());
    id_ = 0;
  }

 private:
  ThreadId id_ = 0;
};

// A value per virtual thread, made when the thread first asks and kept until the world ends.
template <class T>
class Local {
 public:
  Local() = default;
  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;
  ~Local() {
    for (T* value : values_) delete value;
  }
  T& operator*() {
    void*& place = World::current().local(this);
    if (place == nullptr) {
      values_.push_back(new T());
      place = values_.back();
    }
    return *static_cast<T*>(place);
  }

 private:
  std::vector<T*> values_;
};

}  // namespace weir::sim
