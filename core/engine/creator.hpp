// SPDX-License-Identifier: MIT
//
// Creator: when a connect may start. At most max_connecting at once; after a failure one probe at a
// time with capped, jittered backoff; after the first success 1, 2, 4 ... up to max_connecting, so
// that a database that has just come back is not met by a storm.
//
// Invariants: 1. while failing_ no more than one connect runs that started after the failure (R3).
//             2. the delay before attempt k + 1 is counted from the start of attempt k, lies in
//                [d (1 - j), d (1 + j)] with d = min(interval * 2^k, cap), and is never 0 (T5, L7).
//             3. demand that comes where there was none shortens that delay, but never below the
//                first one, and never while the server is full or refuses us for good (R5, R7).
//             4. window_ is 1 after a failure and grows by one with each success, which doubles it
//                with each windowful (S8).
// Bound:      a database that is well again is found within max(cap (1 + j), create_timeout) (R1).
// Source:     pools.md, properties S8, T5, R1, R3, R5, R7, L7.
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

  // New limits, from the next attempt on.
  void configure(Duration interval, Duration cap, std::uint32_t max_connecting) noexcept;
  // What is known of the endpoint is of no use any more: it is another one.
  void forget() noexcept;

  void succeeded() noexcept;
  // `started` is when the attempt that failed began.
  void failed(Instant started, Instant now, OpResult how) noexcept;
  // Somebody waits, and nobody did before.
  void demand() noexcept;

  [[nodiscard]] bool failing() const noexcept { return failing_; }
  // The last failure was for credentials or configuration.
  [[nodiscard]] bool failing_for_good() const noexcept {
    return failing_ && last_result_ == OpResult::fatal;
  }
  [[nodiscard]] OpResult last_result() const noexcept { return last_result_; }
  // Since when they have failed. Requires: failing().
  [[nodiscard]] Instant failing_since() const noexcept { return failing_since_; }
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
  Instant failing_since_ = Instant::min();
  OpResult last_result_ = OpResult::ok;
  Duration delay_{};                      // of the next failure, before jitter
  Instant round_start_ = Instant::min();  // attempts from before belong to an earlier failure
  Instant last_start_ = Instant::min();   // of the attempt that failed
  Instant retry_at_ = Instant::min();
};

}  // namespace weir::engine
