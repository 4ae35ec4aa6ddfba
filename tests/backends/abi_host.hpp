// SPDX-License-Identifier: MIT
//
// abi_host.hpp: the two hosts that the backend tests put under a driver.
//
// FakeHost   one thread; time moves only when the driver waits or, by `tick`, when it looks at the
//            clock. A descriptor is really waited for, and each millisecond of that is one.
//            `on_look` runs at each look, inside the driver's call: there a test lets a lock go,
//            cancels or aborts at an exact point, without a second thread and without sleeping.
// RealHost   the machine's clock, condition variables; for the tests that need threads.
#pragma once

#include <weir/driver.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace weir::test {

struct Wait {
  std::uint64_t tag;
  weir_time from;
  weir_time until;
};

struct Event {
  std::int32_t type;
  std::string name;
  std::string text;
};

class FakeHost {
 public:
  FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  const weir_host* abi() const { return &host_; }
  weir_host& mutable_abi() { return host_; }

  weir_time now = 1'000'000'000;
  weir_time tick = 0;  // how far a look at the clock moves it
  // For drivers whose calls end on other threads: a wait lasts for at most a millisecond of real
  // time and moves the clock by as much, and may so end without cause.
  bool real_waits = false;
  int looks = 0;
  std::vector<Wait> waits;
  std::vector<std::uint64_t> wakes;
  std::vector<std::string> lines;
  std::vector<Event> heard;
  std::function<void()> on_look;
  std::function<void()> on_wait;  // after the wait is counted

 private:
  void look();
  std::int32_t wait_for(std::uint64_t tag, std::int32_t fd, std::uint32_t events, weir_time until);
  static FakeHost& self(void* ctx) { return *static_cast<FakeHost*>(ctx); }
  bool woken(std::uint64_t tag);
  weir_host host_{};
  std::mutex mutex_;  // guards woken_ and wakes: a driver's own threads may wake
  std::condition_variable woken_changed_;
  std::set<std::uint64_t> woken_;
  bool looking_ = false;
};

class RealHost {
 public:
  RealHost();
  ~RealHost();
  RealHost(const RealHost&) = delete;
  RealHost& operator=(const RealHost&) = delete;
  const weir_host* abi() const { return &host_; }
  static weir_time now();

 private:
  weir_host host_{};
  std::mutex mutex_;
  std::condition_variable woken_changed_;
  std::set<std::uint64_t> woken_;
  std::map<std::uint64_t, int> wakers_;  // by tag, for waits on descriptors; guarded by mutex_

  int waker_of(std::uint64_t tag);  // mutex_ is held
  std::int32_t wait_for(std::uint64_t tag, std::int32_t fd, std::uint32_t events, weir_time until);
};

}  // namespace weir::test
