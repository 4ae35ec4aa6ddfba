// SPDX-License-Identifier: MIT
//
// StopEvent: what Interrupt hears as a descriptor that poll() can wait for, so that a command that
// waits for a socket, or for time to pass, ends when it is asked to. Made by the commands that talk
// to a running program; one at a time, since an Interrupt has one action.
//
// Threads: any number may wait; none of them takes the event from the others.
#pragma once

#include "cli/interrupt.hpp"

#include <weir/time.hpp>

#include <optional>

namespace weir::cli {

// Longer than anybody waits, and far from where a clock ends.
inline constexpr Duration longest_wait = std::chrono::hours(24 * 365);

class StopEvent {
 public:
  // Throws: std::system_error if the process has no descriptor left.
  explicit StopEvent(Interrupt& interrupt);
  StopEvent(const StopEvent&) = delete;
  StopEvent& operator=(const StopEvent&) = delete;
  ~StopEvent();

  // Returns: whether there was a signal, at once if it came before. no_timeout waits for one;
  // another time counts up to longest_wait.
  [[nodiscard]] bool wait(Duration time) const;
  // Waits until `fd` has one of `events` (POLLIN, POLLOUT) as well. Returns: what it has; 0 if
  // there was a signal or the time is over.
  [[nodiscard]] short wait_for(int fd, short events, Duration time) const;

 private:
  int event_;
  std::optional<Interrupt::Action> action_;
};

}  // namespace weir::cli
