// SPDX-License-Identifier: MIT
//
// What a host brings to co_await: an event loop, and a coroutine that is started by its call and
// destroyed with its handle.
#pragma once

#include <weir/async.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>

namespace weir::runtime {

class EventLoop final : public Executor {
 public:
  void post(Work work) override {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
    came_.notify_one();
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return queue_.size();
  }
  // Waits for one.
  [[nodiscard]] Work next() {
    std::unique_lock lock(mutex_);
    came_.wait(lock, [&] { return !queue_.empty(); });
    Work work = std::move(queue_.front());
    queue_.pop_front();
    return work;
  }
  void run_one() { next()(); }

 private:
  mutable std::mutex mutex_;
  std::condition_variable came_;
  std::deque<Work> queue_;
};

class Task {
 public:
  struct promise_type {
    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { thrown = std::current_exception(); }
    std::exception_ptr thrown;
  };
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() { destroy(); }

  void destroy() {
    if (handle_) std::exchange(handle_, {}).destroy();
  }
  [[nodiscard]] bool done() const { return handle_.done(); }
  [[nodiscard]] std::exception_ptr thrown() const { return handle_.promise().thrown; }

 private:
  using Handle = std::coroutine_handle<promise_type>;
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

}  // namespace weir::runtime
