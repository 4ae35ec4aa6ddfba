// SPDX-License-Identifier: MIT
//
// host.hpp: the weir_host that the kit puts under a driver.
//
// Its clock is not the machine's: real time is moved by some years, so that a driver which compares
// a deadline with a clock of its own is found out. In virtual time only a wait moves the clock, for
// drivers that promise to wait nowhere else (WEIR_CAP_HOST_WAIT).
//
// on_look runs inside the driver's call, at each look at the clock and at each wait: there a rule
// strikes at an exact point, without a second thread and without luck.
//
// Called by: drivers, from any thread; rules, which read what was counted.
// Waiting:   poll on the driver's descriptor and on an eventfd of the conn, which wake() writes.
// Invariant: after retire() no service may be called any more; a driver that does fails the rule.
#pragma once

#include <weir/driver.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace weir::check {

class Host {
 public:
  enum class Clock : std::uint8_t { real, virtual_time };

  explicit Host(Clock clock = Clock::real);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  [[nodiscard]] const weir_host* abi() const noexcept { return &host_; }
  [[nodiscard]] weir_time now() const noexcept;
  // `ns` from now.
  [[nodiscard]] weir_time in(weir_time ns) const noexcept { return now() + ns; }

  // Set before a call, from the thread that makes it; called once at a time.
  std::function<void(int look)> on_look;

  [[nodiscard]] int looks() const noexcept { return looks_.load(); }
  [[nodiscard]] int waits() const noexcept { return waits_.load(); }
  [[nodiscard]] int wakes() const noexcept { return wakes_.load(); }
  void forget_counts() noexcept;
  // From now on a wait for this tag needs no further descriptor.
  void make_ready(std::uint64_t tag) noexcept { event_fd(tag); }
  // What was logged so far, one line each.
  [[nodiscard]] std::string log() const;

  // From now on every call of a service is the driver's fault.
  void retire() noexcept { retired_.store(true); }

 private:
  static Host& self(void* ctx) noexcept { return *static_cast<Host*>(ctx); }
  void look() noexcept;
  void enter(const char* service) const noexcept;
  std::int32_t wait(std::uint64_t tag, std::int32_t fd, std::uint32_t events,
                    weir_time until) noexcept;
  std::int32_t wait_virtually(std::uint64_t tag, weir_time until) noexcept;
  void wake(std::uint64_t tag) noexcept;
  int event_fd(std::uint64_t tag) noexcept;

  // Constant after construction.
  const Clock clock_;
  weir_host host_{};

  std::atomic<weir_time> virtual_now_;
  std::atomic<int> looks_{0};
  std::atomic<int> waits_{0};
  std::atomic<int> wakes_{0};
  std::atomic<bool> looking_{false};
  std::atomic<bool> retired_{false};

  mutable std::mutex mutex_;
  std::map<std::uint64_t, int> event_fds_;  // guarded by mutex_
  std::map<std::uint64_t, bool> woken_;     // guarded by mutex_; virtual time only
  std::string log_;                         // guarded by mutex_
};

}  // namespace weir::check
