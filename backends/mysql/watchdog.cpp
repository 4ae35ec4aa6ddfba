// SPDX-License-Identifier: MIT
#include "backends/mysql/watchdog.hpp"

#include <algorithm>

namespace weir::mysql {
namespace {

constexpr std::chrono::seconds idle_time{10};

}  // namespace

Watchdog::Watch::Watch(Watchdog& watchdog, Canceller& canceller, Clock::time_point due)
    : watchdog_(watchdog), canceller_(canceller), due_(due) {
  watchdog_.add(*this);
}

bool Watchdog::Watch::end() noexcept {
  const std::lock_guard lock(watchdog_.mutex_);
  remove(*this);
  return cut_;
}

void Watchdog::remove(Watch& watch) noexcept {
  if (watch.link_ == nullptr) return;
  *watch.link_ = watch.next_;
  if (watch.next_ != nullptr) watch.next_->link_ = watch.link_;
  watch.link_ = nullptr;
}

void Watchdog::add(Watch& watch) {
  const std::lock_guard lock(mutex_);
  if (!running_) {
    crew_->submit([self = shared_from_this()] { self->run(); });
    running_ = true;
  } else if (watch.due_ < wakes_at_) {
    changed_.notify_one();
  }
  watch.next_ = first_;
  if (first_ != nullptr) first_->link_ = &watch.next_;
  watch.link_ = &first_;
  first_ = &watch;
}

Watchdog::Clock::time_point Watchdog::look(Clock::time_point now) noexcept {
  Clock::time_point next = Clock::time_point::max();
  for (Watch* watch = first_; watch != nullptr;) {
    Watch& it = *std::exchange(watch, watch->next_);
    if (it.due_ > now) {
      next = std::min(next, it.due_);
      continue;
    }
    it.cut_ = true;
    it.canceller_.cut();  // does not block
    remove(it);
  }
  return next;
}

void Watchdog::run() noexcept {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    const auto now = Clock::now();
    const auto next = look(now);
    const auto until = std::min(next, now + idle_time);
    wakes_at_ = until;
    const auto woken = changed_.wait_until(lock, until);
    if (woken == std::cv_status::timeout && first_ == nullptr && next > until) break;
  }
  running_ = false;
}

void Watchdog::stop() noexcept {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_one();
}

}  // namespace weir::mysql
