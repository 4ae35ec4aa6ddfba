// SPDX-License-Identifier: MIT
#include "core/engine/creator.hpp"

#include <algorithm>

namespace weir::engine {

void Creator::configure(Duration interval, Duration cap, std::uint32_t max_connecting) noexcept {
  interval_ = interval;
  cap_ = cap;
  if (!failing_ && window_ == max_connecting_) window_ = max_connecting;  // it was fully open
  window_ = std::min(window_, max_connecting);
  max_connecting_ = max_connecting;
}

void Creator::forget() noexcept {
  failing_ = false;
  last_result_ = OpResult::ok;
  window_ = max_connecting_;
}

void Creator::succeeded() noexcept {
  // One more for each success: a window full of them doubles it.
  window_ = failing_ ? 1 : std::min(window_ + 1, max_connecting_);
  failing_ = false;
  last_result_ = OpResult::ok;
}

void Creator::failed(Instant started, Instant now, OpResult how) noexcept {
  last_result_ = how;
  // Attempts that ran side by side fail together: only the first of them makes the delay grow.
  if (failing_ && started < round_start_) return;
  const Duration first = std::min(interval_, cap_);
  delay_ = failing_ ? std::clamp(delay_ * 2, first, cap_) : first;
  // Credentials and configuration rarely mend themselves: no short steps.
  if (how == OpResult::fatal) delay_ = cap_;
  if (!failing_) failing_since_ = now;
  failing_ = true;
  window_ = 1;
  round_start_ = now;
  const double factor = 1.0 - jitter + 2.0 * jitter * random_.unit();
  const auto wait =
      Duration(static_cast<std::int64_t>(static_cast<double>(delay_.count()) * factor));
  // From the start, so that an attempt that took long is not followed by a pause on top: the pool
  // is back within max(cap, connect timeout) of the database (R1).
  retry_at_ = after(started, std::max(wait, Duration(1)));
  last_start_ = started;
}

void Creator::demand() noexcept {
  if (!failing_ || last_result_ != OpResult::failed) return;
  const Duration first = std::max(std::min(interval_, cap_), Duration(1));
  retry_at_ = std::min(retry_at_, after(last_start_, first));
}

}  // namespace weir::engine
