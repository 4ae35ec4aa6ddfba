// SPDX-License-Identifier: MIT
//
// LeaseAwaiter: a coroutine of a simulated client that awaits its connection, as a host's would.
// Destroyed before it is over it leaves the wait, which is what it is for.
//
// Owner and thread: the client that began it; its loop resumes it.
#pragma once

#include <weir/async.hpp>

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace weir::sim {

class LeaseAwaiter {
 public:
  struct promise_type {
    std::optional<Result<weir::Lease>> answer;

    LeaseAwaiter get_return_object() { return LeaseAwaiter(Coroutine::from_promise(*this)); }
    static std::suspend_never initial_suspend() noexcept { return {}; }
    static std::suspend_always final_suspend() noexcept { return {}; }
    void return_value(Result<weir::Lease> lease) { answer.emplace(std::move(lease)); }
    [[noreturn]] static void unhandled_exception() { std::terminate(); }  // an acquire throws none
  };

  // Clang 14 moves what get_return_object() has made.
  LeaseAwaiter(LeaseAwaiter&& other) noexcept
      : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  LeaseAwaiter& operator=(LeaseAwaiter&&) = delete;
  ~LeaseAwaiter() {
    if (coroutine_) coroutine_.destroy();
  }

  [[nodiscard]] bool is_over() const noexcept { return coroutine_.done(); }
  // Requires: it is over; once.
  [[nodiscard]] Result<weir::Lease> take() { return *std::move(coroutine_.promise().answer); }

 private:
  using Coroutine = std::coroutine_handle<promise_type>;
  explicit LeaseAwaiter(Coroutine coroutine) noexcept : coroutine_(coroutine) {}

  Coroutine coroutine_;
};

inline LeaseAwaiter await_lease(AsyncLease wait) { co_return co_await wait; }

}  // namespace weir::sim
