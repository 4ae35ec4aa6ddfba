// SPDX-License-Identifier: MIT
//
// OsRuntime: the runtime of a host program. Aliases of std:: and thin calls; it costs nothing. The
// only file of core/ that may name clocks, threads, mutexes and thread-locals.
#pragma once

#include "core/runtime/runtime.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace weir::runtime {

struct OsRuntime {
  using mutex = std::mutex;
  using condition_variable = std::condition_variable;
  template <class T>
  using atomic = std::atomic<T>;
  using thread = std::thread;

  static Instant now() noexcept {
    return Instant(std::chrono::steady_clock::now().time_since_epoch());
  }
  static void sleep_until(Instant until) { std::this_thread::sleep_until(on_steady(until)); }

  static void wait_until(condition_variable& cv, std::unique_lock<mutex>& lock, Instant until) {
    if (until == no_deadline) {
      cv.wait(lock);
    } else {
      cv.wait_until(lock, on_steady(until));
    }
  }

  [[gnu::always_inline]] static std::uint64_t thread_id() noexcept {
    static std::atomic<std::uint64_t> next{1};
    // Not through a function call, as is usual in a shared object: that is a tenth of an acquire.
    [[gnu::tls_model("initial-exec")]] static thread_local std::uint64_t id = 0;
    if (id == 0) id = next.fetch_add(1, std::memory_order_relaxed);
    return id;
  }

  static std::uint64_t random_seed();

  // So that a pool that is used now and then has no timer for it, and measures every lease.
  static constexpr std::uint32_t turns_before_lane = 64;

  // Waits for a descriptor, and can be woken from another thread.
  class FdWaiter {
   public:
    FdWaiter();
    ~FdWaiter();
    FdWaiter(const FdWaiter&) = delete;
    FdWaiter& operator=(const FdWaiter&) = delete;
    // Returns: WEIR_WAIT_* of weir/driver.h. `events` is WEIR_WAIT_READ | WEIR_WAIT_WRITE.
    std::int32_t wait(int fd, std::uint32_t events, Instant until) noexcept;
    void wake() noexcept;

   private:
    [[nodiscard]] int timeout_ms(Instant until) const noexcept;

    int event_fd_;  // -1 if the process is out of descriptors: then waits are cut short instead
  };

  static constexpr void probe(Mark) noexcept {}
  template <class... Seen>
  static constexpr void stepped(const Seen&...) noexcept {}

 private:
  static std::chrono::steady_clock::time_point on_steady(Instant at) noexcept {
    return std::chrono::steady_clock::time_point(at.time_since_epoch());
  }
};

static_assert(Runtime<OsRuntime>);

}  // namespace weir::runtime
