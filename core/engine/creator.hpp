// SPDX-License-Identifier: MIT
//
// Creator: when a connect may start. At most max_connecting at once; after a failure one probe at a
// time with capped, jittered backoff; after the first success 1, 2, 4 ... up to max_connecting, so
// that a database that has just come back is not met by a storm.
//
// Invariants: 1. while failing_ no more than one connect runs that started after the failure.
//             2. the delay before attempt k + 1 is counted from the start of attempt k, lies in
//                [d (1 - j), d (1 + j)] with d = min(interval * 2^k, cap), and is never 0.
//             3. window_ is 1 after a failure and grows by one with each success, which doubles it
//                with each windowful.
// Source:     pools.md, properties S8, T5, R1, R3, L7.
#pragma once

#include "core/base/random.hpp"
#include "core/engine/types.hpp"

namespace weir::engine {

class Creator {
 public:
  Creator(Duration interval, Duration cap, std::uint32_t max_connecting,
          std::uint64_t seed) noexcept
      : interval_(interval),
        cap_(cap),
        max_connecting_(max_connecting),
        window_(max_connecting),
        random_(seed) {}

  // How many connects may start now, with `connecting` under way.
  [[nodiscard]] std::uint32_t allowance(Instant now, std::uint32_t connecting) const noexcept {
    if (failing_) return connecting == 0 && now >= retry_at_ ? 1 : 0;
    return window_ > connecting ? window_ - connecting : 0;
  }

  void succeeded() noexcept;
  // `started` is when the attempt that failed began.
  void failed(Instant started, Instant now, OpResult how) noexcept;

  [[nodiscard]] bool failing() const noexcept { return failing_; }
  // The last failure was for credentials or configuration.
  [[nodiscard]] bool failing_for_good() const noexcept {
    return failing_ && last_result_ == OpResult::fatal;
  }
  [[nodiscard]] OpResult last_result() const noexcept { return last_result_; }
  // When the next attempt may start; the past if it may start now.
  [[nodiscard]] Instant retry_at() const noexcept { return retry_at_; }

 private:
  static constexpr double jitter = 0.2;

  Duration interval_;
  Duration cap_;
  std::uint32_t max_connecting_;
  std::uint32_t window_;
  base::Random random_;
  bool failing_ = false;
  OpResult last_result_ = OpResult::ok;
  Duration delay_{};                      // of the next failure, before jitter
  Instant round_start_ = Instant::min();  // attempts from before belong to an earlier failure
  Instant retry_at_ = Instant::min();
};

}  // namespace weir::engine
