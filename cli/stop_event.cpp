// SPDX-License-Identifier: MIT
#include "cli/stop_event.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <poll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace weir::cli {
namespace {

using Clock = std::chrono::steady_clock;

// poll()'s milliseconds, rounded up so that nobody wakes before the time.
int milliseconds(Duration left) {
  if (left == no_timeout) return -1;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(std::max(left, Duration{})).count();
  return static_cast<int>(std::min<std::int64_t>(ms, std::numeric_limits<int>::max()));
}

}  // namespace

StopEvent::StopEvent(Interrupt& interrupt) : event_(eventfd(0, EFD_CLOEXEC)) {
  if (event_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  action_.emplace(interrupt, [event = event_] {
    const std::uint64_t one = 1;
    // Adding 1 to a counter that is 0 cannot fail.
    static_cast<void>(!::write(event, &one, sizeof one));
  });
}

StopEvent::~StopEvent() {
  action_.reset();  // or it would write to a closed descriptor
  ::close(event_);
}

bool StopEvent::wait(Duration time) const {
  static_cast<void>(wait_for(-1, 0, time));  // poll() passes over -1
  pollfd now{event_, POLLIN, 0};
  return ::poll(&now, 1, 0) > 0;
}

short StopEvent::wait_for(int fd, short events, Duration time) const {
  const bool bounded = time != no_timeout;
  const auto until = Clock::now() + (bounded ? std::min(time, longest_wait) : Duration{});
  while (true) {
    pollfd both[] = {{event_, POLLIN, 0}, {fd, events, 0}};
    const Duration left = bounded ? Duration(until - Clock::now()) : no_timeout;
    const int ready = ::poll(both, 2, milliseconds(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || both[0].revents != 0) return 0;
    return both[1].revents;
  }
}

}  // namespace weir::cli
