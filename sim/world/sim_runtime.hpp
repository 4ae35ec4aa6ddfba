// SPDX-License-Identifier: MIT
//
// SimRuntime: the runtime of the simulator, of the shape that core/runtime/runtime.hpp asks for.
// BasicPool<SimRuntime> is the shipping pool's own source on virtual threads and virtual time.
#pragma once

#include "core/runtime/runtime.hpp"
#include "sim/world/sync.hpp"

namespace weir::engine {
class Engine;
class PlainRack;
struct Effects;
}  // namespace weir::engine

namespace weir::sim {

// Who is told of each step of the engine of each pool of a world: the judges of sim/check.
class StepWatcher {
 public:
  // After the step, before its effects are carried out; under the pool's lock.
  virtual void stepped(const std::string& pool, const engine::Engine& engine,
                       const engine::PlainRack& rack, const engine::Effects& fx) = 0;
  // The running thread is about to wait for a condition, with locks_held() >= 1.
  virtual void waits() = 0;
  // A mark of the program under test was passed.
  virtual void reached(runtime::Mark mark) = 0;

 protected:
  ~StepWatcher() = default;
};

struct SimRuntime {
  using mutex = Mutex;
  using condition_variable = ConditionVariable;
  template <class T>
  using atomic = Atomic<T>;
  using thread = Thread;

  static Instant now() noexcept { return World::current().look_at_clock(); }
  static void sleep_until(Instant until) { World::current().sleep_until(until); }
  static void wait_until(condition_variable& cv, std::unique_lock<mutex>& lock, Instant until) {
    if (StepWatcher* watcher = World::current().watcher()) watcher->waits();
    static_cast<void>(cv.wait_until(lock, until));
  }
  static std::uint64_t thread_id() noexcept { return World::current().running(); }
  static std::uint64_t random_seed();
  static constexpr std::uint32_t turns_before_lane = 1;

  // Descriptors belong to the real world: by virtual time a driver that waits for one is not
  // simulated, and the run ends with its name. By the wall clock it is looked at now and then,
  // while the other threads run.
  class FdWaiter {
   public:
    std::int32_t wait(int fd, std::uint32_t events, Instant until) noexcept;
    void wake() noexcept { woken_ = true; }

   private:
    bool woken_ = false;
  };

  static void probe(runtime::Mark mark) noexcept {
    if (StepWatcher* watcher = World::current().watcher()) watcher->reached(mark);
  }
  static void stepped(const std::string& pool, const engine::Engine& engine,
                      const engine::PlainRack& rack, const engine::Effects& fx) {
    if (StepWatcher* watcher = World::current().watcher()) {
      watcher->stepped(pool, engine, rack, fx);
    }
  }
};

static_assert(runtime::Runtime<SimRuntime>);

}  // namespace weir::sim
